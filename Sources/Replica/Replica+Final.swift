import Consensus
import Execution
import Ledger
import LedgerCrypto
import Merkle
import Records

/// Certified blocks: executing them, committing them, and fetching those that are missing.
extension Replica {
    // MARK: Executing what a quorum vouches for

    /// Executes a block that is certified, or an ancestor of one, with all its ancestors.
    ///
    /// - Returns: whether it is executed now; when a body is missing it is asked for.
    mutating func execute(certified digest: Digest) -> Bool {
        if tree.isExecuted(digest) { return true }
        switch tree.path(to: digest) {
        case .foreign: return false
        case .missing(let ancestor):
            guard assemble(ancestor) else {
                want(ancestor)
                return false
            }
            return execute(certified: digest)
        case .complete(let nodes):
            guard let first = nodes.firstIndex(where: { $0.executed == nil }),
                var state = parentState(nodes[first].parent)
            else { return false }
            // Thousands of them may have become final together: the state grows where it is.
            for node in nodes[first...] {
                guard let executed = node.executed ?? executeCertified(node, on: state) else {
                    return false
                }
                state.extend(by: executed)
            }
            return true
        }
    }

    private mutating func executeCertified(
        _ node: BlockTree.Node, on state: ParentState<Base>
    ) -> ExecutedBlock? {
        let assembled = assembledTransactions(node)
        guard let transactions = assembled ?? transactions(of: node, on: state) else {
            reject(node, on: state, "an envelope that does not decode or has no key")
            return nil
        }
        do throws(BlockFault) {
            let executed = try executor.execute(
                node.block, on: state, transactions: transactions, replay: replay,
                isRecovery: node.seatsAnew)
            tree.setExecuted(executed)
            mempool.reserve(ids: executed.transactions.compactMap { $0?.id })
            return executed
        } catch {
            reject(node, on: state, "\(error)")
            return nil
        }
    }

    /// A certified block's transactions, one for each entry: a quorum checked their signatures, or they are checked here.
    private mutating func transactions(
        of node: BlockTree.Node, on state: ParentState<Base>
    ) -> [Verified<SignedTransaction>?]? {
        var transactions: [Verified<SignedTransaction>?] = []
        transactions.reserveCapacity(node.block.entries.count)
        for entry in node.block.entries {
            guard case .envelope(let bytes) = entry else {
                transactions.append(nil)
                continue
            }
            guard let envelope = decode(bytes), let key = key(of: envelope, on: state)
            else { return nil }
            if node.isUnvouched {
                guard let signed = envelope.verified(by: key) else { return nil }
                transactions.append(signed)
                continue
            }
            transactions.append(
                Verified(assumingValid: SignedTransaction(envelope: envelope, key: key)))
        }
        return transactions
    }

    /// The body of a certified header did not execute to it. A body that is not the header's is thrown away and asked
    /// for again; with the true body, this replica's state is wrong, and it stops. A block that no quorum vouches for may be anything,
    /// and is only thrown away.
    private mutating func reject(
        _ node: BlockTree.Node, on state: ParentState<Base>, _ why: String
    ) {
        let frontier = state.frontier.grown(
            parent: state.headerDigest,
            entryLeaves: node.block.entries.map { LogLeaf.entry($0, suite: suite) }, suite: suite
        ).frontier
        let header = node.block.header
        tree.remove(node.subject.header)
        if node.isUnvouched { return }
        if frontier.size == header.logSize, frontier.root(suite) == header.logRoot {
            halt("certified block \(header.height) does not execute to its header: \(why)")
        } else {
            // Where it is as proposed, it is not put together, and executed in vain, a second time.
            if let view = proposalView(node.subject.header), proposals[view]?.block == node.block {
                proposals[view]?.isRefuted = true
            }
            want(node.subject.header)
        }
    }

    /// Executes notarized blocks whose bodies have arrived, so that they can be finalized.
    mutating func executeNotarized() {
        guard !openNotarizations.isEmpty else { return }
        var open: [(view: UInt64, subject: VoteSubject)] = []
        for (view, subject) in openNotarizations where view > simplex.book.final.view {
            if isHalted { return }
            if execute(certified: subject.header) {
                simplex.markExecuted(view: view, subject)
            } else {
                open.append((view, subject))
            }
        }
        openNotarizations = open
    }

    // MARK: Committing

    /// Commits up to each finalization in turn, as far as everything on the way is here: every block that has a certificate of its
    /// own keeps it, and whoever catches up from here gets the blocks in small groups.
    mutating func commitTargets() {
        while let point = targets.first, !isHalted {
            if point.subject.height > finalHeight {
                guard let certificate = point.certificate,
                    case .complete = tree.path(to: point.subject.header),
                    commit(upTo: point.subject.header, certificate)
                else { return }
            }
            // An epoch's end has emptied them.
            if targets.first == point { targets.removeFirst() }
        }
    }

