import Consensus
import Encoding
import Ledger
import LedgerCrypto
import Replica
import Storage
import Synchronization
import Transport

/// What comes to the replica's thread.
enum Mail: Sendable {
    /// - bytes: of the frame that it came in, with `FrameIntake.overheadBytes`; 0 for what did not come from a peer.
    case input(Input, bytes: Int)
    case submission(Submission)
    /// Performed on the replica's thread between two inputs; `nil` once the node has stopped.
    case read(@Sendable (NodeView?) -> Void)
    /// A complete snapshot that is to become the store's content.
    case install(SnapshotStage)
    /// Other peers, another certificate; what became of it is told.
    case reload(NodeConfiguration, @Sendable (NetworkError?) -> Void)
    case stop(StopReason)
}

/// Turns peers' frames into the replica's inputs, on the network's event loop, and slows peers down when the
/// replica cannot follow.
///
/// Decoding happens here, each envelope once for its whole life, so that the replica's thread sees typed values
/// alone. Order per peer is kept.
final class FrameIntake: Sendable {
    /// What a frame takes beside its bytes while it waits, so that empty ones are bounded too.
    static let overheadBytes = 256

    private let mailbox: Mailbox<Mail>
    private let chain: ChainID
    private let suite: Suite
    private let transactionBytesMax: Int
    private let limits: NodeLimits
    private let queue = Mutex(Queue())
    private let undecodable = Atomic<UInt64>(0)

    /// Bytes that wait for the replica, by the peer that sent them.
    private struct Queue {
        var bytes: [Int: Int] = [:]
        var allBytes = 0
        var isPaused = false

        func isShort(_ peer: Int, _ limits: NodeLimits) -> Bool {
            allBytes <= limits.inboundBytesMax / 2
                && bytes[peer, default: 0] <= limits.inboundBytesPerPeerMax / 2
        }
    }

    init(_ mailbox: Mailbox<Mail>, genesis: Genesis, limits: NodeLimits) {
        self.mailbox = mailbox
        chain = genesis.chain
        suite = genesis.suite
        transactionBytesMax = Int(genesis.parameters.transactionBytesMax)
        self.limits = limits
    }

    /// Frames and envelopes of peers that did not decode: an honest peer sends none.
    var undecodableCount: UInt64 { undecodable.load(ordering: .relaxed) }

    func receive(from peer: Int, _ payload: [UInt8]) -> FlowControl {
        guard let input = input(from: PeerID(peer), payload) else {
            undecodable.add(1, ordering: .relaxed)
            return .cutOff(.undecodable)
        }
        let bytes = payload.count + FrameIntake.overheadBytes
        // One peer's flood must not keep the others' frames out.
        let isFull = queue.withLock { queue in
            queue.bytes[peer, default: 0] += bytes
            queue.allBytes += bytes
            let isFull =
                queue.allBytes > limits.inboundBytesMax
                || queue.bytes[peer, default: 0] > limits.inboundBytesPerPeerMax
            if isFull { queue.isPaused = true }
            return isFull
        }
        mailbox.put(.input(input, bytes: bytes))
        // The frame itself waits now, so that its handling ends the pause.
        return isFull ? .pause : .continue
    }

    private func input(from peer: PeerID, _ payload: [UInt8]) -> Input? {
        guard let message = try? PeerMessage.decode(payload, limits: PeerLimits.message) else {
            return nil
        }
        let list: [[UInt8]]
        switch message {
        case .transactions(let envelopes), .requestedTransactions(let envelopes): list = envelopes
        case .proposal, .votes, .certificates, .finalBlocksRequest, .finalBlocks, .blockRequest,
            .block, .status, .heldVotesRequest, .heldVotes, .transactionsRequest:
            return .message(from: peer, message)
        }
        var envelopes: [Envelope] = []
        envelopes.reserveCapacity(list.count)
        for bytes in list {
            do throws(EnvelopeError) {
                envelopes.append(
                    try Envelope(
                        bytes: bytes, chain: chain, suite: suite, bytesMax: transactionBytesMax))
            } catch {
                // Whoever passes envelopes on has decoded them.
                return nil
            }
        }
        return .gossiped(from: peer, envelopes)
    }

    /// The replica has handled a frame of that many bytes.
    ///
    /// - Returns: whether paused peers should be read again.
    func handled(from peer: Int, bytes: Int) -> Bool {
        queue.withLock { queue in
            let left = queue.bytes[peer, default: 0] - bytes
            queue.bytes[peer] = left > 0 ? left : nil
            queue.allBytes -= bytes
            guard queue.isPaused, queue.isShort(peer, limits) else { return false }
            queue.isPaused = false
            return true
        }
    }
}

extension Input {
    /// Who sent it, for what came from a peer.
    var sender: PeerID? {
        switch self {
        case .message(let peer, _), .gossiped(let peer, _), .connected(let peer): peer
        case .start, .timer, .submitted, .verified, .signed, .recovery: nil
        }
    }

    /// Whether an observer may send it: it asks, and passes on what clients gave it.
    var mayBeObservers: Bool {
        switch self {
        case .message(_, let message): message.mayBeObservers
        case .gossiped, .connected: true
        case .start, .timer, .submitted, .verified, .signed, .recovery: false
        }
    }
}

extension PeerMessage {
    /// What takes peers onwards goes before what merely fills their mempools.
    var priority: FramePriority {
        switch self {
        case .votes, .certificates, .status, .finalBlocksRequest, .blockRequest, .heldVotesRequest,
            .heldVotes, .transactionsRequest:
            .vote
        case .proposal, .block, .requestedTransactions: .proposal
        case .transactions, .finalBlocks: .bulk
        }
    }

    /// Whether it is for an observer to send.
    var mayBeObservers: Bool {
        switch self {
        case .status, .finalBlocksRequest, .blockRequest, .transactions: true
        case .proposal, .votes, .certificates, .finalBlocks, .block, .heldVotesRequest, .heldVotes,
            .transactionsRequest, .requestedTransactions:
            false
        }
    }
}
