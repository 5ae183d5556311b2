/// What a reader brings to a bundle beside what he trusts.
public struct Inquiry: Equatable, Sendable {
    /// A checkpoint that others cosigned, and whom the reader wants to have cosigned it.
    public struct Testimony: Equatable, Sendable {
        public let note: [UInt8]
        /// 1 to `LogNote.witnessesMax`.
        public let witnesses: [LogCosigner]

        public init(note: [UInt8], witnesses: [LogCosigner]) {
            self.note = note
            self.witnesses = witnesses
        }
    }

    /// The bundle must answer each of these.
    public let asked: [AskedQuestion]
    public let testimony: Testimony?
    /// Whether trust goes on to the bundle's header, so that two certified histories are evidence and not a fault.
    public let isFollowed: Bool

    public init(asked: [AskedQuestion], testimony: Testimony?, isFollowed: Bool) {
        self.asked = asked
        self.testimony = testimony
        self.isFollowed = isFollowed
    }
}

/// Two certified histories, in a form that others can judge.
public struct FoundFork: Equatable, Sendable {
    public let evidence: ForkEvidence
    public let proven: ProvenFork
    /// The other history is the work of keys that should have been destroyed (`TrustedChain.isByEndedKeys`): it stops nobody.
    public let isByEndedKeys: Bool
}

/// What is decided of a bundle that is not refused.
public enum Judgement: Equatable, Sendable {
    case proven(ProvenAnswer)
    /// And what is trusted from now on.
    case followed(FollowedAnswer)
    /// What is trusted stays as it was.
    case fork(FoundFork)
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
        case .fork(let fork): fork.report
        case .twoHistories(let conflict): EvidenceReport(conflict)
        }
    }

    public var json: JSONNode {
        switch self {
        case .proven(let answer): answer.json
        case .followed(let followed): followed.json
        case .fork(let fork): fork.json
        case .twoHistories(let conflict): conflict.json
        }
    }
}

extension FoundFork {
    fileprivate var report: EvidenceReport {
        var report = EvidenceReport(proven)
        if isByEndedKeys {
            report.add(
                0,
                "the other history was certified by keys of an epoch that ended a day ago or longer: it stops nobody",
                "另一份历史由一日以前已结束之届的密钥所认证：不影响后续证明")
        }
        return report
    }

    fileprivate var json: JSONNode {
        guard case .object(let members) = proven.json else { return proven.json }
        return .object(members + [JSONNode.Member("byEndedKeys", .bool(isByEndedKeys))])
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
            return try judge(answer, of: bundle, trusting: trust, inquiry, nowMs: nowMs) {
                .proven($0)
            }
        }
        switch try follow(bundle, nowMs: nowMs) {
        case .fork(let evidence):
            return .fork(
                FoundFork(
                    evidence: evidence, proven: try verifyFork(evidence),
                    isByEndedKeys: trust.isByEndedKeys(evidence, nowMs: nowMs)))
        case .proven(let followed):
            return try judge(
                followed.answer, of: bundle, trusting: followed.trust, inquiry, nowMs: nowMs
            ) { .followed(followed.with($0)) }
        }
    }

    /// - Parameter seen: the judgement on the answer with what witnesses saw, or on the same one where nobody's word was brought.
    private func judge(
        _ answer: ProvenAnswer, of bundle: EvidenceBundle, trusting known: TrustedChain,
        _ inquiry: Inquiry, nowMs: UInt64, seen: (ProvenAnswer) -> Judgement
    ) throws(EvidenceProblem) -> Judgement {
        for asked in inquiry.asked { try asked.requireAnswer(by: answer.questions) }
        guard let testimony = inquiry.testimony else { return seen(answer) }
        let step = try witnessed(
            answer, of: bundle, trusting: known, by: testimony.note, testimony.witnesses,
            nowMs: nowMs)
        switch step {
        case .seen(let answer): return seen(answer)
        case .twoHistories(let conflict): return .twoHistories(conflict)
        }
    }
}
