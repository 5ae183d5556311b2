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
    /// Empty for an observer.
    public let address: String
    public let isObserver: Bool
    /// A connection stands on which this node sends.
    public let isSending: Bool
    /// A connection stands on which the peer is heard.
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

/// Frames between nodes over mutual TLS 1.3, keys pinned.
///
/// Every validator dials every other and sends on the connection that it dialled; it reads on those that it accepted.
/// Observers dial, and their connections carry both directions. A side that shows a key that is not expected, or another
/// chain or version, is refused with a logged reason. Sending never blocks and promises nothing: frames wait in a bounded
/// queue per peer and the oldest of the least priority are dropped. One event loop serves all of it, so that a node's network
/// takes at most one core.
///
/// Peers, their keys and addresses, and this node's own certificate and key can be changed at any time (`update`,
/// `use`): new connections are made first, and take over from the old ones, which end when what was written on
/// them is on its way. A peer that commits an offence is cut off for a while that grows with each repetition.
public final class PeerNetwork: Sendable {
    public typealias FrameHandler = @Sendable (_ peer: Int, _ payload: [UInt8]) -> FlowControl
    public typealias PeerChangeHandler = @Sendable (_ peer: Int, _ isSending: Bool) -> Void

    let configuration: NetworkConfiguration
    let onFrame: FrameHandler
    let onPeerChange: PeerChangeHandler
    let group: MultiThreadedEventLoopGroup
    let state: Mutex<State>

    /// Observers have no validators that would dial them.
    var isObserver: Bool { configuration.listen == nil }

    struct Contexts {
        let certificate: NIOSSLCertificate
        let server: NIOSSLContext
        let client: NIOSSLContext

        init(_ identity: TransportIdentity) throws(NetworkError) {
            certificate = identity.certificate
            do {
                server = try identity.serverContext()
                client = try identity.clientContext()
            } catch {
                throw .privateKeyUnreadable("\(error)")
            }
        }
    }

    struct State {
        var contexts: Contexts
        var isStarted = false
        /// Begun by the first who stops the network; whoever else does waits for it as well.
        var stopping: Task<Void, Never>?
        /// Begun by `start`.
        var listening: EventLoopFuture<any Channel>?
        var listener: (any Channel)?
        var links: [Int: Link] = [:]
        /// Accepted connections whose hello has not come.
        var strangers: [ObjectIdentifier: any Channel] = [:]
        /// Connections to named hosts, while they are being made.
        var lookingUp: [UInt64: EventLoopFuture<any Channel>] = [:]
        /// Diallings so far, of all peers.
        var attempts: UInt64 = 0
        var refused: [NetworkProblem: UInt64] = [:]
        var offences: [NetworkProblem: UInt64] = [:]

        var isStopped: Bool { stopping != nil }
    }

    /// - Parameters:
    ///   - onFrame: called on the event loop, so it must not block: hand the payload over and return. It may ask for a
    ///     pause, which ends with `resume()`.
    ///   - onPeerChange: a connection to send on came up or went away.
    public init(
        _ configuration: NetworkConfiguration, onFrame: @escaping FrameHandler,
        onPeerChange: @escaping PeerChangeHandler = { _, _ in }
    ) throws(NetworkError) {
        var state = State(contexts: try Contexts(configuration.identity))
        for peer in configuration.peers {
            state.links[peer.index] = Link(
                peer, limits: configuration.limits, nowMs: PeerNetwork.nowMs)
        }
        self.state = Mutex(state)
        self.configuration = configuration
        self.onFrame = onFrame
        self.onPeerChange = onPeerChange
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    }

    /// The port that this node listens on, once started; 0 for an observer.
    public var port: Int { state.withLock { $0.listener?.localAddress?.port ?? 0 } }

    /// Listens, and begins to dial. Peers that are not there yet are dialled again until they are. A network that has been
    /// stopped, perhaps while it started, does neither.
    public func start() async throws(NetworkError) {
        if let listen = configuration.listen { try await startListening(listen) }
        let peers = state.withLock { state in
            state.isStarted = true
            return state.links.keys.sorted()
        }
        for peer in peers { dial(peer) }
    }

    private func startListening(_ listen: HostPort) async throws(NetworkError) {
        do {
            let address = try SocketAddress.makeAddressResolvingHost(
                listen.host, port: listen.port)
            let bootstrap = ServerBootstrap(group: group)
                .serverChannelOption(ChannelOptions.backlog, value: 64)
                .serverChannelOption(
                    ChannelOptions.socketOption(.so_reuseaddr), value: 1
                )
                .childChannelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
                .childChannelOption(
                    ChannelOptions.recvAllocator, value: PeerNetwork.receiveBuffers
                )
                .childChannelInitializer { channel in self.accept(channel) }
            let listener: (any Channel)? = try await withCheckedThrowingContinuation { waiting in
                state.withLock { state in
                    guard !state.isStopped else { return waiting.resume(returning: nil) }
                    let listening = bootstrap.bind(to: address)
                    // Before anybody can stop the event loop that has to say it.
                    listening.whenComplete { result in waiting.resume(with: result.map { $0 }) }
                    state.listening = listening
                }
            }
            state.withLock { $0.listener = listener }
        } catch {
            throw .cannotListen(host: listen.host, port: listen.port, reason: "\(error)")
        }
    }

