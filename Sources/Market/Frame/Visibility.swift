import Records

/// Who sees a field. Each audience includes those after it that concern the field; validators always see what rules
/// compute on (docs/visibility.md).
public enum Visibility: UInt64, NumberedCase {
    /// Anyone, members or not.
    case everyone = 1
    /// Enrolled members.
    case members = 2
    /// The parties of the deal that it belongs to.
    case parties = 3
    /// The regulator, under mandate.
    case regulator = 4
    /// Validators alone, because rules compute on it.
    case validators = 5

    public var name: String {
        switch self {
        case .everyone: "public"
        case .members: "members"
        case .parties: "parties"
        case .regulator: "regulator"
        case .validators: "validators"
        }
    }

    public var titleZh: String {
        switch self {
        case .everyone: "公开"
        case .members: "成员"
        case .parties: "当事方"
        case .regulator: "监管机构"
        case .validators: "记账节点"
        }
    }
}

/// The form of a field: what the command line reads and the docs print. Sizes are bytes of UTF-8.
public enum FieldType: Hashable, Sendable, CustomStringConvertible {
    case digest
    /// A salted digest (`Salted.commit`); the value itself travels off chain.
    case commitment
    case memberID
    case keyID
    case publicKey
    case text(max: Int)
    case texts(max: Int, textMax: Int)
    case bytes(exactly: Int)
    case number
    /// Money.
    case fen
    /// Unix time.
    case timeMs
    case flag
    /// One of a closed list; the names stand for numbers on the wire.
    case choice([String])
    /// Distinct ones of a closed list, ascending.
    case choices([String])
    case columns(max: Int)
    case policyEntries(max: Int)
    /// Two contradicting votes of one key.
    case equivocation
    case seats(max: Int)
    /// The fields of `asset.register`.
    case claim
    case parents(max: Int)

    public static func choice<Case: NumberedCase>(of _: Case.Type) -> FieldType {
        .choice(Case.allCases.map(\.name))
    }

    public static func choices<Case: NumberedCase>(of _: Case.Type) -> FieldType {
        .choices(Case.allCases.map(\.name))
    }

    public var description: String {
        switch self {
        case .digest: "digest"
        case .commitment: "salted digest"
        case .memberID: "member id"
        case .keyID: "key id"
        case .publicKey: "public key"
        case .text(let max): "text ≤ \(max)"
        case .texts(let max, let textMax): "≤ \(max) texts ≤ \(textMax)"
        case .bytes(let count): "\(count) bytes"
        case .number: "number"
        case .fen: "fen"
        case .timeMs: "time in ms"
        case .flag: "true or false"
        case .choice(let names): "one of " + names.joined(separator: ", ")
        case .choices(let names): "some of " + names.joined(separator: ", ")
        case .columns(let max): "≤ \(max) columns [name, type]"
        case .policyEntries(let max): "≤ \(max) entries [name, value]"
        case .equivocation: "two votes"
        case .seats(let max): "≤ \(max) seats [member id, public key, 91 bytes]"
        case .claim: "fields of asset.register"
        case .parents(let max):
            "1 to \(max) parents [asset, rights size, rights root, licence or null]"
        }
    }
}

/// One field of a kind's body: feeds docs/transactions.md and docs/visibility.md, and the API's access policy.
public struct FieldSpec: Hashable, Sendable {
    public let name: String
    /// Key in the body's CBOR map.
    public let key: UInt64
    public let type: FieldType
    public let isOptional: Bool
    /// Who sees what the transaction carries.
    public let visibility: Visibility
    /// For a commitment: who is given the opening.
    public let opening: Visibility?
    public let docEn: String
    public let docZh: String

    public init(
        _ name: String, _ key: UInt64, _ type: FieldType, _ visibility: Visibility,
        opening: Visibility? = nil, optional: Bool = false, en: String, zh: String
    ) {
        self.name = name
        self.key = key
        self.type = type
        self.isOptional = optional
        self.visibility = visibility
        self.opening = opening
        self.docEn = en
        self.docZh = zh
    }
}
