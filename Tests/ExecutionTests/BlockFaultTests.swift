import Ledger
import LedgerCrypto
import Market
import Records
import Testing

@testable import Execution

@Suite struct BlockFaultTests {
    @Test func everyHeaderFieldIsCompared() throws {
        var ledger = try TestLedger()
        let candidates = try ExecutorTests.candidates(&ledger, 0)
        let good = ledger.build(candidates).block
        let other = ledger.suite.digest([1, 2, 3])
        let header = good.header
        let wrong: [(Header, BlockFault)] = [
            (header.with(chain: other), .header("chain")),
            (header.with(height: 2), .header("height")),
            (header.with(height: 0), .header("height")),
            (header.with(epoch: 1), .header("epoch")),
            (header.with(parent: other), .header("parent")),
            (header.with(timeMs: ledger.parent.header.timeMs), .header("time")),
            (header.with(validators: other), .header("validator set")),
            (header.with(nextValidators: other), .result("next validator set")),
            (header.with(entryCount: 7), .header("entry count")),
            (header.with(logSize: 8), .result("log root")),
            (header.with(logRoot: other), .result("log root")),
            (header.with(stateRoot: other), .result("state root")),
            (header.with(resultsRoot: other), .result("results root")),
        ]
        for (header, fault) in wrong {
            #expect(throws: fault) {
                try ledger.follow(Block(header: header, entries: good.entries), candidates)
            }
        }
        #expect(throws: Never.self) { try ledger.follow(good, candidates) }
    }

    @Test func entriesAreTheVerifiedOnesInOrder() throws {
        var ledger = try TestLedger()
        let candidates = try ExecutorTests.candidates(&ledger, 0)
        let good = ledger.build(candidates).block
        #expect(throws: BlockFault.notVerified(index: 2)) {
            try ledger.follow(good, candidates.filter { $0 != candidates[2] })
        }
        // Two that are refused change nothing but what the salts come from, which is other in another order.
        var swapped = good.entries
        swapped.swapAt(3, 4)
        #expect(throws: BlockFault.result("state root")) {
            try ledger.follow(good.holding(swapped), candidates)
        }
        #expect(throws: BlockFault.result("state root")) {
            try ledger.follow(good.holding(Array(good.entries.dropFirst())), candidates)
        }
        let action = Entry.automatic(
            AutomaticAction(kind: 1, deadlineMs: 5, subject: .zero))
        #expect(throws: BlockFault.automaticAction(index: 6)) {
            try ledger.follow(good.holding(good.entries + [action]), candidates)
        }
        #expect(throws: BlockFault.automaticAction(index: 0)) {
            try ledger.follow(good.holding([action] + good.entries), candidates)
        }
    }

    @Test func faultsSayWhatIsWrong() {
        #expect(
            BlockFault.inadmissible(index: 3, .expired).description
                == "entry 3: its last valid height has passed")
    }
}
