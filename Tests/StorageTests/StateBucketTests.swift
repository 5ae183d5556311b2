import LedgerCrypto
import Merkle
import Testing

@testable import Storage

/// A bucket that changes where it is, against one that is made anew.
@Suite struct StateBucketTests {
    private typealias Entries = [Digest: [UInt8]]
    private static let suite = LedgerCrypto.Suite.ed25519SHA256

    private static func bucket(_ entries: Entries) -> StateBucket {
        let ascending = entries.sorted { $0.key < $1.key }
        return StateBucket(leaves: leaves(entries), values: ascending.map(\.value))
    }

    private static func leaves(_ entries: Entries) -> [HashedLeaf] {
        entries.sorted { $0.key < $1.key }.map { key, value in
            HashedLeaf(MapLeaf(key: key, valueHash: suite.digest(value)), suite: suite)
        }
    }

    @Test func aChangedBucketIsTheOneMadeAnew() {
        var random = StateStoreTests.Generator(state: 1)
        for _ in 0..<400 {
            let keys = (0..<16).map { _ in StateStoreTests.key(.random(in: 0..<40, using: &random))
            }
            var entries: Entries = [:]
            for key in keys.prefix(8) { entries[key] = [.random(in: 0...255, using: &random)] }
            var bucket = Self.bucket(entries)
            var changed: [Digest: [UInt8]?] = [:]
            for key in keys.shuffled(using: &random).prefix(.random(in: 0...6, using: &random)) {
                let value = [UInt8](repeating: 9, count: .random(in: 0...300, using: &random))
                changed[key] = Bool.random(using: &random) ? .some(value) : .some(nil)
            }
            for (key, value) in changed { entries[key] = value }
            // Changes of other buckets stand before and after.
            var changes = changed.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
            changes.insert((.zero, [1]), at: 0)
            var next = 0
            #expect(bucket.update(Self.leaves(entries), changes, &next, Self.suite))
            let anew = Self.bucket(entries)
            #expect(bucket.leaves == anew.leaves && bucket.values == anew.values)
            #expect(bucket.byteCount == anew.byteCount)
            #expect(next <= changes.count)
        }
    }

    @Test func anEntryThatIsNotWhatItWasIsNoticed() {
        let keys = (0..<3).map { StateStoreTests.key($0) }
        let entries: Entries = [keys[0]: [1], keys[1]: [2]]
        var next = 0
        // Another value than the tree says, and one that the bucket never had.
        for wrong in [[keys[0]: [1], keys[1]: [3]], [keys[0]: [1], keys[1]: [2], keys[2]: [4]]]
            as [Entries]
        {
            var bucket = Self.bucket(entries)
            #expect(!bucket.update(Self.leaves(wrong), [], &next, Self.suite))
        }
        var bucket = Self.bucket(entries)
        #expect(bucket.update(Self.leaves(entries), [], &next, Self.suite))
    }
}
