import Encoding
import Ledger
import LedgerCrypto
import Records

/// Shows two votes of one voting key that contradict one another (记账节点双签举证). Any member may: the votes prove themselves.
/// The key is marked as convicted, and loses its seat from the next epoch on, unless the policy `validators` sets
/// `unseat-equivocators` to 0 or the set would no longer tolerate a fault without it.
///
/// An honest node whose disk was lost or copied does not vote (decision 0009), so that only a key that is used twice, or by somebody
/// dishonest, is ever convicted.
public struct ValidatorEquivocation: TransactionBody {
    public let votingKey: KeyID
    public let proof: Equivocation

    public init(votingKey: KeyID, proof: Equivocation) {
        self.votingKey = votingKey
        self.proof = proof
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(2)
        encoder.field(1, votingKey)
        encoder.field(2, proof)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        votingKey = try fields.value(1, &decoder)
        proof = try fields.value(2, &decoder)
        try fields.finish(&decoder)
    }
}

extension ValidatorEquivocation {
    public static var kind: TransactionKind { .validatorEquivocation }
    public static var requiredRoles: [Role] { [] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "votingKey", 1, .keyID, .everyone, en: "id of the voting key that signed both",
                zh: "签署两票的投票密钥编号"),
            FieldSpec(
                "proof", 2, .equivocation, .everyone,
                en: "the two votes, as they were sent, with their signatures", zh: "两张矛盾投票原文及签名"),
        ]
    }

    public static var example: ValidatorEquivocation {
        ValidatorEquivocation(votingKey: Example.publicKey.keyID, proof: Example.equivocation)
    }

    /// That the two contradict one another is part of their form.
    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        let set = state.validators(after: context.block)
        let index = set.index(ofKey: votingKey)
        guard
            var record = state.votingKey(votingKey)
                ?? index.map({ VotingKeyRecord(foundingSeat: set.validators[$0]) })
        else { throw .unknownValidator }
        guard record.convictedHeight == nil else { throw .alreadyConvicted }
        let epoch = proof.first.statement.epoch
        guard epoch >= record.fromEpoch, epoch < record.untilEpoch ?? .max else {
            throw .notEquivocation
        }
        // Checking signatures is the only costly rule there is, hence bounded apart.
        try state.countProof()
        for vote in [proof.first, proof.second] {
            let key = record.publicKey
            let message = vote.statement.signedBytes(
                chain: context.chain, suite: key.suite, keyID: key.keyID)
            guard key.isValid(signature: vote.signature, over: message) else {
                throw .notEquivocation
            }
        }
        record.convictedHeight = context.height
        record.conviction = context.transactionID
        state.put(record)
        guard let index, state.unseatsEquivocators else { return }
        let seat = set.validators[index]
        do throws(OutcomeCode) {
            try state.changeSeats(in: context) { (seats) throws(OutcomeCode) in
                seats.removeAll { $0.votingKey == seat.votingKey }
            }
            state.retireVotingKey(of: seat, in: context)
        } catch .validatorCount {
            // Convicted, and seated until the governor has found another: four validators never become three.
        }
    }
}

extension StateView {
    /// `unseat-equivocators` of the policy `validators`; true where it says nothing.
    fileprivate var unseatsEquivocators: Bool {
        mutating get {
            policy(PolicyRecord.validators)?.number(StandardPolicies.unseatEquivocators) != 0
        }
    }
}

extension VotingKeyRecord {
    /// Of a key of genesis, which has no record while nothing has happened to it.
    init(foundingSeat seat: Validator) {
        self.init(
            keyID: seat.votingKey.keyID, member: seat.member, publicKey: seat.votingKey,
            fromEpoch: 0, fromHeight: 0)
    }
}
