import ArgumentParser
import Client
import Encoding
import Foundation
import LedgerCrypto

struct TransportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transport",
        abstract: "Keys and certificates for links between nodes. / 节点间链路的密钥与证书",
        subcommands: [New.self, Renew.self])

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a transport key and its certificate. / 生成传输密钥与证书",
            discussion: "For an observer, or to change a validator's key. / 用于观察节点，或更换记账节点密钥")

        @Option(help: "Name in the certificate and on the key file. / 名称") var name = "node"
        @OptionGroup var options: NewKeyOptions

        func run() throws {
            let transport = try TransportCertificate(name: name, now: Date())
            try options.make { passphrase, folder in
                try transport.write(
                    to: folder, name: name, suite: options.suite.suite, passphrase: passphrase)
            }
            try Output.show(transport.described, as: options.output.format)
        }
    }

    struct Renew: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make another certificate of a transport key. / 为现有传输密钥签发新证书")

        @Option(help: "The key's file. / 传输密钥文件") var key: String
        @Option(help: "Name in the certificate. / 名称") var name = "node"
        @Option(help: "Certificate file to make. / 要生成的证书文件") var out: String
        @OptionGroup var passphrase: PassphraseOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            guard !FileManager.default.fileExists(atPath: out) else {
                throw SetupError.exists(out)
            }
            let sealed = try SetupFile.read(key, bytesMax: EncryptedKeyFile.fileBytesMax)
            let secret = try passphrase.passphrase()
            let pem: [UInt8]
            do {
                pem = try EncryptedKeyFile.openBytes(sealed, passphrase: secret)
            } catch {
                throw SetupError(file: key, english: error.english, chinese: error.chinese)
            }
            guard
                let transport = try? TransportCertificate(
                    name: name, now: Date(), privateKeyPEM: String(decoding: pem, as: UTF8.self))
            else {
                throw SetupError(
                    file: key, english: "it holds no transport key", chinese: "不是传输密钥文件")
            }
            try IdentityMaker.write(
                [UInt8](transport.certificatePEM.utf8), to: URL(filePath: out))
            try Output.show(transport.described, as: output.format)
        }
    }
}

extension TransportCertificate {
    fileprivate var described: JSONValue { ["transportKey": .text(Hex.encode(publicKey))] }
}
