import Ledger
import SQLite
import Storage
import Testing

@testable import Simulator

/// The store on a disk that forgets: the cases that the simulator found, each in its smallest form.
struct StoreDurabilityTests {
    private static let genesis = Workload(validators: 1).genesis

    private func open(_ disk: SimulatedDisk) throws -> Store {
        var options = Store.Options()
        options.vfs = SimulatedDisk.vfs
        return try Store(folder: disk.folder, genesis: Self.genesis, options: options)
    }

    private func statement(_ view: UInt64) -> VoteStatement { .nullify(epoch: 0, view: view) }

    /// Seed 1057: killed after writing a vote and before syncing it, started again with the vote from the system's cache,
    /// which it signed, then without power. The vote was forgotten, and contradicted.
    @Test func aVoteThatWasFoundIsNeverForgotten() throws {
        var foundAfterKill = 0
        for operation in 0..<12 {
            for seed: UInt64 in 0..<6 {
                let disk = SimulatedDisk(seed: seed)
                let first = try open(disk)
                try first.persist(bodies: [], votes: [statement(1)], certificates: [])
                disk.fail(afterOperations: operation)
                let isDone =
                    (try? first.persist(bodies: [], votes: [statement(2)], certificates: []))
                    != nil
                disk.end(.process)
                let found = try open(disk).recovered.votes
                #expect(found.contains(statement(1)))
                if isDone { #expect(found.contains(statement(2))) }
                if !isDone, found.contains(statement(2)) { foundAfterKill += 1 }
                disk.end(.power)
                #expect(try open(disk).recovered.votes == found, "operation \(operation)")
                disk.end(.process)
            }
        }
        #expect(foundAfterKill > 0, "the case must occur")
    }

    /// A power cut at every write of the making of a store leaves a store, or nothing.
    @Test func aStoreIsMadeWholeOrNotAtAll() throws {
        for operation in 0..<40 {
            let disk = SimulatedDisk(seed: UInt64(operation), sector: .bytes512)
            disk.fail(afterOperations: operation)
            _ = try? open(disk)
            disk.end(.power)
            let store = try open(disk)
            #expect(store.watermark.height == 0)
            #expect(store.recovered.votes.isEmpty)
            disk.end(.process)
        }
    }
}
