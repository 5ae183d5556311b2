import Client
import LedgerCrypto
import LightClient
import Market
import TestWaiting
import Testing

@testable import API

/// One node under several addresses, which answers nobody about checkpoints before all of them were asked.
private final class MeetingTransport: HTTPTransport {
    private let base: String
    private let left: Watched<Int>

    init(_ base: String, nodes: Int) {
        self.base = base
        left = Watched(nodes)
    }

    func perform(_ call: HTTPCall) async throws(ClientError) -> HTTPAnswer {
        if call.path.hasPrefix("/v1/log/checkpoint") {
            left.withLock { $0 -= 1 }
            // A test that has run out of time has failed; what it still asks for is answered.
            _ = try? await left.wait { $0 <= 0 }
        }
        var call = call
        call.base = base
        return try await NetworkTransport().perform(call)
    }
}

@Suite(.timeLimit(.minutes(1))) struct CosignatureTests {
    /// A node that is slow keeps no other's cosignature waiting.
    @Test func allNodesAreAskedAtOnce() async throws {
        try await Market1.with { market in
            try accepted(try await market.client(.provider).submit(RecordEvidence.example))
            let nodes = (1...3).map { "http://127.0.0.1:\($0)" }
            let client = try market.client(
                nil, nodes: nodes, transport: MeetingTransport(market.base, nodes: nodes.count))
            let checkpoint = try await client.checkpoint()
            let log = try #require(LogCheckpoint(checkpoint.header, suite: client.suite))
            let found = await client.cosignatures(of: log, at: checkpoint)
            let cosigner = LogCosigner(checkpoint.validators.validators[0], chain: client.chain)
            #expect(try #require(found[0]).isValid(for: log, by: cosigner))
        }
    }
}
