import Encoding
import Ledger
import LedgerCrypto
import Records

/// Enrols an organisation with its first key (成员入网). Signed for the governor.
public struct MemberEnrol: TransactionBody {
    public let member: MemberID
    public let nameZh: String
    public let nameEn: String
    /// Corporate group; empty for none.
    public let group: String
    /// Ascending.
    public let roles: [Role]
    /// The first key; more follow by `KeyRegister`.
    public let publicKey: PublicKey
    public let person: String
    /// Ascending.
    public let mandates: [Mandate]

    public init(
        member: MemberID, nameZh: String, nameEn: String, group: String, roles: [Role],
        publicKey: PublicKey, person: String, mandates: [Mandate]
    ) {
        self.member = member
        self.nameZh = nameZh
        self.nameEn = nameEn
        self.group = group
        self.roles = roles
        self.publicKey = publicKey
        self.person = person
        self.mandates = mandates
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(8)
        encoder.field(1, member)
        encoder.field(2, nameZh)
        encoder.field(3, nameEn)
        encoder.field(4, group)
        encoder.field(5, list: roles)
        encoder.field(6, publicKey)
        encoder.field(7, person)
        encoder.field(8, list: mandates)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        member = try fields.value(1, &decoder)
        nameZh = try fields.text(2, max: RecordLimits.nameBytesMax, &decoder)
        nameEn = try fields.text(3, max: RecordLimits.nameBytesMax, &decoder)
        group = try fields.text(4, max: RecordLimits.nameBytesMax, &decoder)
        roles = try fields.sortedList(5, max: Role.allCases.count, &decoder)
        publicKey = try fields.value(6, &decoder)
        person = try fields.text(7, max: RecordLimits.nameBytesMax, &decoder)
        mandates = try fields.sortedList(8, max: Mandate.allCases.count, &decoder)
        try fields.finish(&decoder)
    }
}

extension MemberEnrol {
    public static var kind: TransactionKind { .memberEnrol }
    public static var requiredRoles: [Role] { [.governor] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "member", 1, .memberID, .everyone,
                en: "unified social credit code, or TYPE:number of a foreign organisation",
                zh: "统一社会信用代码，境外机构为“类型:号码”"),
            FieldSpec(
                "nameZh", 2, .text(max: RecordLimits.nameBytesMax), .everyone,
                en: "name in Chinese", zh: "中文名称"),
            FieldSpec(
                "nameEn", 3, .text(max: RecordLimits.nameBytesMax), .everyone,
                en: "name in English", zh: "英文名称"),
            FieldSpec(
                "group", 4, .text(max: RecordLimits.nameBytesMax), .everyone,
                en: "corporate group, for conflicts of interest; empty for none",
                zh: "所属集团，用于利益冲突判断，无则为空"),
            FieldSpec(
                "roles", 5, .choices(of: Role.self), .everyone, en: "what it may do",
                zh: "角色"),
            FieldSpec(
                "publicKey", 6, .publicKey, .everyone, en: "its first signing key",
                zh: "首个签名公钥"),
            FieldSpec(
                "person", 7, .text(max: RecordLimits.nameBytesMax), .everyone,
                en: "holder's office, such as legal representative; never a natural person's name",
                zh: "密钥持有岗位，如“法定代表人”，不得填写自然人姓名"),
            FieldSpec(
                "mandates", 8, .choices(of: Mandate.self), .everyone,
                en: "in what capacity the key signs", zh: "密钥授权"),
        ]
    }

    public static var example: MemberEnrol {
        MemberEnrol(
            member: Example.provider, nameZh: "示范气象数据有限公司", nameEn: "Demo Weather Data Ltd",
            group: "", roles: [.provider], publicKey: Example.publicKey, person: "operator-1",
            mandates: [.maker, .checker, .legalRepresentative])
    }

    public func check() throws(OutcomeCode) {
        guard !nameZh.isEmpty, !roles.isEmpty, !mandates.isEmpty else { throw .valueNotAllowed }
        try MemberNames.check(member)
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard !state.holds(StateKey.member(member, context.suite)) else { throw .alreadyExists }
        let record = MemberRecord(
            id: member, nameZh: nameZh, nameEn: nameEn, group: group, roles: roles,
            enrolledHeight: context.height)
        try state.addKey(
            KeyRecord(
                keyID: publicKey.keyID, member: member, publicKey: publicKey, person: person,
                mandates: mandates, registeredHeight: context.height),
            of: record, in: context)
    }
}
