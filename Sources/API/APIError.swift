import Client
import Hummingbird
import Records

/// A refusal: a stable code, its HTTP status, and what happened in two languages.
///
/// Body: `{"error": {"code", "messageEn", "messageZh"}}`.
struct APIError: Error, Equatable {
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

    /// For refusals that the ledger knows too: the code and messages are the same everywhere.
    init(_ status: Int, _ outcome: OutcomeCode) {
        self.init(status, outcome.name, outcome.messageEn, outcome.messageZh)
    }

    static let notFound = APIError(404, "not-found", "there is no such thing here", "没有找到")
    /// History from below the snapshot by which the node joined.
    static func notHeld(from first: UInt64) -> APIError {
        APIError(
            410, "not-held",
            "this node joined by a snapshot: it holds blocks from height \(first) on, and not all "
                + "that this needs; ask a node that has been there longer",
            "本节点由快照加入，只保存高度 \(first) 起的区块，所需历史不全，请向保存更久的节点查询")
    }
    /// Not among what is held, and nobody can say here whether it was before.
    static func notFoundHere(from first: UInt64) -> APIError {
        APIError(
            404, "not-found-here",
            "it is not in the blocks from height \(first) on, which this node holds; an older one "
                + "may be found on another node",
            "本节点保存的高度 \(first) 起的区块中没有；更早的记录请向其他节点查询")
    }
    static let badPath = APIError(
        400, "bad-path", "the path or its id is not well formed", "路径或编号格式有误")
    static let malformedQuery = APIError(
        400, "bad-query", "the query is not well formed", "查询格式有误")
    /// - Parameter name: of the parameter, perhaps as the caller wrote it.
    static func badQuery(_ name: String, _ english: String, _ chinese: String) -> APIError {
        let name = name.shortened(to: 40)
        return APIError(
            400, "bad-query", "query parameter \(name): \(english)", "查询参数 \(name)：\(chinese)")
    }
    /// Nobody has these events, at least not yet.
    static func beyondLog(size: UInt64) -> APIError {
        APIError(
            404, "beyond-log",
            "the range ends beyond the log, which has \(size) event(s) so far",
            "所询范围超出日志末尾，该日志目前有 \(size) 个事件")
    }
    static let methodNotAllowed = APIError(
        405, "method-not-allowed", "this path has other methods", "此路径不支持该方法")
    static let pathTooLong = APIError(
        414, "path-too-long", "the path with its query is too long", "路径与查询过长")
    static let bodyTooLarge = APIError(413, "body-too-large", "the body is too large", "请求体过大")
    static let bodyIncomplete = APIError(
        400, "body-incomplete", "the body ended early", "请求体不完整")
    static let badBody = APIError(
        400, "undecodable", "the body is not a CBOR array of 1 to 100 byte strings",
        "请求体应为 1 至 100 个字节串的 CBOR 数组")
    static let badQuestions = APIError(
        400, "undecodable", "the body is not a CBOR list of 1 to 256 questions",
        "请求体应为 1 至 256 个问题的 CBOR 列表")
    static let tokenMalformed = APIError(
        401, "token-malformed", "the Authorization header is not a request token of this ledger",
        "Authorization 不是本账本的请求令牌")
    /// The code is the ledger's own for the same of a transaction.
    static let tokenOtherLedger = APIError(
        401, OutcomeCode.wrongChain.name,
        "the request is signed for another ledger than this node's",
        "请求是为另一账本签名的，并非本节点的账本")
    static let tokenOther = APIError(
        401, "token-other-request", "the token was made for another request", "令牌属于另一请求")
    static let tokenStale = APIError(
        401, "token-stale",
        "the token's time differs from the node's by more than 60 s; set the clock",
        "令牌时间与节点相差超过 60 秒，请校准时钟")
    static let tokenUnknownKey = APIError(401, .unknownKey)
    static let tokenBadSignature = APIError(401, .badSignature)
    static let needsToken = APIError(
        401, "needs-identity", "only certain members may read this; sign the request",
        "仅特定成员可读，请对请求签名")
    static let notPermitted = APIError(
        403, "not-permitted", "only the parties and the regulator may read this",
        "仅当事方与监管机构可读")
    static let nothingFinal = APIError(
        503, "not-ready", "no block is final yet; try again", "尚无终局区块，请稍后再试")
    static let noLogCheckpoint = APIError(
        404, "no-checkpoint",
        "this node has no cosigned checkpoint of that height: it is no validator now, the height is not "
            + "among its newest, or the chain's suite is not ed25519-sha256",
        "本节点没有该高度的副署检查点：当前不是记账节点、高度过旧或尚未到达，或本链不是 ed25519-sha256 密码套件")
    static let indexBehind = APIError(
        503, "index-behind", "the index has not caught up yet; try again", "索引尚未追上，请稍后再试")
    static let busy = APIError(503, "busy", "too many requests wait; try again", "请求过多，请稍后再试")
    static let stopping = APIError(503, "stopping", "the node is stopping", "节点正在停止")
    static let storage = APIError(
        500, "storage", "the node cannot read its store; see its log", "节点无法读取存储，请查看日志")
    static let tooManyEvents = APIError(
        413, "too-many-events",
        "the logs are longer than one bundle takes; ask for fewer logs or questions at once",
        "日志超出单个证据包上限，请减少日志种类或一次所提问题")

    var json: JSONValue {
        [
            "error": [
                "code": .text(code), "messageEn": .text(english), "messageZh": .text(chinese),
            ]
        ]
    }

    var response: Response { .json(json, status: .init(code: status)) }
}

extension Response {
    static func json(_ value: JSONValue, status: HTTPResponse.Status = .ok) -> Response {
        bytes(value.encodedBytes, type: "application/json; charset=utf-8", status: status)
    }

    static func cbor(_ bytes: [UInt8]) -> Response { .bytes(bytes, type: "application/cbor") }

    static func bytes(
        _ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok
    ) -> Response {
        var headers = HTTPFields()
        headers[.contentType] = type
        headers[.cacheControl] = "no-store"
        headers[.xContentTypeOptions] = "nosniff"
        return Response(
            status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
