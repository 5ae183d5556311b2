import ArgumentParser
import Client
import Foundation
import Ledger
import LedgerCrypto

enum SuiteName: String, ExpressibleByArgument, CaseIterable {
    case ed25519
    case sm2

    var suite: Suite {
        switch self {
        case .ed25519: .ed25519SHA256
        case .sm2: .sm2SM3
        }
    }
}

struct NetworkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network", abstract: "Make a network, look at one. / 建网与查看",
        subcommands: [Initialise.self, Status.self])

    struct Initialise: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Make genesis, node folders and the governor's identity. / 生成创世文件与各节点文件夹")

        @Option(help: "Template, such as genesis/demo/network.json. / 网络模板") var template: String
        @Option(help: "Folder to make. / 输出文件夹") var out: String
        @Option(help: "ed25519 or sm2. / 密码套件") var suite: SuiteName = .ed25519
        @Option(help: "First TCP port; free ones are found where absent. / 起始端口") var basePort: Int?
        @Option(
            help: """
                Key file of huijin key new whose public half may decide a recovery when a quorum is lost; repeatable. Kept \
                offline, used for nothing else. / 恢复密钥文件，可重复；离线保管，不作他用
                """)
        var recoveryKey: [String] = []
        @Option(help: "How many of them must sign: more than half. / 恢复所需签名数，须过半")
        var recoveryThreshold: Int?
        @Option(help: KeyCost.help) var keyCost: KeyCost = .standard
        @OptionGroup var passphrase: PassphraseOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let maker = NetworkMaker(
                template: try NetworkTemplate(reading: template), suite: suite.suite,
                directory: URL(filePath: out), passphrase: try passphrase.passphrase(),
                keyCost: keyCost.value, recovery: try recovery())
            let made = try maker.make(basePort: basePort, now: Date())
            try Output.show(
                [
                    "chain": .hex(made.genesis.chain), "suite": .text(made.genesis.suite.name),
                    "genesis": .text(made.genesisFile),
                    "nodes": .list(
                        made.nodes.map {
                            [
                                "name": .text($0.name), "member": .member($0.member),
                                "config": .text($0.config), "api": .text($0.api),
                                "listen": .text($0.listen),
                            ]
                        }),
                    "governor": .text(made.governor),
                ], as: output.format)
        }

        private func recovery() throws -> RecoveryRule? {
            guard !recoveryKey.isEmpty || recoveryThreshold != nil else { return nil }
            let keys = try recoveryKey.map { try KeyCommand.publicKey(in: $0) }
            guard let recoveryThreshold,
                let rule = RecoveryRule(threshold: recoveryThreshold, keys: keys),
                rule.suite == suite.suite
            else {
                throw Failure(
                    .usage,
                    "--recovery-key names 1 to \(RecoveryRule.keysMax) different keys of the suite "
                        + "\(suite.rawValue), and --recovery-threshold is more than half of their number, and not more "
                        + "than all",
                    "--recovery-key 应为 1 至 \(RecoveryRule.keysMax) 个不同的 \(suite.rawValue) 密钥，"
                        + "--recovery-threshold 须过半且不超过总数")
            }
            return rule
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What the nodes say of themselves; nothing of it is proven. / 节点状态（未经证明）")

        @Flag(help: "Every known node. / 全部节点") var all = false
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client(signing: false)
            guard all else {
                try Output.show(try await client.status(), as: options.format)
                return
            }
            let nodes = await client.statusOfAll().map { node, result -> JSONValue in
                let head: JSONValue = ["api": .text(node)]
                switch result {
                case .success(let status):
                    return head.adding([.init("reachable", .bool(true))] + (status.members ?? []))
                case .failure(let error):
                    return head.adding([
                        .init("reachable", .bool(false)), .init("reason", .text("\(error)")),
                    ])
                }
            }
            try Output.show(["nodes": .list(nodes)], as: options.format)
        }
    }
}
