import Encoding
import Ledger
import LedgerCrypto
import Records

/// Registers one more signing key of the sender (登记密钥). Signed by its legal representative.
public struct KeyRegister: TransactionBody {
    public let publicKey: PublicKey
    public let person: String
    /// Ascending.
    public let mandates: [Mandate]

    public init(
        publicKey: PublicKey, person: String, mandates: [Mandate]
    ) {
        self.publicKey = publicKey
        self.person = person
        self.mandates = mandates
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(3)
        encoder.field(1, publicKey)
        encoder.field(2, person)
        encoder.field(3, list: mandates)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        publicKey = try fields.value(1, &decoder)
        person = try fields.text(2, max: RecordLimits.nameBytesMax, &decoder)
        mandates = try fields.sortedList(3, max: Mandate.allCases.count, &decoder)
        try fields.finish(&decoder)
    }
}

extension KeyRegister {
    public static var kind: TransactionKind { .keyRegister }
    public static var requiredRoles: [Role] { [] }
    public static var requiredMandates: [Mandate] { [.legalRepresentative] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "publicKey", 1, .publicKey, .everyone, en: "the signing key", zh: "签名公钥"),
            FieldSpec(
                "person", 2, .text(max: RecordLimits.nameBytesMax), .everyone,
                en: "holder's office, such as legal representative; never a natural person's name",
                zh: "密钥持有岗位，如“法定代表人”，不得填写自然人姓名"),
            FieldSpec(
                "mandates", 3, .choices(of: Mandate.self), .everyone,
                en: "in what capacity the key signs", zh: "密钥授权"),
        ]
    }

    public static var example: KeyRegister {
        KeyRegister(
            publicKey: Example.publicKey, person: "sandbox-service", mandates: [.service])
    }

    public func check() throws(OutcomeCode) {
        guard !mandates.isEmpty else { throw .valueNotAllowed }
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        try state.addKey(
            KeyRecord(
                keyID: publicKey.keyID, member: context.member.id, publicKey: publicKey,
                person: person, mandates: mandates, registeredHeight: context.height),
            of: context.member, in: context)
    }
}

extension StateView {
    /// Registers a key under its id for a member and counts it there.
    ///
    /// - Throws: `valueNotAllowed` for another suite's key, `keyPurpose` for a key that is or was a validator's,
    ///   `alreadyExists` for a key that is or was registered, by whomever.
    mutating func addKey(
        _ key: KeyRecord, of member: MemberRecord, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard key.publicKey.suite == context.suite else { throw .valueNotAllowed }
        guard !isVotingKey(key.keyID, in: context.block) else { throw .keyPurpose }
        guard !holds(StateKey.key(key.keyID, suite)) else { throw .alreadyExists }
        put(key)
        var member = member
        member.liveKeys += 1
        put(member)
    }
}
