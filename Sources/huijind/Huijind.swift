import API
import ArgumentParser
import Encoding
import Foundation
import Logging
import Node
import Programs
import Storage

/// The node of one validator.
@main
struct Huijind: Program {
    static let configuration = CommandConfiguration(
        commandName: "huijind",
        abstract: "A Huijin node: a validator, or an observer / 汇津节点：记账或观察",
        discussion: """
            Exit codes / 退出码:
              0   stopped as asked / 正常停止
              28  the disk is full; nothing acknowledged is lost / 磁盘已满，已确认的数据没有丢失
              64  wrong usage / 用法错误
              70  stopped rather than contradict a quorum / 为不与法定多数矛盾而停止
              74  a file or port failed / 文件或端口出错
              78  wrong configuration / 配置错误
            """,
        version: "huijind \(NodeVersion.text)",
        subcommands: [
            Run.self, Check.self, Backup.self, RecoveryCommand.self, Version.self,
        ])
}

/// What the process ends with; `--help` lists them.
enum Exit {
    static let diskFull = ExitCode(28)
    static let fault = ExitCode(70)
    static let inputOutput = ExitCode(74)
    static let configuration = ExitCode(78)
}

struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The node's configuration file / 节点配置文件", valueName: "node.json"))
    var config: String

    @Option(
        help: ArgumentHelp(
            "A file whose first line is the passphrase of the key files; otherwise HUIJIN_PASSPHRASE "
                + "is read / 口令文件（首行为密钥口令）；未指定时取环境变量 HUIJIN_PASSPHRASE",
            valueName: "file"))
    var passphraseFile: String?

    func read() throws(ConfigurationError) -> NodeConfiguration {
        try NodeConfiguration.load(config, passphrase: try Passphrase.read(file: passphraseFile))
    }

    func load() throws -> NodeConfiguration {
        do throws(ConfigurationError) {
            return try read()
        } catch {
            try Huijind.fail(error.description, Exit.configuration)
        }
    }
}

struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check a configuration and open its keys, without starting / 检查配置和密钥，不启动")

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let configuration = try options.load()
        let genesis = configuration.genesis
        print("network / 网络: \(genesis.name)")
        print("chain / 链: \(genesis.chain)")
        print("suite / 密码套件: \(genesis.suite.name)")
        let role = configuration.isObserver ? "observer / 观察节点" : "validator / 记账节点"
        let seat = configuration.seat.map { " (\($0 + 1)/\(genesis.validators.count))" }
        print("\(role): \(configuration.name)\(seat ?? "")")
        if let key = configuration.votingKey {
            print("voting key / 投票公钥: \(Hex.encode(key.publicKey.bytes))")
        }
        print("transport key / 传输公钥: \(Hex.encode(configuration.transport.publicKey))")
        if let listen = configuration.listen { print("listen / 对端监听: \(listen)") }
        print("api / 接口: \(configuration.api)")
        print("data / 数据文件夹: \(configuration.dataDirectory)")
        for peer in configuration.peers {
            if let address = peer.address {
                print("peer / 对端: \(peer.name) \(address)")
            } else {
                print("observer / 观察节点: \(peer.name)")
            }
        }
        print("configuration: ok / 配置：正确")
    }
}

struct Backup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Copy the final ledger, without vote state, while the node runs / 备份已终局账本（不含投票状态），无须停机")

    @OptionGroup var options: ConfigurationOptions
    @Option(help: ArgumentHelp("A folder without a ledger / 不含账本的文件夹", valueName: "folder"))
    var out: String

    func run() throws {
        let configuration = try options.load()
        do throws(StorageError) {
            let height = try LedgerBackup.write(
                of: configuration.dataDirectory + "/ledger.db", chain: configuration.genesis.chain,
                to: out)
            print("height / 高度: \(height)")
        } catch {
            try Huijind.fail(error.description, error.isDiskFull ? Exit.diskFull : Exit.inputOutput)
        }
    }
}

struct Version: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Print the version / 显示版本")

    func run() { print("huijind \(NodeVersion.text)") }
}
