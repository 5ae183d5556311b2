import NIOCore
import NIOSSL
import NIOTLS

/// What a `LinkHandler` reports to the network. All calls come on the connection's event loop.
package protocol LinkOwner: AnyObject, Sendable {
    /// The peer's hello fits.
    ///
    /// - Parameter attempt: the number of the dialling; nil on an accepted connection.
    func linkReady(
        _ channel: any Channel, peer: ShownPeer, attempt: UInt64?
    ) throws(NetworkProblem) -> LinkUse
    func linkFrame(_ payload: [UInt8], peer: Int) -> FlowControl
    /// Takes a frame from the peer's account.
    ///
    /// - Returns: for how many milliseconds nothing more should be read of it; nil where it owes more than it may.
    func charge(_ bytes: Int, peer: Int) -> Int64?
    /// The peer has committed an offence on this connection, which is about to end.
    func cutOff(_ peer: Int, _ problem: NetworkProblem)
    func linkClosed(
        _ channel: any Channel, peer: ShownPeer?, isDialled: Bool, problem: NetworkProblem)
}

/// What a connection is for, once it is known who is there.
package struct LinkUse {
    /// What this side sends on it, if it does.
    let outbox: Outbox?
    /// Whether frames are expected from the other side.
    let isRead: Bool
    let frameBytesMax: Int
    /// Whether what the other side sends is taken from its account.
    let isMetered: Bool
    /// For how long nothing is read at first: the account was overdrawn on an earlier connection.
    let overdrawnMs: Int64

    package init(
        outbox: Outbox?, isRead: Bool, frameBytesMax: Int, isMetered: Bool, overdrawnMs: Int64
    ) {
        self.outbox = outbox
        self.isRead = isRead
        self.frameBytesMax = frameBytesMax
        self.isMetered = isMetered
        self.overdrawnMs = overdrawnMs
    }
}

/// What the receiver of a frame wants next of that connection.
public enum FlowControl: Sendable, Equatable {
    case `continue`
    /// Read no more until `PeerNetwork.resume()`; frames already read still come.
    case pause
    /// The frame is an offence: the peer is cut off for a while.
    case cutOff(NetworkProblem)
}

