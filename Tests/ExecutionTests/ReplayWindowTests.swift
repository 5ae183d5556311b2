import Ledger
import LedgerCrypto
import Market
import Records
import Testing

@testable import Execution

@Suite struct ReplayWindowTests {
    private func reference(_ number: UInt64, _ lastValidHeight: UInt64) -> TransactionReference {
        TransactionReference(
            id: Suite.ed25519SHA256.digest(number.encoded), lastValidHeight: lastValidHeight,
            member: TestLedger.member(0), kind: 60)
    }

    @Test func forgetsExactlyWhatHasExpired() {
        var window = ReplayWindow()
        var all: [TransactionReference] = []
        for height in UInt64(0)..<200 {
            for offset in [0, 1, 7, 31] as [UInt64] {
                let added = reference(height * 100 + offset, height + offset)
                all.append(added)
                window.insert(added)
                window.insert(added)
            }
            // Sometimes every height, sometimes in jumps.
            if height % 50 < 25 || height % 13 == 0 {
                window.prune(height: height)
                for known in all {
                    #expect(window.contains(known.id) == (known.lastValidHeight > height))
                }
                #expect(window.count == all.count { $0.lastValidHeight > height })
            }
        }
        window.prune(height: 1_000_000_000)
        #expect(window.count == 0)
        // What has expired is not taken in again.
        window.insert(reference(1, 5))
        #expect(window.count == 0)
    }

    @Test func isRebuiltFromStoredBlocks() throws {
        var ledger = try TestLedger()
        var rebuilt = ReplayWindow()
        for round in 0..<UInt64(4) {
            let block = ledger.build(try ExecutorTests.candidates(&ledger, round))
            ledger.extend(block)
            ledger.finalize()
            try rebuilt.insert(block.block, chain: ledger.executor.chain, suite: ledger.suite)
            rebuilt.prune(height: block.height)
        }
        #expect(rebuilt == ledger.replay)
        #expect(rebuilt.count == 24)
    }
}
