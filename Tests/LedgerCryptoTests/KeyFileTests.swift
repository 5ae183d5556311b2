import Encoding
import Testing

@testable import LedgerCrypto

@Suite struct KeyFileTests {
    static let passphrase = "correct horse 电池 staple"

    static func file(
        _ suite: LedgerCrypto.Suite
    ) throws -> (key: SigningKey, bytes: [UInt8]) {
        let key = SigningKey.generate(suite)
        let bytes = try EncryptedKeyFile.seal(
            key, label: "validator-1 一号节点", passphrase: passphrase, cost: .minimal)
        return (key, bytes)
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func whatIsSealedOpens(suite: LedgerCrypto.Suite) throws {
        let (key, bytes) = try KeyFileTests.file(suite)
        let opened = try EncryptedKeyFile.open(bytes, passphrase: KeyFileTests.passphrase)
        #expect(opened.secret == key.secret)
        #expect(opened.publicKey == key.publicKey)
        let header = try EncryptedKeyFile.inspect(bytes)
        #expect(header.suite == suite && header.kind == .signingKey)
        #expect(header.label == "validator-1 一号节点")
        #expect(header.publicKey == key.publicKey.bytes)

        let encryption = EncryptionKey.generate(suite)
        let encryptionFile = try EncryptedKeyFile.seal(
            encryption, label: "", passphrase: "p", cost: .minimal)
        let openedEncryption = try EncryptedKeyFile.openEncryptionKey(
            encryptionFile, passphrase: "p")
        #expect(openedEncryption.secret == encryption.secret)

        for secret in [[], [1], SecureRandom.bytes(5_000)] {
            let sealed = try EncryptedKeyFile.sealBytes(
                secret, suite: suite, label: "tls", passphrase: "p", cost: .minimal)
            #expect(try EncryptedKeyFile.openBytes(sealed, passphrase: "p") == secret)
        }
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func theSecretIsNotInTheFile(suite: LedgerCrypto.Suite) throws {
        let (key, bytes) = try KeyFileTests.file(suite)
        let secret = key.secret
        for start in 0...(bytes.count - 8) {
            for part in stride(from: 0, to: 32, by: 8) {
                #expect(bytes[start..<(start + 8)] != secret[part..<(part + 8)])
            }
        }
        let again = try EncryptedKeyFile.seal(
            key, label: "validator-1 一号节点", passphrase: KeyFileTests.passphrase, cost: .minimal)
        #expect(again != bytes)
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func aWrongPassphraseIsNamed(suite: LedgerCrypto.Suite) throws {
        let (_, bytes) = try KeyFileTests.file(suite)
        for wrong in ["correct horse", KeyFileTests.passphrase + " ", "p"] {
            #expect(throws: KeyFileError.wrongPassphrase) {
                try EncryptedKeyFile.open(bytes, passphrase: wrong)
            }
        }
        #expect(throws: KeyFileError.emptyPassphrase) {
            try EncryptedKeyFile.open(bytes, passphrase: "")
        }
        #expect(KeyFileError.wrongPassphrase.description.contains("passphrase"))
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func truncationIsNamed(suite: LedgerCrypto.Suite) throws {
        let (_, bytes) = try KeyFileTests.file(suite)
        for count in 0..<bytes.count {
            #expect(throws: KeyFileError.truncated(byteCount: count)) {
                try EncryptedKeyFile.open(
                    Array(bytes.prefix(count)), passphrase: KeyFileTests.passphrase)
            }
        }
        #expect(throws: KeyFileError.self) {
            try EncryptedKeyFile.open(bytes + [0], passphrase: KeyFileTests.passphrase)
        }
    }

    // With the right passphrase, damage is never blamed on the passphrase, nor goes unseen.
    @Test(arguments: LedgerCrypto.Suite.allCases)
    func alteredBytesAreNamed(suite: LedgerCrypto.Suite) throws {
        let (_, bytes) = try KeyFileTests.file(suite)
        var altered = 0
        for bit in 0..<(bytes.count * 8) {
            do throws(KeyFileError) {
                _ = try EncryptedKeyFile.open(
                    flippingBit(bit, of: bytes), passphrase: KeyFileTests.passphrase)
                Issue.record("bit \(bit) changed nothing")
            } catch {
                #expect(error != .wrongPassphrase)
                altered += error == .altered ? 1 : 0
            }
        }
        #expect(altered > bytes.count * 7)
    }

