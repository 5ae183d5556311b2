import Encoding
import LedgerCrypto
import Testing

@testable import Merkle

/// A map cut into parts: the cut is exact, each part can be checked alone, and nothing else passes.
struct CoverTests {
    let suite = LedgerCrypto.Suite.ed25519SHA256

    private func keys(_ count: Int, seed: UInt64) -> [Digest] {
        var random = SeededGenerator(seed: seed)
        var keys: Set<Digest> = []
        while keys.count < count {
            // Some crowd together, down to beside one another.
            let crowd = keys.randomElement(using: &random) ?? .zero
            let shared = random.next() % 4 == 0 ? Int(random.next() % 255) : 0
            keys.insert(random.digest(sharing: keys.isEmpty ? 0 : shared, bitsOf: crowd))
        }
        return keys.sorted()
    }

    private func cut(
        _ keys: [Digest], weightMax: Int
    ) -> (cover: MapCover, parts: [(depth: Int, leaves: [MapLeaf])]) {
        var partition = MapPartition(suite: suite, weightMax: weightMax)
        var parts: [(depth: Int, leaves: [MapLeaf])] = []
        let emit = { (depth: Int, entries: ArraySlice<MapPartition.Entry>) in
            parts.append((depth, entries.map(\.leaf.leaf)))
        }
        for key in keys {
            partition.add(
                MapLeaf(key: key, valueHash: suite.digest(key.bytes)), [], weight: 1,
                emit: emit)
        }
        partition.finish(emit: emit)
        return (partition.cover.unsafelyUnwrapped, parts)
    }

    private func root(_ keys: [Digest]) -> Digest {
        MapOverlay(base: MemoryMap(suite: suite)).applying(
            keys.map { MapChange(key: $0, valueHash: suite.digest($0.bytes)) }
        ).root
    }

    /// As when a large state is cut into its buckets: there are no bounds on those.
    @Test func moreThanACoverHolds() throws {
        var partition = MapPartition(suite: suite, weightMax: 1)
        var count = 0
        let emit = { (_: Int, entries: ArraySlice<MapPartition.Entry>) in count += entries.count }
        let value = suite.digest([])
        for number in 0...UInt64(MapCover.partsMax) {
            let bits = (number << 44).bigEndian
            let bytes = withUnsafeBytes(of: bits) { Array($0) } + Array(repeating: 0, count: 24)
            let key = try #require(Digest(bytes: bytes))
            partition.add(MapLeaf(key: key, valueHash: value), [], weight: 1, emit: emit)
        }
        partition.finish(emit: emit)
        #expect(count == MapCover.partsMax + 1)
        #expect(partition.cover == nil)
    }

    @Test(arguments: [0, 1, 2, 9, 300])
    func partsAreTheMap(_ count: Int) throws {
        for seed in 0..<8 as Range<UInt64> {
            let keys = keys(count, seed: seed)
            for weightMax in [1, 4, 50, 1_000] {
                let (cover, parts) = cut(keys, weightMax: weightMax)
                #expect(cover.root(suite) == root(keys))
                #expect(parts.flatMap { $0.leaves.map(\.key) } == keys)
                let full = cover.parts.filter { !$0.summary.isEmpty }
                #expect(full.map(\.depth) == parts.map(\.depth))
                for (part, held) in zip(full, parts) {
                    #expect(part.isExactly(held.leaves, suite: suite))
                    #expect(!part.isExactly(Array(held.leaves.dropFirst()), suite: suite))
                    let places = Set(held.leaves.map { $0.key.prefix(bits: MapCover.depthMax) })
                    #expect(held.leaves.count <= weightMax || places.count == 1)
                    var changed = held.leaves
                    changed[0] = MapLeaf(key: changed[0].key, valueHash: .zero)
                    #expect(!part.isExactly(changed, suite: suite))
                }
                #expect(try MapCover.decode(cover.encoded) == cover)
            }
        }
    }

    /// Two neighbours that would fit into one part are one.
    @Test func partsAreAsLargeAsTheLimitAllows() {
        let keys = keys(300, seed: 77)
        let (cover, _) = cut(keys, weightMax: 20)
        let counts = cover.parts.map { part in
            keys.count { $0.prefix(bits: part.depth) == part.prefix }
        }
        for index in cover.parts.indices.dropLast() {
            let (left, right) = (cover.parts[index], cover.parts[index + 1])
            guard left.depth == right.depth, left.prefix & 1 == 0 else { continue }
            #expect(counts[index] + counts[index + 1] > 20)
        }
    }

    /// A part of another place, however good, is not this part.
    @Test func aPartIsBoundToItsPlace() {
        let (cover, parts) = cut(keys(100, seed: 5), weightMax: 10)
        let full = cover.parts.filter { !$0.summary.isEmpty }
        #expect(!full[0].isExactly(parts[1].leaves, suite: suite))
        #expect(!full[0].isExactly(parts[0].leaves + parts[1].leaves, suite: suite))
    }

    @Test func anythingElseIsRefused() {
        let (cover, _) = cut(keys(60, seed: 3), weightMax: 8)
        let bytes = cover.encoded
        for count in bytes.indices {
            #expect(throws: CBORError.self) { try MapCover.decode(Array(bytes[..<count])) }
        }
        #expect(throws: CBORError.self) { try MapCover.decode(bytes + [0]) }
        let list = cover.parts.map { ($0.depth, $0.summary) }
        #expect(MapCover(Array(list.dropLast())) == nil)
        #expect(MapCover(list + [list[0]]) == nil)
        #expect(MapCover([]) == nil)
        #expect(MapCover([(1, .empty), (0, .empty)]) == nil)
        #expect(MapCover([(61, .empty)]) == nil)
    }
}
