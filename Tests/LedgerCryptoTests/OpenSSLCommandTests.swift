import Encoding
import Foundation
import LedgerCrypto
import Testing

/// SM2 both ways against the `openssl` command, where there is one with SM2.
@Suite(.enabled(if: OpenSSLCommand.hasSM2)) struct OpenSSLCommandTests {
    static let distinguishingID = "distid:1234567812345678"

    @Test func itVerifiesOurSignatures() throws {
        try inTemporaryFolder { folder in
            for length in [0, 1, 31, 200] {
                let key = SigningKey.generate(.sm2SM3)
                let message = SecureRandom.bytes(length)
                try write(folder, "message", message)
                try write(folder, "signature", der(key.sign(message)))
                try write(folder, "key.der", Self.publicKeyPrefix + key.publicKey.bytes)
                let arguments = [
                    "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", "key.der",
                    "-rawin", "-digest", "sm3", "-pkeyopt", Self.distinguishingID, "-in",
                    "message", "-sigfile", "signature",
                ]
                #expect(try OpenSSLCommand.run(arguments, in: folder) == 0)
                try write(folder, "message", message + [1])
                #expect(try OpenSSLCommand.run(arguments, in: folder) != 0)
            }
        }
    }

    @Test func weVerifyItsSignatures() throws {
        try inTemporaryFolder { folder in
            try write(folder, "message", Array("数据要素".utf8))
            let commands = [
                ["genpkey", "-algorithm", "SM2", "-out", "secret.pem"],
                ["pkey", "-in", "secret.pem", "-pubout", "-outform", "DER", "-out", "key.der"],
                [
                    "pkeyutl", "-sign", "-inkey", "secret.pem", "-rawin", "-digest", "sm3",
                    "-pkeyopt", Self.distinguishingID, "-in", "message", "-out", "signature",
                ],
            ]
            for command in commands {
                try #require(try OpenSSLCommand.run(command, in: folder) == 0)
            }
            let point = Array(try read(folder, "key.der").suffix(65))
            let key = try PublicKey(suite: .sm2SM3, bytes: point)
            let signature = try #require(raw(try read(folder, "signature")))
            #expect(key.isValid(signature: signature, over: Array("数据要素".utf8)))
            #expect(!key.isValid(signature: signature, over: Array("数据".utf8)))
        }
    }

    // SubjectPublicKeyInfo of id-ecPublicKey on the SM2 curve (GM/T 0009 7.1), up to the point.
    static let publicKeyPrefix = hex("3059301306072a8648ce3d020106082a811ccf5501822d034200")

    private func der(_ signature: [UInt8]) -> [UInt8] {
        func integer(_ scalar: ArraySlice<UInt8>) -> [UInt8] {
            var body = Array(scalar.drop { $0 == 0 })
            if body.first.map({ $0 >= 0x80 }) ?? true { body.insert(0, at: 0) }
            return [0x02, UInt8(body.count)] + body
        }
        let body = integer(signature[..<32]) + integer(signature[32...])
        return [0x30, UInt8(body.count)] + body
    }

    private func raw(_ der: [UInt8]) -> [UInt8]? {
        var signature: [UInt8] = []
        var index = 2
        for _ in 0..<2 {
            guard der.count > index + 1 else { return nil }
            let end = index + 2 + Int(der[index + 1])
            guard der.count >= end else { return nil }
            let body = der[(index + 2)..<end].drop { $0 == 0 }
            signature += [UInt8](repeating: 0, count: 32 - body.count) + body
            index = end
        }
        return signature
    }

    private func write(_ folder: URL, _ name: String, _ bytes: [UInt8]) throws {
        try Data(bytes).write(to: folder.appendingPathComponent(name))
    }

    private func read(_ folder: URL, _ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    private func inTemporaryFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("huijin-sm2-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }
}

enum OpenSSLCommand {
    static let path = "/usr/bin/openssl"

    static let hasSM2: Bool = {
        guard FileManager.default.isExecutableFile(atPath: path) else { return false }
        let folder = FileManager.default.temporaryDirectory
        return (try? run(["genpkey", "-algorithm", "SM2"], in: folder)) == 0
    }()

    static func run(_ arguments: [String], in folder: URL) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }
}
