import NIOCore
import NIOSSL
import NIOTLS

/// What a `LinkHandler` reports to the network. All calls come on the connection's event loop.
protocol LinkOwner: AnyObject, Sendable {
    /// The peer's hello fits. On a dialled connection frames may now be sent.
    func linkReady(_ channel: any Channel, peer: PeerEndpoint, isDialled: Bool)
    func linkFrame(_ payload: [UInt8], peer: PeerEndpoint) -> FlowControl
    func linkClosed(
        _ channel: any Channel, peer: PeerEndpoint?, isDialled: Bool, wasReady: Bool,
        problem: NetworkProblem)
}

/// What the receiver of a frame wants next of that connection.
public enum FlowControl: Sendable {
    case `continue`
    /// Read no more until `PeerNetwork.resume()`; frames already read still come.
    case pause
}

/// One connection after TLS: hello each way, then frames one way, keepalives both ways.
///
/// The side that dialled sends, the side that accepted reads. So each direction has one connection with one owner,
/// and two nodes that dial each other at once have nothing to settle.
final class LinkHandler: ChannelDuplexHandler {
    typealias InboundIn = [UInt8]
    typealias OutboundIn = Never
    typealias OutboundOut = ByteBuffer

    /// The user event that lets a paused connection read again.
    struct Resume: Sendable {}

    private enum Phase {
        case handshaking
        case awaitingHello
        case ready(PeerEndpoint)
        case closed
    }

    private let owner: any LinkOwner
    private let hello: Hello
    private let identity: ShownIdentity
    private let limits: NetworkLimits
    /// Given on the dialling side alone.
    private let outbox: Outbox?
    private var phase = Phase.handshaking
    private var problem = NetworkProblem.closed
    private var wasReady = false
    private var isPaused = false
    private var hasReadSinceTick = true
    private var hasWrittenSinceTick = true
    private var silentMs: Int64 = 0
    private var ticker: RepeatedTask?
    private var helloDeadline: Scheduled<Void>?

    /// Bytes written between flushes; writability is only known after a flush.
    private static let flushBytes = 65_536

    init(
        owner: any LinkOwner, hello: Hello, identity: ShownIdentity, limits: NetworkLimits,
        outbox: Outbox?
    ) {
        self.owner = owner
        self.hello = hello
        self.identity = identity
        self.limits = limits
        self.outbox = outbox
    }

    private var isDialled: Bool { outbox != nil }

    func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(HandlerOnLoop(self, context), eventLoop: context.eventLoop)
        helloDeadline = context.eventLoop.scheduleTask(
            in: .milliseconds(limits.helloTimeoutMs)
        ) { bound.value.handler.helloIsLate(bound.value.context) }
        ticker = context.eventLoop.scheduleRepeatedTask(
            initialDelay: .milliseconds(limits.keepaliveMs),
            delay: .milliseconds(limits.keepaliveMs)
        ) { _ in bound.value.handler.tick(bound.value.context) }
    }

    func handlerRemoved(context: ChannelHandlerContext) { stopTimers() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshaking = phase, case TLSUserEvent.handshakeCompleted(_) = event {
            // A resumed session skips the verification callback; then nobody is known to be there.
            guard identity.peer != nil else { return close(context, .wrongKey) }
            phase = .awaitingHello
            write(FrameDecoder.frame(hello.encoded), context)
            context.flush()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let payload = Self.unwrapInboundIn(data)
        hasReadSinceTick = true
        switch phase {
        case .handshaking, .closed:
            return
        case .awaitingHello:
            if let problem = hello.problem(with: payload) { return close(context, problem) }
            guard let peer = identity.peer else { return close(context, .wrongKey) }
            helloDeadline?.cancel()
            phase = .ready(peer)
            wasReady = true
            // First, so that whoever hears of the connection can send on it.
            outbox?.attach(context.channel)
            owner.linkReady(context.channel, peer: peer, isDialled: isDialled)
        case .ready(let peer):
            if payload.isEmpty { return }
            guard !isDialled else { return close(context, .unexpectedFrame) }
            if owner.linkFrame(payload, peer: peer) == .pause { isPaused = true }
        }
    }

    /// Back-pressure: a paused connection asks the socket for nothing, so TCP slows the sender down.
    func read(context: ChannelHandlerContext) {
        if !isPaused { context.read() }
    }

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        switch event {
        case is Outbox.Wake:
            drain(context)
            promise?.succeed()
        case is Resume:
            if isPaused {
                isPaused = false
                hasReadSinceTick = true
                context.read()
            }
            promise?.succeed()
        default:
            context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { drain(context) }
        context.fireChannelWritabilityChanged()
    }

    private func drain(_ context: ChannelHandlerContext) {
        guard case .ready = phase, let outbox else { return }
        var unflushed = 0
        while context.channel.isWritable, let frame = outbox.next() {
            unflushed += frame.readableBytes
            write(frame, context)
            if unflushed >= LinkHandler.flushBytes {
                context.flush()
                unflushed = 0
            }
        }
        if unflushed > 0 { context.flush() }
    }

    private func write(_ frame: ByteBuffer, _ context: ChannelHandlerContext) {
        hasWrittenSinceTick = true
        context.write(Self.wrapOutboundOut(frame), promise: nil)
    }

    private func tick(_ context: ChannelHandlerContext) {
        guard case .ready = phase else { return }
        if !hasWrittenSinceTick, context.channel.isWritable {
            context.writeAndFlush(Self.wrapOutboundOut(FrameDecoder.frame([])), promise: nil)
        }
        hasWrittenSinceTick = false
        // A paused connection is silent by this side's own wish.
        silentMs = hasReadSinceTick || isPaused ? 0 : silentMs + limits.keepaliveMs
        hasReadSinceTick = false
        if silentMs >= limits.silenceMs { close(context, .silent) }
    }

    private func helloIsLate(_ context: ChannelHandlerContext) {
        switch phase {
        case .handshaking, .awaitingHello: close(context, .helloTimeout)
        case .ready, .closed: return
        }
    }

    private func close(_ context: ChannelHandlerContext, _ problem: NetworkProblem) {
        if case .closed = phase { return }
        phase = .closed
        self.problem = problem
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let problem = error as? NetworkProblem { return close(context, problem) }
        switch phase {
        case .handshaking: close(context, identity.wasRefused ? .wrongKey : .tlsFailed)
        // In TLS 1.3 a refusal of this side's own certificate arrives after the handshake.
        case .awaitingHello: close(context, .tlsFailed)
        case .ready, .closed: close(context, .closed)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        stopTimers()
        phase = .closed
        outbox?.detach(context.channel)
        owner.linkClosed(
            context.channel, peer: identity.peer, isDialled: isDialled, wasReady: wasReady,
            problem: problem)
        context.fireChannelInactive()
    }

    private func stopTimers() {
        helloDeadline?.cancel()
        ticker?.cancel()
    }
}

/// A handler and its context, for timers of the same event loop.
private struct HandlerOnLoop {
    let handler: LinkHandler
    let context: ChannelHandlerContext

    init(_ handler: LinkHandler, _ context: ChannelHandlerContext) {
        self.handler = handler
        self.context = context
    }
}