    /// A finalization to be reached, above those that are known.
    mutating func aim(at point: FinalPoint) {
        if targets.count >= ReplicaLimits.targetsMax { targets.removeFirst() }
        targets.append(point)
    }

    /// - Returns: whether the block is final here now.
    private mutating func commit(upTo digest: Digest, _ certificate: Certificate) -> Bool {
        guard execute(certified: digest), case .complete(let nodes) = tree.path(to: digest),
            let last = nodes.last
        else { return false }
        if let early = nodes.dropLast().first(where: { $0.block.header.nextValidators != nil }) {
            halt("a certified block follows the epoch's last one, \(early.height), in its epoch")
            return false
        }
        let blocks = nodes.compactMap(\.executed)
        precondition(blocks.count == nodes.count, "an executed block's ancestors are executed")
        precondition(
            certificate.statement.subject == last.subject && certificate.kind.makesFinal,
            "a commit ends with the block that its certificate names")
        perform(
            Commit(
                blocks: blocks, finalization: certificate,
                skipped: simplex.takePassedNullifications()))
        tail += blocks
        for (node, block) in zip(nodes, blocks) {
            replay.insert(block)
            mempool.remove(ids: node.ids)
            forgetKeys(block)
            recentBlocks.append((node.subject.header, node.block))
        }
        recentBlocks.removeFirst(max(0, recentBlocks.count - ReplicaLimits.recentBlocksMax))
        finalHeader = last.block.header
        finalDigest = digest
        finalFrontier = blocks[blocks.count - 1].frontier
        replay.prune(height: finalHeight)
        for node in tree.prune(final: digest, height: finalHeight) {
            mempool.release(ids: node.ids)
        }
        mempool.expire(height: finalHeight)
        executor.forget(below: finalHeight)
        proposals = proposals.filter { $0.key > certificate.view }
        wanted.removeAll { tree[$0] != nil || $0 == finalDigest }
        if let next = blocks[blocks.count - 1].nextValidators { beginEpoch(under: next) }
        return true
    }

    /// What follows a commit directly is made durable with it: whoever catches up waits for the disk once for each answer, not for each
    /// block.
    private mutating func perform(_ commit: Commit) {
        if case .commit(let before) = effects.last {
            effects[effects.count - 1] = .commit(before.joined(with: commit))
        } else {
            effects.append(.commit(commit))
        }
    }

    /// The epoch's last block is final: what belongs to the epoch is dropped, and the next one begins in view 1.
    ///
    /// Durable is nothing new: the commit holds the block, and a restart finds the set in its state.
    private mutating func beginEpoch(under validators: ValidatorSet) {
        // No honest leader proposed a child of the epoch's last block, but others may have.
        for node in tree.removeAll() { mempool.release(ids: node.ids) }
        // Who contradicted himself, or that this replica's key has voted elsewhere, holds beyond the epoch.
        for step in simplex.takeSteps() {
            switch step {
            case .equivocation(let pair): effects.append(.evidence(pair))
            case .forgotten(let vote): effects.append(.forgotten(vote))
            case .sign, .assembled, .notarized, .nullified, .final, .entered, .compared: break
            }
        }
        let seat = votingKey.flatMap { validators.index(ofKey: $0) }
        let rules = mutation
        let standing = simplex.seat == nil ? .comparing : simplex.rules.standing
        simplex = Simplex(
            authority: simplex.authority.under(validators), seat: seat,
            final: FinalPoint(
                view: 0,
                subject: VoteSubject(
                    height: finalHeight, header: finalDigest, logRoot: finalHeader.logRoot),
                certificate: nil), recovered: [], standing: standing)
        simplex.mutate(rules)
        validatorsDigest = validators.digest(suite)
        proposals = [:]
        ownProposal = nil
        openNotarizations = []
        targets = []
        wanted = []
        requested = [:]
        signatures = []
        nextFetchSeat = (seat ?? 0) + 1
        fetchPeer = nil
        heardInView = Array(repeating: simplex.view, count: validators.count)
        statusAnswered = PeerTimes()
        helpAsked = PeerTimes()
        proposalSent = PeerTimes()
        transactionsServed = PeerTimes()
        timedView = 0
        isContradicted = false
        effects.append(.reconfigure(validators, seat: seat))
        simplex.start()
        // Others may be in the epoch already, and what they said in it was not listened to here.
        effects.append(.broadcast(.status(status)))
        askForOwnVotes()
    }

    // MARK: Fetching

    mutating func want(_ digest: Digest) {
        guard !wanted.contains(digest), wanted.count < ReplicaLimits.wantedMax else { return }
        wanted.append(digest)
    }

    private var lacksFinalBlocks: Bool {
        isBehindEpochs || targets.last.map { $0.subject.height > finalHeight } ?? false
    }

