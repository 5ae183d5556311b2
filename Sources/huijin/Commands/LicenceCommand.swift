import ArgumentParser
import Client
import LedgerCrypto
import Market
import Records

struct LicenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "licence", abstract: "Licences: request, agree, close. / 许可",
        subcommands: [Request.self, Agree.self, Close.self, Show.self])

    struct Request: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Request a licence on an admitted offer (buyer). / 需求方申请许可")

        @Option(help: "Offer id. / 报价编号") var offer: String
        @Option(help: "Purpose code. / 用途代码") var purpose: String
        @Option(help: "Column, repeatable. / 列，可重复") var columns: [String]
        @Option(help: "Number of uses. / 使用次数") var uses: UInt64
        @Option(
            help:
                "Statement of source, parties, purpose and scope: text or file; only its salted digest is signed. / 说明"
        )
        var statement: String
        @Option(help: "Settlement bank's member id. / 清结算机构") var bank: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let body = LicenceRequest(
                offer: try Arguments.digest(offer, "--offer"),
                bank: try Arguments.member(bank, "--bank"), purpose: purpose,
                columns: Arguments.set(columns), uses: uses,
                statementCommitment: try Arguments.commit(
                    try Arguments.textOrFile(statement), label: "licence statement",
                    folder: try options.folder(), suite: client.suite),
                pseudonymSalt: SecureRandom.bytes(Salted.saltBytes))
            try await options.submit(body, with: client) { [.init("agreement", .hex($0))] }
        }
    }

    struct Agree: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Agree to a request; the price goes into escrow (provider). / 提供方同意")

        @Argument(help: "Licence id. / 许可编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let agreement = try Arguments.digest(id, "ID")
            try await options.submit(
                LicenceAgree(agreement: agreement), with: try options.client()
            ) { _ in [.init("agreement", .hex(agreement))] }
        }
    }

    struct Close: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Close a licence: pay what was used, refund the rest. / 结清许可")

        @Argument(help: "Licence id. / 许可编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let agreement = try Arguments.digest(id, "ID")
            try await options.submit(
                LicenceClose(agreement: agreement), with: try options.client()
            ) { _ in [.init("agreement", .hex(agreement))] }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A licence, proven (parties, regulator). / 查看许可")

        @Argument(help: "Licence id. / 许可编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws { try await RecordPrinter(options: options).show(.agreement, id) }
    }
}
