import Ledger
import LedgerCrypto
import Merkle
import SQLite
import Storage
import Testing

@Suite struct IndexTests {
    private struct Fixture {
        let folder: TestFolder
        var chain: TestChain
        let store: Store
        var commits: [BlockCommit] = []

        init() throws {
            folder = try TestFolder()
            chain = TestChain()
            store = try Store(folder: folder.path, genesis: chain.genesis)
            chain.start(store)
        }

        var chainID: ChainID { chain.genesis.chain }
        var path: String { folder.path + "/" + Index.fileName }

        mutating func commit(
            entries: Int, refused: Set<Int> = [], events: [StoredEvent] = [],
            texts: [AssetText] = []
        ) throws {
            let commit = chain.block(
                on: store, entries: (0..<entries).map { _ in chain.envelope() },
                refused: refused, events: events, texts: texts)
            try store.commit([commit])
            commits.append(commit)
        }

        func reader() throws -> StoreReader {
            try StoreReader(path: store.path, chain: chainID, suite: chain.suite)
        }

        func index() throws -> Index {
            let index = try Index(path: path, chain: chainID)
            while try index.follow(try reader(), chain: chainID) {}
            return index
        }

        func id(_ commit: BlockCommit, _ position: Int) throws -> Digest {
            guard case .envelope(let bytes) = commit.block.entries[position] else { return .zero }
            return try Envelope(bytes: bytes, chain: chainID, suite: chain.suite).id
        }
    }

    private let asset = Suite.ed25519SHA256.digest([1])
    private let other = Suite.ed25519SHA256.digest([2])

    @Test func entriesAreFoundByTransactionAndByEnvelope() throws {
        var fixture = try Fixture()
        for number in 0..<5 { try fixture.commit(entries: number * 3, refused: [1]) }
        let index = try fixture.index()
        let reader = try fixture.reader()
        #expect(index.height == 5)
        for commit in fixture.commits {
            for position in commit.block.entries.indices {
                let location = BlockLocation(
                    height: commit.block.header.height, position: position)
                let id = try fixture.id(commit, position)
                let found = try reader.find(
                    transaction: id, chain: fixture.chainID, in: index)
                #expect(found?.location == location)
                #expect(found?.entry == commit.block.entries[position])
                #expect(found?.code == commit.outcomes[position].code)
                let digest = commit.outcomes[position].entryDigest
                #expect(try reader.find(entry: digest, in: index)?.location == location)
            }
        }
        #expect(try reader.find(transaction: asset, chain: fixture.chainID, in: index) == nil)
        #expect(try reader.find(entry: asset, in: index) == nil)
    }

    /// An id with the same first 64 bits as another finds neither the other nor hides it.
    @Test func craftedPrefixesMisleadNobody() throws {
        var fixture = try Fixture()
        try fixture.commit(entries: 1)
        let real = try fixture.id(fixture.commits[0], 0)
        var bytes = real.bytes
        bytes[31] ^= 1
        let crafted = try #require(Digest(bytes: bytes))
        let index = try fixture.index()
        let reader = try fixture.reader()
        #expect(try index.entries(transaction: crafted).count == 1)
        #expect(try reader.find(transaction: crafted, chain: fixture.chainID, in: index) == nil)
        try fixture.commit(entries: 1)
        try index.add([
            IndexBatch(
                height: 2,
                entries: [
                    .init(transaction: crafted, digest: crafted, member: nil, code: 0)
                ], events: [], texts: [])
        ])
        try reader.refresh()
        #expect(try index.entries(transaction: real).count == 2)
        let found = try reader.find(transaction: real, chain: fixture.chainID, in: index)
        #expect(found?.location == BlockLocation(height: 1, position: 0))
    }

