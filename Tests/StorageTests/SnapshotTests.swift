import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import Testing

@testable import Storage

/// A snapshot from one store to a fresh one, which goes on as if it had been there from the start.
@Suite struct SnapshotTests {
    private func join(_ chain: CertifiedChain, _ folder: TestFolder) throws -> Store {
        let made = try #require(try chain.shelf.make())
        let store = try Store(folder: folder.path, genesis: chain.genesis)
        let stage = try SnapshotStage.fetched(
            made.height, from: chain.shelf, to: folder.path + "/join", genesis: chain.genesis)
        try store.install(stage)
        return store
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func aFreshStoreGoesOnFromASnapshot(_ suite: LedgerCrypto.Suite) throws {
        let chain = try CertifiedChain(suite)
        try chain.fill(blocks: 40, changes: [9, 30])
        let folder = try TestFolder()
        let store = try join(chain, folder)
        #expect(store.watermark.height == 40 && store.header == chain.store.header)
        #expect(store.state.root == chain.store.state.root)
        #expect(store.firstHeight == 24)
        #expect(try store.replayWindow() == chain.store.replayWindow())
        try chain.store.state.forEachEntry { leaf, value in
            #expect(store.value(for: leaf.key) == value)
            return true
        }
        // Goes on, through another epoch, to the same headers; so does one that was opened again.
        try chain.fill(blocks: 15, changes: [4])
        try chain.follow(store)
        #expect(store.header == chain.store.header)
        let copy = try folder.copy()
        let restarted = try Store(folder: copy.path, genesis: chain.genesis)
        #expect(restarted.base == store.base && restarted.watermark == store.watermark)
        try chain.fill(blocks: 6)
        try chain.follow(restarted)
        #expect(restarted.header == chain.store.header)
        #expect(try restarted.replayWindow() == chain.store.replayWindow())
        #expect(restarted.header.epoch == 3)
    }

    @Test func whatIsHeldIsProvenAndTheRestIsNot() throws {
        let chain = try CertifiedChain()
        try chain.fill(blocks: 110, changes: [50, 105])
        let folder = try TestFolder()
        let store = try join(chain, folder)
        try chain.fill(blocks: 3)
        try chain.follow(store)
        let reader = try StoreReader(path: store.path, chain: store.chain, suite: store.suite)
        let source = try StoreReader(
            path: chain.store.path, chain: store.chain, suite: store.suite)
        #expect(reader.firstHeight == 94 && source.firstHeight == 0)
        #expect(try reader.block(93) == nil && store.block(93) == nil)
        #expect(try store.finalBlocks(from: 93).isEmpty)
        #expect(try !store.finalBlocks(from: 94).isEmpty)
        let changes = try #require(try source.epochChanges(before: 2))
        for first in [0, 1, 2] as [UInt64] {
            let rest = Array(changes.dropFirst(Int(first)))
            #expect(try reader.epochChanges(from: first, before: 2) == rest)
            #expect(try source.epochChanges(from: first, before: 2) == rest)
        }
        for height in 94...113 as ClosedRange<UInt64> {
            let block = try #require(try reader.block(height))
            #expect(block.block == (try source.block(height))?.block)
            let entries = UInt64(block.block.entries.count)
            for index in block.block.header.logSize - entries..<block.block.header.logSize {
                let path = LogProof.inclusionPath(
                    index: index, size: store.header.logSize, reader: reader, suite: store.suite)
                let expected = LogProof.inclusionPath(
                    index: index, size: store.header.logSize, reader: source, suite: store.suite)
                #expect(path != nil && path == expected)
            }
        }
        let early = LogProof.inclusionPath(
            index: 5, size: store.header.logSize, reader: store, suite: store.suite)
        #expect(early == nil && store.failure == nil)
    }

    /// A chain that is shorter than the replay window comes with all its blocks.
    @Test func aShortChainComesWhole() throws {
        let chain = try CertifiedChain(window: 64)
        try chain.fill(blocks: 7)
        let folder = try TestFolder()
        let store = try join(chain, folder)
        #expect(store.firstHeight == 0)
        for height in 0...7 as ClosedRange<UInt64> {
            #expect(try store.block(height)?.block == (try chain.store.block(height)?.block))
        }
        // The only one of its height is there already.
        #expect(try chain.shelf.make() == nil)
    }

    /// The block of the snapshot itself may end an epoch.
    @Test func aSnapshotAtAnEpochsEnd() throws {
        let chain = try CertifiedChain()
        try chain.fill(blocks: 30, changes: [30])
        let folder = try TestFolder()
        let store = try join(chain, folder)
        #expect(store.header.nextValidators != nil)
        try chain.fill(blocks: 4)
        try chain.follow(store)
        #expect(store.header == chain.store.header && store.header.epoch == 1)
    }

    /// A recovery before the blocks that come with the snapshot, among them, and at its very end.
    @Test(arguments: [2, 20, 29], LedgerCrypto.Suite.allCases)
    func aLedgerWithARecoveryIsJoined(_ after: Int, _ suite: LedgerCrypto.Suite) throws {
        let chain = try CertifiedChain(suite)
        try chain.fill(blocks: after)
        try chain.recover()
        try chain.fill(blocks: 29 - after)
        let folder = try TestFolder()
        let store = try join(chain, folder)
        #expect(store.header == chain.store.header && store.watermark.height == 30)
        #expect(store.state.root == chain.store.state.root)
        #expect(try store.replayWindow() == chain.store.replayWindow())
        let reader = try StoreReader(path: store.path, chain: store.chain, suite: suite)
        let height = UInt64(after) + 1
        #expect(
            try reader.finalization(from: height)?.certificate.kind
                == (height < store.firstHeight ? .finalize : .recover))
        // What shows it to a node of another history: the block itself, where it is held.
        let end = try chain.store.end(ofEpoch: 0, upTo: height)
        #expect(end?.block.header.height == height && end?.finalization?.kind == .recover)
        #expect(try chain.store.end(ofEpoch: 0, upTo: height - 1) == nil)
        #expect(try chain.store.end(ofEpoch: 1, upTo: .max) == nil)
        #expect(try store.end(ofEpoch: 0, upTo: .max) == (height < store.firstHeight ? nil : end))
        // Goes on under the recovered set, opened again too, through an epoch that is handed over, and gives the same to others.
        try chain.fill(blocks: 3)
        try chain.follow(store)
        let copy = try folder.copy()
        let restarted = try Store(folder: copy.path, genesis: chain.genesis)
        try chain.fill(blocks: 8, changes: [4])
        try chain.follow(restarted)
        #expect(restarted.header == chain.store.header && restarted.header.epoch == 2)
        let again = try StoreReader(path: restarted.path, chain: store.chain, suite: suite)
        let source = try StoreReader(path: chain.store.path, chain: store.chain, suite: suite)
        let changes = try #require(try again.epochChanges(before: 2))
        #expect(try changes == source.epochChanges(before: 2))
        #expect(changes.map(\.certificate.kind) == [.recover, .finalize])
    }

