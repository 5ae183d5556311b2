import ArgumentParser
import Client
import Encoding
import Foundation
import LedgerCrypto
import Market
import Records

struct KeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key", abstract: "Signing keys. / 签名密钥",
        subcommands: [New.self, Inspect.self, Register.self, Revoke.self])

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an encrypted key file. / 生成加密密钥文件")

        @Option(help: "What the key is for; readable without the passphrase. / 用途说明")
        var label = "signing key"
        @OptionGroup var options: NewKeyOptions

        func run() throws {
            let key = SigningKey.generate(options.suite.suite)
            try options.make { passphrase, file in
                let sealed = try EncryptedKeyFile.seal(key, label: label, passphrase: passphrase)
                try IdentityMaker.write(sealed, to: file, isSecret: true)
            }
            try Output.show(KeyCommand.describe(key.publicKey), as: options.output.format)
        }
    }

    struct Inspect: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What a key file says without its passphrase. / 查看密钥文件")

        @Argument(help: "Key file. / 密钥文件") var file: String
        @OptionGroup var output: OutputOptions

        func run() throws {
            let bytes = try SetupFile.read(file, bytesMax: EncryptedKeyFile.fileBytesMax)
            let answer: JSONValue
            do {
                let header = try EncryptedKeyFile.inspect(bytes)
                let head: JSONValue = ["label": .text(header.label)]
                let key = try? PublicKey(suite: header.suite, bytes: header.publicKey)
                answer = head.adding(key.map { KeyCommand.describe($0).members ?? [] } ?? [])
            } catch {
                throw SetupError(file: file, english: error.english, chinese: error.chinese)
            }
            try Output.show(answer, as: output.format)
        }
    }

    struct Register: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register one more key of the own member. / 登记新密钥")

        @Option(help: "Key file; its public part is registered. / 密钥文件") var file: String
        @Option(
            help: """
                Public: office of who signs with it, such as legal representative; never a natural person's name. / \
                公开：签署岗位，如“法定代表人”，不得填写自然人姓名
                """)
        var person: String
        @Option(help: "Mandate, repeatable. / 授权，可重复") var mandate: [String]
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let key = try KeyCommand.publicKey(in: file)
            let body = KeyRegister(
                publicKey: key, person: person,
                mandates: try Arguments.named(mandate, "--mandate"))
            try await options.submit(body, with: client) { _ in
                [.init("key", .text(key.keyID.hex))]
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Revoke a key of the own member. / 注销密钥")

        @Argument(help: "Key id, 32 hexadecimal digits. / 密钥编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            guard let bytes = Hex.decode(id), let keyID = KeyID(bytes: bytes) else {
                throw Failure(
                    .usage, "ID must be 32 lower-case hexadecimal digits, not \(id)",
                    "ID 应为 32 位小写十六进制")
            }
            try await options.submit(KeyRevoke(keyID: keyID), with: try options.client())
        }
    }

    /// The public half of a key file, for which no passphrase is needed.
    static func publicKey(in file: String) throws -> PublicKey {
        let bytes = try SetupFile.read(file, bytesMax: EncryptedKeyFile.fileBytesMax)
        do {
            let header = try EncryptedKeyFile.inspect(bytes)
            return try PublicKey(suite: header.suite, bytes: header.publicKey)
        } catch {
            let why = Bilingual(error)
            throw SetupError(
                file: file, english: "it is not a usable key file: \(why.english)",
                chinese: "不是可用的密钥文件：\(why.chinese)")
        }
    }

    static func describe(_ key: PublicKey) -> JSONValue {
        [
            "suite": .text(key.suite.name), "key": .text(key.keyID.hex),
            "publicKey": .text(Hex.encode(key.bytes)),
        ]
    }
}
