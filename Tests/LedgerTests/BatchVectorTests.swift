import Encoding
import Foundation
import LedgerCrypto
import Testing

@testable import Ledger

/// Envelopes of a batch of three of the fixture's transactions, for good: `Tests/Vectors/batch.hex` holds a line `suite, index,
/// public key, chain, envelope` for each. A change here is a change of the wire format.
@Suite struct BatchVectorTests {
    private struct Line {
        let suite: LedgerCrypto.Suite
        let index: Int
        let publicKey: PublicKey
        let chain: ChainID
        let envelope: [UInt8]
    }

    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Vectors/batch.hex")

    private func lines() throws -> [Line] {
        let text = try String(contentsOf: BatchVectorTests.file, encoding: .utf8)
        return try text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
            let parts = line.split(separator: " ").map(String.init)
            try #require(parts.count == 5)
            let suite = try #require(Suite(name: parts[0]))
            return Line(
                suite: suite, index: try #require(Int(parts[1])),
                publicKey: try PublicKey(
                    suite: suite, bytes: try #require(Hex.decode(parts[2]))),
                chain: try #require(Digest(hex: parts[3])),
                envelope: try #require(Hex.decode(parts[4])))
        }
    }

    private func signed(_ fixture: Fixture) -> [[UInt8]] {
        let transactions = (0..<3).map { number in
            Transaction(
                kind: fixture.transaction.kind,
                nonce: [UInt8](repeating: UInt8(number), count: LedgerLimits.nonceBytes),
                lastValidHeight: fixture.transaction.lastValidHeight,
                member: fixture.transaction.member, body: fixture.transaction.body)
        }
        return Envelope.signBatch(transactions, chain: fixture.chain, with: fixture.memberKey)
    }

    @Test func envelopesOfABatchStayWhatTheyAre() throws {
        let lines = try lines()
        #expect(lines.count == 6)
        for line in lines {
            let fixture = try Fixture(suite: line.suite)
            #expect(line.chain == fixture.chain)
            #expect(line.publicKey == fixture.memberKey.publicKey)
            let envelope = try Envelope(
                bytes: line.envelope, chain: line.chain, suite: line.suite)
            #expect(envelope.verified(by: line.publicKey) != nil)
            #expect(envelope.batchProof?.index == UInt64(line.index))
            // SM2 signatures are never twice the same; everything before them is.
            let again = signed(fixture)[line.index]
            let fixed = line.suite == .sm2SM3 ? again.count - Suite.signatureByteCount : again.count
            #expect(Array(line.envelope[..<fixed]) == Array(again[..<fixed]))
        }
    }
}
