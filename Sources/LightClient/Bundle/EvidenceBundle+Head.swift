import Ledger

extension EvidenceBundle {
    /// A source's newest final header, for somebody who knows the ends of the epochs before `first`. Where he lacks more of them than
    /// go into one answer (`Follower.epochsPerAnswer`), the last header of the last of those epochs.
    public static func head(
        epochsFrom first: UInt64, from source: some EvidenceSource
    ) throws(EvidenceSourceError) -> EvidenceBundle {
        guard let newest = source.checkpoint() else { throw .nothingFinal }
        guard let all = source.epochChanges() else { throw .missing("epoch changes") }
        var changes = all.filter { $0.header.epoch >= first }
        var (header, certificate) = newest
        if changes.count > Follower.epochsPerAnswer {
            let last = changes[Follower.epochsPerAnswer]
            (header, certificate) = (last.header, last.certificate)
            changes.removeSubrange(Follower.epochsPerAnswer...)
        }
        return EvidenceBundle(
            chain: header.chain, questions: [.header(height: header.height, digest: nil)],
            head: .certified(
                CertifiedHeader(header: header, certificate: certificate), after: changes),
            records: [], ancestors: [], entries: [], histories: [])
    }
}
