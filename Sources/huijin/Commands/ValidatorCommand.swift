import ArgumentParser
import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Market
import Records

struct ValidatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validator",
        abstract: "Validators: keys of a new node, seats. / 记账节点：新节点密钥与席位",
        subcommands: [
            Keys.self, Join.self, Leave.self, Replace.self, ReportEquivocation.self,
        ])

    struct Keys: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a node's voting key, transport key and certificate. / 生成节点密钥与证书")

        @Option(help: "Name in the certificate and on the key files. / 名称")
        var name = "validator"
        @OptionGroup var options: NewKeyOptions

        func run() throws {
            let voting = SigningKey.generate(options.suite.suite)
            let transport = try TransportCertificate(name: name, now: Date())
            try options.make { passphrase, folder in
                let sealed = try EncryptedKeyFile.seal(
                    voting, label: "voting key of \(name)", passphrase: passphrase)
                try IdentityMaker.write(
                    sealed, to: folder.appending(path: "voting.key"), isSecret: true)
                try transport.write(
                    to: folder, name: name, suite: options.suite.suite, passphrase: passphrase)
            }
            try Output.show(
                KeyCommand.describe(voting.publicKey).adding([
                    .init("transportKey", .text(Hex.encode(transport.publicKey)))
                ]), as: options.output.format)
        }
    }

    /// The public halves of a node's new keys.
    struct NewKeys: ParsableArguments {
        @Option(help: "New public voting key, hexadecimal. / 新投票公钥") var votingKey: String
        @Option(help: "New public transport key, hexadecimal. / 新传输公钥")
        var transportKey: String

        func parsed(_ suite: Suite) throws -> (voting: PublicKey, transport: [UInt8]) {
            guard let bytes = Hex.decode(votingKey),
                let voting = try? PublicKey(suite: suite, bytes: bytes)
            else {
                throw Failure(
                    .usage, "--voting-key must be a public key of the suite \(suite.name)",
                    "--voting-key 应为 \(suite.name) 公钥")
            }
            guard let transport = Hex.decode(transportKey),
                transport.count == ValidatorRules.transportKeyBytes
            else {
                throw Failure(
                    .usage,
                    "--transport-key must be \(2 * ValidatorRules.transportKeyBytes) hexadecimal digits",
                    "--transport-key 应为 \(2 * ValidatorRules.transportKeyBytes) 位小写十六进制")
            }
            return (voting, transport)
        }
    }

    /// The node that is to vote with the new keys.
    struct Newcomer: ParsableArguments {
        @Option(
            help: ArgumentHelp(
                "Address of its API: nothing is sent unless it has the others' blocks. / 新节点接口地址，未追上区块则不提交"
            ))
        var newcomer: String?

        /// Blocks by which it may be behind while all of them go on.
        static let behindMax: UInt64 = 64

        /// A seat whose node does not run counts as a fault: two of them may stop a ledger of four.
        ///
        /// - Throws: `Failure` where the node is of another ledger or behind, `ClientError` where it does not answer.
        func check(against client: HuijinClient) async throws {
            guard let newcomer else { return }
            let joining = try HuijinClient(nodes: [newcomer], genesis: client.genesis)
            let (height, furthest) = try await client.statedHeight(without: joining.nodes[0])
            let status = try await joining.status()
            guard status["chain"]?.text == client.chain.hex else {
                throw Failure(
                    .badData, "\(newcomer) is a node of another ledger",
                    "\(newcomer) 属于另一账本")
            }
            let reached = status["height"]?.unsigned ?? 0
            guard reached >= height || height - reached <= Self.behindMax else {
                throw Failure(
                    .unavailable,
                    "\(newcomer) has \(reached) of the \(height) blocks of \(furthest); wait until it has them all",
                    "\(furthest) 有 \(height) 个区块，\(newcomer) 只有 \(reached) 个，请待其追上")
            }
        }
    }

    struct Join: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a member a seat; for the governor. / 授予记账席位（治理机构）")

        @Option(help: "The validator's member id. / 成员编号") var member: String
        @OptionGroup var keys: NewKeys
        @OptionGroup var node: Newcomer
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let id = try Arguments.member(member, "--member")
            let client = try options.client()
            let new = try keys.parsed(client.suite)
            try await node.check(against: client)
            try await options.submit(
                ValidatorJoin(member: id, votingKey: new.voting, transportKey: new.transport),
                with: client)
        }
    }

    struct Leave: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take a seat away; for the governor or its member. / 退出记账席位")

        @Argument(help: "Id of the seat's voting key, 32 hexadecimal digits. / 投票密钥编号")
        var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            try await options.submit(
                ValidatorLeave(votingKey: try ValidatorCommand.keyID(id)),
                with: try options.client())
        }
    }

    struct Replace: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Replace the keys of a seat; for the governor or its member. / 更换席位密钥")

        @Argument(help: "Id of the seat's present voting key, 32 hexadecimal digits. / 现投票密钥编号")
        var id: String
        @OptionGroup var keys: NewKeys
        @OptionGroup var node: Newcomer
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let new = try keys.parsed(client.suite)
            let replaced = try ValidatorCommand.keyID(id)
            try await node.check(against: client)
            try await options.submit(
                ValidatorReplace(
                    replacedKey: replaced, votingKey: new.voting,
                    transportKey: new.transport), with: client)
        }
    }

    struct ReportEquivocation: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "report-equivocation",
            abstract: "Prove that a validator contradicted itself; any member may. / 记账节点双签举证")

        @Argument(help: "A file equivocation-….cbor out of a node's data folder. / 节点数据文件夹中的举证文件")
        var file: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let bytes = try SetupFile.read(file, bytesMax: LedgerLimits.envelope.bytesMax)
            let proof: ValidatorEquivocation
            do throws(CBORError) {
                proof = try ValidatorEquivocation.decode(bytes, limits: LedgerLimits.envelope)
            } catch {
                throw Failure(
                    .badData, "\(file) is no proof of equivocation: \(error.english)",
                    "\(file) 不是双签举证文件：\(error.chinese)")
            }
            try await options.submit(proof, with: try options.client())
        }
    }

    private static func keyID(_ text: String) throws -> KeyID {
        guard let bytes = Hex.decode(text), let id = KeyID(bytes: bytes) else {
            throw Failure(
                .usage, "ID must be 32 lower-case hexadecimal digits, not \(text)",
                "ID 应为 32 位小写十六进制")
        }
        return id
    }
}
