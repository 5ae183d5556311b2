import Encoding
import LedgerCrypto
import Merkle
import Testing

@Suite("RFC 9162 log")
struct LogTests {
    static let sizeMax = 17

    static func leaves(_ count: Int) -> [[UInt8]] {
        (0..<count).map { [UInt8]("leaf \($0)".utf8) }
    }

    static func tree(_ count: Int, _ suite: LedgerCrypto.Suite) -> LogTree {
        LogTree(suite: suite, leafHashes: leaves(count).map { suite.leafDigest($0) })
    }

    /// The eight inputs and roots that RFC 6962's test data (certificate-transparency, also in
    /// transparency-dev/merkle `testonly`) made the common yardstick.
    @Test func matchesPublishedRoots() throws {
        let inputs = [
            "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
            "606162636465666768696a6b6c6d6e6f",
        ]
        let roots = [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        var frontier = LogFrontier()
        let suite = LedgerCrypto.Suite.ed25519SHA256
        #expect(
            frontier.root(suite).hex
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        for (input, root) in zip(inputs, roots) {
            let bytes = try #require(Hex.decode(input))
            frontier.append(leafHash: suite.leafDigest(bytes), suite: suite)
            #expect(frontier.root(suite).hex == root)
        }
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func rootsFollowTheDefinition(suite: LedgerCrypto.Suite) throws {
        let all = Self.leaves(70)
        let tree = Self.tree(70, suite)
        var frontier = LogFrontier()
        for size in 0...70 {
            let expected = referenceRoot(all[..<size], suite: suite)
            #expect(tree.root(size: UInt64(size)) == expected)
            #expect(frontier.root(suite) == expected)
            #expect(frontier.size == UInt64(size))
            let copy = try LogFrontier.decode(frontier.encoded)
            #expect(copy == frontier)
            if size < 70 { frontier.append(leafHash: suite.leafDigest(all[size]), suite: suite) }
        }
        #expect(tree.frontier == frontier)
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func inclusionHoldsOnlyAsStated(suite: LedgerCrypto.Suite) {
        let tree = Self.tree(Self.sizeMax, suite)
        for size in 1...UInt64(Self.sizeMax) {
            let root = tree.root(size: size)
            for index in 0..<size {
                let path = tree.inclusionPath(index: index, size: size)
                let leaf = suite.leafDigest(Self.leaves(Self.sizeMax)[Int(index)])
                func proves(_ leaf: Digest, _ index: UInt64, _ path: [Digest]) -> Bool {
                    LogProof.rootFromInclusion(
                        leafHash: leaf, index: index, size: size, path: path, suite: suite) == root
                }
                #expect(proves(leaf, index, path))
                for bit in 0..<256 where proves(leaf.flipping(bit: bit), index, path) {
                    Issue.record("flipped leaf bit \(bit) at \(index)/\(size)")
                }
                for other in 0...size + 1 where other != index {
                    #expect(!proves(leaf, other, path))
                }
                let stride = size == UInt64(Self.sizeMax) ? 1 : 17
                for changed in mutations(of: path, bitStride: stride)
                where proves(leaf, index, changed) {
                    Issue.record("changed path at \(index)/\(size)")
                }
            }
        }
    }

    /// What was proven before must not let anything else pass, whatever the order.
    @Test func pathsAfterOneAnotherAreDecidedAsByThemselves() {
        let suite = LedgerCrypto.Suite.ed25519SHA256
        let tree = Self.tree(Self.sizeMax, suite)
        var random = SeededGenerator(seed: 7)
        var held = 0
        for size in 1...UInt64(Self.sizeMax) {
            var paths = LogPaths(root: tree.root(size: size), size: size, suite: suite)
            for number in 0..<200 {
                // Neighbours one after another, as in a history, and any others.
                let index = number % 3 == 0 ? random.next() % size : UInt64(number) % size
                var path = tree.inclusionPath(index: index, size: size)
                var leaf = suite.leafDigest(Self.leaves(Self.sizeMax)[Int(index)])
                var place = index
                switch random.next() % 6 {
                case 0: leaf = leaf.flipping(bit: Int(random.next() % 256))
                case 1 where !path.isEmpty:
                    let changed = Int(random.next() % UInt64(path.count))
                    path[changed] = path[changed].flipping(bit: Int(random.next() % 256))
                case 2: path = tree.inclusionPath(index: random.next() % size, size: size)
                case 3: place = random.next() % (size + 2)
                default: break
                }
                let root = LogProof.rootFromInclusion(
                    leafHash: leaf, index: place, size: size, path: path, suite: suite)
                let holds = paths.hold(leafHash: leaf, index: place, path: path)
                #expect(holds == (root == tree.root(size: size)))
                if holds { held += 1 }
            }
        }
        #expect(held > 50 * Self.sizeMax)
        for length in [0, 63, 64, 65] {
            var paths = LogPaths(root: .zero, size: .max, suite: suite)
            let held = paths.hold(
                leafHash: .zero, index: .max - 1,
                path: [Digest](repeating: .zero, count: length))
            #expect(!held)
        }
    }

    /// A leaf's path in a longer tree, from its path in a peak of the shorter one and the path of the shorter one's next leaf.
    @Test func theNextLeafsPathHoldsThePeaks() {
        let suite = LedgerCrypto.Suite.ed25519SHA256
        let tree = Self.tree(Self.sizeMax, suite)
        let hashes = Self.leaves(Self.sizeMax).map { suite.leafDigest($0) }
        for size in 2...UInt64(Self.sizeMax) {
            for next in 1..<size {
                let path = tree.inclusionPath(index: next, size: size)
                for index in 0..<next {
                    let peak = LogPeak(holding: index, size: next)
                    let whole = tree.inclusionPath(index: index, size: size)
                    let inside = Array(whole.prefix(peak.level))
                    let root = LogProof.rootFromInclusion(
                        leafHash: hashes[Int(index)], index: peak.indexInside, size: peak.leaves,
                        path: inside, suite: suite)
                    let joined = peak.path(
                        inside: inside, next: next, nextLeafHash: hashes[Int(next)], path: path,
                        size: size, suite: suite)
                    if root != peak.root(next: next, path: path, size: size) || joined != whole {
                        Issue.record("leaf \(index) of \(next) in \(size)")
                    }
                }
            }
        }
    }

    /// What a consistency proof of RFC 9162 §2.1.4 shows, a leaf's path shows as well.
    @Test(arguments: LedgerCrypto.Suite.allCases)
    func aPathHoldsTheRootOfTheTreeBeforeItsLeaf(suite: LedgerCrypto.Suite) {
        let tree = Self.tree(Self.sizeMax, suite)
        for size in 1...UInt64(Self.sizeMax) {
            for index in 0..<size {
                let before = LogProof.rootBefore(
                    index: index, size: size,
                    path: tree.inclusionPath(index: index, size: size), suite: suite)
                #expect(before == tree.root(size: index))
            }
        }
    }

    @Test func hugeSizesAreBoundedAndSafe() {
        let suite = LedgerCrypto.Suite.ed25519SHA256
        for length in [0, 1, 63, 64, 65, 66, 1000] {
            let path = [Digest](repeating: .zero, count: length)
            for size in [1, 2, UInt64.max - 1, UInt64.max] {
                _ = LogProof.rootFromInclusion(
                    leafHash: .zero, index: size - 1, size: size, path: path, suite: suite)
                _ = LogProof.rootBefore(index: size - 1, size: size, path: path, suite: suite)
            }
        }
        let path = [Digest](repeating: .zero, count: 64)
        let root = LogProof.rootFromInclusion(
            leafHash: .zero, index: 0, size: .max, path: path, suite: suite)
        #expect(root != nil)
    }

    @Test func frontierRejectsEveryTruncationAndAddition() throws {
        let frontier = Self.tree(13, .ed25519SHA256).frontier
        let bytes = frontier.encoded
        #expect(try LogFrontier.decode(bytes) == frontier)
        for count in bytes.indices {
            #expect(throws: CBORError.self) { try LogFrontier.decode(Array(bytes[..<count])) }
        }
        #expect(throws: CBORError.self) { try LogFrontier.decode(bytes + [0]) }
        #expect(LogFrontier(size: 3, peaks: [.zero]) == nil)
        var encoder = CBOREncoder()
        encoder.array(2)
        encoder.unsigned(4)
        encoder.list([Digest.zero, .zero])
        let wrong = encoder.bytes
        #expect(throws: CBORError.self) { try LogFrontier.decode(wrong) }
    }

    /// A reader that lacks nodes gives no proof rather than a wrong one.
    @Test func missingNodesGiveNoPath() {
        struct Empty: LogNodeReader {
            func node(level: Int, index: UInt64) -> Digest? { nil }
        }
        let suite = LedgerCrypto.Suite.ed25519SHA256
        #expect(
            LogProof.inclusionPath(index: 1, size: 3, reader: Empty(), suite: suite) == nil)
        #expect(
            LogProof.inclusionPath(index: 3, size: 3, reader: Empty(), suite: suite) == nil)
    }
}
