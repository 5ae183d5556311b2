import Encoding
import Ledger

/// Two votes of one validator that no honest validator signs together: proof against its key by themselves.
///
/// Wire: `[first vote, second vote]`.
public struct Equivocation: Sendable, Hashable, CBORCodable {
    public let first: Vote
    public let second: Vote

    /// `nil` unless the two are of one validator, one epoch and one view, and contradict one another: two different
    /// votes of one kind, or a nullify beside a finalize vote.
    public init?(_ first: Vote, _ second: Vote) {
        let one = first.statement
        let other = second.statement
        guard first.validator == second.validator, one.epoch == other.epoch,
            one.view == other.view, one != other
        else { return nil }
        let kinds = Set([one.kind, other.kind])
        guard kinds.count == 1 || kinds == [.nullify, .finalize] else { return nil }
        self.first = first
        self.second = second
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(first)
        encoder.value(second)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        let first: Vote = try decoder.value()
        let second: Vote = try decoder.value()
        guard let pair = Equivocation(first, second) else {
            throw decoder.invalid("two votes that contradict one another")
        }
        self = pair
    }
}

/// The votes of one view, the first of each kind and validator.
struct Tally: Sendable {
    private var notarize: [Vote?]
    private var nullify: [Vote?]
    private var finalize: [Vote?]
    private var isReported: [Bool]

    init(validators: Int) {
        notarize = Array(repeating: nil, count: validators)
        nullify = notarize
        finalize = notarize
        isReported = Array(repeating: false, count: validators)
    }

    func vote(_ kind: VoteKind, of validator: Int) -> Vote? {
        switch kind {
        case .notarize: notarize[validator]
        case .nullify: nullify[validator]
        case .finalize: finalize[validator]
        }
    }

    func votes(of validator: Int) -> [Vote] {
        [notarize[validator], nullify[validator], finalize[validator]].compactMap { $0 }
    }

    /// A vote on file that contradicts this one.
    func contradiction(to vote: Vote) -> Equivocation? {
        guard !isReported[vote.validator] else { return nil }
        for kind in VoteKind.allCases {
            if let filed = self.vote(kind, of: vote.validator),
                let pair = Equivocation(filed, vote)
            {
                return pair
            }
        }
        return nil
    }

    mutating func report(_ validator: Int) {
        isReported[validator] = true
    }

    /// Files the validator's first vote of this kind.
    mutating func file(_ vote: Vote) {
        switch vote.statement.kind {
        case .notarize: if notarize[vote.validator] == nil { notarize[vote.validator] = vote }
        case .nullify: if nullify[vote.validator] == nil { nullify[vote.validator] = vote }
        case .finalize: if finalize[vote.validator] == nil { finalize[vote.validator] = vote }
        }
    }

    /// The filed votes that state exactly this.
    func votes(for statement: VoteStatement) -> [Vote] {
        let filed =
            switch statement.kind {
            case .notarize: notarize
            case .nullify: nullify
            case .finalize: finalize
            }
        return filed.compactMap { $0?.statement == statement ? $0 : nil }
    }
}
