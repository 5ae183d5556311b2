import Consensus
import Encoding
import Execution
import Ledger
import LedgerCrypto
import Mempool
import Merkle
import Records

/// One validator's (or follower's) whole decision-making: consensus, mempool, execution, and the order of effects.
///
/// Pure: it reads no clock, no disk but the committed state it was given (`Base`), no randomness and no network.
/// `handle` takes one input and returns effects.
///
/// **The contract with the driver.**
/// 1. Inputs are handled one at a time, `.start` first.
/// 2. Effects are performed in the order in which they were returned, each completed before the next one
///    starts, and all before the next input is handled. *Completed* means: `.persist` and `.commit` are durable
///    (synced); `.broadcast`, `.send` are handed to the network; `.verify` and `.sign` are handed on, their results
///    come as later inputs; timers are set.
/// 3. So a vote statement (and for a notarize vote the block's body, for a finalize vote the notarization and the bodies up to its block) is durable before it is signed, and a signed vote
///    leaves this process only as the effect of the later `.signed` input.
/// 4. After `.commit` the base state is that of the committed block, before the next input.
/// 5. A crash between any two effects, or within one, loses nothing that was promised: the driver starts a new
///    `Replica` from what is durable (`Recovered`). What that leaves behind: after `.persist` without `.sign`
///    a statement on record that is signed on restart; after `.commit` without `.answer` a final transaction whose
///    client was not told, and whose repetition is refused as replayed.
/// 6. Lost, late, repeated and reordered messages are harmless. Votes and certificates are verified here, after cheap
///    filters; transactions' signatures by `.verify`, once for each envelope.
/// 7. `.halt` is the last effect that means anything.
///
/// **A transaction's way.** `.submitted` → admission checks → `.verify` → `.verified` → mempool, `.answer`,
/// broadcast once → a leader's proposal → executed on the parent's state → notarized → finalized → `.commit`.
///
/// **Epochs.** When an epoch's last block is committed, the consensus core of the epoch is dropped and one for the next
/// begins, under the set that the block's state holds; `.reconfigure` tells the driver. Whether this replica has a
/// seat follows from its voting key alone, so a follower becomes a validator, and the other way round, by what the
/// chain says. Mempool, replay protection and state go on.
///
/// **Lost votes.** `Consensus` says why a replica asks for its own votes before it casts any. It asks at `.start`, whenever
/// a link comes up, on the retry timer, and when it is first seated, until enough have answered.
///
/// **Catching up.** A replica that learns of a finalization whose blocks it lacks asks for final blocks by height, one
/// peer after another, and commits them under the certificates that come with them. A notarized block's body
/// is asked for by digest. A replica that is epochs behind asks by height as well, each group of blocks being verified
/// under the set that the blocks before it decided. Transactions of a certified block are not verified again: a quorum, hence an honest
/// validator, did, but where a recovery makes the block final in a quorum's place. What they do to the state is always executed here and compared with the header.
public struct Replica<Base: CommittedState> {
    public let genesis: Genesis
    public let chain: ChainID
    public let suite: Suite
    public let parameters: Parameters
    public let base: Base
    let executor: Executor<Base>
    /// Digest of the epoch's set.
    var validatorsDigest: Digest
    /// This replica's voting key, with or without a seat; nil for one that only follows.
    let votingKey: KeyID?

    public internal(set) var simplex: Simplex
    public internal(set) var mempool: Mempool
    var tree: BlockTree
    var replay: ReplayWindow

    /// The newest block for which a `.commit` was returned.
    public internal(set) var finalHeader: Header
    public internal(set) var finalDigest: Digest
    var finalFrontier: LogFrontier
    /// Committed while handling this very input, so that the base may not hold them yet.
    var tail: [ExecutedBlock] = []
    /// The base's header, digest and frontier while `tail` is not empty.
    var baseHeader: Header
    var baseDigest: Digest
    var baseFrontier: LogFrontier
    /// Finalizations to reach, ascending.
    var targets: [FinalPoint] = []
    /// Notarized blocks not yet executed here.
    var openNotarizations: [(view: UInt64, subject: VoteSubject)] = []
    var proposals: [UInt64: PendingProposal] = [:]
    var ownProposal: OwnProposal?
    var recentBlocks: [(digest: Digest, block: Block)] = []

