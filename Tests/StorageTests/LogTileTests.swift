import Ledger
import LedgerCrypto
import Merkle
import Testing

@testable import Storage

@Suite struct LogTileTests {
    private let suite = Suite.ed25519SHA256

    private func leaf(_ number: Int) -> Digest {
        suite.digest([UInt8(number & 255), UInt8(number >> 8 & 255), UInt8(number >> 16)])
    }

    /// At every size up to three tiles, and around a tile of tiles, every node is the log's.
    @Test func nodesAreThoseOfTheLog() {
        var tiles = LogTiles(suite: suite)
        var stored: [Int64: [Digest]] = [:]
        var tree = LogTree(suite: suite)
        var number = 0
        func grow(to size: Int) {
            let leaves = (number..<size).map { leaf($0) }
            number = size
            for tile in tiles.append(LogGrowth(of: tiles.frontier, by: leaves, suite: suite)) {
                #expect(stored[tile.id] == nil)
                stored[tile.id] = tile.hashes
            }
            for leaf in leaves { tree.append(leafHash: leaf) }
        }
        func check(_ indices: (Int) -> [UInt64]) {
            #expect(tiles.frontier == tree.frontier)
            #expect(tiles.recent.map(\.count) == LogTiles.recentCounts(size: tree.size))
            for level in 0..<18 {
                for index in indices(level) {
                    let expected = tree.node(level: level, index: index)
                    let found = tiles.node(level: level, index: index) { stored[$0] }
                    #expect(found == expected, "level \(level) index \(index) size \(tree.size)")
                }
            }
        }
        for size in [0, 1, 2, 3, 7, 64, 129, 255, 256, 257, 258, 511, 512, 513, 770] {
            grow(to: size)
            check { level in Array(0...(tree.size >> UInt64(level)) + 1) }
        }
        for size in [65_535, 65_536, 65_537, 65_800] {
            grow(to: size)
            check { level in
                let last = tree.size >> UInt64(level)
                return [0, 1, last / 2, last &- 1, last, last + 1]
            }
        }
        #expect(tiles.node(level: 64, index: 0) { stored[$0] } == nil)
        #expect(tiles.node(level: 63, index: 1) { stored[$0] } == nil)
        #expect(tiles.node(level: 0, index: .max) { stored[$0] } == nil)
    }

    @Test func storedTilesAreReadBack() {
        var tiles = LogTiles(suite: suite)
        let filled = tiles.append(
            LogGrowth(of: tiles.frontier, by: (0..<256).map { leaf($0) }, suite: suite))
        #expect(filled.count == 1)
        for tile in filled {
            let read = tile.bytes.withUnsafeBytes { LogTiles.Tile.hashes(from: $0) }
            #expect(read == tile.hashes)
            #expect(tile.bytes.dropLast().withUnsafeBytes { LogTiles.Tile.hashes(from: $0) } == nil)
        }
    }

    /// Every leaf of a stored chain is proved against the header, by the store, after reopening it,
    /// and by readers that followed or came late.
    @Test func everyLeafOfAStoredChainIsProved() throws {
        let folder = try TestFolder()
        var chain = TestChain()
        var leaves: [Digest] = []
        var reader: StoreReader?
        do {
            let store = try Store(folder: folder.path, genesis: chain.genesis)
            chain.start(store)
            reader = try StoreReader(
                path: store.path, chain: chain.genesis.chain, suite: suite)
            for height in 1...40 {
                let parent = chain.digest
                let entries = (0..<(height % 4 == 0 ? 70 : height % 3)).map {
                    Entry.automatic(
                        AutomaticAction(kind: 1, deadlineMs: UInt64($0), subject: parent))
                }
                let commit = chain.block(on: store, entries: entries)
                leaves.append(LogLeaf.header(parent, suite: suite))
                leaves += entries.map { LogLeaf.entry($0, suite: suite) }
                try store.commit([commit])
                if height % 7 == 0 {
                    #expect(try reader?.refresh() == true)
                    #expect(reader?.watermark == store.watermark)
                }
            }
            #expect(leaves.count > 700)
            try check(store, leaves, chain.header)
        }
        let store = try Store(folder: folder.path, genesis: chain.genesis)
        try check(store, leaves, chain.header)
        try reader?.refresh()
        if let reader { try check(reader, leaves, chain.header) }
        let late = try StoreReader(path: store.path, chain: chain.genesis.chain, suite: suite)
        try check(late, leaves, chain.header)
        #expect(try !late.refresh())
    }

    private func check(
        _ reader: some LogNodeReader, _ leaves: [Digest], _ header: Header
    ) throws {
        #expect(header.logSize == UInt64(leaves.count))
        for index in stride(from: 0, to: leaves.count, by: 13) {
            let path = try #require(
                LogProof.inclusionPath(
                    index: UInt64(index), size: header.logSize, reader: reader, suite: suite))
            let root = LogProof.rootFromInclusion(
                leafHash: leaves[index], index: UInt64(index), size: header.logSize, path: path,
                suite: suite)
            #expect(root == header.logRoot, "leaf \(index)")
        }
    }
}
