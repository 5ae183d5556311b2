import Client
import Records

/// A refusal over HTTP: `{"error": {"code", "messageEn", "messageZh"}}`.
struct SandboxError: Error, Equatable {
    let status: Int
    let code: String
    let english: String
    let chinese: String

    init(_ status: Int, _ code: String, _ english: String, _ chinese: String) {
        self.status = status
        self.code = code
        self.english = english
        self.chinese = chinese
    }

    init(_ status: Int, _ outcome: OutcomeCode) {
        self.init(status, outcome.name, outcome.messageEn, outcome.messageZh)
    }

    /// The ledger could not be asked, or proved nothing.
    init(_ error: ClientError) {
        self.init(
            503, "ledger-unavailable", "the ledger cannot be verified now: \(error.english)",
            "暂时无法核验账本：\(error.chinese)")
    }

    static let notFound = SandboxError(404, "not-found", "there is no such thing here", "没有找到")
    static let badRequest = SandboxError(
        400, "bad-request", "not a request of this service", "请求无效")
    static let badPath = SandboxError(
        400, "bad-path", "the job's id is 64 hexadecimal digits", "作业编号应为 64 位十六进制")
    static let badBody = SandboxError(
        400, "undecodable",
        "the body is {\"agreement\", \"job\", \"purpose\", \"sql\", \"salt\"}: ids of 64, a salt of 32 hexadecimal digits",
        "请求体应为 {\"agreement\", \"job\", \"purpose\", \"sql\", \"salt\"}：编号 64 位、盐 32 位十六进制")
    static let bodyTooLarge = SandboxError(413, "body-too-large", "the body is too large", "请求体过大")
    static let needsToken = SandboxError(
        401, "needs-identity", "sign the request: Authorization: Huijin <token>", "请对请求签名")
    static let tokenMalformed = SandboxError(
        401, "token-malformed", "the Authorization header is not a request token of this ledger",
        "Authorization 不是本账本的请求令牌")
    static let tokenOther = SandboxError(
        401, "token-other-request", "the token was made for another request", "令牌属于另一请求")
    static let tokenStale = SandboxError(
        401, "token-stale", "the token's time differs by more than 60 s; set the clock",
        "令牌时间相差超过 60 秒，请校准时钟")
    static let notYours = SandboxError(
        403, "not-permitted", "only the job's buyer may see this", "仅作业的需求方可见")
    static let notReviewer = SandboxError(
        403, "not-permitted", "only an output reviewer of another group may see this",
        "仅非关联方的输出审核方可见")
    static let commitment = SandboxError(
        400, "commitment-mismatch",
        "query and salt are not what the ledger's job commits to; send those of job.submit",
        "查询与盐与链上作业承诺不符，请提交登记时的原文")
    static let otherSandbox = SandboxError(
        403, "other-sandbox", "the licence names another sandbox operator", "该许可指定了其他沙箱运营方")
    static let notReleased = SandboxError(
        403, "not-released", "the output is not released on the ledger", "输出尚未在链上放行")
    static let notHeld = SandboxError(
        404, "not-held", "no output of this job waits for review", "此作业没有待审输出")
    static let busy = SandboxError(503, "busy", "too many jobs wait; try again", "排队作业过多，请稍后再试")
    static let storage = SandboxError(
        500, "storage", "the sandbox's store failed; see its log", "沙箱存储出错，请查看日志")
    static let notReady = SandboxError(
        404, "unknown-job", "the ledger has no such job in its final state", "账本终局状态中没有此作业")

    var json: JSONValue {
        [
            "error": [
                "code": .text(code), "messageEn": .text(english), "messageZh": .text(chinese),
            ]
        ]
    }
}