    @Test func anEnvelopeThatDoesNotDecodeIsDamage() throws {
        var fixture = try Fixture()
        try fixture.store.commit([
            fixture.chain.block(on: fixture.store, entries: [.envelope([1, 2, 3])])
        ])
        let reader = try fixture.reader()
        guard case .damaged? = storageError({ _ = try fixture.index() }) else {
            Issue.record("bytes that are no envelope were indexed")
            return
        }
        // Nor is it passed over where the index leads to it.
        let index = try Index(path: fixture.path + "2", chain: fixture.chainID)
        for height in UInt64(0)...1 {
            try index.add([
                IndexBatch(
                    height: height,
                    entries: [.init(transaction: asset, digest: asset, member: nil, code: 0)],
                    events: [], texts: [])
            ])
        }
        let found = storageError {
            _ = try reader.find(transaction: asset, chain: fixture.chainID, in: index)
        }
        guard case .damaged? = found else {
            Issue.record("bytes that are no envelope were passed over")
            return
        }
    }

    @Test func aDatabaseOfSomethingElseIsLeftAlone() throws {
        let folder = try TestFolder()
        let path = folder.path + "/" + Index.fileName
        try Database(path: path).execute("CREATE TABLE t (n); INSERT INTO t VALUES (7)")
        let error = storageError {
            _ = try Index(path: path, chain: TestChain().genesis.chain)
        }
        #expect(error == .notALedger(path: path) && error?.isUselessFile == false)
        let count = try Database(path: path).prepare("SELECT count(*) FROM t")
        #expect(try count.step() && count.integer(0) == 1)
    }

    @Test func eventsOfAnAssetComeInOrder() throws {
        var fixture = try Fixture()
        var expected: [[UInt8]] = []
        for number in 0..<6 {
            let event = StoredEvent(
                asset: asset, log: 1, index: UInt64(number), bytes: [UInt8(number)])
            let noise = StoredEvent(
                asset: other, log: 1, index: UInt64(number), bytes: [99])
            let rights = StoredEvent(
                asset: asset, log: 0, index: UInt64(number), bytes: [100])
            try fixture.commit(entries: 1, events: [noise, event, rights])
            expected.append(event.bytes)
        }
        let index = try fixture.index()
        let reader = try fixture.reader()
        let all = try reader.events(asset: asset, log: 1, countMax: 100, in: index)
        #expect(all.map(\.bytes) == expected && all.map(\.index) == Array(0..<6))
        let page = try reader.events(asset: asset, log: 1, from: 2, countMax: 3, in: index)
        #expect(page.map(\.bytes) == Array(expected[2..<5]))
        #expect(try reader.events(asset: asset, log: 2, countMax: 9, in: index).isEmpty)
        #expect(try fixture.store.events(height: 1).count == 3)
    }

