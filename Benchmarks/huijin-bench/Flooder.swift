import Consensus
import Ledger
import LedgerCrypto
import Logging
import Synchronization
import Transport

/// A peer with a registered transport key that sends to nodes as fast as they read.
final class Flooder: Sendable {
    private let network: PeerNetwork
    private let targets: [Int]
    private let frames: [[UInt8]]

    private static let garbageBytes = 60_000
    private static let envelopesPerFrame = 100
    private static let framesOfEnvelopes = 50
    private static let queuedBytesMax = 4 * 1_048_576

    /// - Parameter targets: nodes by number.
    init(
        identity: TransportIdentity, targets: [Int], network bench: BenchNetwork,
        senders: Senders, isGarbage: Bool
    ) async throws {
        var logger = Logger(label: "flood")
        logger.logLevel = .critical
        self.targets = targets
        let places = try bench.listenPorts()
        network = try PeerNetwork(
            NetworkConfiguration(
                identity: identity, chain: bench.genesis.chain, listen: nil,
                peers: targets.map { target in
                    PeerEndpoint(
                        index: target, name: "node \(target)",
                        transportKey: bench.genesis.validators.validators[target].transportKey,
                        host: "127.0.0.1", port: places[target])
                }, logger: logger), onFrame: { _, _ in .continue })
        frames =
            isGarbage
            ? (0..<16).map { _ in SecureRandom.bytes(Flooder.garbageBytes) }
            : await Flooder.validFrames(senders)
        try await network.start()
    }

    /// Everything in them is as it should be; only there is too much of it.
    private static func validFrames(_ senders: Senders) async -> [[UInt8]] {
        let envelopes = await senders.envelopes(
            envelopesPerFrame * framesOfEnvelopes, lastValidHeight: 60_000)
        let status = ReplicaStatus(epoch: 0, finalHeight: 0, finalView: 0, openView: 1, view: 1)
        return (0..<framesOfEnvelopes).flatMap { number -> [PeerMessage] in
            let from = number * envelopesPerFrame
            return [
                .transactions(Array(envelopes[from..<(from + envelopesPerFrame)])),
                .finalBlocksRequest(from: 1), .status(status),
                .blockRequest(senders.chain),
            ]
        }.map(\.encoded)
    }

    func run() async {
        var number = 0
        while !Task.isCancelled {
            var isIdle = true
            for target in targets
            where network.queuedBytes(for: target) < Flooder.queuedBytesMax {
                // Not bulk, which would be dropped while there is no connection: the next one begins with a full queue.
                network.send(to: target, priority: .vote, frames[number % frames.count])
                isIdle = false
                number += 1
            }
            if isIdle { try? await Task.sleep(for: .milliseconds(1)) }
        }
    }

    var sentFrames: UInt64 { network.peerStates.reduce(0) { $0 + $1.sentFrames } }
    var sentBytes: UInt64 { network.peerStates.reduce(0) { $0 + $1.sentBytes } }

    func stop() async { await network.stop() }
}
