import ArgumentParser
import Client
import Market
import Records

struct BankCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bank", abstract: "What a settlement bank confirms. / 清结算机构",
        subcommands: [ConfirmDeposit.self, ConfirmWithdrawal.self, Show.self])

    struct ConfirmDeposit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Confirm money that came in. / 确认入金")

        @Option(help: "Member who paid in. / 入金成员") var member: String
        @Option(help: "Amount in fen. / 金额（分）") var fen: UInt64
        @Option(help: "The bank's own reference; only its salted digest is signed. / 流水号")
        var reference: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let body = DepositConfirm(
                member: try Arguments.member(member, "--member"), amountFen: fen,
                referenceCommitment: try Arguments.commit(
                    Array(reference.utf8), label: "deposit reference",
                    folder: try options.folder(), suite: client.suite))
            try await options.submit(body, with: client)
        }
    }

    struct ConfirmWithdrawal: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Confirm that a withdrawal was paid, or could not be. / 确认出金")

        @Argument(help: "Withdrawal id. / 出金编号") var id: String
        @Flag(help: "It could not be paid: the money is available again. / 未能支付，退回可用余额")
        var unpaid = false
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let body = WithdrawalConfirm(
                withdrawal: try Arguments.digest(id, "ID"), paid: !unpaid)
            try await options.submit(body, with: try options.client())
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A bank's totals, proven (the bank, regulator). / 查看清结算机构台账")

        @Argument(help: "Bank's member id. / 清结算机构的成员编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let bank = try Arguments.member(id, "ID")
            try await RecordPrinter(options: options).show(.bank, [.text(bank.text)])
        }
    }
}

struct WithdrawalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "withdrawal", abstract: "Take money out. / 出金",
        subcommands: [Request.self, Show.self])

    struct Request: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Request a withdrawal. / 申请出金")

        @Option(help: "Settlement bank's member id. / 清结算机构") var bank: String
        @Option(help: "Amount in fen. / 金额（分）") var fen: UInt64
        @Option(help: "Account that it goes to; only its salted digest is signed. / 收款账户")
        var destination: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let body = WithdrawalRequest(
                bank: try Arguments.member(bank, "--bank"), amountFen: fen,
                destinationCommitment: try Arguments.commit(
                    Array(destination.utf8), label: "withdrawal destination",
                    folder: try options.folder(), suite: client.suite))
            try await options.submit(body, with: client) { [.init("withdrawal", .hex($0))] }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A withdrawal, proven. / 查看出金")

        @Argument(help: "Withdrawal id. / 出金编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws { try await RecordPrinter(options: options).show(.withdrawal, id) }
    }
}

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Accounts at settlement banks. / 账户",
        subcommands: [Show.self])

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "An account, proven (its member, the bank, regulator). / 查看账户")

        @Option(help: "Member; else the own one. / 成员") var member: String?
        @Option(help: "Settlement bank's member id. / 清结算机构") var bank: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let holder: String
            if let member {
                holder = try Arguments.member(member, "--member").text
            } else {
                guard let folder = try options.folder() else { throw ClientError.noIdentity }
                holder = folder.member.text
            }
            let bank = try Arguments.member(bank, "--bank").text
            try await RecordPrinter(options: options).show(
                .account, [.text(holder), .text(bank)])
        }
    }
}
