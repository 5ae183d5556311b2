import Ledger
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// What is known of one peer, for status pages and metrics.
public struct PeerState: Sendable, Equatable {
    public let index: Int
    public let name: String
    public let address: String
    /// This node's own connection, on which it sends.
    public let isSending: Bool
    /// The peer's connection, on which it is heard.
    public let isReceiving: Bool
    public let queuedBytes: Int
    public let droppedFrames: UInt64
    public let sentFrames: UInt64
    public let sentBytes: UInt64
    public let receivedFrames: UInt64
    public let receivedBytes: UInt64
    /// Why the last connection ended or could not be made.
    public let lastProblem: NetworkProblem?
}

/// Frames between validators over mutual TLS 1.3, keys pinned to the validator set.
///
/// Every node dials every other and sends on the connection that it dialled; it reads on those that it accepted. A
/// side that shows a key outside the set, or another chain or version, is refused with a logged reason. Sending never
/// blocks and promises nothing: frames wait in a bounded queue per peer and the oldest of the least priority are
/// dropped. One event loop serves all of it, so that a node's network takes at most one core.
public final class PeerNetwork: Sendable {
    public typealias FrameHandler = @Sendable (_ peer: Int, _ payload: [UInt8]) -> FlowControl
    public typealias PeerChangeHandler = @Sendable (_ peer: Int, _ isSending: Bool) -> Void

    let configuration: NetworkConfiguration
    let onFrame: FrameHandler
    let onPeerChange: PeerChangeHandler
    let group: MultiThreadedEventLoopGroup
    let state = Mutex(State())
    let outboxes: [Int: Outbox]
    let serverContext: NIOSSLContext
    let clientContext: NIOSSLContext

    struct State {
        var isStopped = false
        var listener: (any Channel)?
        var dialled: [Int: any Channel] = [:]
        var accepted: [Int: any Channel] = [:]
        /// Accepted connections whose hello has not come.
        var strangers: [ObjectIdentifier: any Channel] = [:]
        /// Connections to named hosts, while they are being made.
        var lookingUp: [Int: EventLoopFuture<any Channel>] = [:]
        var failures: [Int: Int] = [:]
        /// Pauses before peers are dialled again.
        var redials: [Int: Scheduled<Void>] = [:]
        var lastProblem: [Int: NetworkProblem] = [:]
        var received: [Int: (frames: UInt64, bytes: UInt64)] = [:]
        var refused: [NetworkProblem: UInt64] = [:]
    }

    /// - Parameters:
    ///   - onFrame: called on the event loop, so it must not block: hand the payload over and return. It may ask for a
    ///     pause, which ends with `resume()`.
    ///   - onPeerChange: a connection to send on came up or went away.
    public init(
        _ configuration: NetworkConfiguration, onFrame: @escaping FrameHandler,
        onPeerChange: @escaping PeerChangeHandler = { _, _ in }
    ) throws(NetworkError) {
        do {
            serverContext = try configuration.identity.serverContext()
            clientContext = try configuration.identity.clientContext()
        } catch {
            throw .privateKeyUnreadable("\(error)")
        }
        self.configuration = configuration
        self.onFrame = onFrame
        self.onPeerChange = onPeerChange
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var outboxes: [Int: Outbox] = [:]
        for peer in configuration.peers {
            outboxes[peer.index] = Outbox(
                bytesMax: configuration.limits.outboxBytesMax,
                offlineBytesMax: configuration.limits.offlineBytesMax)
        }
        self.outboxes = outboxes
    }

    /// The port that this node listens on, once started.
    public var port: Int { state.withLock { $0.listener?.localAddress?.port ?? 0 } }

    /// Listens, and begins to dial. Peers that are not there yet are dialled again until they are.
    public func start() async throws(NetworkError) {
        let host = configuration.listenHost
        do {
            let listener = try await ServerBootstrap(group: group)
                .serverChannelOption(ChannelOptions.backlog, value: 64)
                .serverChannelOption(
                    ChannelOptions.socketOption(.so_reuseaddr), value: 1
                )
                .childChannelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
                .childChannelOption(
                    ChannelOptions.recvAllocator, value: PeerNetwork.receiveBuffers
                )
                .childChannelInitializer { channel in self.accept(channel) }
                .bind(host: host, port: configuration.listenPort).get()
            state.withLock { $0.listener = listener }
        } catch {
            throw .cannotListen(
                host: host, port: configuration.listenPort, reason: "\(error)")
        }
        for peer in configuration.peers { dial(peer) }
    }

    /// Queues a frame for one peer. An unknown index is a bug of the caller.
    public func send(to peer: Int, priority: FramePriority, _ payload: [UInt8]) {
        precondition(payload.count <= configuration.limits.frameBytesMax, "frame too long")
        guard let outbox = outboxes[peer] else { preconditionFailure("no peer \(peer)") }
        outbox.add(FrameDecoder.frame(payload), priority)
    }

