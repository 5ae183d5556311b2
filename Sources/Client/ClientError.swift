import LightClient

/// Why the client has no answer. Each says what happened and where, in English and Chinese.
public enum ClientError: Error, Equatable, Sendable {
    /// There is no answer; of several nodes the reason is the last one's.
    case unreachable(node: String, reason: NetworkFault)
    /// The node answered with an error of its own, whose texts are shortened. They are empty where it gave none.
    case refused(node: String, status: Int, code: String, english: String, chinese: String)
    /// The answer is not of the API's form, or larger than allowed.
    case badAnswer(node: String, what: Bilingual)
    /// The node's proof does not hold.
    case notProven(node: String, EvidenceProblem)
    /// The proof holds, but for a state that is older than allowed.
    case stale(node: String, height: UInt64, ageMs: UInt64)
    /// The node has not reached a height that was proven before.
    case behind(node: String, height: UInt64, known: UInt64)
    /// What the client was given cannot be used.
    case invalid(english: String, chinese: String)
    /// A request that needs a signature, and there is no identity.
    case noIdentity
    /// What was asked for is not there: proven, unless a node only said so.
    case notFound(english: String, chinese: String)

    /// The API's error code, where a node answered with one.
    public var code: String? {
        if case .refused(_, _, let code, _, _) = self { return code }
        return nil
    }

    /// Whoever asks may not read it, or not without an identity.
    var isForbidden: Bool { code == "not-permitted" || code == "needs-identity" }

    /// The same node may do better in a moment.
    var mayPass: Bool {
        switch self {
        case .behind: true
        case .refused(_, _, let code, _, _):
            code == "index-behind" || code == "not-ready" || code == "busy"
        case .unreachable, .badAnswer, .notProven, .stale, .invalid, .noIdentity, .notFound: false
        }
    }

    /// Another node may do better: a refusal too is one node's word, and no proof that the others refuse.
    var isOfThisNode: Bool {
        switch self {
        case .unreachable, .badAnswer, .notProven, .stale, .behind, .refused: true
        case .invalid, .noIdentity, .notFound: false
        }
    }

    /// How much it says of why no node had an answer; of several reasons the first that says most is given.
    var weight: Int {
        // Who waits for something asks again by himself.
        if code == "not-found" { return 4 }
        // What may pass in a moment is worth another try.
        if mayPass { return 3 }
        return switch self {
        case .refused(_, let status, _, _, _): status < 500 ? 2 : 1
        case .badAnswer, .notProven, .stale, .behind, .invalid, .noIdentity, .notFound: 1
        case .unreachable: 0
        }
    }
}

extension ClientError: CustomStringConvertible {
    public var description: String { "\(english) / \(chinese)" }

    public var english: String { texts.english }
    public var chinese: String { texts.chinese }

    /// What a lying node can make long is shortened.
    private var texts: Bilingual {
        switch self {
        case .unreachable(let node, let reason): reason.texts(of: node)
        case .refused(let node, let status, let code, let english, let chinese):
            Bilingual(
                "\(node): \(english.isEmpty ? "status \(status), without a reason" : english) (\(code))",
                "\(node)：\(chinese.isEmpty ? "状态 \(status)，未说明原因" : chinese)（\(code)）")
        case .badAnswer(let node, let what):
            Bilingual(
                "\(node) answered with something else: \(what.english)",
                "\(node) 的应答格式不符：\(what.chinese)")
        case .notProven(let node, let problem):
            Bilingual(
                "\(node) gave no valid proof: \(problem.english.shortened())",
                "\(node) 的证明不成立：\(problem.chinese.shortened())")
        case .stale(let node, let height, let ageMs):
            Bilingual(
                "\(node) proves a state that is \(ageMs / 1_000) s old (height \(height))",
                "\(node) 证明的状态已是 \(ageMs / 1_000) 秒前（高度 \(height)）")
        case .behind(let node, let height, let known):
            Bilingual(
                "\(node) is at height \(height), but \(known) is final already",
                "\(node) 在高度 \(height)，而高度 \(known) 已终局")
        case .invalid(let english, let chinese), .notFound(let english, let chinese):
            Bilingual(english, chinese)
        case .noIdentity:
            Bilingual(
                "this needs an identity; give --identity DIR or set HUIJIN_IDENTITY",
                "此操作需要身份，请用 --identity 或设置 HUIJIN_IDENTITY")
        }
    }
}
