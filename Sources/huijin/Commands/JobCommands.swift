import ArgumentParser
import Client
import Encoding
import Foundation
import LedgerCrypto
import Market
import Records

struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "Computation in a provider's sandbox. / 沙箱作业",
        subcommands: [
            Submit.self, Resume.self, Refuse.self, Show.self, GetOutput.self,
        ])

    struct Submit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Submit a SQL job under a licence (buyer). / 提交作业",
            discussion: "The SQL goes to the sandbox; the ledger holds its salted digest.")

        @Option(help: "Licence id. / 许可编号") var agreement: String
        @Option(help: "Purpose code. / 用途代码") var purpose: String
        @Option(help: "The query: text or file. / 查询语句或文件") var sql: String
        @Option(help: "Sandbox address. / 沙箱地址") var sandbox: String
        @Flag(help: "Wait until the output is held for review or the job is refused. / 等待结果")
        var wait = false
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            // Before anything is signed.
            let sandbox = try SandboxClient(base: sandbox, client: client)
            let agreement = try Arguments.digest(agreement, "--agreement")
            let query = try JobCommand.query(sql)
            let body = JobSubmit(
                agreement: agreement, purpose: purpose,
                queryCommitment: try Arguments.commit(
                    query, label: "query", folder: try options.folder(), suite: client.suite))
            try body.checked()
            let answer = try await client.submit(body)
            guard answer.isAccepted, let job = answer.id else {
                try options.show(answer)
                return
            }
            // Whatever comes now, the job is on the ledger, and its owner can hand it in again.
            Output.progress("job / 作业 \(job.hex)")
            try await JobDelivery(options: options, client: client, sandbox: sandbox, wait: wait)
                .deliver(job, shown: answer.json)
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Hand a job to the sandbox again that is on the ledger already (buyer). / 重新递交作业")

        @Argument(help: "Job id. / 作业编号") var id: String
        @Option(help: "Sandbox address. / 沙箱地址") var sandbox: String
        @Flag(help: "Wait until the output is held for review or the job is refused. / 等待结果")
        var wait = false
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let sandbox = try SandboxClient(base: sandbox, client: client)
            let job = try Arguments.digest(id, "ID")
            try await JobDelivery(options: options, client: client, sandbox: sandbox, wait: wait)
                .deliver(job, shown: ["job": .hex(job)])
        }
    }

    struct Refuse: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Refuse a job that never reached the sandbox (its operator). / 运营方拒绝未送达的作业")

        @Argument(help: "Job id. / 作业编号") var id: String
        @Option(help: "Reason code, such as resource-limit. / 原因代码") var reason: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let job = try Arguments.digest(id, "ID")
            let body = JobRefuse(job: job, reason: try JobCommand.reason(reason))
            try await options.submit(body, with: try options.client()) { _ in
                [.init("job", .hex(job))]
            }
        }
    }

    /// Bytes of a query that the sandbox takes.
    static let queryBytesMax = 16_384

    /// The query as the sandbox will see it, or what is wrong before anything is signed.
    static func query(_ argument: String) throws -> [UInt8] {
        let bytes = try Arguments.textOrFile(argument)
        guard bytes.count <= queryBytesMax, String(validating: bytes, as: UTF8.self) != nil else {
            throw Failure(
                .badData, "--sql must be UTF-8 text of at most \(queryBytesMax) bytes",
                "--sql 应为至多 \(queryBytesMax) 字节的 UTF-8 文本")
        }
        return bytes
    }

    static func reason(_ name: String) throws -> OutcomeCode {
        guard let code = RefusalReason.codes.first(where: { $0.name == name }) else {
            let known = RefusalReason.names.joined(separator: ", ")
            throw Failure(
                .usage, "--reason must be one of \(known), not \(name)", "--reason 可取 \(known)")
        }
        return code
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A job's record, proven (parties, regulator). / 查看作业")

        @Argument(help: "Job id. / 作业编号") var id: String
        @OptionGroup var options: NodeOptions

        func run() async throws { try await RecordPrinter(options: options).show(.job, id) }
    }

    struct GetOutput: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "output", abstract: "Fetch a released output (buyer). / 取回已放行的输出")

        @Argument(help: "Job id. / 作业编号") var id: String
        @Option(help: "Sandbox address. / 沙箱地址") var sandbox: String
        @Option(help: "Write it to a file as well. / 另存为文件") var out: String?
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            let job = try Arguments.digest(id, "ID")
            let (answer, _) = try await SandboxClient(base: sandbox, client: client).output(
                "/v1/jobs/\(job.hex)/output", of: job)
            if let out {
                try IdentityMaker.write([UInt8](answer.pretty().utf8), to: URL(filePath: out))
            }
            try Output.show(answer, as: options.format)
        }
    }
}

struct ReviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review", abstract: "Outputs held for review (reviewer). / 输出审核",
        subcommands: [List.self, Show.self, Release.self, Reject.self])

    struct Target: ParsableArguments {
        @Argument(help: "Job id. / 作业编号") var id: String
        @Option(help: "Sandbox address. / 沙箱地址") var sandbox: String
        @OptionGroup var options: NodeOptions

        /// The held output and the commitment that the ledger holds for it; they belong together.
        func held(
            _ client: HuijinClient
        ) async throws -> (job: Digest, answer: JSONValue, commitment: Digest) {
            let job = try Arguments.digest(id, "ID")
            let (answer, commitment) = try await SandboxClient(base: sandbox, client: client)
                .output("/v1/reviews/\(job.hex)", of: job)
            return (job, answer, commitment)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "What waits for review. / 待审输出")

        @Option(help: "Sandbox address. / 沙箱地址") var sandbox: String
        @OptionGroup var options: NodeOptions

        func run() async throws {
            let client = try options.client()
            try Output.show(
                try await SandboxClient(base: sandbox, client: client).call("GET", "/v1/reviews"),
                as: options.format)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A held output with its query. / 查看待审输出")

        @OptionGroup var target: Target

        func run() async throws {
            let client = try target.options.client()
            try Output.show(try await target.held(client).answer, as: target.options.format)
        }
    }

    struct Release: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Release a held output: sign it on the ledger. / 放行输出")

        @OptionGroup var target: Target

        func run() async throws {
            let client = try target.options.client()
            let held = try await target.held(client)
            let body = OutputRelease(job: held.job, outputCommitment: held.commitment)
            try await target.options.submit(body, with: client) { _ in
                [.init("job", .hex(held.job))]
            }
        }
    }

    struct Reject: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Reject a held output. / 驳回输出")

        @Option(help: "Reason code, such as dominant-contributor. / 原因代码") var reason: String
        @OptionGroup var target: Target

        func run() async throws {
            let code = try JobCommand.reason(reason)
            let client = try target.options.client()
            let held = try await target.held(client)
            let body = OutputReject(
                job: held.job, outputCommitment: held.commitment, reason: code)
            try await target.options.submit(body, with: client) { _ in
                [.init("job", .hex(held.job))]
            }
        }
    }
}
