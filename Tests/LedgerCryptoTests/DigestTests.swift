import Encoding
import LedgerCrypto
import Testing

@Suite struct DigestTests {
    // FIPS 180-4 examples, and GB/T 32905-2016 annex A for SM3.
    @Test(arguments: [
        (
            LedgerCrypto.Suite.ed25519SHA256, "",
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        ),
        (
            .ed25519SHA256, "abc",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        ),
        (
            .ed25519SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (.sm2SM3, "abc", "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"),
        (
            .sm2SM3, String(repeating: "abcd", count: 16),
            "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
        ),
    ])
    func standardVectors(suite: LedgerCrypto.Suite, text: String, expected: String) {
        let bytes = Array(text.utf8)
        #expect(suite.digest(bytes).hex == expected)
        #expect(suite.digest(([0xFF] + bytes)[1...]).hex == expected)
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func anySplitGivesTheSameDigest(suite: LedgerCrypto.Suite) {
        var random = SeededGenerator(state: 1)
        for count in [0, 1, 31, 32, 63, 64, 65, 127, 128, 300] {
            let bytes = random.bytes(count)
            for split in 0...count {
                var state = DigestState(suite)
                state.update(Array(bytes[..<split]))
                state.update(bytes[split...])
                #expect(state.finalize() == suite.digest(bytes))
            }
        }
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func fastPathsAreTheirDefinitions(suite: LedgerCrypto.Suite) {
        var random = SeededGenerator(state: 2)
        for count in 0..<130 {
            let bytes = random.bytes(count)
            #expect(suite.leafDigest(bytes) == suite.digest([0] + bytes))
        }
        let left = suite.digest([1])
        let right = suite.digest([2])
        #expect(suite.nodeDigest(left, right) == suite.digest([1] + left.bytes + right.bytes))
        #expect(suite.leafDigest(left, right) == suite.digest([0] + left.bytes + right.bytes))

        var state = DigestState(suite)
        state.update(byte: 1)
        state.update(left)
        state.update(right)
        #expect(state.finalize() == suite.nodeDigest(left, right))
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func abandonedStatesLeaveNothingBehind(suite: LedgerCrypto.Suite) {
        let expected = suite.digest([7])
        for _ in 0..<100 {
            var abandoned = DigestState(suite)
            abandoned.update([1, 2, 3])
            var used = DigestState(suite)
            used.update([7])
            #expect(used.finalize() == expected)
        }
        #expect(suite.digest([7]) == expected)
    }

    // More running digests than the context pool holds, finished in another order.
    @Test func manyRunningDigestsDoNotMix() {
        func nest(_ depth: UInt8) -> Bool {
            var state = DigestState(.sm2SM3)
            state.update(byte: depth)
            guard depth == 0 || nest(depth - 1) else { return false }
            state.update(byte: depth)
            return state.finalize() == LedgerCrypto.Suite.sm2SM3.digest([depth, depth])
        }
        #expect(nest(40))
        #expect(nest(40))
    }

    @Test func concurrentDigestsAgree() async {
        let expected = LedgerCrypto.Suite.sm2SM3.leafDigest([9, 9])
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 {
                group.addTask {
                    (0..<500).allSatisfy { _ in
                        LedgerCrypto.Suite.sm2SM3.leafDigest([9, 9]) == expected
                    }
                }
            }
            for await agreed in group { #expect(agreed) }
        }
    }

    @Test func orderBitsAndPrefixFollowTheBytes() {
        var random = SeededGenerator(state: 3)
        for round in 0..<200 {
            var first = random.bytes(32)
            // Pairs that first differ at every byte in turn.
            let second = Array(first[..<(round % 32)]) + random.bytes(32 - round % 32)
            guard let left = Digest(bytes: first), let right = Digest(bytes: second) else {
                Issue.record("32 bytes are a digest")
                return
            }
            #expect((left < right) == first.lexicographicallyPrecedes(second))
            #expect((left == right) == (first == second))
            #expect(left.bytes == first)
            for bit in 0..<256 {
                #expect(left.bit(bit) == (first[bit / 8] & (0x80 >> UInt8(bit % 8)) != 0))
            }
            let number = first[..<8].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            for bits in 0...64 {
                #expect(left.prefix(bits: bits) == (bits == 0 ? 0 : number >> UInt64(64 - bits)))
            }
            first[round % 32] ^= 1
            #expect(Digest(bytes: first) != left)
        }
    }

    @Test func onlyThirtyTwoBytesAreADigest() {
        for count in 0..<70 where count != 32 {
            #expect(Digest(bytes: [UInt8](repeating: 0, count: count)) == nil)
            #expect(Digest(hex: String(repeating: "00", count: count)) == nil)
        }
        let digest = LedgerCrypto.Suite.ed25519SHA256.digest([])
        #expect(Digest(hex: digest.hex) == digest)
        #expect(digest.encoded == [0x58, 0x20] + digest.bytes)
        expectSoundWire(digest)
        expectSoundWire(Digest.zero)
    }

    @Test func keyIDIsThePrefixOfTheDigest() {
        let digest = LedgerCrypto.Suite.ed25519SHA256.digest([5])
        let keyID = KeyID(digest)
        #expect(keyID.bytes == Array(digest.bytes.prefix(16)))
        #expect(KeyID(hex: keyID.hex) == keyID)
        #expect(KeyID(bytes: digest.bytes) == nil)
        #expect(keyID.encoded == [0x50] + keyID.bytes)
        expectSoundWire(keyID)
        let other = KeyID(LedgerCrypto.Suite.ed25519SHA256.digest([6]))
        #expect((keyID < other) == keyID.bytes.lexicographicallyPrecedes(other.bytes))
    }

    @Test func suitesAreNamedAndClosed() {
        for suite in LedgerCrypto.Suite.allCases {
            #expect(LedgerCrypto.Suite(name: suite.name) == suite)
            expectSoundWire(suite)
        }
        #expect(LedgerCrypto.Suite(name: "ed25519") == nil)
        #expect(throws: CBORError.self) { try LedgerCrypto.Suite.decode([0]) }
        #expect(throws: CBORError.self) { try LedgerCrypto.Suite.decode([3]) }
    }
}
