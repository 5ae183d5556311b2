import Client
import Encoding
import LedgerCrypto
import Records

/// Hands a job that is on the ledger to the sandbox, with the query's opening from the member's folder.
struct JobDelivery {
    let options: NodeOptions
    let client: HuijinClient
    let sandbox: SandboxClient
    /// Until the output is held or the job refused.
    let wait: Bool

    static let patienceMs: UInt64 = 60_000
    static let pauseMs = 100

    /// - Parameter shown: what the answer begins with.
    func deliver(_ job: Digest, shown: JSONValue) async throws {
        guard let record = try await client.job(job).value else {
            throw Failure(.notFound, "the ledger has no such job", "账本上没有此作业")
        }
        let opening = try Arguments.opening(
            of: record.queryCommitment, folder: try options.folder())
        var state = try await sandbox.call(
            "POST", "/v1/jobs",
            [
                "agreement": .hex(record.agreement), "job": .hex(job),
                "purpose": .text(record.purpose),
                "sql": .text(String(decoding: opening.value, as: UTF8.self)),
                "salt": .text(Hex.encode(opening.salt)),
            ])
        let deadline = Clock.nowMs() + JobDelivery.patienceMs
        while wait, ["queued", "running"].contains(state["status"]?.text),
            Clock.nowMs() < deadline
        {
            try await Task.sleep(for: .milliseconds(JobDelivery.pauseMs))
            state = try await sandbox.call("GET", "/v1/jobs/\(job.hex)")
        }
        state = state.shortened
        let answer = shown.adding(state.members ?? [])
        if ["refused", "rejected"].contains(state["status"]?.text) {
            throw Failure(
                .refused, "the sandbox refused: \(state["codeName"]?.text ?? "unknown")",
                "沙箱拒绝：\(state["message"]?.text ?? "")", answer: answer)
        }
        try Output.show(answer, as: options.format)
    }
}
