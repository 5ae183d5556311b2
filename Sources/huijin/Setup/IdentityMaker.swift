import Client
import Files
import Foundation
import LedgerCrypto

/// Writes member folders: `member.json` and the encrypted signing key.
struct IdentityMaker {
    let passphrase: String
    let keyCost: KeyDerivationCost

    func write(_ folder: MemberFolder, key: SigningKey) throws {
        let directory = URL(filePath: folder.directory)
        let keyFile = directory.appending(path: folder.key)
        guard !FileManager.default.fileExists(atPath: keyFile.path) else {
            throw SetupError(
                file: keyFile.path, english: "a key is there already; choose another folder",
                chinese: "已有密钥，请另选文件夹", isUnwritable: true)
        }
        let sealed = try EncryptedKeyFile.seal(
            key, label: "signing key of \(folder.member)", passphrase: passphrase, cost: keyCost)
        try IdentityMaker.write(sealed, to: keyFile, isSecret: true)
        try IdentityMaker.write(
            [UInt8](folder.json.pretty().utf8),
            to: directory.appending(path: MemberFolder.fileName))
    }

    /// Makes the folder, and the file, whole and durable; nothing that is there is overwritten. A secret one is readable by its
    /// owner alone from the moment it exists.
    static func write(_ bytes: [UInt8], to file: URL, isSecret: Bool = false) throws {
        do {
            try FileManager.default.createDirectory(
                at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        } catch {
            throw SetupError(
                file: file.deletingLastPathComponent().path,
                english: "the folder cannot be made; check the path and its permissions",
                chinese: "无法创建文件夹，请检查路径和权限", isUnwritable: true)
        }
        do throws(WholeFile.Problem) {
            try WholeFile.create(file.path, bytes, mode: isSecret ? 0o600 : 0o644)
        } catch {
            throw error.isTaken ? SetupError.exists(file.path) : SetupError(error)
        }
    }
}
