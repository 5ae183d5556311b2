import ArgumentParser
import Client
import Encoding
import Ledger
import LedgerCrypto
import Programs
import Sandbox

enum OutputFormat: String, ExpressibleByArgument {
    case text
    case json
}

struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Load a CSV table (RFC 4180, UTF-8) / 装载 CSV 数据表",
        discussion: """
            The same table under the same name is loaded once, and keeps its commitment.
            同名同内容的表只装载一次，承诺值不变。
            """)

    @OptionGroup var options: ConfigurationOptions
    @Option(help: ArgumentHelp("The file / 数据文件", valueName: "file")) var csv: String
    @Option(help: "What queries call it / 查询中使用的表名") var table: String
    @Option(
        help:
            "The column that tells entities apart; default: the one with most distinct values / 区分主体的列，缺省取不同值最多的列"
    )
    var entityKey: String?
    @Flag(help: "Leave bad rows out instead of refusing the file / 跳过错误行")
    var skipBadRows = false
    @Option(name: .customLong("output"), help: "text or json / 输出格式")
    var format: OutputFormat = .text

    func run() throws {
        let configuration = try options.load()
        let result: LoadResult
        do throws(LoadError) {
            var loader = TableLoader(
                folder: try SandboxFolder(configuration.data),
                suite: configuration.genesis.suite)
            loader.skipsBadRows = skipBadRows
            result = try loader.load(csv, as: table, entityKey: entityKey)
        } catch {
            let code =
                switch error {
                case .unreadable: Exit.noInput
                case .busy, .storage: Exit.inputOutput
                case .badTableName, .noHeader, .tooManyRows, .noRows, .badRows, .unknownColumn,
                    .noEntityKey, .changed:
                    Exit.badData
                }
            try HuijinSandboxd.fail(error.description, code)
        }
        switch format {
        case .json: print(Load.json(result).encodedText)
        case .text: show(result)
        }
    }

    static func json(_ result: LoadResult) -> JSONValue {
        let table = result.table
        let columns = JSONValue.list(
            table.columns.map { ["name": .text($0.name), "type": .text($0.type.name)] })
        return [
            "table": .text(table.name), "rows": .unsigned(table.rowCount), "columns": columns,
            "entityKey": .optional(table.entityKey), "isNew": .bool(result.isNew),
            "skipped": .list(
                result.skipped.map {
                    ["line": .integer(Int64($0.line)), "reason": .text("\($0)")]
                }),
            "digest": .hex(table.digest), "commitment": .hex(table.commitment),
            "salt": .text(Hex.encode(table.salt)),
            "asset": [
                "columns": columns, "entityKey": .optional(table.entityKey),
                "rowCount": .unsigned(table.rowCount), "dataCommitment": .hex(table.commitment),
                "dataSalt": .text(Hex.encode(table.salt)),
            ],
        ]
    }

    private func show(_ result: LoadResult) {
        let table = result.table
        for row in result.skipped { print("skipped / 已跳过: \(row)") }
        print("table / 表: \(table.name)\(result.isNew ? "" : " (already loaded / 已装载)")")
        print("rows / 行数: \(table.rowCount)")
        for column in table.columns {
            print("column / 列: \(column.name) \(column.type.name) \(column.type.titleZh)")
        }
        print("entity key / 主体列: \(table.entityKey ?? "-")")
        print("digest / 摘要: \(table.digest.hex)")
        print("commitment / 承诺: \(table.commitment.hex)")
        print("salt / 盐: \(Hex.encode(table.salt))")
    }
}
