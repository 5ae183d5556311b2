import Encoding
import Ledger
import LedgerCrypto
import Records

/// Grants an enrolled member one more role (授予角色). Signed for the governor, and never to its own group: nobody gives
/// itself a second office.
///
/// The member's record says from which height on (`RolePeriod`).
public struct MemberGrant: TransactionBody {
    public let member: MemberID
    public let role: Role
    /// Salted digest of the decision.
    public let decisionCommitment: Digest

    public init(
        member: MemberID, role: Role, decisionCommitment: Digest
    ) {
        self.member = member
        self.role = role
        self.decisionCommitment = decisionCommitment
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(3)
        encoder.field(1, member)
        encoder.field(2, role)
        encoder.field(3, decisionCommitment)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        member = try fields.value(1, &decoder)
        role = try fields.value(2, &decoder)
        decisionCommitment = try fields.value(3, &decoder)
        try fields.finish(&decoder)
    }
}

extension MemberGrant {
    public static var kind: TransactionKind { .memberGrant }
    public static var requiredRoles: [Role] { [.governor] }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "member", 1, .memberID, .everyone, en: "who gets the role", zh: "获得角色的成员"),
            FieldSpec(
                "role", 2, .choice(of: Role.self), .everyone, en: "the role", zh: "角色"),
            FieldSpec(
                "decisionCommitment", 3, .commitment, .everyone, opening: .regulator,
                en: "salted digest of the decision and its grounds", zh: "决定及其理由的加盐摘要"),
        ]
    }

    public static var example: MemberGrant {
        MemberGrant(
            member: Example.assessor, role: .outputReviewer, decisionCommitment: Example.commitment)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard var record = state.member(member) else { throw .memberUnknown }
        guard !context.member.sharesGroup(with: record) else { throw .conflictOfInterest }
        guard !record.has(role) else { throw .wrongState }
        try record.grant(role, at: context.height)
        state.put(record)
    }
}

extension MemberRecord {
    /// - Throws: `roleHistoryFull`.
    fileprivate mutating func grant(_ role: Role, at height: UInt64) throws(OutcomeCode) {
        precondition(!has(role), "a role is granted to a member that lacks it")
        roles = (roles + [role]).sorted()
        // Withdrawn in this very block: in no block's state it was missing.
        if let place = rolePeriods.lastIndex(where: { $0.role == role && $0.untilHeight == height })
        {
            rolePeriods[place].untilHeight = nil
            return
        }
        guard rolePeriods.count < RecordLimits.rolePeriodsMax else { throw .roleHistoryFull }
        rolePeriods = (rolePeriods + [RolePeriod(role, from: height)]).sorted()
    }
}
