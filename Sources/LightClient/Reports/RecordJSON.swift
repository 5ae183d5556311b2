import Encoding
import Records

extension AnyRecord {
    /// The fields under their names (docs/records.md).
    var json: JSONNode {
        let body = body
        guard case .map(let fields)? = try? CBORValue.decode(body, limits: StoredRecord.limits)
        else { return .text(Hex.encode(body)) }
        let names = type.fieldNames
        return .object(
            fields.map { key, value in
                guard case .unsigned(let number) = key, (1...UInt64(names.count)).contains(number)
                else { return JSONNode.Member(key.diagnostic, value.json) }
                return JSONNode.Member(names[Int(number) - 1], value.json)
            })
    }
}

extension CBORValue {
    /// Bytes in hexadecimal; what JSON has no form for in CBOR's diagnostic notation, as are keys that are no texts.
    var json: JSONNode {
        switch self {
        case .unsigned(let number): .number(number)
        case .bytes(let bytes): .text(Hex.encode(bytes))
        case .text(let text): .text(text)
        case .array(let items): .list(items.map { $0.json })
        case .map(let pairs):
            .object(
                pairs.map { key, value in
                    if case .text(let name) = key { return JSONNode.Member(name, value.json) }
                    return JSONNode.Member(key.diagnostic, value.json)
                })
        case .bool(let value): .bool(value)
        case .null: .null
        case .negative, .tag: .text(diagnostic)
        }
    }
}
