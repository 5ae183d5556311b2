import Ledger

/// What others may lack of this replica's votes and certificates.
extension Simplex {
    /// Own signed votes that lost messages may have kept from others: those of the current view and the
    /// finalize votes of the latest notarized views.
    public func votesToRepeat() -> [Vote] {
        guard let seat else { return [] }
        var votes: [Vote] = []
        for view in book.notarizedViews.suffix(Simplex.repeatedFinalizeVotesMax)
        where view < self.view {
            if let vote = tallies[view]?.vote(.finalize, of: seat) { votes.append(vote) }
        }
        return votes + (tallies[view]?.votes(of: seat) ?? [])
    }

    /// What takes a peer onwards that told where it stands.
    public func answer(
        to status: ReplicaStatus
    ) -> (certificates: [Certificate], votes: [Vote]) {
        guard status.epoch == epoch else { return ([], []) }
        var certificates: [Certificate] = []
        if status.finalView < book.final.view, let certificate = book.final.certificate {
            certificates.append(certificate)
        }
        let from = max(status.openView, book.final.view + 1)
        guard from <= view else { return (certificates, []) }
        let until = min(view + 1, from + Simplex.viewsAheadMax)
        certificates += book.certificates(
            in: from..<until, max: PeerLimits.certificatesMax - certificates.count)
        var votes: [Vote] = []
        if let seat {
            for view in from..<until {
                // What a certificate says needs no vote.
                votes += (tallies[view]?.votes(of: seat) ?? []).filter {
                    book.isNews($0.statement)
                }
            }
        }
        return (certificates, votes)
    }

    public func status(finalHeight: UInt64) -> ReplicaStatus {
        ReplicaStatus(
            epoch: epoch, finalHeight: finalHeight, finalView: book.final.view,
            openView: book.openView, view: view)
    }
}
