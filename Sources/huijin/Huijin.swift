import ArgumentParser
import Client
import Foundation
import Programs

@main
struct Huijin: Program {
    static let configuration = CommandConfiguration(
        commandName: "huijin",
        abstract: "Command line of the Huijin data-market ledger. / 汇津数据要素市场账本命令行",
        discussion: """
            Exit codes / 退出码: 0 done, 1 refused by the ledger, 2 not proven or not found, 3 fork, 64 usage, 65 bad data,
            66 no input, 69 unavailable, 70 internal fault, 73 cannot be written (disk full, read-only, a file of that name,
            a trust file in use), 77 not permitted, 78 configuration.
            --output json: one JSON object on standard output for a failure too / 失败时标准输出也有一个 JSON 对象: {"codeName", "message"}.
            Shell completion / 命令补全: huijin --generate-completion-script bash|zsh|fish
            """,
        version: "0.1.0",
        subcommands: [
            NetworkCommand.self, MemberCommand.self, KeyCommand.self, AssetCommand.self,
            OfferCommand.self, LicenceCommand.self, BankCommand.self, WithdrawalCommand.self,
            AccountCommand.self, JobCommand.self, ReviewCommand.self, EvidenceCommand.self,
            PolicyCommand.self, ValidatorCommand.self, TransportCommand.self,
            TransactionCommand.self, AuditCommand.self, ExportCommand.self, WatchCommand.self,
            ForkCommand.self,
        ])

    static func end(with error: any Error) -> Never {
        let format = OutputFormat(askedBy: CommandLine.arguments)
        if let failure = Failure(error) {
            Output.complain(failure, as: format)
            Foundation.exit(failure.status.rawValue)
        }
        let chinese = chineseUsage(for: error)
        if format == .json, !exitCode(for: error).isSuccess {
            Output.explain(usage: message(for: error), chinese)
        }
        if let chinese { Output.progress("错误：\(chinese)") }
        exit(withError: error)
    }
}
