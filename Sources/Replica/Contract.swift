import Consensus
import Encoding
import Execution
import Ledger
import LedgerCrypto
import Merkle
import Records

/// One client request to this node; the driver numbers them.
public struct RequestID: Hashable, Comparable, Sendable {
    public let number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// One batch of signatures to check; the replica numbers them.
public struct BatchID: Hashable, Comparable, Sendable {
    public let number: UInt64

    public init(_ number: UInt64) {
        self.number = number
    }

    public static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// The replica's timers. There is one of each; setting it again replaces it.
public enum TimerID: UInt64, Sendable, CaseIterable, Hashable {
    /// The current view's time-out.
    case view = 1
    /// The leader's heartbeat: propose although there is nothing to order.
    case heartbeat = 2
    /// Repeat own votes and status.
    case retry = 3
    /// Ask (the next peer) for blocks that are missing.
    case fetch = 4
    /// A leader has waited long enough for the block before its own to be final.
    case propose = 5
}

/// What the durable store holds when a replica starts.
public struct Recovered: Sendable {
    /// The newest committed header, its log frontier, and the certificate; genesis has no certificate.
    public let header: Header
    public let frontier: LogFrontier
    public let finalization: Certificate?
    /// Persisted block bodies above that height, oldest first.
    public let bodies: [Block]
    /// Every persisted vote statement above the finalization's view, oldest first.
    public let votes: [VoteStatement]
    /// Every persisted certificate above that view, without which its finalize vote cannot be explained to others.
    public let certificates: [Certificate]
    /// Ids of the transactions in the newest `replayWindowBlocksMax` committed blocks.
    public let replay: ReplayWindow

    public init(
        header: Header, frontier: LogFrontier, finalization: Certificate?, bodies: [Block],
        votes: [VoteStatement], certificates: [Certificate], replay: ReplayWindow
    ) {
        self.header = header
        self.frontier = frontier
        self.finalization = finalization
        self.bodies = bodies
        self.votes = votes
        self.certificates = certificates
        self.replay = replay
    }
}

/// One thing that happened. The driver gives each with its wall clock in milliseconds of Unix time.
public enum Input: Sendable {
    /// Once, before anything else.
    case start
    case timer(TimerID)
    /// A decoded message, nothing in it verified but the peer's identity (TLS). `.transactions` and
    /// `.requestedTransactions` are not given this way but as `.gossiped`, so that envelopes are decoded off this thread.
    case message(from: PeerID, PeerMessage)
    /// Envelopes of a peer's `.transactions` or `.requestedTransactions`; those that do not decode are left out by the
    /// driver.
    case gossiped(from: PeerID, [Envelope])
    /// A client's envelopes, at most `ReplicaLimits.submissionMax`; answered once by `.answer`.
    case submitted(RequestID, [Envelope])
    /// The answer to `.verify`, in the same order: nil where the signature is not valid (`Envelope.verified(by:)`).
    case verified(BatchID, [Verified<SignedTransaction>?])
    /// The answer to `.sign`: this replica's vote.
    case signed(Verified<Vote>)
    /// A link to this peer is up (again): it is told where this replica stands.
    case connected(PeerID)
    /// The operator gives a recovery for which `refusal(of:)` has nothing to say.
    indirect case recovery(Recovery)
}

/// A signature to check, with `Envelope.verified(by:)`.
public struct SignatureCheck: Sendable {
    public let envelope: Envelope
    public let key: PublicKey

    public init(envelope: Envelope, key: PublicKey) {
        self.envelope = envelope
        self.key = key
    }
}

/// Blocks that are made durable together, oldest first, consecutive.
public struct Commit: Sendable {
    public let blocks: [ExecutedBlock]
    /// The newest one, of the last block.
    public let finalization: Certificate
    /// Those of blocks further down, of which others made final what is above them.
    public let earlier: [Certificate]
    /// Nullifications of views that were skipped on the way and that this replica saw, ascending. The ledger goes on without them;
    /// if it ever forks, they name validators that made it fork.
    public let skipped: [Certificate]

