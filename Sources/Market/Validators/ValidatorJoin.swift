import Encoding
import Ledger
import LedgerCrypto
import Records

/// Gives a member a seat in the validator set from the next epoch on (记账节点加入). Signed for the governor, once the
/// new node follows the chain: the block that holds it ends the epoch.
public struct ValidatorJoin: TransactionBody {
    public let member: MemberID
    public let votingKey: PublicKey
    /// DER SubjectPublicKeyInfo of a P-256 key.
    public let transportKey: [UInt8]

    public init(
        member: MemberID, votingKey: PublicKey, transportKey: [UInt8]
    ) {
        self.member = member
        self.votingKey = votingKey
        self.transportKey = transportKey
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(3)
        encoder.field(1, member)
        encoder.field(2, votingKey)
        encoder.field(3, bytes: transportKey)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        member = try fields.value(1, &decoder)
        votingKey = try fields.value(2, &decoder)
        transportKey = try fields.bytes(3, exactly: ValidatorRules.transportKeyBytes, &decoder)
        try fields.finish(&decoder)
    }
}

extension ValidatorJoin {
    public static var kind: TransactionKind { .validatorJoin }
    public static var requiredRoles: [Role] { [.governor] }
    public static var requiredMandates: [Mandate] { [.legalRepresentative] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "member", 1, .memberID, .everyone,
                en: "an enrolled member with the role validator", zh: "具有记账节点角色的已入网成员"),
            FieldSpec(
                "votingKey", 2, .publicKey, .everyone,
                en: "signs its votes; no member's key, and never used by a validator before",
                zh: "投票公钥，不得为成员密钥，且从未用于记账"),
            FieldSpec(
                "transportKey", 3, .bytes(exactly: ValidatorRules.transportKeyBytes), .everyone,
                en: "the node's P-256 key in TLS, as DER SubjectPublicKeyInfo",
                zh: "节点 TLS 的 P-256 公钥，DER 格式"),
        ]
    }

    public static var example: ValidatorJoin {
        ValidatorJoin(
            member: Example.provider, votingKey: Example.publicKey,
            transportKey: Example.transportKey)
    }

    public func check() throws(OutcomeCode) {
        try ValidatorRules.check(transportKey: transportKey)
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        _ = try state.activeMember(member, role: .validator)
        try state.addVotingKey(votingKey, of: member, in: context)
        try state.changeSeats(in: context) { (seats) throws(OutcomeCode) in
            guard !seats.contains(where: { $0.member == member }) else { throw .alreadyExists }
            seats.append(
                Validator(member: member, votingKey: votingKey, transportKey: transportKey))
        }
    }
}
