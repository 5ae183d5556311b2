import ArgumentParser
import Client
import Foundation
import Programs
import Sandbox

/// The provider's side of the market: tables stay here, jobs come in, reviewed aggregates go out.
struct HuijinSandboxd: Program {
    static let configuration = CommandConfiguration(
        commandName: "huijin-sandboxd",
        abstract: "The sandbox beside a provider's data / 数据提供方沙箱",
        discussion: """
            Exit codes / 退出码:
              0   done / 完成
              3   two certified histories are known (trust file) / 已知存在两份经认证的历史（信任文件）
              64  wrong usage / 用法错误
              65  bad data in the table's file / 数据文件有误
              66  a file cannot be read / 文件无法读取
              69  no isolation, or the ledger is out of reach / 无法隔离或账本不可达
              74  a file or port failed / 文件或端口出错
              78  wrong configuration / 配置错误
            """,
        version: "huijin-sandboxd 0.1.0",
        subcommands: [Run.self, Load.self])
}

enum Exit {
    static let fork = ExitCode(3)
    static let badData = ExitCode(65)
    static let noInput = ExitCode(66)
    static let unavailable = ExitCode(69)
    static let inputOutput = ExitCode(74)
    static let configuration = ExitCode(78)
}

struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: [.short, .long],
        help: ArgumentHelp("The sandbox's configuration file / 沙箱配置文件", valueName: "sandbox.json"))
    var config: String

    func load() throws -> SandboxConfiguration {
        do throws(SetupError) {
            return try SandboxConfiguration(reading: config)
        } catch {
            try HuijinSandboxd.fail(
                error.description, error.isMissing ? Exit.noInput : Exit.configuration)
        }
    }
}
