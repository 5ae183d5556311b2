import Records

/// Why a query does not run: a stable code, and where and why in two languages.
public struct GateRefusal: Error, Equatable, Sendable, CustomStringConvertible {
    public let code: OutcomeCode
    /// Character of the query, from 1; nil where it is about the query as a whole.
    public let position: Int?
    public let english: String
    public let chinese: String

    public init(
        _ code: OutcomeCode, at position: Int? = nil, _ english: String, _ chinese: String
    ) {
        self.code = code
        self.position = position
        self.english = english
        self.chinese = chinese
    }

    public var messageEn: String {
        position.map { "character \($0): \(english)" } ?? english
    }

    public var messageZh: String {
        position.map { "第 \($0) 个字符：\(chinese)" } ?? chinese
    }

    public var description: String { "\(messageEn) / \(messageZh)" }
}
