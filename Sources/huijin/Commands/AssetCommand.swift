import ArgumentParser
import Client
import Encoding
import Foundation
import Interchange
import LedgerCrypto
import LightClient
import Market
import Records

struct AssetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "asset", abstract: "Data assets and rights. / 数据资产与权益",
        subcommands: [
            Register.self, Import.self, Approve.self, Attest.self, Search.self, Show.self,
            Export.self,
        ])

    struct Register: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register an asset (provider). / 提供方申请登记",
            discussion: """
                The description is a JSON object: code, titleZh, titleEn, keywords, columns [{name, type}], entityKey, rowCount, \
                dataCommitment, source, sourceURL, ownerClass, level, grade, rights. `huijin-sandboxd load` prints the middle part.
                """)

        @Option(help: "Description file. / 资产说明文件") var description: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let body = try AssetDescription(reading: description).body()
            guard let provider = client.identity?.member else { throw ClientError.noIdentity }
            let asset = AssetRecord.id(
                provider: provider, code: body.code, suite: client.suite)
            try await options.submit(body, with: client) { _ in [.init("asset", .hex(asset))] }
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register every record of a catalogue file, one JSON record a line. / 批量登记目录",
            discussion:
                "Records that are registered already are skipped; a bad line is named, the rest go in."
        )

        @Argument(help: "Catalogue file (JSON lines). / 目录文件") var file: String
        @Option(help: "Read at most so many records. / 最多读取条数") var limit: Int?
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let importer = CatalogueImport(client: client, folder: try options.folder())
            let report = try await importer.run(file: file, limit: limit)
            try Output.show(report.json, as: options.format)
            guard report.failed.isEmpty else {
                throw Failure(
                    .badData,
                    "\(report.failed.count) lines were not registered; they are named above",
                    "\(report.failed.count) 行未能登记，原因见上")
            }
        }
    }

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register the claimed rights after review (registrar). / 登记机构确权")

        @Argument(help: "Asset id. / 资产编号") var id: String
        @Option(help: "Review evidence: text or file; only its salted digest is signed. / 审查材料")
        var evidence: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let asset = try Arguments.digest(id, "ID")
            let body = AssetApprove(
                asset: asset,
                reviewCommitment: try Arguments.commit(
                    try Arguments.textOrFile(evidence), label: "registration review",
                    folder: try options.folder(), suite: client.suite))
            try await options.submit(body, with: client) { _ in [.init("asset", .hex(asset))] }
        }
    }

    struct Attest: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Attest quality, value, compliance or cross-border risk (assessor). / 评估")

        @Argument(help: "Asset id. / 资产编号") var id: String
        @Option(help: "What is attested. / 评估类别") var kind: String
        @Option(help: "Score out of 100. / 评分") var score: UInt64
        @Option(help: "Report: text or file; only its salted digest is signed. / 评估报告")
        var report: String
        @Option(help: "Days until it expires. / 有效天数") var expires: UInt64
        @OptionGroup var options: NodeOptions

        static let daysMax: UInt64 = 36_500

        func run() async throws {
            guard score <= 100, expires <= Attest.daysMax else {
                throw Failure(
                    .usage, "--score is at most 100, --expires at most \(Attest.daysMax) days",
                    "--score 最多 100，--expires 最多 \(Attest.daysMax) 天")
            }
            let client = try options.client()
            let body = AssetAttest(
                asset: try Arguments.digest(id, "ID"),
                assessment: try Arguments.named(kind, "--kind"), score: score * 100,
                expiresMs: Clock.nowMs() + expires * OfferCommand.Publish.dayMs,
                reportCommitment: try Arguments.commit(
                    try Arguments.textOrFile(report), label: "assessment report",
                    folder: try options.folder(), suite: client.suite))
            try await options.submit(body, with: client) { [.init("attestation", .hex($0))] }
        }
    }

    struct Search: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Find assets by Chinese or English keyword; a finding aid, not a proof. / 搜索资产")

        @Argument(help: "Words to look for. / 关键词") var text: String
        @Option(help: "Most results. / 最多条数") var limit = 50
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client(signing: false)
            let found = try await client.searchAssets(text, limit: limit).prefix(max(limit, 0))
            try Output.show(["assets": .list(found.map(\.shortened))], as: options.format)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "An asset, proven. / 查看资产")

        @Argument(help: "Asset id. / 资产编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws { try await RecordPrinter(options: options).show(.asset, id) }
    }

    enum ExportFormat: String, ExpressibleByArgument, CaseIterable {
        case dcat
        case odrl
        case prov
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "An asset as DCAT, an offer as ODRL, a history as PROV. / 标准格式导出")

        @Argument(help: "Asset id; offer id for odrl. / 资产编号；odrl 用报价编号") var id: String
        @Option(help: "Form of the export. / 导出格式") var format: ExportFormat
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client(signing: try options.folder() != nil)
            let digest = try Arguments.digest(id, "ID")
            let names = Names(chain: client.chain)
            let missing = Failure(
                .notFound, "proven: there is no such record", "经证明：没有此记录")
            let text: String
            switch format {
            case .dcat:
                guard let asset = try await client.asset(digest).value else { throw missing }
                let publisher = try await client.member(asset.provider).value
                text = DCATExport.dataset(asset, publisher: publisher, names: names).encodedText
            case .odrl:
                guard let offer = try await client.offer(digest).value else { throw missing }
                text = ODRLExport.policy(of: offer, names: names).encodedText
            case .prov:
                let bundle = try await client.bundle(
                    .assetHistory(asset: digest, logs: [.rights]))
                guard let document = PROVExport.document(bundle.answer) else { throw missing }
                text = document.encodedText
            }
            print(text)
        }
    }
}
