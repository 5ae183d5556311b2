import Ledger
import LedgerCrypto
import Market
import Merkle
import Records

/// Executes blocks: the same function of parent state and entries on every node.
///
/// Not thread-safe; it belongs to one replica. It keeps caches that change no result.
public struct Executor<Base: CommittedState> {
    public let genesis: Genesis
    public let chain: ChainID
    public let suite: Suite
    public let parameters: Parameters
    private let records = RecordCache()
    private let overlays = OverlayCache<Base>()

    public init(genesis: Genesis) {
        self.genesis = genesis
        chain = genesis.chain
        suite = genesis.suite
        parameters = genesis.parameters
    }

    /// The leader's side: due actions, then of the candidates in their order what may stand in the block.
    ///
    /// - Parameters:
    ///   - timeMs: the header's time; greater than the parent's.
    ///   - replay: the final transactions; those of unfinalized ancestors are checked here.
    ///   - isRecovery: whether a recovery is to make the block final; in all others `validator.recover` is refused.
    public func build(
        on parent: ParentState<Base>, candidates: [Verified<SignedTransaction>], timeMs: UInt64,
        replay: some ReplayFilter, isRecovery: Bool = false
    ) -> ExecutedBlock {
        precondition(timeMs > parent.header.timeMs, "time moves forward")
        let context = context(on: parent, timeMs: timeMs, isRecovery: isRecovery)
        var run = BlockRun(context, on: parent, cache: records, entriesExpected: candidates.count)
        // What is due waits for the next block: a recovery has its one entry, however long nothing could be done.
        if !isRecovery { run.runDueActions() }
        var leftOut: [LeftOut] = []
        for candidate in candidates {
            let signed = candidate.value
            do throws(OutcomeCode) {
                let sender = try run.admit(signed, replay: replay)
                run.run(signed, from: sender)
            } catch {
                leftOut.append(LeftOut(digest: signed.digest, code: error))
            }
        }
        // Before it is handed on, or all of it is copied for what this looks up.
        let next = run.nextValidators()
        return finish(run, next: next, on: parent, leftOut: leftOut)
    }

    /// The follower's side: executes a proposed block and compares.
    ///
    /// - Parameters:
    ///   - transactions: one for each entry: what its envelope holds, with a signature that was checked; nil for
    ///     automatic actions and where nobody checked it.
    ///   - isRecovery: whether a recovery makes the block final.
    /// - Throws: `BlockFault`, and an honest replica does not vote for the block.
    public func execute(
        _ block: Block, on parent: ParentState<Base>,
        transactions: [Verified<SignedTransaction>?], replay: some ReplayFilter,
        isRecovery: Bool = false
    ) throws(BlockFault) -> ExecutedBlock {
        precondition(transactions.count == block.entries.count, "one for each entry")
        try check(block, on: parent)
        let context = context(on: parent, timeMs: block.header.timeMs, isRecovery: isRecovery)
        var run = BlockRun(
            context, on: parent, cache: records, entriesExpected: block.entries.count)
        if isRecovery {
            guard block.entries.count == 1 else { throw .header("entry count") }
        } else {
            run.runDueActions()
        }
        let due = run.entries.count
        for index in 0..<due {
            guard index < block.entries.count, block.entries[index] == run.entries[index] else {
                throw .automaticAction(index: index)
            }
        }
        for index in due..<block.entries.count {
            guard case .envelope(let bytes) = block.entries[index] else {
                throw .automaticAction(index: index)
            }
            guard let signed = transactions[index]?.value, signed.envelope.bytes == bytes else {
                throw .notVerified(index: index)
            }
            do throws(OutcomeCode) {
                let sender = try run.admit(signed, replay: replay)
                run.run(signed, from: sender)
            } catch {
                throw .inadmissible(index: index, error)
            }
        }
        let next = run.nextValidators()
        let executed = finish(run, next: next, on: parent, leftOut: [])
        try compare(executed.block.header, with: block.header)
        return executed
    }

    /// The key under which a member's envelope is to be checked: enrolled, live, and that member's.
    public func publicKey(
        for keyID: KeyID, member: MemberID, on parent: ParentState<Base>
    ) -> PublicKey? {
        let place = StateKey.key(keyID, suite)
        guard let value = LayeredState(parent).value(for: place),
            let key = KeyRecord(records.decoded(value, at: place).record),
            key.isLive, key.member == member
        else { return nil }
        return key.publicKey
    }