    var batches: [BatchID: Batch] = [:]
    var nextBatch: UInt64 = 1
    var verifying: Set<Digest> = []
    var keys: [KeyReference: PublicKey] = [:]

    var wanted: [Digest] = []
    /// Blocks that were asked for in this epoch, and the peers that have not answered yet.
    var requested: [Digest: Set<PeerID>] = [:]
    var isFetching = false
    var nextFetchSeat: Int
    /// Who said last of itself that it has more.
    var fetchPeer: PeerID?
    /// Whether it is asked next, if there is one.
    var asksWhoHasMore = true
    /// A peer said that a later epoch has begun: final blocks are asked for until an answer brings none.
    var isBehindEpochs = false
    /// A recovery of the present epoch was found to contradict what is final here. One is enough.
    var isContradicted = false
    /// Final blocks were asked for, and none came yet.
    var awaitsFinalBlocks = false
    /// The view this replica was in when each seat last proposed or voted for a block.
    var heardInView: [UInt64]
    var statusAnswered = PeerTimes()
    var helpAsked = PeerTimes()
    var proposalSent = PeerTimes()
    var transactionsServed = PeerTimes()
    var ownVotesTold = PeerTimes()
    /// Comes with this process's question for its own votes; another one in each process.
    let question: UInt64
    /// The view for which timers run, and whether they run on idle time.
    var timedView: UInt64 = 0
    var isIdle = true
    var heartbeatPassed = false
    /// Whether a leader waits for the block before its own to be final.
    enum Hold { case none, waiting, over }
    var hold = Hold.none
    /// The leader's first, short wait, when entries were not final yet at the start of the view.
    var isFirstHeartbeat = false
    var mutation: Mutation = []
    var isHalted = false

    let recoveredBodies: [Block]
    /// The store gave back a state that is not the header's.
    private let hasOtherSet: Bool
    var nowMs: UInt64 = 0
    var effects: [Effect] = []
    var signatures: [(statement: VoteStatement, isNew: Bool)] = []

    /// - Parameters:
    ///   - base: the committed state, at the height of `recovered.header`. It says which epoch's set votes now.
    ///   - votingKey: this replica's, whether it has a seat now or not; nil for one that only ever follows.
    ///   - question: distinguishes this process from earlier ones with this key.
    ///   - authority: how votes are checked; by default with real signatures.
    public init(
        genesis: Genesis, base: Base, recovered: Recovered, votingKey: KeyID?, question: UInt64 = 0,
        limits: MempoolLimits = MempoolLimits(), authority: VoteAuthority? = nil
    ) {
        self.genesis = genesis
        chain = genesis.chain
        suite = genesis.suite
        parameters = genesis.parameters
        self.base = base
        self.votingKey = votingKey
        self.question = question
        executor = Executor(genesis: genesis)
        let header = recovered.header
        let subject = VoteSubject(header, suite: genesis.suite)
        let validators = executor.validatorSet(
            after: ParentState(
                header: header, headerDigest: subject.header, frontier: recovered.frontier,
                base: base))
        validatorsDigest = validators.digest(genesis.suite)
        hasOtherSet = validatorsDigest != header.nextValidators ?? header.validators
        let authority =
            (authority ?? VoteAuthority(chain: genesis.chain, validators: genesis.validators))
            .under(validators)
        let seat = votingKey.flatMap { validators.index(ofKey: $0) }
        // An epoch's last block is the next one's view 0.
        let certificate = header.nextValidators == nil ? recovered.finalization : nil
        let final = FinalPoint(
            view: certificate?.view ?? 0, subject: subject, certificate: certificate)
        precondition(
            recovered.finalization.map { $0.statement.subject == subject } ?? true,
            "the stored certificate is the one of the stored header")
        simplex = Simplex(
            authority: authority, seat: seat, final: final, recovered: recovered.votes,
            certificates: recovered.certificates.filter {
                $0.statement.epoch == validators.epoch
            }, standing: .comparing)
        mempool = Mempool(limits: limits, height: recovered.header.height)
        tree = BlockTree(final: subject.header, height: recovered.header.height)
        replay = recovered.replay
        finalHeader = recovered.header
        finalDigest = subject.header
        finalFrontier = recovered.frontier
        baseHeader = finalHeader
        baseDigest = finalDigest
        baseFrontier = finalFrontier
        recoveredBodies = recovered.bodies
        nextFetchSeat = (seat ?? 0) + 1
        heardInView = Array(repeating: simplex.view, count: validators.count)
    }

