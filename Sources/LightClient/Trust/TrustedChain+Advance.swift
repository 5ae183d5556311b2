import Ledger
import LedgerCrypto

/// What a certified header does to what is trusted.
public enum TrustStep: Equatable, Sendable {
    /// It is trusted as well. `linkedTo`: height of the highest trusted header below it that its log was shown to go on
    /// from (or, going back, of the newest header, whose log holds it); `nil` when nothing was shown.
    case trusted(TrustedChain, linkedTo: UInt64?)
    /// Two quorums finalized two histories. Nothing is trusted in addition.
    case fork(ForkEvidence)
}

extension TrustedChain {
    /// Adds what a quorum finalized. A header below the newest is added only where a link shows that the newest one's log holds it:
    /// it may be of keys that have since leaked, and would contradict what is true.
    ///
    /// Work: the signatures of the epoch changes that are new and of one certificate, and a hash for each digest of
    /// the links; lengths are checked first.
    ///
    /// - Parameters:
    ///   - epochChanges: the ends of the epochs that are not known yet, up to the header's. Known ones may be among them
    ///     and must be the same.
    ///   - links: ancestors of the new header at the heights of trusted ones, ends of epochs among them; for a header below the newest
    ///     trusted one, that one's ancestor at its height. Those of other heights say nothing. At most `headersMax`.
    ///   - nowMs: the caller's clock, milliseconds of Unix time; a header from the future is not trusted yet.
    /// - Throws: `EvidenceProblem`, whose `standing` tells what is proven false, what is not proven, and what cannot be
    ///   trusted yet.
    public func advance(
        to new: CertifiedHeader, epochChanges: [EpochChange] = [], links: [HeaderEvidence] = [],
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
            let height = link.header.height
            let higher = height < new.header.height ? new : next.newest ?? new
            guard link.isIn(logOf: higher.header, suite) else {
                throw EvidenceProblem(.link, .headerNotInLog)
            }
            let isNew = height == new.header.height
            let known = isNew ? nil : next.trustedHeader(at: height)
            guard let lower = isNew ? new.header : known?.header else { continue }
            guard link.header == lower else {
                let held = isNew ? new : known?.certified
                return .fork(try next.evidence(held, higher, ancestor: link, at: .link))
            }
            linkedTo = max(linkedTo ?? 0, isNew ? higher.header.height : height)
        }
        let newest = next.newest?.header.height ?? next.start.header?.height
        if newest.map({ new.header.height > $0 || linkedTo == $0 || next.holds(new.header) })
            ?? true
        {
            next.keep(new)
        }
        return .trusted(next, linkedTo: linkedTo)
    }

    private func evidence(_ conflict: Conflict) throws(EvidenceProblem) -> ForkEvidence {
        try evidence(conflict.held, conflict.new, at: conflict.place)
    }

    /// - Parameter held: `nil` for the start, which came without votes.
    private func evidence(
        _ held: CertifiedHeader?, _ new: CertifiedHeader, ancestor: HeaderEvidence? = nil,
        at place: EvidencePlace
    ) throws(EvidenceProblem) -> ForkEvidence {
        guard let held else { throw EvidenceProblem(place, .contradictsTrusted) }
        return ForkEvidence(held, new, ancestor: ancestor, changes: epochChanges, suite: suite)
    }

    /// The header of that height that is trusted, if one is.
    func trustedHeader(at height: UInt64) -> TrustedHeader? {
        let index = epochChanges.partitioningIndex { $0.header.height >= height }
        if index < epochChanges.count, epochChanges[index].header.height == height {
            return TrustedHeader(epochChanges[index])
        }
        if let held = headers.first(where: { $0.header.height == height }) {
            return TrustedHeader(header: held.header, certified: held, isEnd: false)
        }
        // Last: the same header may be held with votes.
        guard let first = start.header, first.height == height else { return nil }
        return TrustedHeader(header: first, certified: nil, isEnd: false)
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