    /// The set that certifies the children of a block: what its state says, or genesis' before the first change.
    public func validatorSet(after parent: ParentState<Base>) -> ValidatorSet {
        let place = StateKey.validators(suite)
        guard let value = LayeredState(parent).value(for: place),
            let record = ValidatorsRecord(records.decoded(value, at: place).record)
        else { return genesis.validators }
        return record.set
    }

    /// No block below this height gets a child any more: what was kept for their children goes.
    public func forget(below height: UInt64) {
        overlays.forget(below: height)
    }

    // MARK: Headers

    private func context(
        on parent: ParentState<Base>, timeMs: UInt64, isRecovery: Bool
    ) -> BlockContext {
        BlockContext(
            chain: chain, suite: suite, height: parent.header.height + 1, timeMs: timeMs,
            parameters: parameters, validators: validatorSet(after: parent),
            isRecovery: isRecovery)
    }

    /// What the parent alone decides, before anything is executed.
    private func check(_ block: Block, on parent: ParentState<Base>) throws(BlockFault) {
        let header = block.header
        guard header.chain == chain else { throw .header("chain") }
        guard header.height == parent.header.height + 1 else { throw .header("height") }
        guard header.epoch == epoch(after: parent.header) else { throw .header("epoch") }
        guard header.parent == parent.headerDigest else { throw .header("parent") }
        guard header.timeMs > parent.header.timeMs else { throw .header("time") }
        guard header.validators == validators(after: parent.header) else {
            throw .header("validator set")
        }
        guard header.entryCount == UInt64(block.entries.count) else {
            throw .header("entry count")
        }
        let entriesMax =
            parameters.entriesPerBlockMax + parameters.automaticActionsPerBlockMax
        guard UInt64(block.entries.count) <= entriesMax else {
            throw .tooLarge("entriesPerBlockMax")
        }
    }

    private func compare(_ own: Header, with header: Header) throws(BlockFault) {
        guard own != header else { return }
        if own.stateRoot != header.stateRoot { throw .result("state root") }
        if own.resultsRoot != header.resultsRoot { throw .result("results root") }
        if own.logRoot != header.logRoot || own.logSize != header.logSize {
            throw .result("log root")
        }
        if own.nextValidators != header.nextValidators { throw .result("next validator set") }
        throw .result("header")
    }

    private func epoch(after parent: Header) -> UInt64 {
        parent.nextValidators == nil ? parent.epoch : parent.epoch + 1
    }

    private func validators(after parent: Header) -> Digest {
        parent.nextValidators ?? parent.validators
    }

    private func finish(
        _ run: BlockRun, next: ValidatorSet?, on parent: ParentState<Base>,
        leftOut: [LeftOut]
    ) -> ExecutedBlock {
        if let bank = run.state.bankOutOfBalance() {
            preconditionFailure("money is conserved in every block; bank \(bank) is not balanced")
        }
        let delta = StateDelta(changes: run.state.changes())
        let overlay = overlays.overlay(of: parent).applying(delta.mapChanges(suite))
        guard let layer = overlay.layers.last else {
            preconditionFailure("applying changes adds a layer")
        }
        let log = parent.frontier.grown(
            parent: parent.headerDigest, entryLeaves: run.leaves, suite: suite)
        let header = Header(
            chain: chain, height: run.context.height, epoch: epoch(after: parent.header),
            parent: parent.headerDigest, timeMs: run.context.timeMs, logSize: log.frontier.size,
            logRoot: log.frontier.root(suite), stateRoot: overlay.root,
            resultsRoot: resultsRoot(run.outcomes, suite: suite),
            entryCount: UInt64(run.entries.count), validators: validators(after: parent.header),
            nextValidators: next?.digest(suite))
        let digest = header.digest(suite)
        overlays.keep(overlay, of: digest, at: header.height)
        return ExecutedBlock(
            block: Block(header: header, entries: run.entries), headerDigest: digest,
            outcomes: run.outcomes, transactions: run.transactions, delta: delta, mapLayer: layer,
            events: run.state.events, log: log, leftOut: leftOut, nextValidators: next,
            ids: run.ids, entryBytes: run.bytes)
    }
}