    @Test func searchAndLookUpsWorkOnTheFreshNode() throws {
        let chain = try CertifiedChain()
        try chain.fill(blocks: 40)
        let folder = try TestFolder()
        let fresh = try Store(folder: folder.path, genesis: chain.genesis)
        let reader = try StoreReader(path: fresh.path, chain: fresh.chain, suite: fresh.suite)
        let index = try Index(path: folder.path + "/index.db", chain: fresh.chain)
        // Had it begun with genesis, or with another snapshot.
        while try index.follow(reader, chain: fresh.chain) {}
        #expect(index.height == 0)
        let made = try #require(try chain.shelf.make())
        try fresh.install(
            SnapshotStage.fetched(
                made.height, from: chain.shelf, to: folder.path + "/join", genesis: chain.genesis))
        while try index.follow(reader, chain: fresh.chain) {}
        #expect(index.height == 40)
        let asset = AssetRecord.id(provider: chain.member, code: "A9", suite: fresh.suite)
        #expect(try index.search("气象数据9", countMax: 9).assets == [asset])
        let source = try Index(path: folder.path + "/source.db", chain: fresh.chain)
        let whole = try StoreReader(
            path: chain.store.path, chain: fresh.chain, suite: fresh.suite)
        while try source.follow(whole, chain: fresh.chain) {}
        let all = try source.search("", countMax: 99).assets
        let rebuilt = try index.search("", countMax: 99).assets
        #expect(all.count > 5 && Set(all) == Set(rebuilt) && all.count == rebuilt.count)
        let block = try #require(try reader.block(38))
        guard case .envelope(let bytes) = block.block.entries[0] else {
            Issue.record("an envelope")
            return
        }
        let envelope = try Envelope(bytes: bytes, chain: fresh.chain, suite: fresh.suite)
        let found = try reader.find(transaction: envelope.id, chain: fresh.chain, in: index)
        #expect(found?.location.height == 38)
        #expect(try !index.refusals(member: chain.member, countMax: 9).isEmpty)
        // A new index is the same.
        let anew = try Index(path: folder.path + "/anew.db", chain: fresh.chain)
        while try anew.follow(reader, chain: fresh.chain) {}
        #expect(try anew.search("", countMax: 99) == index.search("", countMax: 99))
    }