/// One connection after TLS: hello each way, then frames, and keepalives both ways.
///
/// Between validators the side that dialled sends, and the side that accepted reads. So each direction has one connection
/// with one owner, and two nodes that dial each other at once have nothing to settle. An observer's connection carries both
/// directions, because nobody dials an observer.
package final class LinkHandler: ChannelDuplexHandler {
    package typealias InboundIn = [UInt8]
    package typealias OutboundIn = Never
    package typealias OutboundOut = ByteBuffer

    /// The user event that lets a paused connection read again.
    struct Resume: Sendable {}

    /// The user event that ends a connection whose place another has taken, once everything written is on its way.
    struct Retire: Sendable {}

    /// The user event that ends a connection at once.
    struct Dismiss: Sendable {
        let problem: NetworkProblem
    }

    private enum Phase {
        case handshaking
        case awaitingHello
        case ready(ShownPeer, LinkUse)
        case closed
    }

    private let owner: any LinkOwner
    private let hello: Hello
    private let identity: ShownIdentity
    private let limits: NetworkLimits
    private let frameLimit: FrameLimit
    /// Nil on the accepting side.
    private let attempt: UInt64?
    private var phase = Phase.handshaking
    private var problem = NetworkProblem.closed
    private var isRetired = false
    /// By the receiver of the frames, until it has room again.
    private var isPaused = false
    /// By the peer's account, until it is in balance again.
    private var isOverdrawn = false
    private var hasReadSinceTick = true
    private var hasWrittenSinceTick = true
    private var silentMs: Int64 = 0
    private var ticker: RepeatedTask?
    private var helloDeadline: Scheduled<Void>?

    /// Bytes written between flushes; writability is only known after a flush.
    private static let flushBytes = 65_536
    package init(
        owner: any LinkOwner, hello: Hello, identity: ShownIdentity, limits: NetworkLimits,
        frameLimit: FrameLimit, attempt: UInt64?
    ) {
        self.owner = owner
        self.hello = hello
        self.identity = identity
        self.limits = limits
        self.frameLimit = frameLimit
        self.attempt = attempt
    }

    package func handlerAdded(context: ChannelHandlerContext) {
        let bound = NIOLoopBound(HandlerOnLoop(self, context), eventLoop: context.eventLoop)
        helloDeadline = context.eventLoop.scheduleTask(
            in: .milliseconds(limits.helloTimeoutMs)
        ) { bound.value.handler.helloIsLate(bound.value.context) }
        ticker = context.eventLoop.scheduleRepeatedTask(
            initialDelay: .milliseconds(limits.keepaliveMs),
            delay: .milliseconds(limits.keepaliveMs)
        ) { _ in bound.value.handler.tick(bound.value.context) }
    }

    package func handlerRemoved(context: ChannelHandlerContext) { stopTimers() }

    package func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case .handshaking = phase, case TLSUserEvent.handshakeCompleted(_) = event {
            // A resumed session skips the verification callback; then nobody is known to be there.
            guard identity.peer != nil else { return close(context, .wrongKey) }
            phase = .awaitingHello
            write(FrameDecoder.frame(hello.encoded), context)
            context.flush()
        }
        context.fireUserInboundEventTriggered(event)
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let payload = Self.unwrapInboundIn(data)
        hasReadSinceTick = true
        switch phase {
        case .handshaking, .closed:
            return
        case .awaitingHello:
            if let problem = hello.problem(with: payload) { return close(context, problem) }
            guard let peer = identity.peer else { return close(context, .wrongKey) }
            do throws(NetworkProblem) {
                let use = try owner.linkReady(context.channel, peer: peer, attempt: attempt)
                helloDeadline?.cancel()
                frameLimit.bytesMax = use.frameBytesMax
                phase = .ready(peer, use)
                pauseReading(forMs: use.overdrawnMs, context)
                drain(context)
            } catch {
                close(context, error)
            }
        case .ready(let peer, let use):
            if use.isMetered {
                guard let overdrawnMs = owner.charge(payload.count, peer: peer.index) else {
                    return close(context, .overdrawn)
                }
                pauseReading(forMs: overdrawnMs, context)
            }
            if payload.isEmpty { return }
            guard use.isRead else { return close(context, .unexpectedFrame) }
            switch owner.linkFrame(payload, peer: peer.index) {
            case .continue: return
            case .pause: isPaused = true
            case .cutOff(let problem): close(context, problem)
            }
        }
    }

    private func pauseReading(forMs pauseMs: Int64, _ context: ChannelHandlerContext) {
        guard pauseMs > 0, !isOverdrawn else { return }
        isOverdrawn = true
        let bound = NIOLoopBound(HandlerOnLoop(self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(pauseMs)) {
            let handler = bound.value.handler
            handler.isOverdrawn = false
            handler.readOn(bound.value.context)
        }
    }

    /// Back-pressure: a paused connection asks the socket for nothing, so TCP slows the sender down.
    package func read(context: ChannelHandlerContext) {
        if !isPaused, !isOverdrawn { context.read() }
    }

    private func readOn(_ context: ChannelHandlerContext) {
        if case .closed = phase { return }
        hasReadSinceTick = true
        if !isPaused, !isOverdrawn { context.read() }
    }

    package func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        switch event {
        case is Outbox.Wake:
            drain(context)
            promise?.succeed()
        case is Resume:
            if isPaused {
                isPaused = false
                readOn(context)
            }
            promise?.succeed()
        case is Retire:
            retire(context)
            promise?.succeed()
        case let dismissal as Dismiss:
            close(context, dismissal.problem)
            promise?.succeed()
        default:
            context.triggerUserOutboundEvent(event, promise: promise)
        }
    }

    package func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { drain(context) }
        context.fireChannelWritabilityChanged()
    }

    private func drain(_ context: ChannelHandlerContext) {
        guard case .ready(_, let use) = phase, let outbox = use.outbox, !isRetired else { return }
        var unflushed = 0
        while context.channel.isWritable, let frame = outbox.next(on: context.channel) {
            unflushed += frame.readableBytes
            write(frame, context)
            if unflushed >= LinkHandler.flushBytes {
                context.flush()
                unflushed = 0
            }
        }
        if unflushed > 0 { context.flush() }
    }

    /// Frames come from the outbox to the new connection from now on; those written here arrive before the end.
    private func retire(_ context: ChannelHandlerContext) {
        guard !isRetired else { return }
        isRetired = true
        let bound = NIOLoopBound(HandlerOnLoop(self, context), eventLoop: context.eventLoop)
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.whenComplete { _ in
            bound.value.handler.close(bound.value.context, .replaced)
        }
        context.writeAndFlush(
            Self.wrapOutboundOut(FrameDecoder.frame([])), promise: written)
        context.eventLoop.scheduleTask(in: .milliseconds(limits.replacedMs)) {
            bound.value.handler.close(bound.value.context, .replaced)
        }
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
        silentMs = hasReadSinceTick || isPaused || isOverdrawn ? 0 : silentMs + limits.keepaliveMs
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
        if case .ready(_, let use) = phase { use.outbox?.detach(context.channel) }
        phase = .closed
        self.problem = problem
        // At once: the end of the connection may be long in coming.
        if problem.isOffence, let peer = identity.peer { owner.cutOff(peer.index, problem) }
        context.close(promise: nil)
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let problem = error as? NetworkProblem { return close(context, problem) }
        switch phase {
        case .handshaking: close(context, identity.refusal ?? .tlsFailed)
        // In TLS 1.3 a refusal of this side's own certificate arrives after the handshake.
        case .awaitingHello: close(context, .tlsFailed)
        case .ready, .closed: close(context, .closed)
        }
    }

    package func channelInactive(context: ChannelHandlerContext) {
        stopTimers()
        if case .ready(_, let use) = phase { use.outbox?.detach(context.channel) }
        phase = .closed
        owner.linkClosed(
            context.channel, peer: identity.peer, isDialled: attempt != nil,
            problem: isRetired ? .replaced : problem)
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
