import Ledger
import LedgerCrypto
import SQLite
import Storage
import Testing

@testable import Simulator

/// A key votes from the store that first used it, and from no copy that may have forgotten votes.
struct VoteBindingTests {
    private static let genesis = Workload(validators: 1).genesis
    private let key = VoteBindingTests.genesis.validators.validators[0].votingKey.keyID

    /// A machine: the store's disk, and the file beside the key on another.
    private final class Machine {
        let disk = SimulatedDisk(seed: 7)
        var file = BindingFile.none
        var store: Store?

        func open() throws -> Store {
            var options = Store.Options()
            options.vfs = SimulatedDisk.vfs
            let store = try Store(
                folder: disk.folder, genesis: VoteBindingTests.genesis, options: options)
            self.store = store
            return store
        }

        /// - Parameter diesBetween: after the store has counted the start.
        func start(_ key: KeyID, diesBetween: Bool = false) throws -> Result<VoteBinding, VoteBar> {
            let store = try open()
            return try store.claimVotes(of: key, file: file) { (binding) throws(VoteBar) in
                if diesBetween { throw .fileNotWritten("the process ends") }
                file = .binding(binding)
            }
        }

        func end(_ end: SimulatedDisk.End = .power) {
            disk.end(end)
            store = nil
        }
    }

    @Test func everyStartCountsInBothPlaces() throws {
        let machine = Machine()
        for number: UInt64 in 1...3 {
            let binding = try machine.start(key).get()
            #expect(binding.starts == number && binding.key == key)
            #expect(machine.file == .binding(binding))
            machine.end()
        }
    }

    /// Whatever the moment of a crash, the same store goes on voting.
    @Test func aCrashAtAnyMomentBarsNobody() throws {
        for operation in 0..<8 {
            for diesBetween in [false, true] {
                let machine = Machine()
                for _ in 0..<3 {
                    _ = try machine.open()
                    machine.store = nil
                    machine.disk.fail(afterOperations: operation)
                    _ = try? machine.start(key, diesBetween: diesBetween)
                    machine.end()
                    let started = try machine.start(key)
                    #expect(throws: Never.self, "operation \(operation)") { try started.get() }
                    machine.end()
                }
            }
        }
    }

    @Test func onlyTheStoreThatVotedGoesOn() throws {
        let machine = Machine()
        _ = try machine.start(key).get()
        machine.end()
        let copy = SimulatedDisk(seed: 8)
        copy.copy(machine.disk)
        let binding = try machine.start(key).get()
        machine.end()
        // A start later the copy is an older one.
        machine.disk.wipe()
        machine.disk.copy(copy)
        #expect(try machine.start(key) == .failure(.olderStore))
        machine.end()
        // Another store.
        machine.disk.wipe()
        #expect(try machine.start(key) == .failure(.otherStore))
        // Another key is free to vote from there.
        let other = SigningKey.generate(.ed25519SHA256).publicKey.keyID
        let claimed = try machine.store?.claimVotes(of: other, file: .none) { _ in }
        #expect(try claimed?.get().starts == 1)
        machine.end()
        #expect(binding.starts == 2)
    }

    /// Also beside a copy of the store from its very first start.
    @Test func aFileLostAfterTheFirstStartBars() throws {
        let machine = Machine()
        _ = try machine.start(key, diesBetween: true)
        machine.end()
        _ = try machine.start(key).get()
        machine.end()
        machine.file = .none
        #expect(try machine.start(key) == .failure(.fileLost))
        machine.end()
    }

    @Test func aLostOrForeignFileBars() throws {
        let machine = Machine()
        _ = try machine.start(key).get()
        machine.end()
        _ = try machine.start(key).get()
        machine.end()
        let file = machine.file
        machine.file = .none
        #expect(try machine.start(key) == .failure(.fileLost))
        machine.end()
        machine.file = .unreadable
        #expect(try machine.start(key) == .failure(.fileUnreadable))
        machine.end()
        guard case .binding(let binding) = file else { return }
        let other = SigningKey.generate(.ed25519SHA256).publicKey.keyID
        machine.file = .binding(VoteBinding(key: other, store: binding.store, starts: 2))
        #expect(try machine.start(key) == .failure(.fileUnreadable))
        machine.end()
        machine.file = file
        #expect(throws: Never.self) { try machine.start(key).get() }
        machine.end()
    }

    /// What peers showed to be missing is never forgotten again.
    @Test func aForgottenVoteBarsForGood() throws {
        let machine = Machine()
        _ = try machine.start(key).get()
        try machine.store?.bar(key, forgotten: .nullify(epoch: 2, view: 9))
        machine.end()
        for _ in 0..<2 {
            #expect(try machine.start(key) == .failure(.forgotten(epoch: 2, view: 9)))
            machine.end()
        }
    }

    @Test func theFileIsTheBindingAndNothingElse() throws {
        let store = try #require(StoreID(bytes: [UInt8](repeating: 0xAB, count: 16)))
        let key = try #require(KeyID(bytes: [UInt8](repeating: 1, count: 16)))
        let binding = VoteBinding(key: key, store: store, starts: 12)
        let text = binding.text
        #expect(
            text == """
                huijin vote binding 1
                01010101010101010101010101010101
                abababababababababababababababab
                12

                """)
        #expect(VoteBinding(text: text) == binding)
        for end in text.indices { #expect(VoteBinding(text: String(text[..<end])) == nil) }
        #expect(VoteBinding(text: text + "\n") == nil)
        #expect(VoteBinding(text: text.replacing("12", with: "012")) == nil)
        #expect(VoteBinding(text: text.replacing("12", with: "0")) == nil)
        #expect(VoteBinding(text: text.uppercased()) == nil)
    }
}
