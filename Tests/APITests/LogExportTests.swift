import Client
import Encoding
import Foundation
import Interchange
import Ledger
import LedgerCrypto
import LightClient
import Market
import Node
import Testing

@testable import API

/// The log for other people's tools: a cosigned checkpoint, and the leaves that lead to its root.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LogExportTests {
    private func checkpoint(
        _ client: HuijinClient
    ) async throws -> (log: LogCheckpoint, proven: Checkpoint) {
        let bundle = try await client.bundle(.record(type: .validators, id: [.unsigned(0)]))
        let proven = bundle.answer.checkpoint
        return (try #require(LogCheckpoint(proven.header, suite: client.suite)), proven)
    }

    @Test func leavesLeadToTheCosignedRoot() async throws {
        try await Market1.with { market in
            let client = try market.client(.provider)
            for number in 0..<5 {
                let answer = try await client.submit(
                    AssetRegister.sample(code: "log\(number)", titleEn: "Log \(number)"))
                try #require(answer.isAccepted)
            }
            let (log, proven) = try await checkpoint(client)
            let cosignatures = await client.cosignatures(of: log, at: proven)
            let cosigner = LogCosigner(proven.validators.validators[0], chain: client.chain)
            #expect(try #require(cosignatures[0]).isValid(for: log, by: cosigner))

            var writer = LogTileWriter(client.suite)
            while writer.size < log.size {
                let bundle = try await client.logBundle(writer.size / 256)
                let leaves = try #require(LogTileWriter.leaves(ofBundle: bundle))
                for leaf in leaves.prefix(Int(log.size - writer.size)) {
                    _ = writer.append(leaf)
                }
            }
            // Five blocks of one entry at least, and the headers of all but the last.
            #expect(writer.root == log.root && writer.size >= 9)

            for (path, status) in [
                ("checkpoint", 200), ("checkpoint?height=\(market.height + 1_000_000)", 404),
                ("checkpoint?height=x", 400), ("bundles/1000000", 404), ("bundles/x", 400),
                ("bundles/\(UInt64.max)", 400),
            ] {
                #expect(try await market.ask("/v1/log/\(path)").status == status, "\(path)")
            }
        }
    }

    /// Each bundle is 256 leaves across whatever blocks they are in, and begins where it should.
    @Test func bundlesGoOnAcrossBlocks() async throws {
        // Two bundles hold all of it.
        try await Market1.with(parameters: Market1.blocksComeWithTransactionsAlone) { market in
            let client = try market.client(.provider)
            while market.node.status.header.logSize < 300 {
                let envelopes = try (0..<90).map { _ in
                    try client.sign(RecordEvidence.example, atHeight: market.height).bytes
                }
                for answer in try await client.post(envelopes) { try #require(answer.isAccepted) }
            }
            let (log, _) = try await checkpoint(client)
            let first = try #require(
                LogTileWriter.leaves(ofBundle: try await client.logBundle(0)))
            #expect(first.count == 256)
            #expect(first[0] == LogLeaf.bytes(tag: 0, digest: try await market.genesisHeader))
            let rest = try #require(
                LogTileWriter.leaves(ofBundle: try await client.logBundle(1)))
            var writer = LogTileWriter(client.suite)
            for leaf in (first + rest).prefix(Int(log.size)) { _ = writer.append(leaf) }
            #expect(writer.root == log.root)
        }
    }

    @Test func aChainOfTheOtherSuiteHasNone() async throws {
        try await Market1.with(suite: .sm2SM3) { market in
            let answer = try await market.client(.provider).submit(RecordEvidence.example)
            try #require(answer.isAccepted)
            for path in ["checkpoint", "bundles/0"] {
                #expect(try await market.ask("/v1/log/\(path)").status == 404)
            }
        }
    }
}

extension Market1 {
    /// Digest of the header that block 1 has as its parent.
    fileprivate var genesisHeader: Digest {
        get async throws {
            try await node.history { (view: ArchiveView) in
                try #require(try view.reader.header(0)).digest(self.genesis.suite)
            }
        }
    }
}