    /// Whether too many final blocks are missing to judge transactions by the state that is here. By a finalization that was
    /// verified: what peers merely say of themselves must not close this node to its clients.
    public var isCatchingUp: Bool {
        targets.last.map { $0.subject.height > finalHeight + ReplicaLimits.catchingUpBlocks }
            ?? false
    }

    var needsFetch: Bool { !wanted.isEmpty || lacksFinalBlocks || lacksTransactions }

    mutating func fetch() {
        wanted.removeAll { tree[$0] != nil }
        guard needsFetch else { return }
        let peer = nextFetchPeer()
        if lacksFinalBlocks {
            effects.append(.send(peer, .finalBlocksRequest(from: finalHeight + 1)))
            awaitsFinalBlocks = true
        }
        for digest in wanted {
            if requested.count >= ReplicaLimits.requestedBlocksMax { requested = [:] }
            requested[digest, default: []].insert(peer)
            effects.append(.send(peer, .blockRequest(digest)))
        }
        requestTransactions(orFrom: peer)
        // Asked for again as long as somebody needs them; what nobody needs is not.
        wanted = []
        isFetching = true
        effects.append(.setTimer(.fetch, afterMs: ReplicaLimits.fetchRetryMs))
    }

    private mutating func nextFetchPeer() -> PeerID {
        // What a peer says of itself nobody has verified: unless it gives something, every other question goes to a validator, in turn.
        defer { fetchPeer = nil }
        if let peer = fetchPeer, asksWhoHasMore {
            asksWhoHasMore = false
            return peer
        }
        asksWhoHasMore = true
        let count = simplex.validators.count
        repeat { nextFetchSeat += 1 } while nextFetchSeat % count == seat && count > 1
        return PeerID(nextFetchSeat % count)
    }

    /// A block asked for by digest, from whom it was asked. Only a certified one is ever asked for, or an ancestor of one: what nobody
    /// asked for has no end.
    mutating func receive(wanted block: Block, from peer: PeerID) {
        guard !requested.isEmpty, block.header.chain == chain, block.header.height > finalHeight
        else { return }
        let subject = VoteSubject(block.header, suite: suite)
        guard requested[subject.header]?.remove(peer) != nil else { return }
        asksWhoHasMore = true
        tree.insert(block, subject: subject, view: simplex.view)
    }

    /// Final blocks from a peer's store, or of a recovery: committed group by group, each under its certificate.
    ///
    /// - Parameter peer: nil for a recovery that the operator gave.
    mutating func receive(finalBlocks blocks: [CertifiedBlock], from peer: PeerID?) {
        guard peer.map({ compareRecoveries(in: blocks, from: $0) }) ?? true else { return }
        var group: [(block: Block, subject: VoteSubject)] = []
        var filled = 0
        var parent = finalDigest
        let heightBefore = finalHeight
        let setBefore = simplex.validators
        for certified in blocks where certified.block.header.height > finalHeight {
            let block = certified.block
            guard block.header.chain == chain, block.header.parent == parent,
                block.header.epoch == simplex.epoch,
                block.header.height == finalHeight + UInt64(group.count) + 1
            else { return }
            let subject = VoteSubject(block.header, suite: suite)
            parent = subject.header
            group.append((block, subject))
            let isFilled = block.entries.contains { if case .envelope = $0 { true } else { false } }
            filled += isFilled ? 1 : 0
            guard filled <= ReplicaLimits.filledBlocksMax else { return }
            guard let certificate = certified.finalization else { continue }
            guard certificate.statement.subject == subject,
                let verified = verified(final: certificate, of: block)
            else {
                // Served from a store that holds what was verified.
                if let peer = peer.flatMap({ renumbered($0, from: setBefore) }) {
                    effects.append(.cutOff(peer, .forgedCertificate))
                }
                return
            }
            for member in group {
                tree.insert(member.block, subject: member.subject, view: certificate.view)
            }
            if certificate.kind == .recover {
                for member in group {
                    tree.markUnvouched(
                        member.subject.header,
                        seatsAnew: member.subject == subject && seatsAnew(block))
                }
            }
            group = []
            filled = 0
            // What it passes is kept with these blocks, and an epoch's last one ends this core.
            simplex.receive(verified)
            guard commit(upTo: subject.header, certificate) else { return }
        }
        if finalHeight > heightBefore {
            awaitsFinalBlocks = false
            asksWhoHasMore = true
        }
        // An answer that brings nothing is not worth another question at once.
        if lacksFinalBlocks, finalHeight > heightBefore {
            fetchPeer = peer.flatMap { renumbered($0, from: setBefore) }
            fetch()
        }
    }

    /// What a peer is called now that was called so under an earlier set; nil for a validator that lost its seat.
    private func renumbered(_ peer: PeerID, from earlier: ValidatorSet) -> PeerID? {
        if peer.isGuest || earlier.epoch == simplex.epoch { return peer }
        return simplex.validators.index(ofKey: earlier.validators[peer.seat].votingKey.keyID)
            .map { PeerID($0) }
    }
}
