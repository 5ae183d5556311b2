import Ledger
import LedgerCrypto
import Merkle
import SQLite

extension Store {
    /// Appends final blocks in one durable step: bodies, certificates, outcomes, state, log tiles,
    /// events and the watermark; bodies, votes and certificates that are decided by them go.
    ///
    /// - Parameter commits: consecutive heights from the watermark's next; the last one with its
    ///   finalization, under which the ones before it are final too.
    /// - Parameter skipped: nullifications to be kept.
    ///
    /// A crash inside leaves the chain as it was: the bodies and votes are still stored, and the
    /// blocks are found final again from the certificate, or fetched from other nodes. A crash
    /// right after leaves them final here though nobody was told: an answer that was never sent
    /// promised nothing.
    public func commit(
        _ commits: [BlockCommit], skipped: [Certificate] = []
    ) throws(StorageError) {
        if let failure { throw failure }
        guard let last = commits.last else { return }
        guard let certified = last.finalization?.statement else {
            preconditionFailure("the last block of a commit has its finalization")
        }
        precondition(
            certified.kind.makesFinal && certified.subject?.header == last.header,
            "a finalization names its own block")
        let kept = votes.filter { $0.key.isAbove(certified) }
        let sum = kept.count == votes.count ? voteSum : VoteSum(kept.values, suite)
        let end = try run { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in
                var position = Position(height: watermark.height, header: watermark.header)
                for commit in commits { try write(commit, after: &position) }
                for certificate in skipped { try writes.insertNullification(certificate) }
                if sum != voteSum { try voting.setVoteSum(sum) }
                return try finish(certified, position)
            }
        }
        // In memory only what the file holds now.
        watermark = end.watermark
        header = last.block.header
        for body in end.decided { pendingBodies[body] = nil }
        votes = kept
        voteSum = sum
        certificates = certificates.filter { $0.isAbove(certified) }
    }

    /// How far a commit has come.
    private struct Position {
        var height: UInt64
        var header: Digest
        /// Header digests of the blocks written.
        var written: Set<Digest> = []
    }

    private func write(
        _ commit: BlockCommit, after position: inout Position
    ) throws(SQLiteError) {
        let header = commit.block.header
        precondition(header.chain == chain, "a committed block is of this chain")
        precondition(
            header.height == position.height + 1 && header.parent == position.header,
            "committed blocks follow one another")
        // Execution grew the same log; a difference must stop us before it is on disk.
        guard commit.log.firstIndex == tiles.frontier.size else {
            throw damaged("the log does not lead to header \(header.height)")
        }
        for tile in tiles.append(commit.log) { try writes.insertTile(tile) }
        guard tiles.frontier.size == header.logSize, tiles.frontier.root(suite) == header.logRoot
        else { throw damaged("the log does not lead to header \(header.height)") }
        try stateStep { () throws(StateStoreError) in
            try state.commit(commit.layer, changes: commit.changes)
        }
        guard state.root == header.stateRoot else {
            throw damaged("the state does not lead to header \(header.height)")
        }
        let body: Int64
        if let pending = pendingBodies[commit.header] {
            body = pending.row
        } else {
            body = try writes.insertBody(commit.block, header: commit.header)
        }
        try writes.insertBlock(
            height: header.height, body: body, finalization: commit.finalization,
            codes: OutcomeCodes.encode(commit.outcomes))
        precondition(
            commit.nextValidators?.digest(suite) == header.nextValidators,
            "the next set is the header's")
        if let next = commit.nextValidators {
            precondition(commit.finalization != nil, "an epoch's last block has its certificate")
            try writes.insertEpoch(next, height: header.height)
        }
        for (index, event) in commit.events.enumerated() {
            try writes.insertEvent(
                event, at: BlockLocation(height: header.height, position: index))
        }
        for (index, text) in commit.texts.enumerated() {
            try writes.insertText(
                text, at: BlockLocation(height: header.height, position: index))
        }
        position.height = header.height
        position.header = commit.header
        position.written.insert(commit.header)
    }

    /// Drops what is decided now, and moves the watermark.
    private func finish(
        _ certified: VoteStatement, _ position: Position
    ) throws(SQLiteError) -> (watermark: Watermark, decided: [Digest]) {
        var decided: [Digest] = []
        var firstPending: Int64?
        for (digest, body) in pendingBodies.sorted(by: { $0.value.row < $1.value.row }) {
            if body.height > position.height {
                firstPending = firstPending ?? body.row
                continue
            }
            decided.append(digest)
            // Lost to another block of its height.
            if !position.written.contains(digest) { try writes.dropBody(body.row) }
        }
        try writes.dropVotes(upTo: certified.epoch, certified.view)
        let nextBody = try writes.nextBody()
        let watermark = Watermark(
            height: position.height, header: position.header, epoch: certified.epoch,
            view: certified.view, frontier: tiles.frontier,
            firstPendingBody: firstPending ?? nextBody)
        try writes.setWatermark(watermark)
        return (watermark, decided)
    }
}
