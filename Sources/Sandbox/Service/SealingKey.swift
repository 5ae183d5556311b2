import Client
import Foundation
import LedgerCrypto

extension SandboxFolder {
    /// The key that seals queries and outputs on disk; made at the first start, encrypted under the operator's
    /// passphrase.
    ///
    /// - Throws: `SetupError` naming the file.
    public func openSealingKey(suite: Suite, passphrase: String) throws -> EncryptionKey {
        if FileManager.default.fileExists(atPath: sealingKey) {
            let bytes = try SetupFile.read(sealingKey, bytesMax: EncryptedKeyFile.fileBytesMax)
            do {
                return try EncryptedKeyFile.openEncryptionKey(bytes, passphrase: passphrase)
            } catch {
                throw SetupError(file: sealingKey, english: error.english, chinese: error.chinese)
            }
        }
        let key = EncryptionKey.generate(suite)
        let file: [UInt8]
        do {
            file = try EncryptedKeyFile.seal(key, label: "sandbox", passphrase: passphrase)
        } catch {
            throw SetupError(file: sealingKey, english: error.english, chinese: error.chinese)
        }
        // Atomic: a crash leaves the whole file or none, and nothing is sealed before it is there.
        try Data(file).write(to: URL(filePath: sealingKey), options: .atomic)
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o600], ofItemAtPath: sealingKey)
        return key
    }
}
