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
        subcommands: [Submit.self, Show.self, GetOutput.self])

    struct Submit: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Submit a SQL job under a licence (buyer). / 提交作业",
            discussion: "The SQL goes to the sandbox; the ledger holds its salted digest.")

        @Option(help: "Agreement id. / 协议编号") var agreement: String
        @Option(help: "Purpose code. / 用途代码") var purpose: String
        @Option(help: "The query: text or file. / 查询语句或文件") var sql: String
        @Option(help: "Sandbox address. / 沙箱地址") var sandbox: String
        @Flag(help: "Wait until the output is held for review or the job is refused. / 等待结果")
        var wait = false
        @OptionGroup var options: NodeOptions

        static let patienceMs: UInt64 = 60_000
        static let pauseMs = 100

        func run() async throws {
            let client = try options.client()
            let agreement = try Arguments.digest(agreement, "--agreement")
            let query = try Arguments.textOrFile(sql)
            let salt = SecureRandom.bytes(Salted.saltBytes)
            let body = JobSubmit(
                agreement: agreement, purpose: purpose,
                queryCommitment: Salted.commit(salt: salt, value: query, suite: client.suite))
            try body.checked()
            let answer = try await client.submit(body)
            guard answer.isAccepted, let job = answer.id else {
                try options.show(answer)
                return
            }
            let service = SandboxClient(base: sandbox, client: client)
            var state = try await service.call(
                "POST", "/v1/jobs",
                [
                    "agreement": .hex(agreement), "job": .hex(job), "purpose": .text(purpose),
                    "sql": .text(String(decoding: query, as: UTF8.self)),
                    "salt": .text(Hex.encode(salt)),
                ])
            let deadline = Clock.nowMs() + Submit.patienceMs
            while wait, ["queued", "running"].contains(state["status"]?.text),
                Clock.nowMs() < deadline
            {
                try await Task.sleep(for: .milliseconds(Submit.pauseMs))
                state = try await service.call("GET", "/v1/jobs/\(job.hex)")
            }
            let shown = answer.json.adding(state.members ?? [])
            if ["refused", "rejected", "stopped"].contains(state["status"]?.text) {
                throw Failure(
                    .refused, "the sandbox refused: \(state["codeName"]?.text ?? "unknown")",
                    "沙箱拒绝：\(state["message"]?.text ?? "")", answer: shown)
            }
            Output.show(shown, as: options.format)
        }
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
            Output.show(answer, as: options.format)
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
            Output.show(
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
            Output.show(try await target.held(client).answer, as: target.options.format)
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
            abstract: "Reject a held output. / 拒绝输出")

        @Option(help: "Reason code, such as dominant-contributor. / 原因代码") var reason: String
        @OptionGroup var target: Target

        func run() async throws {
            guard let code = RefusalReason.codes.first(where: { $0.name == reason }) else {
                let known = RefusalReason.names.joined(separator: ", ")
                throw Failure(
                    .usage, "--reason must be one of \(known), not \(reason)",
                    "--reason 可取 \(known)")
            }
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
