import Encoding
import LedgerCrypto
import NIOCore
import NIOEmbedded
import NIOPosix
import NIOSSL
import Testing

@testable import Transport

/// Writes given bytes as soon as it may and says when the other side has hung up.
private final class Heckler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    let bytes: [UInt8]
    let gone: Recorder<Bool>

    init(_ bytes: [UInt8], _ gone: Recorder<Bool>) {
        self.bytes = bytes
        self.gone = gone
    }

    func channelActive(context: ChannelHandlerContext) {
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) { gone.add(true) }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

@Suite(.timeLimit(.minutes(1))) struct HostileBytesTests {
    /// Sends bytes to station 0, inside TLS as validator 1 or outside, until it hangs up.
    private func heckle(_ bytes: [UInt8], _ town: Town, inTLS: Bool) async throws {
        let gone = Recorder<Bool>()
        let context = try town.identities[1].clientContext()
        let channel = try await ClientBootstrap(
            group: MultiThreadedEventLoopGroup.singleton
        )
        .channelInitializer { channel in
            channel.eventLoop.makeCompletedFuture {
                if inTLS {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: nil) {
                            $1.succeed(.certificateVerified)
                        })
                }
                try channel.pipeline.syncOperations.addHandler(Heckler(bytes, gone))
            }
        }
        .connect(host: "127.0.0.1", port: town.ports[0]).get()
        try await gone.wait { !$0.isEmpty }
        try? await channel.close()
    }

    @Test(arguments: [
        (NetworkProblem.badHello, [UInt8](repeating: 0, count: 4)),
        (.badHello, [0, 0, 0, 2, 0xff, 0xff]),
        (.frameTooLarge, [0xff, 0xff, 0xff, 0xff, 1]),
        (.frameTooLarge, [0, 0, 2, 1]),
    ]) func garbageInsideTLSDisconnects(_ expected: NetworkProblem, _ bytes: [UInt8]) async throws {
        let town = try Town(2)
        let station = try town.station(0)
        try await station.network.start()
        try await heckle(bytes, town, inTLS: true)
        try await station.waitForLog("connection ended", expected.message)
        #expect(station.network.refusals[expected] == 1)
        await station.network.stop()
        #expect(station.frames.events.isEmpty)
    }

    @Test func anOversizedFrameAfterTheHelloDisconnects() async throws {
        var town = try Town(2)
        town.limits.frameBytesMax = 1_000
        let station = try town.station(0)
        try await station.network.start()
        let hello = FrameDecoder.frame(Hello(chain: town.chain).encoded)
        let good = FrameDecoder.frame([UInt8](repeating: 5, count: 1_000))
        let tooLong: [UInt8] = [0, 0, 3, 0xe9]
        let bytes = [hello, good].flatMap { Array($0.readableBytesView) } + tooLong
        try await heckle(bytes, town, inTLS: true)
        try await station.waitForLog(
            "connection ended", NetworkProblem.frameTooLarge.message)
        #expect(station.network.refusals[.frameTooLarge] == 1)
        #expect(station.frames.events.map(\.payload.count) == [1_000])
        await station.network.stop()
    }

    @Test func garbageOutsideTLSDisconnects() async throws {
        let town = try Town(2)
        let station = try town.station(0)
        try await station.network.start()
        try await heckle(Array("GET / HTTP/1.1\r\n\r\n".utf8), town, inTLS: false)
        try await station.waitForLog(NetworkProblem.tlsFailed.message)
        #expect(station.network.refusals[.tlsFailed] == 1)
        await station.network.stop()
    }

    /// Whatever the pieces that the bytes come in, the same frames come out.
    @Test func framesDoNotDependOnFragmentation() throws {
        let payloads: [[UInt8]] = [[1], [], [2, 3], [UInt8](repeating: 7, count: 40)]
        let stream = payloads.flatMap { Array(FrameDecoder.frame($0).readableBytesView) }
        for piece in 1...stream.count {
            let channel = EmbeddedChannel(
                handler: ByteToMessageHandler(FrameDecoder(FrameLimit(bytesMax: 40))))
            for start in stride(from: 0, to: stream.count, by: piece) {
                let part = stream[start..<min(start + piece, stream.count)]
                try channel.writeInbound(ByteBuffer(bytes: part))
            }
            var frames: [[UInt8]] = []
            while let frame = try channel.readInbound(as: [UInt8].self) { frames.append(frame) }
            #expect(frames == payloads)
            _ = try channel.finish()
        }
    }

    @Test func aHelloIsReadStrictly() throws {
        let chain = Suite.ed25519SHA256.digest([1])
        let hello = Hello(chain: chain)
        let bytes = hello.encoded
        #expect(try Hello.decode(bytes) == hello)
        #expect(hello.problem(with: bytes) == nil)
        for count in 0..<bytes.count {
            #expect(hello.problem(with: Array(bytes.prefix(count))) == .badHello)
        }
        #expect(hello.problem(with: bytes + [0]) == .badHello)
        #expect(
            hello.problem(with: Hello(chain: chain, version: Hello.currentVersion + 1).encoded)
                == .wrongVersion)
        #expect(hello.problem(with: Hello(chain: .zero).encoded) == .wrongChain)
    }
}

@Suite struct OutboxTests {
    /// Oldest bulk goes first, then oldest proposals; votes last.
    @Test func dropsFollowPriority() {
        let outbox = Outbox(bytesMax: 0, offlineBytesMax: 40)
        for number in UInt8(0)..<4 {
            outbox.add(FrameDecoder.frame([number]), .proposal)
            outbox.add(FrameDecoder.frame([number + 100]), .vote)
        }
        // Eight frames of five bytes fit exactly; each vote more pushes a proposal out.
        outbox.add(FrameDecoder.frame([104]), .vote)
        outbox.add(FrameDecoder.frame([105]), .vote)
        let channel = EmbeddedChannel()
        #expect(outbox.next(on: channel) == nil)
        outbox.attach(channel)
        #expect(outbox.next(on: EmbeddedChannel()) == nil)
        var left: [UInt8] = []
        while let frame = outbox.next(on: channel) {
            left.append(contentsOf: frame.readableBytesView.suffix(1))
        }
        #expect(left == [100, 101, 102, 103, 104, 105, 2, 3])
        #expect(outbox.numbers.droppedFrames == 2)
        #expect(outbox.numbers.queuedBytes == 0)
    }
}
