import Encoding
import Ledger
import LedgerCrypto
import Records

/// Ends a licence against the buyer's will and settles it (撤销许可); see `Settlement`: released uses are paid, the rest goes
/// back to the buyer, open jobs lapse.
///
/// A regulator or an arbitrator may, never in a case of its own group's. The provider may for a breach, where the policy
/// `licences` says so with `provider-revokes-breach`; a request that it has not agreed to it declines with `licence.close`.
public struct LicenceRevoke: TransactionBody {
    public let agreement: Digest
    public let ground: RevocationGround
    /// Salted digest of the decision or of the evidence of the breach.
    public let referenceCommitment: Digest

    public init(
        agreement: Digest, ground: RevocationGround, referenceCommitment: Digest
    ) {
        self.agreement = agreement
        self.ground = ground
        self.referenceCommitment = referenceCommitment
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(3)
        encoder.field(1, agreement)
        encoder.field(2, ground)
        encoder.field(3, referenceCommitment)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        agreement = try fields.value(1, &decoder)
        ground = try fields.value(2, &decoder)
        referenceCommitment = try fields.value(3, &decoder)
        try fields.finish(&decoder)
    }
}

extension LicenceRevoke {
    public static var kind: TransactionKind { .licenceRevoke }
    public static var requiredRoles: [Role] { [.provider, .regulator, .arbitrator] }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [
            FieldSpec("agreement", 1, .digest, .everyone, en: "the agreement", zh: "许可协议"),
            FieldSpec(
                "ground", 2, .choice(of: RevocationGround.self), .everyone, en: "why",
                zh: "撤销事由"),
            FieldSpec(
                "referenceCommitment", 3, .commitment, .everyone, opening: .parties,
                en: "salted digest of the decision, or of the evidence of the breach",
                zh: "决定文书或违约证据的加盐摘要"),
        ]
    }

    public static var example: LicenceRevoke {
        LicenceRevoke(
            agreement: Example.id, ground: .breach, referenceCommitment: Example.commitment)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard var record = state.agreement(agreement) else { throw .unknownAgreement }
        let isProvider = context.member.id == record.provider
        if isProvider {
            let allowed = state.policy(PolicyRecord.licences)?.number(
                StandardPolicies.providerRevokesBreach)
            guard ground == .breach, let allowed, allowed != 0 else { throw .notPermitted }
        } else {
            guard Self.isOfficer(context.member) else { throw .notPermitted }
            try state.refuseOwnGroup(context.member, of: [record.buyer, record.provider])
        }
        switch record.status {
        case .closed, .expired, .revoked: throw .licenceEnded
        case .requested:
            guard !isProvider else { throw .wrongState }
            record.status = .revoked
        case .agreed:
            state.removeDeadline(record.expiry)
            Settlement.settle(&record, to: .revoked, in: &state)
        }
        record.revocation = Revocation(
            member: context.member.id, ground: ground, referenceCommitment: referenceCommitment,
            height: context.height)
        state.put(record)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        let touches = state.tradeTouch(agreement, context) { record in
            [
                ("ground", .text(ground.name)),
                ("referenceCommitment", .bytes(referenceCommitment.bytes)),
            ] + Settlement.detail(record)
        }
        guard let record = state.agreement(agreement), Self.isOfficer(context.member),
            ![record.buyer, record.provider].contains(context.member.id)
        else { return touches }
        // An authority acts under its own name; it is no party, whom a pseudonym would protect.
        return touches.map {
            Touch(
                asset: $0.asset, log: $0.log, actor: .member(context.member.id), detail: $0.detail)
        }
    }

    private static func isOfficer(_ member: MemberRecord) -> Bool {
        Office.allCases.contains { member.has($0.role) }
    }
}
