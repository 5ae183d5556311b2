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
    /// Height of the header that was the newest before, or of the accepted one; `nil` when there was none.
    public let before: UInt64?
    /// Height of the trusted header that the bundle itself shows to be of the same history as its own: the newest of then where it can, its own
    /// where that was trusted before; `nil` when it shows none.
    public let linkedTo: UInt64?

    /// Whether the answer's header is of the history that was trusted before: it goes on from the newest header of then, is in
    /// that one's log, or was trusted itself, on whatever ground. Otherwise it rests on the keys of its epoch alone.
    public var isLinked: Bool {
        before == nil || linkedTo == before || linkedTo == answer.height
    }

    /// Whether the answer's header is trusted from now on.
    public var isAdded: Bool { trust.holds(answer.checkpoint.header) }
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
        let links = bundle.ancestors.compactMap { ancestor in
            next.trustedHeader(at: ancestor.header.height).map { (link: ancestor, held: $0) }
        }
        // Another header than the trusted one of its height is evidence, whatever else the bundle holds; where trust starts there are no
        // votes to show, and `verify` says so.
        if let other = links.first(where: {
            $0.link.header != $0.held.header && $0.held.certified != nil
        })?.link {
            let step = try next.advance(to: new, links: [other])
            guard case .trusted = step else { return Self.fork(step) }
        }
        let answer = try Verifier(genesis: genesis, trust: next, limits: limits).verify(bundle)
        let link = links.last { $0.held.header.height == known } ?? links.last
        let linked = try next.advance(to: new, links: link.map { [$0.link] } ?? [])
        guard case .trusted(let final, let linkedTo) = linked else { return Self.fork(linked) }
        let isKnown = trust.holds(new.header)
        return .proven(
            FollowedAnswer(
                answer: answer, trust: final, before: known,
                linkedTo: isKnown ? new.header.height : linkedTo))
    }

    /// Height of the newest header that is trusted before anything is followed; `nil` while trust starts at genesis and knows none.
    private var known: UInt64? { (trust.newest?.header ?? trust.start.header)?.height }

    /// What is detached from the accepted checkpoint adds nothing to it; there is no header below it to compare with.
    private func followedFromStart(
        _ bundle: EvidenceBundle
    ) throws(EvidenceProblem) -> FollowedAnswer {
        let answer = try verify(bundle)
        return FollowedAnswer(
            answer: answer, trust: trust, before: known, linkedTo: answer.height)
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
        let trusted = (english: "trusted to height \(newest)", chinese: "已信任至高度 \(newest)")
        guard let before else { return trusted }
        if isLinked, let linkedTo {
            return (
                "\(trusted.english); shown to be of one history with height \(linkedTo)",
                "\(trusted.chinese)；已证明与高度 \(linkedTo) 同属一份历史"
            )
        }
        let height = answer.height
        let older = linkedTo.map {
            (english: " (it is with that of height \($0))", chinese: "（与高度 \($0) 的已证明同属一份历史）")
        }
        return (
            "\(trusted.english); nothing here shows that the header of height \(height) is of one history with that of height \(before)"
                + (older?.english ?? "") + (isAdded ? "" : ", so it is not added"),
            "\(trusted.chinese)；此处未证明高度 \(height) 与高度 \(before) 的区块头同属一份历史"
                + (older?.chinese ?? "") + (isAdded ? "" : "，故不计入")
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
            "linked": .bool(isLinked), "added": .bool(isAdded),
        ])
        return .object(members + [JSONNode.Member("trust", trust)])
    }
}
