import ArgumentParser
import Client
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records

/// Where the passphrase of encrypted keys comes from.
struct PassphraseOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "File with the passphrase (else HUIJIN_PASSPHRASE). / 口令文件，缺省用环境变量 HUIJIN_PASSPHRASE"))
    var passphraseFile: String?

    func passphrase() throws -> String { try Passphrase.read(file: passphraseFile) }
}

/// How slow opening a new key is made, for whoever steals its file and for its owner.
enum KeyCost: String, ExpressibleByArgument, CaseIterable {
    case standard
    case minimal

    static let help: ArgumentHelp =
        "Cost of opening new keys: standard, or minimal for throw-away ones. / 密钥派生代价"

    var value: KeyDerivationCost {
        switch self {
        case .standard: .standard
        case .minimal: .minimal
        }
    }
}

struct OutputOptions: ParsableArguments {
    @Option(name: .customLong("output"), help: "text or json. / 输出格式")
    var format: OutputFormat = .text
}

extension SetupError {
    /// What a command would make is there already.
    static func exists(_ file: String) -> SetupError {
        SetupError(
            file: file, english: "there is such a file already; choose another name",
            chinese: "文件已存在，请另选文件名", isUnwritable: true)
    }
}

/// The options of every command that makes keys.
struct NewKeyOptions: ParsableArguments {
    @Option(help: "ed25519 or sm2. / 密码套件") var suite: SuiteName = .ed25519
    @Option(help: "File or folder to make. / 要生成的文件或文件夹") var out: String
    @OptionGroup var passphrase: PassphraseOptions
    @OptionGroup var output: OutputOptions

    /// Makes what `out` names, which must not exist yet.
    ///
    /// - Parameter body: given the passphrase that seals the key files.
    func make(_ body: (_ passphrase: String, _ out: URL) throws -> Void) throws {
        guard !FileManager.default.fileExists(atPath: out) else {
            throw SetupError.exists(out)
        }
        do {
            try body(try passphrase.passphrase(), URL(filePath: out))
        } catch let error as KeyFileError {
            throw SetupError(file: out, english: error.english, chinese: error.chinese)
        }
    }
}

/// The options of every command that talks to a node.
struct NodeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Member folder (else HUIJIN_IDENTITY). / 成员文件夹，缺省用环境变量 HUIJIN_IDENTITY"))
    var identity: String?

    @Option(help: "Node address, repeatable; else from the member folder. / 节点地址，可重复")
    var node: [String] = []

    @Option(help: "Genesis file; else from the member folder. / 创世文件")
    var genesis: String?

    @Option(
        help: ArgumentHelp(
            "File with what is trusted (huijin-verify --trust); it is only read, but by watch. / 信任文件"
        ))
    var trust: String?

    @OptionGroup var passphrase: PassphraseOptions
    @OptionGroup var output: OutputOptions

    var format: OutputFormat { output.format }

    private var folderPath: String? {
        identity ?? ProcessInfo.processInfo.environment["HUIJIN_IDENTITY"]
    }

    func folder() throws -> MemberFolder? {
        guard let folderPath else { return nil }
        return try MemberFolder(reading: folderPath)
    }

    /// A client that trusts the genesis, and what the trust file holds.
    ///
    /// - Parameters:
    ///   - signing: open the identity's key; without one a public question is asked anonymously.
    ///   - reading: read the trust file, where one is given.
    func client(
        signing: Bool = true, reading: Bool = true,
        limits: HuijinClient.Limits = HuijinClient.Limits()
    ) throws -> HuijinClient {
        let folder = try folder()
        if signing, folder == nil { throw ClientError.noIdentity }
        let chain: Genesis
        if let genesis {
            chain = try SetupFile.genesis(genesis)
        } else if let folder {
            chain = try folder.readGenesis()
        } else {
            throw Failure(
                .usage, "no genesis; give --genesis FILE or --identity DIR",
                "没有创世文件，请用 --genesis 或 --identity 指定")
        }
        let nodes = try nodes(folder)
        let trusted = try reading ? trusted(of: chain, TrustFile.read) : nil
        let known = try signing ? folder?.identity(passphrase: passphrase.passphrase()) : nil
        return try HuijinClient(
            nodes: nodes, genesis: chain, trust: trusted, identity: known, limits: limits)
    }

    /// Those named, else the member folder's; what is wrong with one of these is a mistake in its file.
    private func nodes(_ folder: MemberFolder?) throws -> [String] {
        guard node.isEmpty, let folder else { return node }
        for node in folder.nodes {
            do throws(ClientError) {
                _ = try NodeAddress(node)
            } catch {
                throw SetupError(
                    file: Paths.join(folder.directory, MemberFolder.fileName), field: "node",
                    english: error.english, chinese: error.chinese)
            }
        }
        return folder.nodes
    }

    /// What the trust file holds, which is of the ledger that is asked.
    ///
    /// - Parameter read: `TrustFile.read` or `TrustFile.contested`.
    func trusted(
        of genesis: Genesis, _ read: (TrustFile) -> () throws -> TrustedChain
    ) throws -> TrustedChain? {
        guard let trust else { return nil }
        let trusted = try read(TrustFile(trust))()
        guard trusted.chain == genesis.chain else {
            throw SetupError(
                file: trust,
                english:
                    "it is of the ledger \(trusted.chain.hex), and the genesis of \(genesis.chain.hex); name the trust file or the genesis of the same ledger",
                chinese:
                    "属于账本 \(trusted.chain.hex)，而创世文件属于 \(genesis.chain.hex)；请指定同一账本的信任文件或创世文件")
        }
        return trusted
    }

    /// Submits a body and shows what became of it.
    ///
    /// - Parameter subject: name and value of what an accepted transaction made, given its id.
    func submit(
        _ body: some TransactionBody, with client: HuijinClient,
        subject: (Digest) -> [JSONValue.JSONMember] = { _ in [] }
    ) async throws {
        try body.checked()
        let answer = try await client.submit(body)
        try show(answer, subject: subject)
    }

    func show(
        _ answer: SubmissionAnswer, subject: (Digest) -> [JSONValue.JSONMember] = { _ in [] }
    ) throws {
        let json = answer.json.adding(answer.id.map(subject) ?? [])
        if answer.isAccepted {
            try Output.show(json, as: format)
            return
        }
        if answer.status == .received {
            throw Failure(
                .unavailable, "received, but not final in time; ask again with: huijin tx show",
                "已收到，但未在限时内终局；请稍后用 huijin tx show 查询", answer: json)
        }
        throw Failure(
            .refused, "refused: \(answer.code.messageEn) (\(answer.code.name))",
            "被拒绝：\(answer.code.messageZh)", answer: json)
    }
}

extension TransactionBody {
    /// The stateless check before anything is signed, so that a slip costs no refusal on the ledger.
    func checked() throws {
        do {
            try check()
        } catch {
            throw Failure(
                .badData, "\(Self.kind.name): \(error.messageEn) (\(error.name))",
                "\(Self.kind.titleZh)：\(error.messageZh)")
        }
    }
}
