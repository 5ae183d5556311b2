import Foundation
import Glibc
import Ledger
import LedgerCrypto
import SQLite
import Storage
import Testing

/// A backup has the final chain and nothing that a vote rests on.
struct BackupTests {
    @Test func aBackupIsAnotherStoreWithoutVotes() throws {
        let folder = try TestFolder()
        var chain = TestChain()
        let store = try Store(folder: folder.path, genesis: chain.genesis)
        chain.start(store)
        for _ in 0..<3 { try store.commit([chain.block(on: store, entries: [chain.envelope()])]) }
        let pending = chain.block(on: store, entries: [chain.envelope()])
        try store.persist(
            bodies: [pending.block], votes: [.nullify(epoch: 0, view: 9)],
            certificates: [chain.notarization(epoch: 0, view: 8)])
        let key = chain.genesis.validators.validators[0].votingKey.keyID
        var file = BindingFile.none
        let claimed = try store.claimVotes(of: key, file: .none) { (binding) throws(VoteBar) in
            file = .binding(binding)
        }
        #expect(throws: Never.self) { try claimed.get() }
        // Beside the open store.
        let copy = try TestFolder()
        let height = try LedgerBackup.write(
            of: store.path, chain: chain.genesis.chain, to: copy.path)
        #expect(height == 3)
        let again = storageError {
            _ = try LedgerBackup.write(of: store.path, chain: chain.genesis.chain, to: copy.path)
        }
        guard case .cannotOpen = again else {
            Issue.record("a backup over a ledger: \(String(describing: again))")
            return
        }
        #expect(LedgerBackup.holds(store.header, in: copy.path, suite: store.suite))
        #expect(!LedgerBackup.holds(pending.block.header, in: copy.path, suite: store.suite))
        let junk = try TestFolder()
        let garbage = junk.path + "/ledger.db"
        for bytes: [UInt8] in [[], Array("junk".utf8)] {
            #expect(FileManager.default.createFile(atPath: garbage, contents: Data(bytes)))
            #expect(!LedgerBackup.holds(store.header, in: junk.path, suite: store.suite))
        }
        // Another one at work there has the folder.
        let busy = try TestFolder()
        let lock = open(busy.path, O_RDONLY | O_DIRECTORY)
        #expect(flock(lock, LOCK_EX | LOCK_NB) == 0)
        let beside = storageError {
            _ = try LedgerBackup.write(of: store.path, chain: chain.genesis.chain, to: busy.path)
        }
        #expect(beside == .inUse(path: busy.path))
        close(lock)
        // Whose fault it is.
        let place = junk.path + "/ledger.db/"
        let wrong = storageError {
            _ = try LedgerBackup.write(of: store.path, chain: chain.genesis.chain, to: place)
        }
        guard case .cannotOpen(place, _) = wrong else {
            Issue.record("a backup into a file: \(String(describing: wrong))")
            return
        }
        let restored = try Store(folder: copy.path, genesis: chain.genesis)
        #expect(restored.watermark.header == store.watermark.header)
        #expect(restored.state.root == store.state.root)
        #expect(restored.recovered.votes.isEmpty && restored.recovered.certificates.isEmpty)
        #expect(restored.recovered.bodies.isEmpty)
        #expect(try restored.claimVotes(of: key, file: file) { _ in } == .failure(.otherStore))
        // It goes on like the original.
        try restored.commit([pending])
        try store.commit([pending])
        #expect(restored.state.root == store.state.root)
    }
}