    @Test func refusalsOfAMemberComeNewestFirst() throws {
        var fixture = try Fixture()
        try fixture.commit(entries: 3, refused: [0, 2])
        try fixture.commit(entries: 2)
        try fixture.commit(entries: 1, refused: [0])
        let index = try fixture.index()
        let member = try #require(MemberID("MEMBER-1"))
        let all = try index.refusals(member: member, countMax: 10)
        #expect(
            all.map(\.location) == [
                BlockLocation(height: 3, position: 0), BlockLocation(height: 1, position: 2),
                BlockLocation(height: 1, position: 0),
            ])
        #expect(all.map(\.code) == [101, 101, 101])
        let rest = try index.refusals(member: member, before: all[0].location, countMax: 1)
        #expect(rest.map(\.location) == [all[1].location])
        let nobody = try #require(MemberID("MEMBER-2"))
        #expect(try index.refusals(member: nobody, countMax: 10).isEmpty)
    }

    @Test func assetsAreFoundInBothLanguages() throws {
        var fixture = try Fixture()
        let weather = AssetText(
            asset: asset, titleZh: "北京市气象站逐小时数据", titleEn: "Hourly weather of Beijing",
            keywords: "temperature 100%_\\ \"quoted\" A-1")
        let flights = AssetText(
            asset: other, titleZh: "航班数据", titleEn: "Flights", keywords: "planes A-2")
        try fixture.commit(entries: 0, texts: [weather, flights])
        let index = try fixture.index()
        func found(_ query: String) throws -> [Digest] {
            let page = try index.search(query, countMax: 10)
            #expect(page.total == page.assets.count)
            return page.assets
        }
        for query in [
            "气象站", "气象", "weather", "WEATHER", "北京 hourly", "te", "%_\\", "\"quoted\"",
            "0%", "京 数据", "temperature\t气象", "weather\u{0}",
        ] { #expect(try found(query) == [asset], "\(query)") }
        for query in ["", "  ", "数据", "A-", "e"] {
            #expect(try found(query) == [other, asset], "\(query)")
        }
        for query in [
            "海洋", "weather flights", "OR", "title_zh:weather", "w*", "%", "_", "\"", "NEAR(",
            "气象 航班", "\u{600}\"abc", "\"\u{301}ab", "\u{600}%", "abc\u{0}",
        ] where !["%", "_", "\""].contains(query) { #expect(try found(query).isEmpty, "\(query)") }
        #expect(try found("%") == [asset] && found("_") == [asset] && found("\"") == [asset])
        let page = try index.search("数据", countMax: 1, offset: 1)
        #expect(page.assets == [asset] && page.total == 2)
        // A later text replaces the earlier one.
        let renamed = AssetText(asset: asset, titleZh: "海洋", titleEn: "Sea", keywords: "")
        try fixture.commit(entries: 0, texts: [renamed])
        while try index.follow(try fixture.reader(), chain: fixture.chainID) {}
        #expect(try found("气象站").isEmpty)
        #expect(try found("海洋") == [asset])
    }

    @Test func anIndexIsRebuiltFromBlocksAlone() throws {
        var fixture = try Fixture()
        let event = StoredEvent(asset: asset, log: 0, index: 0, bytes: [5])
        for _ in 0..<3 { try fixture.commit(entries: 2, refused: [1]) }
        try fixture.commit(
            entries: 1, events: [event],
            texts: [AssetText(asset: asset, titleZh: "甲乙丙", titleEn: "abc", keywords: "")])
        do {
            // Filled by the node as blocks are executed; the first two heights twice.
            let index = try Index(path: fixture.path, chain: fixture.chainID)
            let reader = try fixture.reader()
            let batches = try (0...4).map {
                try #require(
                    try reader.indexBatch(height: UInt64($0), chain: fixture.chainID))
            }
            try index.add(Array(batches[0...1]))
            try index.add(batches)
            try index.add(batches)
            #expect(index.height == 4)
            #expect(batches[4].events == [.init(asset: asset, log: 0, index: 0)])
            let lookup = try Index(
                path: fixture.path, chain: fixture.chainID, isReadOnly: true)
            #expect(lookup.height == 4)
            #expect(try lookup.search("甲乙丙", countMax: 1).assets == [asset])
        }
        // Another chain's index is emptied and filled anew; so is a deleted one.
        let stranger = TestChain(name: "stranger").genesis.chain
        do {
            let index = try Index(path: fixture.path, chain: stranger)
            #expect(index.height == nil)
            #expect(try index.search("", countMax: 1).total == 0)
        }
        let index = try fixture.index()
        #expect(index.height == 4)
        #expect(try index.search("甲乙丙", countMax: 1).assets == [asset])
        let id = try fixture.id(fixture.commits[2], 1)
        let found = try fixture.reader().find(
            transaction: id, chain: fixture.chainID, in: index)
        #expect(found?.code == 101)
    }

    @Test func aCrashOfTheIndexIsCaughtUp() throws {
        var fixture = try Fixture()
        try fixture.commit(entries: 3)
        let index = try fixture.index()
        let copy = try fixture.folder.copy()
        try fixture.commit(entries: 2)
        while try index.follow(try fixture.reader(), chain: fixture.chainID) {}
        let older = try Index(path: copy.path + "/" + Index.fileName, chain: fixture.chainID)
        #expect(older.height == 1)
        while try older.follow(try fixture.reader(), chain: fixture.chainID) {}
        #expect(older.height == 2)
        let id = try fixture.id(fixture.commits[1], 1)
        #expect(try older.entries(transaction: id) == index.entries(transaction: id))
    }
}
