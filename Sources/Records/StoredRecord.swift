import Encoding
import Ledger
import LedgerCrypto

/// A typed record of the state map.
public protocol RecordCodable: CBORCodable, Hashable, Sendable {
    static var type: RecordType { get }
    /// Where it is kept; derived from the record's own id, so it can never be put elsewhere.
    func stateKey(_ suite: Suite) -> Digest
    var wrapped: AnyRecord { get }
    /// Nil for a record of another type.
    init?(_ record: AnyRecord)
}

/// A value of the state map. Wire: `[salt, type, body]`; the map commits to `H(wire bytes)`.
///
/// The salt keeps a value that could be guessed (a balance, a count) from being guessed out of the hashes of siblings
/// in other people's proofs.
public struct StoredRecord: Hashable, Sendable, CBORCodable {
    public static let saltBytes = 16
    public static let limits = CBORLimits(
        bytesMax: LedgerLimits.blockBytesMax, depthMax: 12, itemsMax: 8_192,
        stringBytesMax: LedgerLimits.blockBytesMax)

    public let salt: [UInt8]
    public let type: RecordType
    /// The encoded record.
    public let body: [UInt8]

    public init(salt: [UInt8], type: RecordType, body: [UInt8]) {
        precondition(salt.count == StoredRecord.saltBytes, "a record's salt is 16 bytes")
        self.salt = salt
        self.type = type
        self.body = body
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.bytes(salt)
        encoder.value(type)
        encoder.bytes(body)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        salt = try decoder.bytes(exactly: StoredRecord.saltBytes)
        type = try decoder.value()
        body = try decoder.bytes()
    }

    /// The salt of a genesis record, which everybody has: the first 16 bytes of `H(["huijin/salt", h'', 0, key])`.
    public static func genesisSalt(key: Digest, suite: Suite) -> [UInt8] {
        var encoder = CBOREncoder(reserving: 96)
        encoder.array(4)
        encoder.text("huijin/salt")
        encoder.bytes([])
        encoder.unsigned(0)
        encoder.value(key)
        return Array(suite.digest(encoder.bytes).bytes.prefix(saltBytes))
    }

    /// Wire bytes of a record, written in one go.
    public static func encode(_ record: AnyRecord, salt: [UInt8]) -> [UInt8] {
        let body = record.body
        var encoder = CBOREncoder(reserving: body.count + saltBytes + 16)
        encoder.value(StoredRecord(salt: salt, type: record.type, body: body))
        return encoder.bytes
    }

    /// The typed record in encoded stored form.
    public static func decode(value: [UInt8]) throws(CBORError) -> AnyRecord {
        try StoredRecord.decode(value, limits: limits).record()
    }

    public func record() throws(CBORError) -> AnyRecord { try AnyRecord(type: type, body: body) }
}