    public init(
        blocks: [ExecutedBlock], finalization: Certificate, earlier: [Certificate] = [],
        skipped: [Certificate] = []
    ) {
        precondition(!blocks.isEmpty, "a commit holds at least one block")
        self.blocks = blocks
        self.finalization = finalization
        self.earlier = earlier
        self.skipped = skipped
    }

    /// This and the one that follows it, in one durable step.
    func joined(with next: Commit) -> Commit {
        Commit(
            blocks: blocks + next.blocks, finalization: next.finalization,
            earlier: earlier + [finalization] + next.earlier, skipped: skipped + next.skipped)
    }

    public var header: Header { blocks[blocks.count - 1].block.header }
    public var height: UInt64 { header.height }
}

/// What proves that a peer does not follow the protocol; who it is, TLS has proven.
public enum Offence: Sendable, Equatable {
    /// A vote or proposal with a signature that is not its validator's. Honest replicas send their own votes only.
    case forgedVote
    /// A certificate that is none. Honest replicas check them before they pass them on.
    case forgedCertificate
    /// A transaction whose signature is not valid. Honest replicas check them before they pass them on.
    case forgedTransaction
}

/// Why a replica stops: going on would make things worse.
public struct ReplicaFault: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

/// One thing that the driver does for the replica; see `Replica` for the order in which it does them. What is large and seldom is apart,
/// so that all are small.
public enum Effect: Sendable {
    /// Write all three in one durable step, which is over when this effect is done. The certificates are the
    /// notarizations on which the finalize votes among the votes rest; they come back as `Recovered.certificates`. Those
    /// at or below a finalization's view may be dropped, as votes are.
    case persist(bodies: [Block], votes: [VoteStatement], certificates: [Certificate])
    /// Sign with the voting key and give the result back as `.signed`, at once or later.
    case sign(VoteStatement)
    /// Check signatures, anywhere, and give the results back as `.verified`.
    case verify(BatchID, [SignatureCheck])
    /// To every other validator of the epoch, and best to every other node that is connected. Delivery is not promised.
    case broadcast(PeerMessage)
    case send(PeerID, PeerMessage)
    /// Answer a peer with `.finalBlocks` from the store: consecutive heights from `from` on, until
    /// `PeerLimits.blocksBytesMax` are exceeded, and then up to the next height with its own certificate; or up to the
    /// last such height within `PeerLimits.blocksMax` blocks.
    case serveFinalBlocks(PeerID, from: UInt64)
    /// A peer is in that epoch, which is over here, with that final height. If the epoch's last block is not above it, the peer cannot
    /// go on with that one: answer with `.finalBlocks` of this block alone, or not at all where it is not held.
    case serveEpochEnd(PeerID, epoch: UInt64, heldHeight: UInt64)
    case setTimer(TimerID, afterMs: UInt64)
    case cancelTimer(TimerID)
    /// Make the blocks durable and the base state theirs, in one step. Their transactions may be acknowledged as
    /// final when it is done.
    case commit(Commit)
    /// For each envelope of the request `accepted` (received and passed on, nothing more) or why not.
    case answer(RequestID, [OutcomeCode])
    /// Two contradicting votes of one validator.
    indirect case evidence(Equivocation)
    /// This valid vote by this replica's key is not in its store: votes were lost, or another node uses the key. It follows
    /// without a vote from now on, and the driver makes sure, durably, that no later process votes with this key again.
    indirect case forgotten(Vote)
    /// A recovery, valid under the genesis' rule, ended the present epoch with this block, and the final blocks here do not lead to it:
    /// two certified histories. This replica goes on; people have to be told. Once in an epoch.
    indirect case contradicted(by: Header, Certificate)
    /// A new epoch has begun under this set; this replica has that seat in it, or none. From the next effect on, a
    /// `PeerID` means a seat of this set, and votes are signed for this seat. A guest that now has a seat comes by its seat,
    /// and can still be sent to under its number as a guest.
    case reconfigure(ValidatorSet, seat: Int?)
    /// Break off with this peer for a while: it sent what nobody honest sends.
    case cutOff(PeerID, Offence)
    /// Stop this node: its state contradicts a certificate, or the store gave back what it cannot have been given.
    case halt(ReplicaFault)
}

/// Bounds of a replica's memory and work.
public enum ReplicaLimits {
    /// Envelopes in one submission.
    public static let submissionMax = 1_024
    /// Envelopes whose signatures are being checked.
    public static let verifyingMax = 16_384
    /// Proposals are kept for views up to this many beyond the current one.
    public static let proposalViewsAhead: UInt64 = 4
    /// A leader to whom fewer transactions are ready waits until the block before its own is final, at most this part of a
    /// view's time-out. A block costs every validator the same whatever is in it, and meanwhile more come in; with this
    /// many at hand nothing is gained by waiting.
    public static let pipelinedTransactionsMin = 512
    public static let holdDivisor: UInt64 = 8
    /// Beyond this many blocks that are not final, leaders propose empty blocks only.
    public static let fullBlocksDepthMax = 8
    /// Beyond this many, a replica votes for empty blocks only (its final height may lag behind the leader's).
    public static let votedBlocksDepthMax = 32
    /// The same two limits for the bytes of their entries. One certificate may make all of these blocks final, and then a
    /// peer that lacks them gets them in one message (`PeerLimits.message`) or not at all.
    public static let fullBlocksBytesMax: UInt64 = 12_582_912
    public static let votedBlocksBytesMax: UInt64 = 20_971_520
    /// Blocks with transactions under one certificate that are taken from a peer. Executing so many at once takes seconds, and more of
    /// them longer than in proportion; voters have a certificate for every few dozen, and somebody else gives those.
    public static let filledBlocksMax = 1_024
    /// Bodies kept without looking whether they still matter.
    public static let bodiesMax = 16
    /// Bodies of nullified views are kept for this many views, in case one turns out to be notarized.
    public static let nullifiedViewsKept: UInt64 = 16
    /// Finalizations that wait for bodies; beyond, the oldest goes, and its block becomes final by the next one.
    public static let targetsMax = 64
    /// Digests that are asked for at the same time.
    public static let wantedMax = 64
    /// Blocks by digest that are waited for; beyond, those asked for before are asked for again.
    public static let requestedBlocksMax = 1_024
    /// Committed blocks still answered by digest.
    public static let recentBlocksMax = 8
    /// Left of a block's bytes for its header and the heads of its entries.
    public static let blockOverheadBytes = 2_048
    /// Attempts at a block in which every candidate turned out to be void.
    public static let buildAttemptsMax = 4
    /// Keys whose parsed form is kept.
    public static let keysMax = 65_536
    /// A replica that lacks more final blocks than this takes no transactions.
    public static let catchingUpBlocks: UInt64 = 128
    /// Turns of leaders for which a validator stays silent before its views are nullified at once.
    public static let silentTurns: UInt64 = 1
    /// Turns of leaders by which a vote for a block may be late and still show that its validator follows.
    public static let recentTurns: UInt64 = 16
    /// The view's time-out is doubled at most this many times.
    public static let timeoutDoublingsMax: UInt64 = 6
    /// Pause before asking for a body that is on its way in all likelihood.
    public static let fetchDelayMs: UInt64 = 30
    /// After this long without an answer the next peer is asked, and a proposal is sent to the same peer again.
    public static let fetchRetryMs: UInt64 = 200
    /// Peers whose requests are timed; those of a larger network are answered more often.
    public static let timedPeersMax = 1_024
    /// A peer's status and its request for transactions are answered, and a peer asked for help, at most once in this time.
    public static let statusPauseMs: UInt64 = 20
}
