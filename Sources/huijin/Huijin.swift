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
        ])

    static func main() async {
        StandardStreams.holdClosed()
        do {
            try RawArguments.check()
            var command = try parseAsRoot()
            try requireSubcommand(of: type(of: command))
            if var command = command as? AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let format = OutputFormat(askedBy: CommandLine.arguments)
            guard let failure = Failure(error) else {
                if format == .json, !exitCode(for: error).isSuccess {
                    let text = message(for: error)
                    Output.explain(Failure(.usage, text, "用法错误"), as: format)
                }
                exit(withError: error)
            }
            Output.complain(failure, as: format)
            Foundation.exit(failure.status.rawValue)
        }
    }

    /// Without one the library shows help and reports success, which a script takes for an answer.
    private static func requireSubcommand(of command: any ParsableCommand.Type) throws {
        let subcommands = command.configuration.subcommands
        guard !subcommands.isEmpty else { return }
        let names = subcommands.map { $0._commandName }.joined(separator: ", ")
        let name = command == Huijin.self ? "huijin" : "huijin \(command._commandName)"
        throw Failure(
            .usage, "\(name) needs a subcommand: \(names); see \(name) --help",
            "\(name) 须给出子命令：\(names)；见 \(name) --help")
    }
}
