import Consensus
import Encoding
import Ledger
import LedgerCrypto
import Replica
import Synchronization
import Transport

/// What comes to the replica's thread.
enum Mail: Sendable {
    /// - bytes: of the frame that it came in; 0 for what did not come from a peer.
    case input(Input, bytes: Int)
    case submission(Submission)
    /// Performed on the replica's thread between two inputs; `nil` once the node has stopped.
    case read(@Sendable (NodeView?) -> Void)
    /// Paused peers may be read again, unless others have been by now.
    case resume
    case stop(StopReason)
}

/// Turns peers' frames into the replica's inputs, on the network's event loop, and slows peers down when the
/// replica cannot follow.
///
/// Decoding happens here, each envelope once for its whole life, so that the replica's thread sees typed values
/// alone. Order per peer is kept.
final class FrameIntake: Sendable {
    private let mailbox: Mailbox<Mail>
    private let chain: ChainID
    private let suite: Suite
    private let transactionBytesMax: Int
    private let inboundBytesMax: Int
    private let waitingBytes = Atomic<Int>(0)
    private let isPaused = Atomic<Bool>(false)
    private let undecodable = Atomic<UInt64>(0)

    init(_ mailbox: Mailbox<Mail>, genesis: Genesis, inboundBytesMax: Int) {
        self.mailbox = mailbox
        chain = genesis.chain
        suite = genesis.suite
        transactionBytesMax = Int(genesis.parameters.transactionBytesMax)
        self.inboundBytesMax = inboundBytesMax
    }

    /// Frames and envelopes of peers that did not decode: an honest peer sends none.
    var undecodableCount: UInt64 { undecodable.load(ordering: .relaxed) }

    func receive(from peer: Int, _ payload: [UInt8]) -> FlowControl {
        guard let input = input(from: PeerID(peer), payload) else {
            undecodable.add(1, ordering: .relaxed)
            return .continue
        }
        let waiting = waitingBytes.add(payload.count, ordering: .sequentiallyConsistent).newValue
        mailbox.put(.input(input, bytes: payload.count))
        guard waiting > inboundBytesMax else { return .continue }
        isPaused.store(true, ordering: .sequentiallyConsistent)
        // The replica may have handled everything in between, and then nothing else would end the pause.
        if waitingBytes.load(ordering: .sequentiallyConsistent) <= inboundBytesMax / 2 {
            mailbox.put(.resume)
        }
        return .pause
    }

    private func input(from peer: PeerID, _ payload: [UInt8]) -> Input? {
        guard let message = try? PeerMessage.decode(payload, limits: PeerLimits.message) else {
            return nil
        }
        guard case .transactions(let list) = message else {
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
                undecodable.add(1, ordering: .relaxed)
            }
        }
        return .gossiped(from: peer, envelopes)
    }

    /// The replica has handled a frame of that many bytes.
    ///
    /// - Returns: whether paused peers should be read again.
    func handled(bytes: Int) -> Bool {
        let waiting = waitingBytes.subtract(bytes, ordering: .sequentiallyConsistent).newValue
        return waiting <= inboundBytesMax / 2 && takePause()
    }

    /// - Returns: whether anybody was paused; the caller lets them go on.
    func takePause() -> Bool {
        isPaused.load(ordering: .sequentiallyConsistent)
            && isPaused.exchange(false, ordering: .sequentiallyConsistent)
    }
}

extension PeerMessage {
    /// What takes peers onwards goes before what merely fills their mempools.
    var priority: FramePriority {
        switch self {
        case .votes, .certificates, .status, .finalBlocksRequest, .blockRequest, .heldVotesRequest,
            .heldVotes:
            .vote
        case .proposal, .block: .proposal
        case .transactions, .finalBlocks: .bulk
        }
    }
}