    /// - Parameter seat: of a validator of genesis, whose key is this replica's; nil for a follower.
    public init(
        genesis: Genesis, base: Base, recovered: Recovered, seat: Int?, question: UInt64 = 0,
        limits: MempoolLimits = MempoolLimits(), authority: VoteAuthority? = nil
    ) {
        self.init(
            genesis: genesis, base: base, recovered: recovered,
            votingKey: seat.map { genesis.validators.validators[$0].votingKey.keyID },
            question: question, limits: limits, authority: authority)
    }

    /// Switches rules off, for tests of the simulator.
    package mutating func mutate(_ mutation: Mutation) {
        self.mutation = mutation
        simplex.mutate(mutation)
    }

    /// Whether it holds the block's execution; for the simulator's checks.
    package func hasExecuted(_ header: Digest) -> Bool { tree.isExecuted(header) }

    /// Bodies above the final block that are in memory; for the simulator's checks.
    package var heldBodies: Int { tree.nodes.count }

    public var view: UInt64 { simplex.view }
    public var finalHeight: UInt64 { finalHeader.height }
    public var seat: Int? { simplex.seat }
    public var status: ReplicaStatus { simplex.status(finalHeight: finalHeight) }

    /// Takes one input and returns what to do, in order.
    ///
    /// - Parameter nowMs: the wall clock, milliseconds of Unix time; it need not be monotonic.
    public mutating func handle(_ input: Input, nowMs: UInt64) -> [Effect] {
        guard !isHalted else { return [] }
        self.nowMs = nowMs
        // The driver has performed everything returned before, so the base holds what was committed.
        tail.removeAll(keepingCapacity: true)
        baseHeader = finalHeader
        baseDigest = finalDigest
        baseFrontier = finalFrontier
        switch input {
        case .start: start()
        case .timer(let timer): fired(timer)
        case .message(let peer, let message): receive(message, from: peer)
        case .gossiped(let peer, let envelopes):
            admit(takeRequested(envelopes), from: .peer(peer))
        case .submitted(let request, let envelopes):
            precondition(
                envelopes.count <= ReplicaLimits.submissionMax, "the driver bounds a submission")
            admit(envelopes, from: .client(request))
        case .verified(let batch, let results): verified(batch, results)
        case .signed(let vote): signed(vote)
        case .connected(let peer):
            effects.append(.send(peer, .status(status)))
            askForOwnVotes(peer)
        case .recovery(let recovery): receive(recovery)
        }
        advance()
        flushSignatures()
        defer { effects = [] }
        return effects
    }

    mutating func halt(_ reason: String) {
        isHalted = true
        effects.append(.halt(ReplicaFault(reason)))
    }

    private mutating func start() {
        guard !hasOtherSet else {
            return halt("the stored state does not hold the validator set that its header names")
        }
        for block in recoveredBodies {
            tree.insert(block, subject: VoteSubject(block.header, suite: suite), view: 0)
        }
        simplex.start()
        effects.append(.broadcast(.status(status)))
        askForOwnVotes()
    }

    // MARK: Progress

    /// Does everything that has become possible, until nothing more is.
    mutating func advance() {
        repeat {
            takeSteps()
            executeNotarized()
            commitTargets()
            startView()
            followProposal()
            proposeIfReady()
        } while simplex.hasSteps && !isHalted
        hurryIfBusy()
        if needsFetch, !isFetching {
            isFetching = true
            effects.append(.setTimer(.fetch, afterMs: ReplicaLimits.fetchDelayMs))
        }
    }

