import ArgumentParser
import Client
import Files
import Foundation
import LightClient
import Records

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Make evidence bundles for huijin-verify. / 制作证据包",
        subcommands: [
            Asset.self, Provenance.self, OneTransaction.self, Record.self, AtHeight.self,
            Licence.self, HeldRole.self, ReleasedOutput.self,
        ])

    struct Target: ParsableArguments {
        @Option(help: "File to write. / 输出文件") var out: String
        @OptionGroup var options: NodeOptions

        /// Fetches the answer to a question, checks it as a stranger would, and writes the bundle.
        ///
        /// - Parameter words: of the question; `huijin-verify --expect` takes the same.
        func write(
            _ words: [String], withAncestors: Bool = false,
            _ extra: (ProvenBundle) -> [JSONValue.JSONMember]
        ) async throws {
            let question: EvidenceQuestion
            do throws(QuestionMistake) {
                question = try AskedQuestion(words: words).question
            } catch {
                throw Failure(error)
            }
            guard !WholeFile.isTaken(out) else { throw SetupError.exists(out) }
            let client = try options.client(signing: try options.folder() != nil)
            try await refuse(question, client)
            let bundle = try await ask(question, client, withAncestors: withAncestors)
            if options.trust != nil {
                // Whoever gets the file may have nothing but the genesis.
                do throws(EvidenceProblem) {
                    _ = try Verifier(genesis: client.genesis).verify(
                        bundle.bytes, asked: [question])
                } catch {
                    throw ClientError.notProven(node: client.nodes.joined(separator: ", "), error)
                }
            }
            try IdentityMaker.write(bundle.bytes, to: URL(filePath: out))
            let head: JSONValue = [
                "bundle": .text(out), "bytes": .unsigned(UInt64(bundle.bytes.count)),
                "height": .unsigned(bundle.answer.height),
                "timeMs": .unsigned(bundle.answer.timeMs),
            ]
            try Output.show(head.adding(extra(bundle)), as: options.format)
        }

        /// What no node can answer is not asked: it would be the node that seems to be at fault.
        private func refuse(_ question: EvidenceQuestion, _ client: HuijinClient) async throws {
            switch question {
            case .header(let height, _), .licence(_, at: .height(let height)),
                .role(_, of: _, at: .height(let height)):
                try await refuse(height: height, client)
            case .licence(_, at: .time(let timeMs)), .role(_, of: _, at: .time(let timeMs)):
                guard timeMs >= client.genesis.timeMs else {
                    throw Failure(
                        .notFound,
                        "that is before the ledger began: nobody had a role or a licence",
                        "该时间早于账本起始：当时无任何角色或许可")
                }
                guard timeMs <= Clock.nowMs() else {
                    throw Failure(
                        .notFound, "that time is still to come", "该时间尚未到来")
                }
            case .assetHistory, .transaction, .record, .output: return
            }
        }

        /// Says at once that a height is not there yet. A node is waited for that only lags behind another.
        private func refuse(height: UInt64, _ client: HuijinClient) async throws {
            let proven: UInt64
            do throws(ClientError) {
                proven = try await client.checkpoint().header.height
            } catch {
                if case .unreachable = error { throw error }
                // Nodes do not show the newest header of a ledger of very many epochs; the question may be answered all the same.
                return
            }
            guard height > proven else { return }
            let stated = await client.statusOfAll().compactMap { answer -> UInt64? in
                guard case .success(let status) = answer.status else { return nil }
                return status["height"]?.unsigned
            }
            // A lying node could state any height.
            let head = max(proven, min(stated.max() ?? 0, proven + Self.aheadMax))
            guard height > head else { return }
            throw Failure(
                .notFound, "the newest height is \(head), and \(height) is not there yet",
                "最新高度为 \(head)，尚无高度 \(height)")
        }

        /// Blocks that one node may have beyond another's.
        private static let aheadMax: UInt64 = 1_024

        private func ask(
            _ question: EvidenceQuestion, _ client: HuijinClient, withAncestors: Bool
        ) async throws -> ProvenBundle {
            do throws(ClientError) {
                return try await client.bundle([question], withAncestors: withAncestors)
            } catch {
                try await refuse(error, to: question, client)
                throw error
            }
        }

        /// The answer to whether the ledger goes on from a checkpoint may be no, which is the ledger's and not the fault of a node.
        private func refuse(
            _ error: ClientError, to question: EvidenceQuestion, _ client: HuijinClient
        ) async throws {
            guard case .header(let height, let digest?) = question,
                case .notProven(_, let problem) = error,
                problem == EvidenceProblem(.ancestor(height: height), .otherHeader)
            else { return }
            let found = try await client.bundle(.header(height: height, digest: nil)).finding
            guard case .header(let certified) = found, certified.digest != digest else { return }
            throw Failure(
                .notFound,
                "the certified header at height \(height) is another one: \(certified.digest.hex), not \(digest.hex). "
                    + "The ledger does not go on from that checkpoint; for a bundle that shows it ask the same without --digest",
                "高度 \(height) 经认证的是另一区块头：\(certified.digest.hex)，而非 \(digest.hex)。"
                    + "账本并非该检查点的延续；如需可出示的证据包，请去掉 --digest 再查询")
        }
    }

    struct Asset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "An asset's complete history. / 资产全部历史")

        @Argument(help: "Asset id. / 资产编号") var id: String
        @Option(help: "rights, trades, refusals; comma-separated. / 日志，逗号分隔") var logs = "rights"
        @OptionGroup var target: Target

        func run() async throws {
            try await target.write(["asset", id, "--logs", logs]) { bundle in
                guard case .assetHistory(let history) = bundle.finding else {
                    return [.init("present", .bool(false))]
                }
                return [
                    .init("present", .bool(true)),
                    .init(
                        "events",
                        .object(
                            history.logs.map {
                                .init($0.log.name, .unsigned(UInt64($0.events.count)))
                            })),
                ]
            }
        }
    }

    struct Provenance: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "The rights of an asset and of all that it was derived from. / 资产及其全部来源的权属历史")

        @Argument(help: "Asset id. / 资产编号") var id: String
        @OptionGroup var target: Target

        func run() async throws {
            let words = ["asset", id, "--logs", EventLogKind.rights.name]
            try await target.write(words, withAncestors: true) { bundle in
                let parents = bundle.answer.histories.flatMap(\.parents)
                let unproven = Set(parents.filter { !$0.isIncluded }.map(\.asset)).sorted()
                return [
                    .init("ancestors", .unsigned(UInt64(Set(parents.map(\.asset)).count))),
                    .init("unproven", .list(unproven.map { .hex($0) })),
                ]
            }
        }
    }

    struct OneTransaction: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "transaction", abstract: "A transaction and its outcome. / 一笔交易及结果")

        @Argument(help: "Transaction id. / 交易编号") var id: String
        @OptionGroup var target: Target

        func run() async throws {
            try await target.write(["transaction", id]) { bundle in
                guard case .transaction(let entry) = bundle.finding else { return [] }
                return [.init("code", .unsigned(entry.code))]
            }
        }
    }

    struct Record: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A record, or its absence. / 一条记录或其不存在")

        @Argument(help: "Record type, such as asset. / 记录类型") var type: String
        @Argument(help: "Its id; two parts for an account. / 编号") var id: [String]
        @OptionGroup var target: Target

        func run() async throws {
            try await target.write(["record", type] + id) { bundle in
                guard case .record(let record) = bundle.finding else { return [] }
                return [.init("present", .bool(record != .nothing))]
            }
        }
    }

    struct AtHeight: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "header",
            abstract:
                "Which header was at a height, and that the ledger goes on from it. / 某一高度的区块头及其延续")

        @Argument(help: "Height. / 高度") var height: UInt64
        @Option(help: "Digest of an older checkpoint that it must be. / 旧检查点的区块头摘要") var digest:
            String?
        @OptionGroup var target: Target

        func run() async throws {
            let digest = digest.map { ["--digest", $0] } ?? []
            try await target.write(["header", String(height)] + digest) { bundle in
                guard case .header(let proven) = bundle.finding else { return [] }
                return [.init("header", .hex(proven.digest))]
            }
        }
    }
}