    @Test func otherFilesAreNamed() throws {
        let pem = Array("-----BEGIN PRIVATE KEY-----".utf8)
        #expect(throws: KeyFileError.notAKeyFile) {
            try EncryptedKeyFile.open(pem, passphrase: "p")
        }
        let large = [UInt8](repeating: 0, count: EncryptedKeyFile.fileBytesMax + 1)
        #expect(throws: KeyFileError.tooLong(byteCount: large.count, max: large.count - 1)) {
            try EncryptedKeyFile.open(large, passphrase: "p")
        }
        #expect(throws: KeyFileError.self) {
            try EncryptedKeyFile.sealBytes(
                large, suite: .ed25519SHA256, label: "", passphrase: "p", cost: .minimal)
        }
        let (_, bytes) = try KeyFileTests.file(.ed25519SHA256)
        #expect(
            throws: KeyFileError.wrongKind(expected: .encryptionKey, found: .signingKey)
        ) {
            try EncryptedKeyFile.openEncryptionKey(bytes, passphrase: KeyFileTests.passphrase)
        }
        #expect(throws: KeyFileError.labelTooLong(bytes: 129, max: 128)) {
            try EncryptedKeyFile.sealBytes(
                [1], suite: .ed25519SHA256, label: String(repeating: "x", count: 129),
                passphrase: "p", cost: .minimal)
        }
    }

    // A hostile file with a fitting checksum cannot make its reader spend more than the bounds.
    @Test(arguments: [(11, 8), (0, 8), (1, 262_145), (1, 7), (UInt64.max, UInt64.max)])
    func costsAreBounded(operations: UInt64, memoryKiB: UInt64) throws {
        let cost = KeyDerivationCost(operations: operations, memoryKiB: memoryKiB)
        let header = KeyFileHeader(
            suite: .ed25519SHA256, kind: .bytes, label: "", publicKey: [], cost: cost)
        let file = KeyFileParts.file(
            suite: .ed25519SHA256, header: header.encoded,
            sealed: [UInt8](repeating: 0, count: 40))
        expectCostRefused {
            _ = try EncryptedKeyFile.openBytes(file, passphrase: "p")
        }
        expectCostRefused {
            _ = try EncryptedKeyFile.sealBytes(
                [1], suite: .ed25519SHA256, label: "", passphrase: "p", cost: cost)
        }
    }

    private func expectCostRefused(_ body: () throws -> Void) {
        do {
            try body()
            Issue.record("the cost went unchecked")
        } catch {
            guard case .costRefused(let field, _, _, _) = error as? KeyFileError else {
                Issue.record("\(error)")
                return
            }
            #expect(field.hasPrefix("kdf"))
        }
    }

    @Test func aNewerVersionIsNamed() throws {
        let header = KeyFileHeader(
            suite: .ed25519SHA256, kind: .bytes, label: "", publicKey: [], cost: .minimal)
        var newer = header.encoded
        #expect(newer[1...2] == [1, 1])
        newer[2] = 2
        let file = KeyFileParts.file(suite: .ed25519SHA256, header: newer, sealed: [])
        #expect(throws: KeyFileError.unsupportedVersion(2)) {
            try EncryptedKeyFile.openBytes(file, passphrase: "p")
        }
    }

    @Test func changedCostsOpenNothing() throws {
        let (_, bytes) = try KeyFileTests.file(.sm2SM3)
        let parts = try KeyFileParts(bytes)
        // Another label under the old seal: the header is authenticated.
        let forged = KeyFileHeader(
            suite: .sm2SM3, kind: .signingKey, label: "other", publicKey: parts.header.publicKey,
            cost: .minimal)
        let file = KeyFileParts.file(
            suite: .sm2SM3, header: forged.encoded, sealed: parts.sealed)
        #expect(throws: KeyFileError.wrongPassphrase) {
            try EncryptedKeyFile.open(file, passphrase: KeyFileTests.passphrase)
        }
    }

    @Test func standardCostIsInBounds() throws {
        #expect(throws: Never.self) { try KeyDerivationCost.standard.check() }
        #expect(throws: Never.self) { try KeyDerivationCost.minimal.check() }
    }
}
