import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Testing

@testable import Storage

/// A snapshot of each suite, for good: `Tests/Vectors/snapshot.hex` holds a line `suite, part, bytes` for each of its
/// parts. A change here is a change of the wire format, after which HUIJIN_WRITE_VECTORS=snapshot makes them anew, with other keys.
@Suite struct SnapshotVectorTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Vectors/snapshot.hex")

    /// The genesis that proves it, its name, its manifest, its first chunk of the state, its first chunk of blocks.
    private struct Vector {
        let genesis: Genesis
        let identity: Digest
        let manifest: [UInt8]
        let stateChunk: [UInt8]
        let blockChunk: [UInt8]

        init(reading suite: LedgerCrypto.Suite) throws {
            var parts: [String: [UInt8]] = [:]
            let text = try String(contentsOf: SnapshotVectorTests.file, encoding: .utf8)
            for line in text.split(separator: "\n") where !line.hasPrefix("#") {
                let words = line.split(separator: " ").map(String.init)
                try #require(words.count == 3)
                if words[0] == suite.name { parts[words[1]] = Hex.decode(words[2]) }
            }
            genesis = try Genesis.decode(
                try #require(parts["genesis"]), limits: LedgerLimits.genesis)
            identity = try #require(parts["identity"].flatMap { Digest(bytes: $0) })
            manifest = try #require(parts["manifest"])
            stateChunk = try #require(parts["state-chunk"])
            blockChunk = try #require(parts["block-chunk"])
        }

        /// Of a chain with refusals, blocks without certificates, and epochs that end within the blocks and with them.
        init(making suite: LedgerCrypto.Suite) throws {
            let chain = try CertifiedChain(suite)
            try chain.fill(blocks: 20, changes: [2, 8, 20])
            var sizes = SnapshotSizes()
            sizes.stateChunkBytes = 1_000
            sizes.blockChunkBlocks = 6
            let shelf = SnapshotShelf(
                folder: chain.folder.path + "/vector", store: chain.store.path,
                genesis: chain.genesis, sizes: sizes)
            let height = try #require(try shelf.make()).height
            genesis = chain.genesis
            manifest = try #require(shelf.manifest(height))
            let verified = try VerifiedManifest(manifest, genesis: genesis)
            identity = verified.digest
            stateChunk = try #require(shelf.chunk(0, of: height))
            blockChunk = try #require(shelf.chunk(verified.manifest.stateChunks, of: height))
        }

        var lines: String {
            let parts = [
                ("genesis", genesis.encoded), ("identity", identity.bytes), ("manifest", manifest),
                ("state-chunk", stateChunk), ("block-chunk", blockChunk),
            ]
            return parts.map { "\(genesis.suite.name) \($0) \(Hex.encode($1))\n" }.joined()
        }
    }

    @Test(
        .enabled(if: ProcessInfo.processInfo.environment["HUIJIN_WRITE_VECTORS"] == "snapshot"))
    func write() throws {
        var text = "# suite, part, bytes: SnapshotVectorTests\n"
        for suite in LedgerCrypto.Suite.allCases { text += try Vector(making: suite).lines }
        try Data(text.utf8).write(to: Self.file)
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func snapshotsStayWhatTheyAre(_ suite: LedgerCrypto.Suite) throws {
        let vector = try Vector(reading: suite)
        let verified = try VerifiedManifest(vector.manifest, genesis: vector.genesis)
        #expect(verified.digest == vector.identity)
        let manifest = verified.manifest
        #expect(manifest.encoded == vector.manifest)
        #expect(manifest.height == 20 && manifest.firstHeight == 4)
        #expect(manifest.epochChanges.map(\.header.height) == [2, 8])
        #expect(manifest.nextValidators?.epoch == 3)
        #expect(manifest.headers.map(\.header.height) == [3, 9, 15])
        #expect(manifest.stateChunks > 4)

        try verified.check(chunk: 0, vector.stateChunk)
        let state = try StateChunk.decode(vector.stateChunk, limits: SnapshotLimits.chunk)
        #expect(state.encoded == vector.stateChunk && state.entries.count > 1)

        try verified.check(chunk: manifest.stateChunks, vector.blockChunk)
        let chunk = try BlockChunk.decode(vector.blockChunk, limits: SnapshotLimits.chunk)
        #expect(chunk.encoded == vector.blockChunk)
        // The epoch's end and the chunk's keep their certificates; the ninth block has refusals.
        let certified = chunk.blocks.filter { $0.finalization != nil }
        #expect(certified.map(\.block.header.height) == [8, 9])
        let refused = chunk.blocks.filter { $0.codes.contains { $0 != 0 } }
        #expect(refused.map(\.block.header.height) == [9])
    }

    /// In one suite: in the other the parts have the same form, and parsing its keys so often takes seconds.
    @Test func nothingShorterOrLongerDecodes() throws {
        let vector = try Vector(reading: .ed25519SHA256)
        refuses(SnapshotManifest.self, vector.manifest, SnapshotLimits.manifest)
        refuses(StateChunk.self, vector.stateChunk, SnapshotLimits.chunk)
        refuses(BlockChunk.self, vector.blockChunk, SnapshotLimits.chunk)
    }

    private func refuses<Part: CBORDecodable>(
        _: Part.Type, _ bytes: [UInt8], _ limits: CBORLimits
    ) {
        let decodes = { (bytes: [UInt8]) in (try? Part.decode(bytes, limits: limits)) != nil }
        #expect(decodes(bytes))
        #expect(!decodes(bytes + [0]), "\(Part.self) with a trailing byte")
        let short = bytes.indices.first { decodes(Array(bytes[..<$0])) }
        #expect(short == nil, "\(Part.self) cut short")
    }
}
