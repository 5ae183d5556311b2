import Encoding
import Ledger
import LedgerCrypto

/// An enrolled organisation (成员).
public struct MemberRecord: Hashable, Sendable {
    public var id: MemberID
    public var nameZh: String
    public var nameEn: String
    /// Corporate group, for conflicts of interest; empty when it belongs to none.
    public var group: String
    /// Ascending, each once.
    public var roles: [Role]
    public var status: MemberStatus
    /// Registered and not revoked.
    public var liveKeys: UInt64
    public var enrolledHeight: UInt64
    /// When it held those roles that were granted or withdrawn after its enrolment; ascending by role and height.
    /// A role without a period here it has held since its enrolment, or never (`held`).
    public var rolePeriods: [RolePeriod]

    public init(
        id: MemberID, nameZh: String, nameEn: String, group: String, roles: [Role],
        status: MemberStatus = .active, liveKeys: UInt64 = 0, enrolledHeight: UInt64,
        rolePeriods: [RolePeriod] = []
    ) {
        self.id = id
        self.nameZh = nameZh
        self.nameEn = nameEn
        self.group = group
        self.roles = roles
        self.status = status
        self.liveKeys = liveKeys
        self.enrolledHeight = enrolledHeight
        self.rolePeriods = rolePeriods
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(fieldCount(8, !rolePeriods.isEmpty))
        encoder.field(1, id)
        encoder.field(2, nameZh)
        encoder.field(3, nameEn)
        encoder.field(4, group)
        encoder.field(5, list: roles)
        encoder.field(6, status)
        encoder.field(7, liveKeys)
        encoder.field(8, enrolledHeight)
        encoder.field(9, unlessEmpty: rolePeriods)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        id = try fields.value(1, &decoder)
        nameZh = try fields.text(2, max: RecordLimits.nameBytesMax, &decoder)
        nameEn = try fields.text(3, max: RecordLimits.nameBytesMax, &decoder)
        group = try fields.text(4, max: RecordLimits.nameBytesMax, &decoder)
        roles = try fields.sortedList(5, max: Role.allCases.count, &decoder)
        status = try fields.value(6, &decoder)
        liveKeys = try fields.number(7, &decoder)
        enrolledHeight = try fields.number(8, &decoder)
        rolePeriods = try fields.optionalSortedList(
            9, max: RecordLimits.rolePeriodsMax, &decoder)
        try fields.finish(&decoder)
    }
}

extension MemberRecord {
    /// Whether both belong to one corporate group, or are the same member.
    public func sharesGroup(with other: MemberRecord) -> Bool {
        id == other.id || (!group.isEmpty && group == other.group)
    }

    public func has(_ role: Role) -> Bool { roles.contains(role) }
}

/// A signing key that a person or a program uses for a member. A revoked key keeps its record, so that
/// old signatures can still be checked.
public struct KeyRecord: Hashable, Sendable {
    public var keyID: KeyID
    public var member: MemberID
    public var publicKey: PublicKey
    /// Holder's office, such as legal representative; never a natural person's name.
    public var person: String
    /// Ascending, each once.
    public var mandates: [Mandate]
    public var registeredHeight: UInt64
    /// Height of the block that revoked it.
    public var revokedHeight: UInt64?

    public init(
        keyID: KeyID, member: MemberID, publicKey: PublicKey, person: String, mandates: [Mandate],
        registeredHeight: UInt64, revokedHeight: UInt64? = nil
    ) {
        self.keyID = keyID
        self.member = member
        self.publicKey = publicKey
        self.person = person
        self.mandates = mandates
        self.registeredHeight = registeredHeight
        self.revokedHeight = revokedHeight
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(
            fieldCount(
                6, revokedHeight != nil))
        encoder.field(1, keyID)
        encoder.field(2, member)
        encoder.field(3, publicKey)
        encoder.field(4, person)
        encoder.field(5, list: mandates)
        encoder.field(6, registeredHeight)
        encoder.field(7, ifPresent: revokedHeight)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        keyID = try fields.value(1, &decoder)
        member = try fields.value(2, &decoder)
        publicKey = try fields.value(3, &decoder)
        person = try fields.text(4, max: RecordLimits.nameBytesMax, &decoder)
        mandates = try fields.sortedList(5, max: Mandate.allCases.count, &decoder)
        registeredHeight = try fields.number(6, &decoder)
        revokedHeight = try fields.optionalNumber(7, &decoder)
        try fields.finish(&decoder)
    }
}

extension KeyRecord {
    public var isLive: Bool { revokedHeight == nil }
}
