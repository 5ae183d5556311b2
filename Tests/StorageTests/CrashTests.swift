import Ledger
import LedgerCrypto
import Merkle
import Storage
import Testing

/// What a crash inside or between steps leaves, by opening copies of the files cut at every frame
/// of the write-ahead log.
@Suite struct CrashTests {
    /// Bytes of the log's header, and of a frame: its header and a page.
    private static let walHeader = 32
    private static let frame = 24 + 4_096

    private struct Snapshot: Equatable {
        let watermark: Watermark
        let stateRoot: Digest
        let bodies: [Block]
        let votes: [VoteStatement]
        let certificates: [Certificate]

        init(_ store: Store) {
            watermark = store.watermark
            stateRoot = store.state.root
            bodies = store.recovered.bodies
            votes = store.recovered.votes
            certificates = store.recovered.certificates
        }
    }

    private func opened(_ folder: TestFolder, _ genesis: Genesis) throws -> Snapshot {
        Snapshot(try Store(folder: folder.path, genesis: genesis))
    }

    @Test func everyStepIsAllOrNothing() throws {
        let folder = try TestFolder()
        var chain = TestChain()
        let genesis = chain.genesis
        let store = try Store(folder: folder.path, genesis: genesis)
        chain.start(store)
        var before = try opened(try folder.copy(), genesis)
        var cuts = 0

        /// Runs a step and opens what is left of it at each frame and in the middle of each.
        func check(_ step: () throws -> Void) throws {
            let start = folder.byteCount("ledger.db-wal")
            try step()
            let end = folder.byteCount("ledger.db-wal")
            let after = try opened(try folder.copy(), genesis)
            #expect(after != before)
            let first = max(start, Self.walHeader)
            #expect(end > first && (end - Self.walHeader) % Self.frame == 0)
            for cut in stride(from: first, to: end, by: Self.frame) {
                for bytes in [cut, cut + Self.frame - 1] {
                    let left = try opened(try folder.copy(walBytes: bytes), genesis)
                    #expect(left == before, "cut at \(bytes) of \(start)...\(end)")
                    cuts += 1
                }
            }
            before = after
        }

        var overlay = MapOverlay(base: store)
        let first = chain.block(
            on: &overlay, entries: (0..<3).map { _ in chain.envelope() },
            changes: (0..<20).map { chain.change($0, [UInt8($0)]) }, certified: false)
        let subject = VoteSubject(first.block.header, suite: chain.suite)
        try check {
            try store.persist(
                bodies: [first.block], votes: [.notarize(epoch: 0, view: 1, subject)],
                certificates: [])
        }
        try check {
            try store.persist(
                bodies: [], votes: [.finalize(epoch: 0, view: 1, subject)],
                certificates: [chain.notarization(epoch: 0, view: 1)])
        }
        let second = chain.block(
            on: &overlay, entries: (0..<100).map { _ in chain.envelope() },
            changes: (10..<30).map { chain.change($0, $0 < 15 ? nil : [UInt8($0), 1]) })
        try check { try store.commit([first, second]) }
        try check { try store.commit([chain.block(on: store, entries: [])]) }
        #expect(cuts > 20)
        #expect(before.bodies.isEmpty && before.votes.isEmpty && before.certificates.isEmpty)
        #expect(before.watermark.height == 3)
    }

    @Test func aCrashDuringCreationLeavesANewFolder() throws {
        let folder = try TestFolder()
        let genesis = TestChain().genesis
        let expected: Digest
        var copies: [TestFolder] = []
        do {
            let store = try Store(folder: folder.path, genesis: genesis)
            expected = store.header.stateRoot
            let end = folder.byteCount("ledger.db-wal")
            for cut in stride(from: 0, to: end, by: Self.frame) {
                copies.append(try folder.copy(walBytes: cut))
            }
        }
        #expect(copies.count > 3)
        for copy in copies {
            let store = try Store(folder: copy.path, genesis: genesis)
            #expect(store.watermark.height == 0 && store.header.stateRoot == expected)
        }
    }

    /// The effects of consensus in their order, with a crash after each: nothing that was promised
    /// is missing, and the chain goes on from there.
    @Test func theChainGoesOnAfterACrashBetweenAnyTwoSteps() throws {
        let folder = try TestFolder()
        var chain = TestChain()
        var store = try Store(folder: folder.path, genesis: chain.genesis)
        chain.start(store)
        var folders = [folder]
        func crash() throws {
            guard let current = folders.last else { return }
            let copy = try current.copy()
            folders.append(copy)
            store = try Store(folder: copy.path, genesis: chain.genesis)
        }
        for height in 1...4 {
            let commit = chain.block(
                on: store, entries: [chain.envelope()],
                changes: [chain.change(height, [UInt8(height)])])
            let subject = VoteSubject(commit.block.header, suite: chain.suite)
            let notarize = VoteStatement.notarize(epoch: 0, view: chain.view, subject)
            let finalize = VoteStatement.finalize(epoch: 0, view: chain.view, subject)
            try store.persist(bodies: [commit.block], votes: [notarize], certificates: [])
            try crash()
            #expect(store.recovered.bodies == [commit.block])
            #expect(store.recovered.votes == [notarize])
            try store.persist(
                bodies: [], votes: [finalize],
                certificates: [chain.notarization(epoch: 0, view: chain.view)])
            try crash()
            #expect(store.recovered.votes == [notarize, finalize])
            #expect(
                store.recovered.certificates
                    == [chain.notarization(epoch: 0, view: chain.view)])
            #expect(store.header.height == UInt64(height - 1))
            try store.commit([commit])
            try crash()
            #expect(store.header == chain.header && store.state.root == chain.header.stateRoot)
            #expect(store.recovered.bodies.isEmpty && store.recovered.votes.isEmpty)
            #expect(store.recovered.certificates.isEmpty)
            #expect(store.recovered.finalization == commit.finalization)
        }
    }
}
