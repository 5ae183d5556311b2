import ArgumentParser
import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Market
import Policy
import Records

struct MemberCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "member", abstract: "Members and their enrolment. / 成员与入网",
        subcommands: [New.self, Enrol.self, Show.self])

    /// `request.json`: what the governor needs to enrol a member. Nothing in it is secret.
    static let requestName = "request.json"

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a member's folder, key and enrolment request. / 生成成员文件夹、密钥与入网申请")

        @Option(help: "Name in Chinese. / 中文名") var nameZh: String
        @Option(help: "Name in English. / 英文名") var nameEn: String
        @Option(help: "Role, repeatable. / 角色，可重复") var role: [String]
        @Option(help: "Corporate group, for conflicts of interest. / 所属集团") var group = ""
        @Option(
            help: "Unified social credit code; a demonstration one is made where absent. / 统一社会信用代码"
        )
        var code: String?
        @Option(
            help: """
                Public: office of who signs, never a natural person's name. / 公开：签署岗位，不得填写自然人姓名
                """)
        var person = "legal representative"
        @Option(help: "Folder to make. / 输出文件夹") var out: String
        @Option(help: "Node address, repeatable. / 节点地址，可重复") var node: [String] = []
        @Option(help: "Genesis file. / 创世文件") var genesis: String
        @Option(help: KeyCost.help) var keyCost: KeyCost = .standard
        @OptionGroup var passphrase: PassphraseOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let chain = try SetupFile.genesis(genesis)
            let roles: [Role] = try Arguments.named(role, "--role")
            let id = try memberID()
            let key = SigningKey.generate(chain.suite)
            let folder = MemberFolder(
                directory: out, member: id, nameZh: nameZh, nameEn: nameEn, nodes: node,
                genesis: URL(filePath: genesis).standardizedFileURL.path)
            try IdentityMaker(passphrase: try passphrase.passphrase(), keyCost: keyCost.value)
                .write(
                    folder, key: key)
            let request: JSONValue = [
                "member": .member(id), "nameZh": .text(nameZh), "nameEn": .text(nameEn),
                "group": .text(group), "roles": .names(roles), "person": .text(person),
                "suite": .text(chain.suite.name),
                "publicKey": .text(Hex.encode(key.publicKey.bytes)),
            ]
            let file = URL(filePath: out).appending(path: MemberCommand.requestName)
            try IdentityMaker.write([UInt8](request.pretty().utf8), to: file)
            try Output.show(
                [
                    "member": .member(id), "directory": .text(out), "request": .text(file.path),
                ], as: output.format)
        }

        private func memberID() throws -> MemberID {
            if let code { return try Arguments.member(code, "--code") }
            var serial: UInt32 = 0
            for byte in SecureRandom.bytes(4) { serial = serial << 8 | UInt32(byte) }
            guard let made = SocialCreditCode.generate(serial: serial % 100_000_000),
                let id = MemberID(made.text)
            else { preconditionFailure("a generated code is well formed") }
            return id
        }
    }

    struct Enrol: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Enrol a member from its request (governor). / 治理机构办理入网")

        @Option(help: "The member's request.json. / 入网申请文件") var request: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let json = try SetupFile.json(request, bytesMax: MemberFolder.fileBytesMax)
            func text(_ name: String) throws -> String {
                guard let text = json[name]?.text else {
                    throw SetupError(
                        file: request, field: name, english: "it must be a text", chinese: "应为文本")
                }
                return text
            }
            guard let bytes = Hex.decode(try text("publicKey")) else {
                throw SetupError(
                    file: request, field: "publicKey", english: "it must be hexadecimal",
                    chinese: "应为十六进制")
            }
            let key: PublicKey
            do {
                key = try PublicKey(suite: client.suite, bytes: bytes)
            } catch {
                let why = Bilingual(error)
                throw SetupError(
                    file: request, field: "publicKey", english: why.english, chinese: why.chinese)
            }
            let member = try Arguments.member(try text("member"), "member")
            let body = MemberEnrol(
                member: member, nameZh: try text("nameZh"), nameEn: try text("nameEn"),
                group: try text("group"),
                roles: try Arguments.named(json["roles"]?.texts ?? [], "roles"), publicKey: key,
                person: try text("person"),
                mandates: [.maker, .checker, .legalRepresentative].sorted())
            try await options.submit(body, with: client) { _ in
                [.init("member", .member(member))]
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A member's record, proven. / 查看成员（经证明）")

        @Argument(help: "Member id. / 成员编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let member = try Arguments.member(id, "ID")
            try await RecordPrinter(options: options).show(.member, [.text(member.text)])
        }
    }
}
