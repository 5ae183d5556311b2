import ArgumentParser
import Client
import LedgerCrypto
import Market
import Policy
import Records

struct OfferCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "offer", abstract: "Terms on which an asset is licensed. / 报价与准入",
        subcommands: [Publish.self, Admit.self, Show.self])

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish an offer (provider). / 发布报价（提供方）")

        @Option(help: "Asset id. / 资产编号") var asset: String
        @Option(help: "Venue's member id. / 交易机构") var venue: String
        @Option(help: "Sandbox operator's member id. / 沙箱运营方") var sandbox: String
        @Option(help: "Price of one use, in fen. / 每次价格（分）") var price: UInt64
        @Option(help: "Purpose code, repeatable. / 用途代码，可重复") var purpose: [String]
        @Option(help: "Column that may be used, repeatable. / 可用列，可重复") var columns: [String]
        @Option(help: "Days that a licence lasts. / 许可天数") var days: UInt64
        @Option(help: "Most uses of one licence. / 最多使用次数") var uses: UInt64
        @Option(help: "Least entities in an output group; else the policy's. / 最小分组")
        var groupMinimum: UInt64?
        @OptionGroup var options: NodeOptions

        static let dayMs: UInt64 = 86_400_000

        func run() async throws {
            let client = try options.client()
            let minimum: UInt64
            if let groupMinimum {
                minimum = groupMinimum
            } else {
                let review = try await client.policy(PolicyRecord.review).value
                minimum = UInt64(max(0, review?.number(StandardPolicies.groupMinimum) ?? 0))
            }
            let (durationMs, overflow) = days.multipliedReportingOverflow(by: Publish.dayMs)
            guard !overflow else {
                throw Failure(.usage, "--days is too large", "--days 过大")
            }
            let body = OfferPublish(
                asset: try Arguments.digest(asset, "--asset"),
                venue: try Arguments.member(venue, "--venue"),
                sandboxOperator: try Arguments.member(sandbox, "--sandbox"), priceFen: price,
                purposes: Arguments.set(purpose), columns: Arguments.set(columns),
                durationMs: durationMs, usesMax: uses, groupMinimum: minimum)
            try await options.submit(body, with: client) { [.init("offer", .hex($0))] }
        }
    }

    struct Admit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Admit an offer (venue). / 准入报价（交易机构）")

        @Argument(help: "Offer id. / 报价编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let offer = try Arguments.digest(id, "ID")
            try await options.submit(OfferAdmit(offer: offer), with: try options.client()) { _ in
                [.init("offer", .hex(offer))]
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "An offer, proven. / 查看报价")

        @Argument(help: "Offer id. / 报价编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws { try await RecordPrinter(options: options).show(.offer, id) }
    }
}
