import Consensus
import Execution
import Ledger
import LedgerCrypto
import Records
import Replica
import SQLite
import Storage
import Testing

@testable import Simulator

/// What watches the simulation notices what it is there for.
struct CheckerTests {
    private static let workload = Workload(validators: 4)
    private let workload = CheckerTests.workload
    private let disk = SimulatedDisk(seed: 3)

    private func commit(timeMs: UInt64, on store: Store, _ items: [Workload.Item] = []) -> Commit {
        let state = ParentState(
            header: store.header, headerDigest: store.watermark.header,
            frontier: store.watermark.frontier, base: store)
        let block = Executor<Store>(genesis: workload.genesis).build(
            on: state, candidates: items.compactMap(\.verified), timeMs: timeMs,
            replay: ReplayWindow())
        let statement = VoteStatement.finalize(epoch: 0, view: 1, block.subject)
        return Commit(
            blocks: [block],
            finalization: Certificate(statement: statement, signatures: []))
    }

    private func store() throws -> Store {
        var options = Store.Options()
        options.vfs = SimulatedDisk.vfs
        return try Store(
            folder: disk.folder, genesis: workload.genesis, options: options)
    }

    @Test func twoBlocksOfOneHeightAreAFork() throws {
        let store = try store()
        let timeMs = workload.genesis.timeMs + 5
        let items = workload.items.filter { $0.verified != nil }
        var checker = Checker()
        #expect(checker.committed(commit(timeMs: timeMs, on: store), seat: 0) == nil)
        #expect(checker.committed(commit(timeMs: timeMs, on: store), seat: 1) == nil)
        let other = checker.committed(commit(timeMs: timeMs + 1, on: store), seat: 2)
        #expect(other?.hasPrefix("agreement") == true)
        let third = checker.committed(commit(timeMs: timeMs, on: store, items), seat: 2)
        #expect(third?.hasPrefix("agreement") == true)
    }

    /// A store behind what it acknowledged, and one that holds another block than was final.
    @Test func whatWasAcknowledgedIsExpected() throws {
        let store = try store()
        var checker = Checker()
        let next = commit(timeMs: workload.genesis.timeMs + 5, on: store)
        #expect(checker.committed(next, seat: 0) == nil)
        let lost = checker.restarted(
            store, seat: 0, chain: workload.chain, mayLackBlocks: false)
        #expect(lost?.hasPrefix("durability") == true)
        #expect(checker.check(store, seat: 1) == nil)
        try store.commit(commit(timeMs: workload.genesis.timeMs + 6, on: store))
        #expect(checker.check(store, seat: 1)?.hasPrefix("agreement") == true)
        #expect(checker.checkAll(store, seat: 1)?.hasPrefix("agreement") == true)
    }

    @Test func contradictingVotesAreNoticed() throws {
        let store = try store()
        let first = commit(timeMs: workload.genesis.timeMs + 5, on: store).blocks[0].subject
        let second = commit(timeMs: workload.genesis.timeMs + 6, on: store).blocks[0].subject
        let pairs: [(VoteStatement, VoteStatement, Bool)] = [
            (.notarize(epoch: 0, view: 1, first), .notarize(epoch: 0, view: 1, second), true),
            (.finalize(epoch: 0, view: 1, first), .finalize(epoch: 0, view: 1, second), true),
            (.nullify(epoch: 0, view: 1), .finalize(epoch: 0, view: 1, first), true),
            (.notarize(epoch: 0, view: 1, first), .nullify(epoch: 0, view: 1), false),
            (.notarize(epoch: 0, view: 1, first), .notarize(epoch: 0, view: 2, second), false),
            (.notarize(epoch: 0, view: 1, first), .notarize(epoch: 1, view: 1, second), false),
        ]
        for (one, other, isFault) in pairs {
            var checker = Checker()
            #expect(checker.signed(one, key: 7, seat: 0) == nil)
            #expect((checker.signed(other, key: 7, seat: 0) != nil) == isFault, "\(other)")
            #expect(checker.signed(other, key: 8, seat: 1) == nil, "of another key")
        }
    }

    @Test func moneyThatAppearsOrGoesIsNoticed() throws {
        let bank = try #require(workload.genesis.validators.validators.first).member
        let client = try #require(workload.genesis.validators.validators.last).member
        func unbalanced(deposits: UInt64, withdrawals: UInt64, held: UInt64) -> Bool {
            var record = BankRecord(member: bank)
            record.depositsFen = deposits
            record.withdrawalsFen = withdrawals
            var account = AccountRecord(member: client, bank: bank)
            account.availableFen = held
            var balance = MoneyBalance()
            balance.add(.account(account))
            balance.add(.bank(record))
            return balance.unbalanced != nil
        }
        #expect(!unbalanced(deposits: 9, withdrawals: 4, held: 5))
        #expect(unbalanced(deposits: 9, withdrawals: 4, held: 6))
        #expect(unbalanced(deposits: 9, withdrawals: 4, held: 4))
    }
}