    /// A node that joined by a snapshot can give one to the next.
    @Test func snapshotsOfSnapshots() throws {
        let chain = try CertifiedChain()
        try chain.fill(blocks: 40, changes: [9])
        let folder = try TestFolder()
        let store = try join(chain, folder)
        let shelf = SnapshotShelf(
            folder: folder.path + "/snapshots", store: store.path, genesis: chain.genesis)
        let made = try #require(try shelf.make())
        try chain.fill(blocks: 5)
        let target = try TestFolder()
        let next = try Store(folder: target.path, genesis: chain.genesis)
        try next.install(
            SnapshotStage.fetched(
                made.height, from: shelf, to: target.path + "/join", genesis: chain.genesis))
        try chain.follow(next)
        #expect(next.header == chain.store.header)
        #expect(next.base?.header == store.base?.header)
    }

    /// Votes above what the snapshot makes final bind a node that had lost its blocks, and what they rest on stays.
    @Test func votesAboveTheSnapshotStay() throws {
        let chain = try CertifiedChain()
        try chain.fill(blocks: 20)
        let folder = try TestFolder()
        let view = chain.store.watermark.view
        let high = VoteStatement.nullify(epoch: 0, view: view + 5)
        let body = try chain.grow([[try chain.evidence()]])[0].block
        do {
            let store = try Store(folder: folder.path, genesis: chain.genesis)
            try store.persist(
                bodies: [body], votes: [.nullify(epoch: 0, view: view - 1), high],
                certificates: [])
        }
        let store = try Store(folder: folder.path, genesis: chain.genesis)
        #expect(store.recovered.votes.count == 2 && store.recovered.bodies == [body])
        let made = try #require(try chain.shelf.make())
        try store.install(
            SnapshotStage.fetched(
                made.height, from: chain.shelf, to: folder.path + "/join", genesis: chain.genesis))
        #expect(store.recovered.votes == [high])
        #expect(store.recovered.bodies.isEmpty)
        let later = VoteStatement.notarize(
            epoch: 0, view: view + 6, VoteSubject(body.header, suite: chain.suite))
        try store.persist(bodies: [body], votes: [later], certificates: [])
        let other = VoteStatement.notarize(
            epoch: 0, view: view + 6, VoteSubject(store.header, suite: chain.suite))
        #expect(other == later, "the snapshot's block is the one voted for")
    }

    @Test func onlyTheNewestTwoAreKept() throws {
        let chain = try CertifiedChain()
        for _ in 0..<4 {
            try chain.fill(blocks: 3)
            #expect(try chain.shelf.make()?.height == chain.store.header.height)
        }
        #expect(chain.shelf.list().map(\.height) == [9, 12])
        // What a crash left of one in the making is no snapshot.
        let making = chain.shelf.folder + "/making"
        try FileManager.default.createDirectory(
            atPath: making, withIntermediateDirectories: true)
        #expect(chain.shelf.list().map(\.height) == [9, 12])
        // Making can be given up at any point, and leaves nothing.
        try chain.fill(blocks: 30)
        for chunks in 0..<8 {
            var left = chunks
            let made = try chain.shelf.make {
                left -= 1
                return left >= 0
            }
            #expect(made == nil)
            #expect(chain.shelf.list().map(\.height) == [9, 12])
        }
    }
}
