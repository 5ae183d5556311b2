import ArgumentParser
import Client
import Encoding
import Files
import Foundation
import Interchange
import Ledger
import LedgerCrypto
import LightClient

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "The ledger's log for other people's tools. / 导出账本日志",
        subcommands: [Tlog.self])

    struct Tlog: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The log as static files (C2SP tlog-tiles). / 日志静态文件",
            discussion: """
                Writes `checkpoint` with the cosignatures of a quorum of validators, the tiles of hashes and the bundles of
                leaves (`tile/…`), and `policy`, the validators' keys as C2SP tlog-policy. Everything is checked from the
                genesis before `checkpoint` is written. Leaves are digests: nothing that members wrote is in them.
                For chains of suite ed25519-sha256. Give the addresses of at least a quorum of validators.
                写出附有法定多数记账节点副署的 checkpoint、杂凑分块与条目包（tile/…）及记账节点公钥策略 policy；
                写出 checkpoint 前均从创世起核验。叶子只含摘要。仅限 ed25519-sha256 密码套件；须给出法定多数记账节点的地址。
                """)

        @Argument(help: "Folder to make. / 要生成的文件夹") var folder: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let output = try Self.setting { () throws(WholeFile.Problem) in
                try WholeFolder(folder)
            }
            do {
                try await export(to: output)
            } catch {
                output.discard()
                throw error
            }
        }

        private func export(to output: WholeFolder) async throws {
            let client = try options.client(signing: false)
            let checkpoint = try await client.checkpoint()
            guard let log = LogCheckpoint(checkpoint.header, suite: client.suite) else {
                throw Failure(
                    .usage,
                    "such logs are of SHA-256 and Ed25519; this chain uses \(client.suite.name)",
                    "此类日志使用 SHA-256 与 Ed25519，本链使用 \(client.suite.name)")
            }
            let found = await client.cosignatures(of: log, at: checkpoint)
            let (quorum, count) = (checkpoint.validators.quorum, checkpoint.validators.count)
            guard found.count >= quorum else {
                throw Failure(
                    .unavailable,
                    "\(found.count) of \(count) validators cosigned height \(checkpoint.header.height), "
                        + "\(quorum) are needed; give the addresses of more validators with --node",
                    "\(count) 个记账节点中 \(found.count) 个副署了高度 \(checkpoint.header.height)，需 \(quorum) 个；请用 --node 指定更多记账节点"
                )
            }
            try await write(log, client, to: output)
            let policy = checkpoint.validators.logPolicy(chain: client.chain)
            let cosignatures = found.sorted { $0.key < $1.key }.map(\.value)
            try Self.setting { () throws(WholeFile.Problem) in
                try output.write(Array(policy.utf8), to: "policy")
                try output.write(Array(log.note(cosignatures).utf8), to: "checkpoint")
                try output.finish()
            }
            try Output.show(
                [
                    "folder": .text(folder), "height": .unsigned(checkpoint.header.height),
                    "leaves": .unsigned(log.size), "root": .hex(log.root),
                    "cosignatures": .unsigned(UInt64(found.count)),
                ], as: options.format)
        }

        /// Tiles and bundles; the leaves are those that the certified root covers, or nothing is left.
        private func write(_ log: LogCheckpoint, _ client: HuijinClient, to output: WholeFolder)
            async throws
        {
            var writer = LogTileWriter(client.suite)
            while writer.size < log.size {
                let number = writer.size / UInt64(LogTileWriter.width)
                let bundle = try await client.logBundle(number)
                let wanted = min(log.size - writer.size, UInt64(LogTileWriter.width))
                guard let leaves = LogTileWriter.leaves(ofBundle: bundle),
                    leaves.count >= Int(wanted)
                else { throw Self.otherLog(number) }
                for leaf in leaves.prefix(Int(wanted)) {
                    for file in writer.append(leaf) { try Self.put(file, output) }
                }
            }
            for file in writer.finish() { try Self.put(file, output) }
            guard writer.root == log.root else { throw Self.otherLog(nil) }
        }

        private static func otherLog(_ bundle: UInt64?) -> Failure {
            let place = bundle.map { " (bundle \($0) / 第 \($0) 包)" } ?? ""
            return Failure(
                .notFound,
                "not proven: a node gave other leaves than the certified root covers\(place)",
                "未获证明：节点给出的叶子与经认证的日志根不符\(place)")
        }

        private static func put(_ file: LogTileWriter.File, _ output: WholeFolder) throws {
            try setting { () throws(WholeFile.Problem) in
                try output.write(file.bytes, to: file.path)
            }
        }

        private static func setting<Value>(
            _ body: () throws(WholeFile.Problem) -> Value
        ) throws(SetupError) -> Value {
            do throws(WholeFile.Problem) {
                return try body()
            } catch {
                throw SetupError(error)
            }
        }
    }
}
