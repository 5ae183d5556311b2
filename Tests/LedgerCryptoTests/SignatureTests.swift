import Encoding
import LedgerCrypto
import Testing

/// What holds for both suites alike.
@Suite struct SignatureTests {
    @Test(arguments: LedgerCrypto.Suite.allCases)
    func signaturesBindKeyAndMessage(suite: LedgerCrypto.Suite) throws {
        let key = SigningKey.generate(suite)
        let other = SigningKey.generate(suite)
        #expect(key.publicKey != other.publicKey)
        for length in [0, 1, 64, 200] {
            let message = SecureRandom.bytes(length)
            let signature = key.sign(message)
            #expect(signature.count == 64)
            #expect(key.publicKey.isValid(signature: signature, over: message))
            #expect(!other.publicKey.isValid(signature: signature, over: message))
            for bit in stride(from: 0, to: 512, by: 31) {
                let flipped = flippingBit(bit, of: signature)
                #expect(!key.publicKey.isValid(signature: flipped, over: message))
            }
            for bit in stride(from: 0, to: length * 8, by: 53) {
                let flipped = flippingBit(bit, of: message)
                #expect(!key.publicKey.isValid(signature: signature, over: flipped))
            }
            #expect(!key.publicKey.isValid(signature: signature + [0], over: message))
            #expect(!key.publicKey.isValid(signature: Array(signature.dropLast()), over: message))
        }
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func publicKeysOnTheWire(suite: LedgerCrypto.Suite) throws {
        let key = SigningKey.generate(suite).publicKey
        expectSoundWire(key)
        let again = try PublicKey.decode(key.encoded)
        #expect(again.keyID == key.keyID)
        #expect(key.keyID == KeyID(suite.digest(key.bytes)))
        expectSoundWire(EncryptionKey.generate(suite).publicKey)
    }

    @Test func aBadKeyOnTheWireIsNamed() {
        let identity = [0x82, 0x01, 0x58, 0x20, 0x01] + [UInt8](repeating: 0, count: 31)
        do throws(CBORError) {
            _ = try PublicKey.decode(identity)
            Issue.record("the identity is no key")
        } catch {
            #expect(error.description.contains("small order"))
        }
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func manyThreadsMayVerifyWithOneKey(suite: LedgerCrypto.Suite) async {
        let key = SigningKey.generate(suite)
        let signature = key.sign([4, 2])
        let publicKey = key.publicKey
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<20).allSatisfy { _ in
                        publicKey.isValid(signature: signature, over: [4, 2])
                            && !publicKey.isValid(signature: signature, over: [4])
                    }
                }
            }
            for await agreed in group { #expect(agreed) }
        }
    }

    @Test func agreementKeysOfSmallOrderAreRefused() {
        // The u-coordinates of RFC 7748 curve points of small order (0, 1, p-1 and two of order
        // 8), and p and p+1, which are 0 and 1 again.
        let zero = [UInt8](repeating: 0, count: 32)
        let one = [1] + [UInt8](repeating: 0, count: 31)
        let ordersEight = [
            hex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
            hex("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
        ]
        let full = [UInt8](repeating: 0xFF, count: 30)
        let beforePrime = [0xEC] + full + [0x7F]
        for bytes in [zero, one, beforePrime] + ordersEight {
            #expect(throws: KeyError.smallOrder) {
                try EncryptionPublicKey(suite: .ed25519SHA256, bytes: bytes)
            }
        }
        for bytes in [[0xED] + full + [0x7F], [0xEE] + full + [0x7F], zero.dropLast() + [0x80]] {
            #expect(throws: KeyError.notCanonical) {
                try EncryptionPublicKey(suite: .ed25519SHA256, bytes: bytes)
            }
        }
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func sealedBoxesOpenForTheirKeyOnly(suite: LedgerCrypto.Suite) throws {
        let key = EncryptionKey.generate(suite)
        let other = EncryptionKey.generate(suite)
        for length in [0, 1, 15, 16, 17, 300] {
            let plain = SecureRandom.bytes(length)
            let sealed = try SealedBox.seal(plain, to: key.publicKey)
            #expect(try SealedBox.open(sealed, with: key) == plain)
            #expect(try SealedBox.seal(plain, to: key.publicKey) != sealed)
            #expect(throws: SealedBoxError.notForThisKey) {
                try SealedBox.open(sealed, with: other)
            }
            for bit in stride(from: 0, to: sealed.count * 8, by: 43) {
                #expect(throws: SealedBoxError.self) {
                    try SealedBox.open(flippingBit(bit, of: sealed), with: key)
                }
            }
            for count in stride(from: 0, to: sealed.count, by: 7) {
                #expect(throws: SealedBoxError.self) {
                    try SealedBox.open(Array(sealed.prefix(count)), with: key)
                }
            }
        }
        let again = try EncryptionKey(suite: suite, secret: key.secret)
        #expect(again.publicKey == key.publicKey)
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func sealedBoxesAreBounded(suite: LedgerCrypto.Suite) throws {
        let key = EncryptionKey.generate(suite)
        let most = [UInt8](repeating: 7, count: SealedBox.plaintextBytesMax)
        let sealed = try SealedBox.seal(most, to: key.publicKey)
        #expect(try SealedBox.open(sealed, with: key) == most)
        #expect(throws: SealedBoxError.self) { try SealedBox.seal(most + [7], to: key.publicKey) }
        #expect(throws: SealedBoxError.self) {
            try SealedBox.open(sealed + [UInt8](repeating: 0, count: 4096), with: key)
        }
    }

    @Test func randomnessIsFresh() {
        #expect(SecureRandom.bytes(0).isEmpty)
        #expect(Set((0..<100).map { _ in SecureRandom.bytes(16) }).count == 100)
    }
}
