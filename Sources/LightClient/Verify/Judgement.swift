/// What a reader brings to a bundle beside what he trusts.
public struct Inquiry: Equatable, Sendable {
    /// The bundle must answer each of these.
    public var asked: [AskedQuestion]
    /// A checkpoint that others cosigned; `nil` where nobody is asked.
    public var note: [UInt8]?
    /// Whom the reader wants to have cosigned it: with a note 1 to `LogNote.witnessesMax`.
    public var witnesses: [LogCosigner]
    /// Whether trust goes on to the bundle's header, so that two certified histories are evidence and not a fault.
    public var isFollowed: Bool

    public init(
        asked: [AskedQuestion] = [], note: [UInt8]? = nil, witnesses: [LogCosigner] = [],
        isFollowed: Bool = false
    ) {
        self.asked = asked
        self.note = note
        self.witnesses = witnesses
        self.isFollowed = isFollowed
    }
}

/// What is decided of a bundle that is not refused.
public enum Judgement: Equatable, Sendable {
    case proven(ProvenAnswer)
    /// And what is trusted from now on.
    case followed(FollowedAnswer)
    /// Two certified histories, in a form that others can judge. What is trusted stays as it was.
    case fork(ForkEvidence, ProvenFork)
    /// A certified history, and another one that witnesses saw.
    case twoHistories(ContradictedLog)

    public var isProven: Bool {
        switch self {
        case .proven, .followed: true
        case .fork, .twoHistories: false
        }
    }

    public var report: EvidenceReport {
        switch self {
        case .proven(let answer): EvidenceReport(answer)
        case .followed(let followed): followed.report
        case .fork(_, let fork): EvidenceReport(fork)
        case .twoHistories(let conflict): EvidenceReport(conflict)
        }
    }

    public var json: JSONNode {
        switch self {
        case .proven(let answer): answer.json
        case .followed(let followed): followed.json
        case .fork(_, let fork): fork.json
        case .twoHistories(let conflict): conflict.json
        }
    }
}

extension Verifier {
    /// All that is to be decided of a bundle, in the order in which it matters: whether it is proven or makes a fork, whether it
    /// answers what was asked, what witnesses say.
    ///
    /// - Parameter nowMs: the caller's clock, milliseconds of Unix time.
    /// - Throws: as `verify` or `follow`, `AskedQuestion.requireAnswer` and `witnessed`.
    public func judge(
        _ bytes: [UInt8], _ inquiry: Inquiry, nowMs: UInt64
    ) throws(EvidenceProblem) -> Judgement {
        let bundle = try decode(bytes)
        guard inquiry.isFollowed else {
            let answer = try verify(bundle)
            return try .init(
                heard(answer, of: bundle, trusting: trust, inquiry, nowMs: nowMs)
            ) { .proven($0) }
        }
        switch try follow(bundle, nowMs: nowMs) {
        case .fork(let evidence): return .fork(evidence, try verifyFork(evidence))
        case .proven(let followed):
            return try .init(
                heard(
                    followed.answer, of: bundle, trusting: followed.trust, inquiry, nowMs: nowMs)
            ) { .followed(followed.with($0)) }
        }
    }

    /// The same answer, where no witness's word was brought.
    private func heard(
        _ answer: ProvenAnswer, of bundle: EvidenceBundle, trusting known: TrustedChain,
        _ inquiry: Inquiry, nowMs: UInt64
    ) throws(EvidenceProblem) -> WitnessStep {
        for asked in inquiry.asked { try asked.requireAnswer(by: answer.questions) }
        guard let note = inquiry.note else { return .seen(answer) }
        return try witnessed(
            answer, of: bundle, trusting: known, by: note, inquiry.witnesses, nowMs: nowMs)
    }
}

extension Judgement {
    fileprivate init(_ step: WitnessStep, seen: (ProvenAnswer) -> Judgement) {
        switch step {
        case .seen(let answer): self = seen(answer)
        case .twoHistories(let conflict): self = .twoHistories(conflict)
        }
    }
}
