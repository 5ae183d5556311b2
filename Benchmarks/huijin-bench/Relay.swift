import NIOCore
import NIOPosix
import Synchronization

/// One directed link between two nodes on this machine: what goes in comes out `delayMs` later, in order, and nothing
/// passes while the link is cut. Debian's kernels here have no netem, so links are delayed in user space.
final class Relay: Sendable {
    private let loop: any EventLoop
    private let delay: TimeAmount
    private let target: Int
    private let state: NIOLoopBoundBox<State>
    private let listener: Mutex<(any Channel)?> = Mutex(nil)

    private struct State {
        var isCut = false
        var ends: [ObjectIdentifier: RelayEnd] = [:]
    }

    /// Unread bytes held for one direction before the sender is slowed down.
    static let heldBytesMax = 8 * 1_048_576

    init(loop: any EventLoop, target: Int, delayMs: Int64) {
        self.loop = loop
        self.target = target
        delay = .milliseconds(delayMs)
        state = .makeBoxSendingValue(State(), eventLoop: loop)
    }

    /// - Returns: the port to connect to instead of the target's.
    func start() async throws -> Int {
        let channel = try await ServerBootstrap(group: loop)
            .childChannelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { self.join($0) }
            .bind(host: "127.0.0.1", port: 0).get()
        listener.withLock { $0 = channel }
        return channel.localAddress?.port ?? 0
    }

    func set(isCut: Bool) async throws {
        try await loop.submit { [state] in
            state.value.isCut = isCut
            for end in state.value.ends.values { end.pump() }
        }.get()
    }

    func stop() async { try? await listener.withLock { $0 }?.close().get() }

    private func join(_ inbound: any Channel) -> EventLoopFuture<Void> {
        ClientBootstrap(group: loop)
            .channelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
            .connect(host: "127.0.0.1", port: target)
            .flatMapThrowing { [state, delay] outbound in
                for (from, to) in [(inbound, outbound), (outbound, inbound)] {
                    let end = RelayEnd(to: to, delay: delay) { state.value.isCut }
                    state.value.ends[ObjectIdentifier(from)] = end
                    try from.pipeline.syncOperations.addHandler(end)
                    from.closeFuture.whenComplete { _ in
                        state.value.ends[ObjectIdentifier(from)] = nil
                    }
                }
            }
    }
}

/// Takes what one side of a link sends and gives it to the other side, later. Lives on the relay's event loop alone.
private final class RelayEnd: ChannelInboundHandler, ChannelOutboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer

    private let to: any Channel
    private let delay: TimeAmount
    private let isCut: () -> Bool
    private var held: CircularBuffer<(due: NIODeadline, bytes: ByteBuffer)> = []
    private var heldBytes = 0
    private var hasEnded = false
    private var isWaiting = false
    private var context: ChannelHandlerContext?

    init(to: any Channel, delay: TimeAmount, isCut: @escaping () -> Bool) {
        self.to = to
        self.delay = delay
        self.isCut = isCut
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }
    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Self.unwrapInboundIn(data)
        heldBytes += bytes.readableBytes
        held.append((.now() + delay, bytes))
        pump()
    }

    func read(context: ChannelHandlerContext) {
        if heldBytes < Relay.heldBytesMax { context.read() }
    }

    func channelInactive(context: ChannelHandlerContext) {
        hasEnded = true
        pump()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Passes on what is due.
    func pump() {
        guard !isCut() else { return }
        let wasFull = heldBytes >= Relay.heldBytesMax
        let now = NIODeadline.now()
        while let first = held.first, first.due <= now {
            heldBytes -= first.bytes.readableBytes
            held.removeFirst()
            to.write(first.bytes, promise: nil)
        }
        to.flush()
        if wasFull, heldBytes < Relay.heldBytesMax { context?.read() }
        if let next = held.first {
            guard !isWaiting else { return }
            isWaiting = true
            let bound = NIOLoopBound(self, eventLoop: to.eventLoop)
            to.eventLoop.scheduleTask(deadline: next.due) {
                bound.value.isWaiting = false
                bound.value.pump()
            }
        } else if hasEnded {
            to.close(promise: nil)
        }
    }
}
