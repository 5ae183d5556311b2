/// A value or a condition of a query.
indirect enum Expression: Hashable, Sendable {
    enum Arithmetic: String, Sendable {
        case multiply = "*"
        case divide = "/"
    }

    enum Comparison: String, Sendable {
        case equal = "="
        case unequal = "<>"
        case less = "<"
        case atMost = "<="
        case greater = ">"
        case atLeast = ">="
    }

    /// A column's place in the table.
    case column(Int)
    case integer(Int64)
    /// Digits with a fraction or an exponent, unsigned.
    case decimal(String)
    case text(String)
    case negative(Expression)
    case arithmetic(Arithmetic, Expression, Expression)
    case aggregate(Aggregate)
    /// To 0…10 decimal places.
    case round(Expression, Int)

    case compare(Comparison, Expression, Expression)
    case and(Expression, Expression)
    case or(Expression, Expression)
    case not(Expression)
    case isIn(Expression, [Expression], negated: Bool)
    case between(Expression, Expression, Expression, negated: Bool)
    case like(Expression, String, negated: Bool)
    case isNull(Expression, negated: Bool)

    /// The expressions right below this one, an aggregate's argument among them.
    var parts: [Expression] {
        switch self {
        case .column, .integer, .decimal, .text: []
        case .negative(let value), .round(let value, _), .not(let value), .like(let value, _, _),
            .isNull(let value, _):
            [value]
        case .arithmetic(_, let left, let right), .compare(_, let left, let right),
            .and(let left, let right), .or(let left, let right):
            [left, right]
        case .aggregate(let aggregate): aggregate.argument.map { [$0] } ?? []
        case .isIn(let value, let list, _): [value] + list
        case .between(let value, let low, let high, _): [value, low, high]
        }
    }

    /// Aggregates in it, in order.
    var aggregates: [Aggregate] {
        if case .aggregate(let aggregate) = self { return [aggregate] }
        return parts.flatMap(\.aggregates)
    }

    /// Columns that stand outside any aggregate, in order.
    var bareColumns: [Int] {
        switch self {
        case .column(let index): [index]
        case .aggregate: []
        case .integer, .decimal, .text, .negative, .arithmetic, .round, .compare, .and, .or, .not,
            .isIn, .between, .like, .isNull:
            parts.flatMap(\.bareColumns)
        }
    }

    var columns: [Int] {
        if case .column(let index) = self { return [index] }
        return parts.flatMap(\.columns)
    }
}

struct Aggregate: Hashable, Sendable {
    enum Function: String, Sendable, CaseIterable {
        case count = "COUNT"
        case sum = "SUM"
        case average = "AVG"
        case minimum = "MIN"
        case maximum = "MAX"
    }

    let function: Function
    let isDistinct: Bool
    /// Nil for `COUNT(*)`; else a column, in SUM and AVG also one scaled by a number.
    let argument: Expression?
}

/// A parsed query over one table.
struct QueryTree: Sendable {
    struct Item: Sendable {
        let value: Expression
        /// The heading in the output.
        let name: String
        let position: Int
    }

    struct Order: Sendable {
        let value: Expression
        let isDescending: Bool
        let position: Int
    }

    var items: [Item] = []
    /// Where a `*` stands among the items, which makes the output rows.
    var starPosition: Int?
    var condition: Expression?
    var groups: [Int] = []
    var having: (value: Expression, position: Int)?
    var orders: [Order] = []
    var limit: Int64?
}

/// Writes trees as SQL: the buyer's own text never reaches SQLite.
struct SQLWriter {
    let columns: [String]

    static func quote(_ name: String) -> String { quoted(name, "\"") }

    private static func literal(_ text: String) -> String { quoted(text, "'") }

    /// Scalar by scalar, as SQLite reads it: a mark after a sign that joins what follows, such as U+0600, or before one that
    /// joins what precedes is no `Character` of its own, and would end the text.
    private static func quoted(_ text: String, _ mark: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView([mark])
        for scalar in text.unicodeScalars {
            if scalar == mark { result.append(mark) }
            result.append(scalar)
        }
        result.append(mark)
        return String(result)
    }

    func column(_ index: Int) -> String { SQLWriter.quote(columns[index]) }

    func sql(_ value: Expression) -> String {
        switch value {
        case .column(let index): column(index)
        case .integer(let number): String(number)
        case .decimal(let digits): digits
        case .text(let text): SQLWriter.literal(text)
        case .negative(let value): "(- \(sql(value)))"
        case .arithmetic(let sign, let left, let right):
            "(\(sql(left)) \(sign.rawValue) \(sql(right)))"
        case .aggregate(let aggregate): sql(aggregate)
        case .round(let value, let places): "ROUND(\(sql(value)), \(places))"
        case .compare(let sign, let left, let right):
            "(\(sql(left)) \(sign.rawValue) \(sql(right)))"
        case .and(let left, let right): "(\(sql(left)) AND \(sql(right)))"
        case .or(let left, let right): "(\(sql(left)) OR \(sql(right)))"
        case .not(let value): "(NOT \(sql(value)))"
        case .isIn(let value, let list, let negated):
            "(\(sql(value))\(negated ? " NOT" : "") IN (\(list.map(sql).joined(separator: ", "))))"
        case .between(let value, let low, let high, let negated):
            "(\(sql(value))\(negated ? " NOT" : "") BETWEEN \(sql(low)) AND \(sql(high)))"
        case .like(let value, let pattern, let negated):
            "(\(sql(value))\(negated ? " NOT" : "") LIKE \(SQLWriter.literal(pattern)))"
        case .isNull(let value, let negated):
            "(\(sql(value)) IS\(negated ? " NOT" : "") NULL)"
        }
    }

    private func sql(_ aggregate: Aggregate) -> String {
        let distinct = aggregate.isDistinct ? "DISTINCT " : ""
        let argument = aggregate.argument.map(sql) ?? "*"
        return "\(aggregate.function.rawValue)(\(distinct)\(argument))"
    }
}
