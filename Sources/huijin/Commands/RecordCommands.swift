import ArgumentParser
import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records

struct EvidenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "evidence", abstract: "Deposit evidence. / 存证",
        subcommands: [Record.self, Show.self])

    struct Record: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Record a file's salted digest. / 存入文件的加盐摘要")

        @Option(help: "File; it stays here. / 文件，不上链") var file: String
        @Option(help: "Media type. / 内容类型") var mediaType = "application/octet-stream"
        @Option(help: "A remark that members can read. / 备注") var note = ""
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let bytes = try SetupFile.read(file, bytesMax: Arguments.textFileBytesMax)
            let body = RecordEvidence(
                commitment: try Arguments.commit(
                    bytes, label: file, folder: try options.folder(), suite: client.suite),
                mediaType: mediaType, note: note)
            try await options.submit(body, with: client) { [.init("evidence", .hex($0))] }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "A deposit, proven. / 查看存证")

        @Argument(help: "Evidence id. / 存证编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws { try await RecordPrinter(options: options).show(.evidence, id) }
    }
}

struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy", abstract: "Versioned rules of the market. / 市场规则",
        subcommands: [SetPolicy.self, Show.self])

    struct SetPolicy: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set", abstract: "Set entries of a policy (governor). / 设置规则")

        @Argument(help: "Policy name. / 规则名") var name: String
        @Option(help: "ENTRY=NUMBER or ENTRY=TEXT, repeatable; the others stay. / 条目")
        var entry: [String]
        @Option(help: "commercial or mandatory, for a new policy. / 类别") var tag = "mandatory"
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let present = try await client.policy(name).value
            var values: [String: PolicyValue] = [:]
            for old in present?.entries ?? [] { values[old.name] = old.value }
            for text in entry {
                guard let equals = text.firstIndex(of: "=") else {
                    throw Failure(
                        .usage, "--entry must be NAME=VALUE, not \(text)", "--entry 应为 名称=取值")
                }
                let value = String(text[text.index(after: equals)...])
                values[String(text[..<equals])] = Int64(value).map { .number($0) } ?? .text(value)
            }
            let body = PolicySet(
                name: name, version: (present?.version ?? 0) + 1,
                tag: try present?.tag ?? Arguments.named(tag, "--tag"),
                entries: values.map { PolicyEntry($0.key, $0.value) }.sorted())
            try await options.submit(body, with: client)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "A policy, proven. / 查看规则")

        @Argument(help: "Policy name. / 规则名") var name: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            try await RecordPrinter(options: options).show(.policy, [.text(name)])
        }
    }
}

struct TransactionCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tx", abstract: "Transactions as such. / 交易",
        subcommands: [Show.self, Make.self, Submit.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "What became of a transaction, on the node's word; prove it with audit. / 查询交易")

        @Argument(help: "Transaction id. / 交易编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client(signing: try options.folder() != nil)
            let digest = try Arguments.digest(id, "ID")
            try Output.show(
                try await client.json("/v1/transactions/\(digest.hex)").shortened,
                as: options.format)
        }
    }

    struct Make: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sign any body and write the envelope to a file. / 签名并写入文件",
            discussion: """
                Several bodies are signed at once, under the root of their batch, and written to OUT.1, OUT.2 and so on;
                each file is valid without the others.
                多个正文作为一个批次一次签名，分别写入 OUT.1、OUT.2 等文件，各自独立有效。
                """)

        @Option(help: "Kind, such as evidence.record. / 交易种类") var kind: String
        @Option(help: "Body: hexadecimal CBOR map; may be repeated. / 正文（十六进制 CBOR），可重复")
        var body: [String]
        @Option(help: "Last valid height. / 最后有效高度") var lastValidHeight: UInt64
        @Option(help: "File to write. / 输出文件") var out: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            guard let identity = client.identity else { throw ClientError.noIdentity }
            guard let known = TransactionKind.allCases.first(where: { $0.name == kind }) else {
                let names = TransactionKind.allCases.map(\.name).joined(separator: ", ")
                throw Failure(.usage, "--kind must be one of \(names)", "--kind 可取 \(names)")
            }
            let most = LedgerLimits.batchSizes.upperBound
            guard (1...most).contains(body.count) else {
                throw Failure(.usage, "1 to \(most) bodies", "正文为 1 至 \(most) 个")
            }
            let transactions = try body.map { body in
                guard let bytes = Hex.decode(body), (try? CBORValue.decode(bytes)) != nil else {
                    throw Failure(
                        .badData, "--body must be one deterministic CBOR item in hexadecimal",
                        "--body 应为确定性 CBOR 的十六进制")
                }
                return Transaction(
                    kind: known.rawValue, nonce: SecureRandom.bytes(LedgerLimits.nonceBytes),
                    lastValidHeight: lastValidHeight, member: identity.member, body: bytes)
            }
            guard transactions.count > 1 else {
                let envelope = Envelope.sign(
                    transactions[0], chain: client.chain, with: identity.key)
                let written = try write(transactions[0], envelope, to: out, client)
                return try Output.show(written, as: options.format)
            }
            let envelopes = Envelope.signBatch(
                transactions, chain: client.chain, with: identity.key)
            let written = try zip(transactions, envelopes).enumerated().map { index, item in
                try write(item.0, item.1, to: "\(out).\(index + 1)", client)
            }
            try Output.show(["envelopes": .list(written)], as: options.format)
        }

        private func write(
            _ transaction: Transaction, _ envelope: [UInt8], to file: String,
            _ client: HuijinClient
        ) throws -> JSONValue {
            try IdentityMaker.write(envelope, to: URL(filePath: file))
            return [
                "file": .text(file), "envelope": .hex(client.suite.digest(envelope)),
                "transaction": .hex(
                    Transaction.id(
                        payload: transaction.encoded, chain: client.chain, suite: client.suite)),
            ]
        }
    }

    struct Submit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Post an envelope file as it is. / 提交信封文件")

        @Argument(help: "File with one envelope. / 信封文件") var file: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client(signing: false)
            let bytes = try SetupFile.read(file, bytesMax: LedgerLimits.envelope.bytesMax * 2)
            let answers = try await client.post([bytes])
            try options.show(answers[0])
        }
    }
}
