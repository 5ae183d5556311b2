import ArgumentParser
import Client
import Files
import Foundation

@main
struct Huijin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "huijin",
        abstract: "Command line of the Huijin data-market ledger. / 汇津数据要素市场账本命令行",
        discussion: """
            Exit codes / 退出码: 0 done, 1 refused by the ledger, 2 not proven or not found, 3 fork, 64 usage, 65 bad data,
            66 no input, 69 unavailable, 70 internal fault, 77 not permitted, 78 configuration.
            Shell completion / 命令补全: huijin --generate-completion-script bash|zsh|fish
            """,
        version: "0.1.0",
        subcommands: [
            NetworkCommand.self, MemberCommand.self, KeyCommand.self, AssetCommand.self,
            OfferCommand.self, LicenceCommand.self, BankCommand.self, WithdrawalCommand.self,
            AccountCommand.self, JobCommand.self, ReviewCommand.self, EvidenceCommand.self,
            PolicyCommand.self, ValidatorCommand.self, TransportCommand.self,
            TransactionCommand.self, AuditCommand.self, ExportCommand.self, WatchCommand.self,
        ])

    static func main() async {
        StandardStreams.holdClosed()
        do {
            var command = try parseAsRoot()
            if var command = command as? AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            guard let failure = Failure(error) else { exit(withError: error) }
            let wantsJSON = CommandLine.arguments.contains("json")
            Output.complain(failure, as: wantsJSON ? .json : .text)
            Foundation.exit(failure.status.rawValue)
        }
    }
}