    private mutating func takeSteps() {
        for step in simplex.takeSteps() {
            switch step {
            case .sign(let statement, let isNew): signatures.append((statement, isNew))
            case .assembled(let certificate):
                effects.append(.broadcast(.certificates([certificate])))
            case .notarized(let view, let subject):
                openNotarizations.append((view, subject))
            case .nullified(let view): nullified(view)
            case .final(let point): aim(at: point)
            case .entered: break
            case .equivocation(let pair): effects.append(.evidence(pair))
            // The view's timers may have fired in vain.
            case .compared: timedView = 0
            case .forgotten(let vote):
                if !simplex.mayVote {
                    signatures = []
                    ownProposal = nil
                }
                effects.append(.forgotten(vote))
            }
        }
    }

    /// The block of a nullified view will hardly become final soon, so its transactions are offered again.
    private mutating func nullified(_ view: UInt64) {
        if let subject = proposals[view]?.subject, simplex.book.notarization(view) == nil {
            mempool.release(ids: tree[subject.header]?.ids ?? [])
        }
        let horizon = simplex.view
        guard horizon > ReplicaLimits.nullifiedViewsKept else { return }
        let kept = Set(
            simplex.book.notarizedViews.compactMap { simplex.book.notarized($0)?.header })
        let lowest = horizon - ReplicaLimits.nullifiedViewsKept
        for node in tree.trim(below: lowest, keeping: kept) { mempool.release(ids: node.ids) }
        proposals = proposals.filter { $0.key >= lowest }
    }

    /// One durable step for all new statements of this input, then the signatures.
    private mutating func flushSignatures() {
        // The certificate of a final view says more than another vote in it.
        let finalView = simplex.book.final.view
        signatures.removeAll {
            $0.statement.view <= finalView || $0.statement.epoch != simplex.epoch
        }
        guard !signatures.isEmpty else { return }
        let new = signatures.filter(\.isNew).map(\.statement)
        if !new.isEmpty, !mutation.contains(.skipPersistence) {
            let bodies = mutation.contains(.forgetBodies) ? [] : new.flatMap { blocks(behind: $0) }
            let certificates = new.compactMap { statement -> Certificate? in
                guard statement.kind == .finalize, !mutation.contains(.forgetCertificates)
                else { return nil }
                return simplex.book.notarization(statement.view)
            }
            effects.append(.persist(bodies: bodies, votes: new, certificates: certificates))
        }
        for signature in signatures { effects.append(.sign(signature.statement)) }
        signatures = []
    }

    /// Blocks that are durable before the statement is signed: the one that a notarize vote is for; and of the way up to the one that
    /// a finalize vote is for, those that this replica did not vote for itself. So whoever voted to finalize a block has all that a
    /// ledger needs to go on from it (`makeRecovery`).
    private func blocks(behind statement: VoteStatement) -> [Block] {
        guard let subject = statement.subject else { return [] }
        if statement.kind == .notarize { return [tree[subject.header]?.block].compactMap { $0 } }
        guard case .complete(let nodes) = tree.path(to: subject.header) else { return [] }
        return nodes.compactMap { node in
            simplex.rules.holds(
                .notarize(epoch: statement.epoch, view: node.view, node.subject))
                ? nil : node.block
        }
    }

    private mutating func signed(_ vote: Verified<Vote>) {
        let statement = vote.value.statement
        // The epoch ended while it was being signed, or this replica learnt that it has forgotten votes.
        guard statement.epoch == simplex.epoch, simplex.mayVote else { return }
        if statement.kind == .notarize, let own = ownProposal, own.view == statement.view,
            own.subject == statement.subject
        {
            let proposal = Proposal(
                vote: vote.value, parentView: own.parentView, outline: own.outline,
                justification: own.justification)
            ownProposal?.proposal = proposal
            effects.append(.broadcast(.proposal(proposal)))
        } else {
            effects.append(.broadcast(.votes([vote.value])))
        }
        simplex.receive(vote)
    }
}