    /// Whether this node has a connection on which it sends to a peer that is no observer.
    public var hasLinks: Bool { state.withLock { $0.links.values.contains { $0.dialled != nil } } }

    /// Queues a frame for one peer; one that is no peer any more gets nothing.
    public func send(to peer: Int, priority: FramePriority, _ payload: [UInt8]) {
        precondition(payload.count <= configuration.limits.frameBytesMax, "frame too long")
        let outbox = state.withLock { $0.links[peer]?.outbox }
        outbox?.add(FrameDecoder.frame(payload), priority)
    }

    /// Queues a frame for every peer but observers; the bytes are shared.
    public func broadcast(priority: FramePriority, _ payload: [UInt8]) {
        add(payload, priority) { !$0.isObserver }
    }

    /// Queues a frame for every observer that is connected, after all that waits for it.
    public func tellObservers(_ payload: [UInt8]) {
        add(payload, .bulk) { $0.isObserver }
    }

    private func add(
        _ payload: [UInt8], _ priority: FramePriority, to isMeant: (PeerEndpoint) -> Bool
    ) {
        precondition(payload.count <= configuration.limits.frameBytesMax, "frame too long")
        let outboxes = state.withLock { state in
            state.links.values.filter { isMeant($0.peer) }.map(\.outbox)
        }
        guard !outboxes.isEmpty else { return }
        let frame = FrameDecoder.frame(payload)
        for outbox in outboxes { outbox.add(frame, priority) }
    }

    /// Whether a connection to the peer stands and at most that much waits for it.
    public func canTake(_ peer: Int, queuedBytesMax: Int) -> Bool {
        let outbox = state.withLock { state -> Outbox? in
            guard let link = state.links[peer] else { return nil }
            return (link.peer.isObserver ? link.accepted : link.dialled) == nil ? nil : link.outbox
        }
        return outbox.map { $0.numbers.queuedBytes <= queuedBytesMax } ?? false
    }

    /// Bytes that wait for one peer.
    public func queuedBytes(for peer: Int) -> Int {
        state.withLock { $0.links[peer]?.outbox }?.numbers.queuedBytes ?? 0
    }

    /// Ends the pause that `onFrame` asked for, on every connection.
    public func resume() {
        let channels = state.withLock { state in
            state.links.values.flatMap { $0.connections.map(\.channel) }
        }
        onLoop {
            for channel in channels {
                channel.triggerUserOutboundEvent(LinkHandler.Resume(), promise: nil)
            }
        }
    }

    /// Nothing is asked of the event loop once the network has been stopped. `act` comes later, on the event loop too.
    func onLoop(_ act: @escaping @Sendable () -> Void) {
        state.withLock { if !$0.isStopped { group.next().execute(act) } }
    }

    /// Closes every connection and frees the event loop. Frames still queued are lost.
    public func stop() async {
        let stopping = state.withLock { state in
            if let stopping = state.stopping { return stopping }
            let channels =
                state.links.values.flatMap { $0.connections.map(\.channel) }
                + state.strangers.values + [state.listener].compactMap { $0 }
            let beingMade = state.lookingUp.values + [state.listening].compactMap { $0 }
            for index in state.links.keys { state.links[index]?.redial?.cancel() }
            let stopping = Task { [group] in
                for channel in channels { channel.close(promise: nil) }
                for connection in beingMade { _ = try? await connection.get() }
                // What has come of those closes with the event loop.
                try? await group.shutdownGracefully()
            }
            state.stopping = stopping
            return stopping
        }
        await stopping.value
    }

    public var peerStates: [PeerState] {
        let links = state.withLock { $0.links }
        return links.values.map { $0.state(isDuplex: isObserver) }.sorted { $0.index < $1.index }
    }

    /// How many connections ended for which reason.
    public var refusals: [NetworkProblem: UInt64] { state.withLock { $0.refused } }

    /// How often a peer was cut off for what.
    public var offences: [NetworkProblem: UInt64] { state.withLock { $0.offences } }

    /// Large enough that a 1 MiB frame takes few reads, small while nothing comes.
    static let receiveBuffers = AdaptiveRecvByteBufferAllocator(
        minimum: 2_048, initial: 16_384, maximum: 262_144)

    static var nowMs: Int64 { Int64(NIODeadline.now().uptimeNanoseconds / 1_000_000) }
}