extension AuditCommand {
    /// A moment that the ledger has left behind.
    struct When: ParsableArguments {
        @Option(help: "Height: after this block. / 高度，该区块之后") var height: UInt64?
        @Option(help: "Time, such as 2026-03-01T09:30:00+08:00. / 时间") var time: String?

        var words: [String] {
            (height.map { ["--height", String($0)] } ?? []) + (time.map { ["--time", $0] } ?? [])
        }
    }

    struct Licence: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Whether a licence was live at a moment. / 某一时点许可是否有效")

        @Argument(help: "Licence id. / 许可编号") var id: String
        @OptionGroup var when: When
        @OptionGroup var target: Target

        func run() async throws {
            try await target.write(["licence", id] + when.words) { bundle in
                guard case .licence(let licence) = bundle.finding else { return [] }
                return [.init("live", .bool(licence.standing.isLive))]
            }
        }
    }

    struct HeldRole: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "role",
            abstract: "Whether a member held a role at a moment. / 某一时点成员是否具有角色")

        @Argument(help: "Member id. / 成员编号") var member: String
        @Argument(help: "Role, such as provider. / 角色") var role: String
        @OptionGroup var when: When
        @OptionGroup var target: Target

        func run() async throws {
            try await target.write(["role", member, role] + when.words) { bundle in
                guard case .role(let role) = bundle.finding else { return [] }
                return [.init("held", .bool(role.isHeld))]
            }
        }
    }

    struct ReleasedOutput: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "output",
            abstract: "Whether a job's output was reviewed and released. / 作业输出是否经审核放行")

        @Argument(help: "Job id. / 作业编号") var id: String
        @OptionGroup var target: Target

        func run() async throws {
            try await target.write(["output", id]) { bundle in
                guard case .output(let output) = bundle.finding else { return [] }
                return [.init("released", .bool(output.releasedBy != nil))]
            }
        }
    }
}
