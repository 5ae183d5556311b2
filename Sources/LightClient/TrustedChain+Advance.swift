import Ledger
import LedgerCrypto

/// What a certified header does to what is trusted.
public enum TrustStep: Equatable, Sendable {
    /// It is trusted as well. `linkedTo`: height of the highest trusted header below it that its log was shown to go on
    /// from (or, going back, of the newest header, whose log holds it); `nil` when nothing was shown.
    case trusted(TrustedChain, linkedTo: UInt64?)
    /// Two quorums finalised two histories. Nothing is trusted in addition.
    case fork(ForkEvidence)
}

extension TrustedChain {
    /// Adds what a quorum finalised. Going back, to a header below the newest, never loses what was trusted.
    ///
    /// Work: the signatures of the epoch changes that are new and of one certificate, and a hash for each digest of
    /// the links; lengths are checked first.
    ///
    /// - Parameters:
    ///   - epochChanges: the ends of the epochs that are not known yet, up to the header's. Known ones may be among them
    ///     and must be the same.
    ///   - links: for trusted headers below the new one, what the new one's log holds at their place; for a header
    ///     below the newest trusted one, what the newest one's log holds at its place. At most `headersMax`.
    ///   - nowMs: the caller's clock, milliseconds of Unix time; a header from the future is not trusted yet.
    /// - Throws: `EvidenceProblem`, whose `standing` tells what is proven false, what is not proven, and what cannot be
    ///   trusted yet.
    public func advance(
        to new: CertifiedHeader, epochChanges: [EpochChange] = [], links: [LeafEvidence] = [],
        nowMs: UInt64? = nil
    ) throws(EvidenceProblem) -> TrustStep {
        var next = self
        let firstNew = validators.epoch
        if let conflict = try next.follow(epochChanges) {
            return .fork(try next.evidence(conflict))
        }
        let place = EvidencePlace.header(height: new.header.height)
        _ = try next.verify(new, at: place, certificateAt: .certificate)
        if let conflict = next.conflict(with: new, firstNew: firstNew, at: place) {
            return .fork(try next.evidence(conflict))
        }
        if let nowMs {
            let (latest, overflow) = nowMs.addingReportingOverflow(TrustedChain.clockDriftMsMax)
            guard overflow || new.header.timeMs <= latest else {
                throw EvidenceProblem(
                    place, .aheadOfClock(timeMs: new.header.timeMs, nowMs: nowMs))
            }
        }
        guard links.count <= TrustedChain.headersMax else {
            throw EvidenceProblem(
                .bundle,
                .tooMany(what: "links", found: links.count, max: TrustedChain.headersMax))
        }
        var linkedTo: UInt64?
        for link in links {
            let (held, isExtension) = try next.held(by: link, new: new.header)
            guard isExtension else {
                return .fork(
                    ForkEvidence(
                        held, new, leaf: link, changes: next.epochChanges, suite: suite))
            }
            linkedTo = max(linkedTo ?? 0, held.header.height)
        }
        next.keep(new)
        return .trusted(next, linkedTo: linkedTo)
    }

    private func evidence(_ conflict: Conflict) throws(EvidenceProblem) -> ForkEvidence {
        guard let held = conflict.held else {
            throw EvidenceProblem(conflict.place, .contradictsTrusted)
        }
        return ForkEvidence(
            held, conflict.new, leaf: nil, changes: epochChanges, suite: suite)
    }

    /// The trusted header that the link is about, and whether it is what the higher one's log holds.
    private func held(
        by link: LeafEvidence, new: Header
    ) throws(EvidenceProblem) -> (CertifiedHeader, isExtension: Bool) {
        for held in headers.reversed() where held.header.height < new.height {
            guard link.holds(lower: held.header, higher: new, suite: suite) else { continue }
            let leaf = LogLeaf.header(held.header.digest(suite), suite: suite)
            return (held, link.leaf == leaf)
        }
        if let newest, newest.header.height > new.height,
            link.holds(lower: new, higher: newest.header, suite: suite)
        {
            return (newest, link.leaf == LogLeaf.header(new.digest(suite), suite: suite))
        }
        throw EvidenceProblem(.link, .leafNotInLog)
    }

    private mutating func keep(_ new: CertifiedHeader) {
        let height = new.header.height
        // A genesis header is final without votes, so no certificate of one is worth keeping.
        guard height > 0, !headers.contains(where: { $0.header.height == height }) else { return }
        let isNewest = height > (newest?.header.height ?? 0)
        guard isNewest || headers.count < TrustedChain.headersMax else { return }
        if headers.count == TrustedChain.headersMax { headers.removeFirst() }
        let place = headers.firstIndex { $0.header.height > height } ?? headers.count
        headers.insert(new, at: place)
    }
}
