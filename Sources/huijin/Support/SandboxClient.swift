import Client
import Encoding
import Ledger
import LedgerCrypto
import Records

/// A member's way to a provider's sandbox. Every request is signed.
struct SandboxClient {
    let base: String
    let client: HuijinClient
    private let transport = NetworkTransport()

    static let timeoutMs: UInt64 = 30_000
    static let answerBytesMax = 16_777_216

    /// - Throws: `ClientError.invalid` for what is no address.
    init(base: String, client: HuijinClient) throws(ClientError) {
        self.base = try NodeAddress(base).base
        self.client = client
    }

    func call(_ method: String, _ path: String, _ body: JSONValue? = nil) async throws -> JSONValue
    {
        guard let identity = client.identity else { throw ClientError.noIdentity }
        let token = RequestToken.header(
            method: method, path: path, timeMs: Clock.nowMs(), chain: client.chain,
            with: identity.key)
        let answer = try await transport.perform(
            HTTPCall(
                method: method, base: base, path: path,
                headers: [
                    (name: "Authorization", value: token),
                    (name: "Content-Type", value: "application/json"),
                ], body: body?.encodedBytes ?? [], timeoutMs: SandboxClient.timeoutMs,
                answerBytesMax: SandboxClient.answerBytesMax))
        guard (200..<300).contains(answer.status) else {
            throw HuijinClient.refusal(answer, node: base)
        }
        return try HuijinClient.parse(answer, node: base)
    }

    /// An output with its opening, checked against the commitment that the ledger holds for the job.
    ///
    /// - Returns: the sandbox's answer and the proven commitment.
    func output(_ path: String, of job: Digest) async throws -> (JSONValue, Digest) {
        let answer = try await call("GET", path)
        guard let record = try await client.job(job).value, let committed = record.outputCommitment
        else {
            throw Failure(
                .notFound, "the ledger holds no output of this job", "账本上没有此作业的输出")
        }
        guard let output = answer["output"]?.text.flatMap({ Base64URL.decode($0) }),
            let salt = answer["salt"]?.text.flatMap({ Hex.decode($0) }),
            salt.count == Salted.saltBytes,
            Salted.commit(salt: salt, value: output, suite: client.suite) == committed
        else {
            throw Failure(
                .notFound, "the sandbox shows another output than it committed to on the ledger",
                "沙箱给出的输出与链上承诺不符")
        }
        return (answer, committed)
    }
}
