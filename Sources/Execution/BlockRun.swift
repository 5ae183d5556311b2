import Ledger
import LedgerCrypto
import Market
import Merkle
import Records

/// One block while it is being executed; leader and follower go through exactly this.
struct BlockRun {
    let context: BlockContext
    let ancestors: [ExecutedBlock]
    var state: StateView
    private(set) var entries: [Entry] = []
    private(set) var outcomes: [EntryOutcome] = []
    private(set) var transactions: [TransactionReference?] = []
    private(set) var leaves: [Digest] = []
    /// Ids within this block.
    private(set) var ids: Set<Digest> = []
    private var entriesByMember: [MemberID: UInt64] = [:]
    private var senders: [KeyID: Sender] = [:]
    private var sendersAsOf = 0
    /// What the entries take of `Parameters.blockBytesMax`.
    private(set) var bytes: UInt64 = 0

    /// CBOR heads around an entry: array, tag and length.
    private static var entryOverheadBytes: UInt64 { 8 }
    /// At most what an encoded automatic action takes.
    private static var automaticBytesMax: UInt64 { 64 }

    /// - Parameter entriesExpected: for how many entries room is made; there may be more.
    init(
        _ context: BlockContext, on parent: ParentState<some CommittedState>, cache: RecordCache,
        entriesExpected: Int
    ) {
        self.context = context
        ancestors = parent.layers
        state = StateView(
            base: LayeredState(parent), suite: context.suite, height: context.height,
            cache: cache)
        let count = min(entriesExpected, Int(clamping: context.parameters.entriesPerBlockMax))
        entries.reserveCapacity(count)
        outcomes.reserveCapacity(count)
        transactions.reserveCapacity(count)
        leaves.reserveCapacity(count)
        ids.reserveCapacity(count)
    }

    // MARK: Automatic actions

    /// Runs every action that is due, up to the block's limit, and returns them.
    mutating func runDueActions() {
        let max = context.parameters.automaticActionsPerBlockMax
        while UInt64(entries.count) < max, let deadline = state.firstDeadline(dueBy: context.timeMs)
        {
            let action = AutomaticAction(
                kind: deadline.kind.rawValue, deadlineMs: deadline.deadlineMs,
                subject: deadline.subject)
            let entry = Entry.automatic(action)
            let digest = entry.digest(context.suite)
            MarketRules.apply(deadline, entryDigest: digest, to: &state, in: context)
            let leaf = LogLeaf.automatic(digest, suite: context.suite)
            append(entry, digest: digest, leaf: leaf, code: .accepted, transaction: nil)
            bytes += Self.automaticBytesMax
        }
    }

    // MARK: Transactions

    /// The sender, when this transaction may stand in the block at this place.
    mutating func admit(
        _ signed: SignedTransaction, replay: some ReplayFilter
    ) throws(OutcomeCode) -> Sender {
        let transaction = signed.transaction
        guard TransactionKind(rawValue: transaction.kind) != nil else { throw .unknownKind }
        guard transaction.lastValidHeight >= context.height else { throw .expired }
        let ahead = transaction.lastValidHeight - context.height
        guard ahead <= context.parameters.replayWindowBlocksMax else { throw .tooFarAhead }
        guard !ids.contains(signed.id) else { throw .duplicate }
        guard !replay.contains(signed.id) else { throw .replayed }
        // A few blocks at most, each small beside the window; sets of their ids would cost more to make.
        for ancestor in ancestors where ancestor.holds(signed.id) { throw .replayed }
        guard UInt64(signed.envelope.byteCount) <= context.parameters.transactionBytesMax else {
            throw .tooLarge
        }
        guard let sender = sender(signed.envelope.keyID),
            sender.member.id == transaction.member, sender.key.publicKey == signed.key
        else { throw .unknownKey }
        let size = UInt64(signed.envelope.byteCount) + Self.entryOverheadBytes
        guard UInt64(entries.count) < context.parameters.entriesPerBlockMax,
            bytes + size <= context.parameters.blockBytesMax
        else { throw .busy }
        guard
            entriesByMember[transaction.member, default: 0]
                < context.parameters.entriesPerMemberPerBlockMax
        else { throw .overQuota }
        return sender
    }

    /// The records of a live key and its member. Kept for the block, until one of its entries writes such a record.
    private mutating func sender(_ keyID: KeyID) -> Sender? {
        if sendersAsOf != state.memberWrites {
            senders.removeAll(keepingCapacity: true)
            sendersAsOf = state.memberWrites
        }
        if let sender = senders[keyID] { return sender }
        guard let key = state.key(keyID), key.isLive, let member = state.member(key.member) else {
            return nil
        }
        let sender = Sender(member: member, key: key)
        senders[keyID] = sender
        return sender
    }

    /// Runs an admitted transaction; refused or not, it is an entry.
    mutating func run(_ signed: SignedTransaction, from sender: Sender) {
        let transaction = signed.transaction
        guard let kind = TransactionKind(rawValue: transaction.kind) else {
            preconditionFailure("only transactions of known kinds are admitted")
        }
        let code = MarketRules.apply(
            transaction, kind: kind, to: &state,
            in: ApplyContext(
                block: context, sender: sender, transactionID: signed.id,
                entryDigest: signed.digest, nonce: transaction.nonce))
        precondition(code.isRecorded, "rules refuse with recorded codes only")
        ids.insert(signed.id)
        // The sender's by `admit`, and one text for all of his in the block.
        let member = sender.member.id
        entriesByMember[member, default: 0] += 1
        append(
            .envelope(signed.envelope.bytes), digest: signed.digest,
            leaf: LogLeaf.envelope(signed.digest, suite: context.suite), code: code,
            transaction: TransactionReference(
                id: signed.id, lastValidHeight: transaction.lastValidHeight,
                member: member, kind: transaction.kind))
        bytes += UInt64(signed.envelope.byteCount) + Self.entryOverheadBytes
    }

    /// The set of the next epoch, when the entries so far end this one.
    mutating func nextValidators() -> ValidatorSet? { state.nextValidators(context) }

    private mutating func append(
        _ entry: Entry, digest: Digest, leaf: Digest, code: OutcomeCode,
        transaction: TransactionReference?
    ) {
        entries.append(entry)
        outcomes.append(EntryOutcome(entryDigest: digest, code: code.rawValue))
        transactions.append(transaction)
        leaves.append(leaf)
    }
}

extension ExecutedBlock {
    func holds(_ id: Digest) -> Bool { ids.contains(id) }
}
