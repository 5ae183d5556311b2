import Ledger
import LedgerCrypto

/// What a bundle does to what its reader trusts.
public enum FollowedBundle: Equatable, Sendable {
    case proven(FollowedAnswer)
    /// The bundle's header is certified and contradicts a trusted one; what the bundle answers is not looked at.
    case fork(ForkEvidence)
}

/// A proven answer, and what is trusted with it.
public struct FollowedAnswer: Equatable, Sendable {
    public internal(set) var answer: ProvenAnswer
    public let trust: TrustedChain
    /// Height of the header that was the newest before; `nil` when there was none.
    public let before: UInt64?
    /// The trusted header that the bundle itself shows to be of the same history as its own; `nil` when it shows none.
    public let linkedTo: UInt64?
}

extension Verifier {
    /// Verifies a bundle and goes on to its header from `trust`. A bundle that is not proven changes nothing.
    ///
    /// - Parameter nowMs: milliseconds of Unix time; a header from the future cannot be trusted yet.
    /// - Throws: as `verify` and `TrustedChain.advance`.
    public func follow(
        _ bytes: [UInt8], nowMs: UInt64
    ) throws(EvidenceProblem) -> FollowedBundle {
        try follow(decode(bytes), nowMs: nowMs)
    }

    public func follow(
        _ bundle: EvidenceBundle, nowMs: UInt64
    ) throws(EvidenceProblem) -> FollowedBundle {
        guard bundle.chain == chain else {
            throw EvidenceProblem(.bundle, .otherLedger(found: bundle.chain, expected: chain))
        }
        let new: CertifiedHeader
        let changes: [EpochChange]
        switch bundle.head {
        case .certified(let certified, let after): (new, changes) = (certified, after)
        case .trusted(let digest):
            guard let known = trust.trusted(digest), let certificate = known.certificate else {
                return .proven(try followedFromStart(bundle))
            }
            new = CertifiedHeader(header: known.header, certificate: certificate)
            changes = []
        }
        let step = try trust.advance(to: new, epochChanges: changes, nowMs: nowMs)
        guard case .trusted(let next, _) = step else { return Self.fork(step) }
        let answer = try Verifier(genesis: genesis, trust: next, limits: limits).verify(bundle)
        let links = bundle.ancestors.filter { ancestor in
            next.headers.contains { $0.header.height == ancestor.header.height }
                || next.start.header?.height == ancestor.header.height
        }
        let linked = try next.advance(
            to: new, links: Array(links.prefix(TrustedChain.headersMax)))
        guard case .trusted(let final, let linkedTo) = linked else { return Self.fork(linked) }
        let isKnown = trust.holds(new.header)
        return .proven(
            FollowedAnswer(
                answer: answer, trust: final, before: trust.newest?.header.height,
                linkedTo: isKnown ? new.header.height : linkedTo))
    }

    /// What is detached from the accepted checkpoint adds nothing to it; there is no header below it to compare with.
    private func followedFromStart(
        _ bundle: EvidenceBundle
    ) throws(EvidenceProblem) -> FollowedAnswer {
        let answer = try verify(bundle)
        return FollowedAnswer(
            answer: answer, trust: trust, before: trust.newest?.header.height,
            linkedTo: answer.height)
    }

    private static func fork(_ step: TrustStep) -> FollowedBundle {
        guard case .fork(let evidence) = step else {
            preconditionFailure("a step that trusts nothing new is a fork")
        }
        return .fork(evidence)
    }
}

extension FollowedAnswer {
    /// The same, with what witnesses saw.
    public func with(_ answer: ProvenAnswer) -> FollowedAnswer {
        var followed = self
        followed.answer = answer
        return followed
    }

    var texts: (english: String, chinese: String) {
        let newest = trust.height
        guard before != nil else {
            return ("trusted to height \(newest)", "已信任至高度 \(newest)")
        }
        guard let linkedTo else {
            let height = answer.height
            // What is lower than the newest is not added where nothing links it.
            guard height == newest else {
                return (
                    "trusted to height \(newest); nothing here shows that its log holds the header of height \(height), "
                        + "which is not added",
                    "已信任至高度 \(newest)；此处未证明其日志含有高度 \(height) 的区块头，故不计入"
                )
            }
            return (
                "trusted to height \(newest); nothing here shows that its log and the trusted ones go on "
                    + "from one another",
                "已信任至高度 \(newest)；此处未证明其日志与此前信任的日志前后相续"
            )
        }
        return (
            "trusted to height \(newest); shown to be of one history with height \(linkedTo)",
            "已信任至高度 \(newest)；已证明与高度 \(linkedTo) 同属一份历史"
        )
    }

    /// The answer's report, with what is trusted from now on.
    public var report: EvidenceReport {
        var report = EvidenceReport(answer)
        report.add(0, texts.english, texts.chinese)
        return report
    }

    public var json: JSONNode {
        guard case .object(let members) = answer.json else { return answer.json }
        let trust = JSONNode.members([
            "height": .number(trust.height),
            "linkedTo": linkedTo.map { .number($0) } ?? .null,
        ])
        return .object(members + [JSONNode.Member("trust", trust)])
    }
}
