import Ledger

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
        case .recover: nil
        }
    }

    func votes(of validator: Int) -> [Vote] {
        [notarize[validator], nullify[validator], finalize[validator]].compactMap { $0 }
    }

    /// A vote on file that contradicts this one.
    func contradiction(to vote: Vote) -> Equivocation? {
        guard !isReported[vote.validator] else { return nil }
        for kind in VoteKind.votes {
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

    func hasReported(_ validator: Int) -> Bool {
        isReported.indices.contains(validator) && isReported[validator]
    }

    /// Files the validator's first vote of this kind.
    mutating func file(_ vote: Vote) {
        switch vote.statement.kind {
        case .notarize: if notarize[vote.validator] == nil { notarize[vote.validator] = vote }
        case .nullify: if nullify[vote.validator] == nil { nullify[vote.validator] = vote }
        case .finalize: if finalize[vote.validator] == nil { finalize[vote.validator] = vote }
        case .recover: preconditionFailure("a recovery is no vote, and is never verified as one")
        }
    }

    /// The filed votes that state exactly this.
    func votes(for statement: VoteStatement) -> [Vote] {
        let filed: [Vote?] =
            switch statement.kind {
            case .notarize: notarize
            case .nullify: nullify
            case .finalize: finalize
            case .recover: []
            }
        return filed.compactMap { $0?.statement == statement ? $0 : nil }
    }
}
