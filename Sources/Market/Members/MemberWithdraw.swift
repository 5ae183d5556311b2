import Encoding
import Ledger
import LedgerCrypto
import Records

/// Withdraws a role from a member (收回角色). Signed for the governor; takes effect with the next entry.
///
/// What the member did in that role stays valid, and what others still owe it is paid. The member's record says until
/// which height it held the role (`RolePeriod`).
public struct MemberWithdraw: TransactionBody {
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

extension MemberWithdraw {
    public static var kind: TransactionKind { .memberWithdraw }
    public static var requiredRoles: [Role] { [.governor] }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "member", 1, .memberID, .everyone, en: "who loses the role", zh: "失去角色的成员"),
            FieldSpec(
                "role", 2, .choice(of: Role.self), .everyone, en: "the role", zh: "角色"),
            FieldSpec(
                "decisionCommitment", 3, .commitment, .everyone, opening: .regulator,
                en: "salted digest of the decision and its grounds", zh: "决定及其理由的加盐摘要"),
        ]
    }

    public static var example: MemberWithdraw {
        MemberWithdraw(
            member: Example.assessor, role: .assessor, decisionCommitment: Example.commitment)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard var record = state.member(member) else { throw .memberUnknown }
        guard record.has(role) else { throw .wrongState }
        // The sender is an active governor, and stays one: so the network never is without.
        guard role != .governor || member != context.member.id else { throw .lastGovernor }
        guard try !state.depends(on: role, of: member, in: context.block) else { throw .roleInUse }
        try record.withdraw(role, at: context.height)
        state.put(record)
    }
}

extension StateView {
    /// Whether something would be left without its office: a seat of the validator set, or money that only this bank
    /// can pay out.
    fileprivate mutating func depends(
        on role: Role, of member: MemberID, in block: BlockContext
    ) throws(OutcomeCode) -> Bool {
        switch role {
        case .validator:
            return validators(after: block).validators.contains { $0.member == member }
        case .settlementBank:
            guard let bank = bank(member) else { return false }
            return bank.depositsFen != bank.withdrawalsFen
        case .governor, .provider, .buyer, .registrar, .venue, .assessor, .arbitrator,
            .sandboxOperator, .outputReviewer, .regulator:
            return false
        }
    }
}

extension MemberRecord {
    /// - Throws: `roleHistoryFull`.
    fileprivate mutating func withdraw(_ role: Role, at height: UInt64) throws(OutcomeCode) {
        precondition(has(role), "a role is withdrawn from a member that has it")
        roles.removeAll { $0 == role }
        if let place = rolePeriods.lastIndex(where: { $0.role == role }) {
            precondition(rolePeriods[place].untilHeight == nil, "a role that is held has no end")
            rolePeriods[place].untilHeight = height
            return
        }
        // Held since enrolment; from now on that takes a period.
        guard rolePeriods.count < RecordLimits.rolePeriodsMax else { throw .roleHistoryFull }
        let period = RolePeriod(role, from: enrolledHeight, until: height)
        rolePeriods = (rolePeriods + [period]).sorted()
    }
}
