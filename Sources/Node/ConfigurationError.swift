/// What is wrong with a configuration: which file, which field, and what would put it right.
public struct ConfigurationError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file as it was named.
    public let file: String
    /// The JSON field, such as `peers[2].address`; `nil` when it is the file as a whole.
    public let field: String?
    public let problem: String
    public let problemZh: String
    public let remedy: String
    public let remedyZh: String

    public init(
        file: String, field: String? = nil, problem: String, problemZh: String, remedy: String,
        remedyZh: String
    ) {
        self.file = file
        self.field = field
        self.problem = problem
        self.problemZh = problemZh
        self.remedy = remedy
        self.remedyZh = remedyZh
    }

    /// Two lines, English and 中文.
    public var description: String {
        let place = field.map { "\(file): \($0)" } ?? file
        return "\(place): \(problem); \(remedy)\n\(place)：\(problemZh)；\(remedyZh)"
    }
}