    /// Queues a frame for every peer; the bytes are shared.
    public func broadcast(priority: FramePriority, _ payload: [UInt8]) {
        precondition(payload.count <= configuration.limits.frameBytesMax, "frame too long")
        let frame = FrameDecoder.frame(payload)
        for peer in configuration.peers { outboxes[peer.index]?.add(frame, priority) }
    }

    /// Ends the pause that `onFrame` asked for, on every connection.
    public func resume() {
        let channels = state.withLock { Array($0.accepted.values) }
        for channel in channels {
            channel.triggerUserOutboundEvent(LinkHandler.Resume(), promise: nil)
        }
    }

    /// Closes every connection and frees the event loop. Frames still queued are lost.
    public func stop() async {
        typealias Open = (channels: [any Channel], lookups: [EventLoopFuture<any Channel>])
        let open: Open = state.withLock { state in
            guard !state.isStopped else { return ([], []) }
            state.isStopped = true
            var channels = Array(state.dialled.values) + Array(state.accepted.values)
            channels += Array(state.strangers.values)
            if let listener = state.listener { channels.append(listener) }
            return (channels, Array(state.lookingUp.values))
        }
        for lookup in open.lookups { _ = try? await lookup.get() }
        for channel in open.channels { channel.close(promise: nil) }
        try? await group.shutdownGracefully()
    }

    public var peerStates: [PeerState] {
        configuration.peers.map { peer in
            let numbers = outboxes[peer.index]?.numbers
            return state.withLock { state in
                PeerState(
                    index: peer.index, name: peer.name, address: "\(peer.host):\(peer.port)",
                    isSending: state.dialled[peer.index] != nil,
                    isReceiving: state.accepted[peer.index] != nil,
                    queuedBytes: numbers?.queuedBytes ?? 0,
                    droppedFrames: numbers?.droppedFrames ?? 0,
                    sentFrames: numbers?.sentFrames ?? 0, sentBytes: numbers?.sentBytes ?? 0,
                    receivedFrames: state.received[peer.index]?.frames ?? 0,
                    receivedBytes: state.received[peer.index]?.bytes ?? 0,
                    lastProblem: state.lastProblem[peer.index])
            }
        }
    }

    /// How many connections ended for which reason.
    public var refusals: [NetworkProblem: UInt64] { state.withLock { $0.refused } }

    /// Large enough that a 1 MiB frame takes few reads, small while nothing comes.
    static let receiveBuffers = AdaptiveRecvByteBufferAllocator(
        minimum: 2_048, initial: 16_384, maximum: 262_144)
}

extension PeerNetwork: LinkOwner {
    func linkReady(_ channel: any Channel, peer: PeerEndpoint, isDialled: Bool) {
        let replaced: (any Channel)? = state.withLock { state in
            state.lastProblem[peer.index] = nil
            if isDialled {
                state.failures[peer.index] = 0
                state.dialled[peer.index] = channel
                return nil
            }
            state.strangers[ObjectIdentifier(channel)] = nil
            return state.accepted.updateValue(channel, forKey: peer.index)
        }
        // The peer restarted before the old connection's end was noticed here.
        replaced?.close(promise: nil)
        configuration.logger.info(
            "connected / 已连接",
            metadata: ["peer": "\(peer.name)", "direction": isDialled ? "out" : "in"])
        if isDialled { onPeerChange(peer.index, true) } else { dialWithoutWaiting(peer) }
    }

    func linkFrame(_ payload: [UInt8], peer: PeerEndpoint) -> FlowControl {
        state.withLock { state in
            state.received[peer.index, default: (0, 0)].frames += 1
            state.received[peer.index, default: (0, 0)].bytes += UInt64(payload.count)
        }
        return onFrame(peer.index, payload)
    }

    func linkClosed(
        _ channel: any Channel, peer: PeerEndpoint?, isDialled: Bool, wasReady: Bool,
        problem: NetworkProblem
    ) {
        let (isNews, isStopped) = state.withLock { state in
            let count = state.refused[problem, default: 0] + 1
            state.refused[problem] = count
            // Strangers must not fill the log: the 1st, 2nd, 4th, 8th … of a kind is told.
            guard let peer else { return (count & (count - 1) == 0, state.isStopped) }
            if isDialled {
                if state.dialled[peer.index] === channel { state.dialled[peer.index] = nil }
            } else if state.accepted[peer.index] === channel {
                state.accepted[peer.index] = nil
            }
            let isNews = state.lastProblem.updateValue(problem, forKey: peer.index) != problem
            return (isNews, state.isStopped)
        }
        guard !isStopped else { return }
        // A peer that stays away is dialled again and again, but told of once.
        if isNews {
            configuration.logger.warning(
                "connection ended / 连接结束",
                metadata: [
                    "peer": "\(peer?.name ?? "unknown / 未知")",
                    "direction": isDialled ? "out" : "in", "reason": "\(problem.message)",
                ])
        }
        if let peer, isDialled, wasReady { onPeerChange(peer.index, false) }
    }
}
