import FuzzKit
import Ledger
import LedgerCrypto
import NIOCore
import NIOEmbedded
import NIOTLS
import Transport

/// A connection between nodes once TLS stands: the hello, then frames.
enum LinkTargets {
    private static let frameBytesMax = 64

    static func all(_ setting: Setting) -> [Subject] {
        let hello = Hello(chain: setting.genesis.chain)
        let frames: [[UInt8]] = [
            [1, 2, 3], [], [UInt8](repeating: 7, count: frameBytesMax), [0x84, 0],
        ]
        func stream(_ payloads: [[UInt8]]) -> [UInt8] {
            payloads.flatMap { Array(FrameDecoder.frame($0).readableBytesView) }
        }
        let link = FuzzTarget("link") { input in
            let whole = Reading(input, piece: input.count + 1, hello)
            let pieces = Reading(input, piece: 1 + input.count % 7, hello)
            guard whole.frames == pieces.frames, whole.problem == pieces.problem,
                whole.frames.allSatisfy({ (1...frameBytesMax).contains($0.count) }),
                whole.frames == [] || stream([hello.encoded] + whole.frames).count <= input.count
            else { return .different }
            // An end that is no offence is the sender's own.
            return whole.isReady && whole.problem == .closed ? .same : .refused
        }
        return [
            (link, [stream([hello.encoded] + frames), stream([hello.encoded])]),
            (
                .decoder("hello", Hello.self, limits: LedgerLimits.certificate),
                [hello.encoded, Hello(chain: setting.genesis.chain, version: 1).encoded]
            ),
        ]
    }

    /// What comes of a connection on which these bytes arrive in pieces of that size.
    private final class Reading: LinkOwner, @unchecked Sendable {
        private(set) var isReady = false
        private(set) var frames: [[UInt8]] = []
        private(set) var problem: NetworkProblem?

        init(_ bytes: [UInt8], piece: Int, _ hello: Hello) {
            let shown = ShownIdentity()
            shown.peer = ShownPeer(index: 1, key: [])
            let limits = NetworkLimits()
            let limit = FrameLimit(bytesMax: limits.helloBytesMax)
            let channel = EmbeddedChannel()
            let link = LinkHandler(
                owner: self, hello: hello, identity: shown, limits: limits, frameLimit: limit,
                attempt: nil)
            do {
                try channel.pipeline.syncOperations.addHandlers(
                    ByteToMessageHandler(FrameDecoder(limit)), link)
                try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            } catch {
                preconditionFailure("an embedded channel takes handlers and connects: \(error)")
            }
            channel.pipeline.fireUserInboundEventTriggered(
                TLSUserEvent.handshakeCompleted(negotiatedProtocol: nil))
            for start in stride(from: 0, to: bytes.count, by: piece) where channel.isActive {
                let end = min(start + piece, bytes.count)
                _ = try? channel.writeInbound(ByteBuffer(bytes: bytes[start..<end]))
            }
            _ = try? channel.finish(acceptAlreadyClosed: true)
        }

        func linkReady(
            _ channel: any Channel, peer: ShownPeer, attempt: UInt64?
        ) throws(NetworkProblem) -> LinkUse {
            isReady = true
            return LinkUse(
                outbox: nil, isRead: true, frameBytesMax: frameBytesMax, isMetered: false,
                overdrawnMs: 0)
        }

        func linkFrame(_ payload: [UInt8], peer: Int) -> FlowControl {
            frames.append(payload)
            return .continue
        }

        func charge(_ bytes: Int, peer: Int) -> Int64? { 0 }

        func cutOff(_ peer: Int, _ problem: NetworkProblem) {}

        func linkClosed(
            _ channel: any Channel, peer: ShownPeer?, isDialled: Bool, problem: NetworkProblem
        ) {
            self.problem = problem
        }
    }
}
