/// Conditions and values. What stands where follows from what the disclosure rules can see: a condition on rows
/// compares a column with literals, and an aggregate is over a column, so that arithmetic hides nobody's part in it.
extension QueryParser {
    private mutating func nested<Value>(
        _ body: (inout QueryParser) throws(GateRefusal) -> Value
    ) throws(GateRefusal) -> Value {
        guard depth < QueryParser.depthMax else {
            throw refuse(
                "less than \(QueryParser.depthMax) levels", "嵌套不超过 \(QueryParser.depthMax) 层")
        }
        depth += 1
        defer { depth -= 1 }
        return try body(&self)
    }

    // MARK: Conditions

    mutating func condition() throws(GateRefusal) -> Expression {
        try nested { (parser) throws(GateRefusal) in
            var left = try parser.conjunction()
            var terms = 1
            while parser.take("OR") {
                try parser.count(&terms)
                left = .or(left, try parser.conjunction())
            }
            return left
        }
    }

    private mutating func conjunction() throws(GateRefusal) -> Expression {
        var left = try negation()
        var terms = 1
        while take("AND") {
            try count(&terms)
            left = .and(left, try negation())
        }
        return left
    }

    private func count(_ terms: inout Int) throws(GateRefusal) {
        terms += 1
        guard terms <= QueryParser.termsMax else {
            throw refuse(
                "at most \(QueryParser.termsMax) conditions in a row; use IN", "条件过多，请用 IN")
        }
    }

    private mutating func negation() throws(GateRefusal) -> Expression {
        guard take("NOT") else { return try predicate() }
        return try nested { (parser) throws(GateRefusal) in .not(try parser.negation()) }
    }

    private mutating func predicate() throws(GateRefusal) -> Expression {
        if takeSymbol("(") {
            let inner = try condition()
            try demandSymbol(")")
            return inner
        }
        let left =
            allowsAggregates
            ? try value()
            : try plainColumn(
                "a column to compare with a number or a 'text'; no arithmetic, no function and no aggregate in WHERE",
                "用来与数字或'文本'比较的列；WHERE 中不允许运算、函数和聚合")
        if case .symbol(let symbol) = token.kind,
            let comparison = Expression.Comparison(rawValue: symbol)
        {
            advance()
            return .compare(comparison, left, try literal())
        }
        if take("IS") {
            let negated = take("NOT")
            try demand("NULL")
            return .isNull(left, negated: negated)
        }
        let negated = take("NOT")
        if take("IN") { return .isIn(left, try list(), negated: negated) }
        if take("BETWEEN") {
            let low = try literal()
            try demand("AND")
            return .between(left, low, try literal(), negated: negated)
        }
        if take("LIKE") { return .like(left, try pattern(), negated: negated) }
        if negated { throw refuse("IN, BETWEEN or LIKE", " IN、BETWEEN 或 LIKE") }
        throw refuse(
            "=, <>, <, <=, >, >=, IN, BETWEEN, LIKE or IS NULL; conditions have no arithmetic",
            " =、<>、<、<=、>、>=、IN、BETWEEN、LIKE 或 IS NULL；条件中不允许运算")
    }

    private mutating func pattern() throws(GateRefusal) -> String {
        guard case .text(let pattern) = token.kind else {
            throw refuse("a 'pattern'", "'模式' 文本")
        }
        advance()
        return pattern
    }

    private mutating func list() throws(GateRefusal) -> [Expression] {
        try demandSymbol("(")
        var values: [Expression] = []
        repeat {
            guard values.count < QueryParser.listMax else {
                throw refuse(
                    "at most \(QueryParser.listMax) values", "最多 \(QueryParser.listMax) 个值")
            }
            values.append(try literal())
        } while takeSymbol(",")
        try demandSymbol(")")
        return values
    }

    private mutating func literal() throws(GateRefusal) -> Expression {
        if case .text(let text) = token.kind {
            advance()
            return .text(text)
        }
        let isNegative = takeSymbol("-")
        guard let number = number() else {
            throw refuse(
                "a number or a 'text'; conditions compare with literals only",
                "数字或'文本'；条件只能与字面值比较")
        }
        return isNegative ? .negative(number) : number
    }

    private mutating func number() -> Expression? {
        switch token.kind {
        case .integer(let number):
            advance()
            return .integer(number)
        case .decimal(let digits):
            advance()
            return .decimal(digits)
        case .word, .name, .text, .symbol, .end: return nil
        }
    }

    // MARK: Values of groups

    /// A group column, or a product of numbers and an aggregate, or the ratio of two such.
    ///
    /// Each aggregate is checked on its own, so what is computed from two shows no more than they do; sums and
    /// differences stay out so that a reviewer reads what an output is about.
    mutating func value() throws(GateRefusal) -> Expression {
        try nested { (parser) throws(GateRefusal) in
            var left = try parser.factor()
            var factors = 1
            while case .symbol(let symbol) = parser.token.kind, symbol == "*" || symbol == "/" {
                guard left.bareColumns.isEmpty, factors < QueryParser.factorsMax else {
                    throw parser.refuseArithmetic()
                }
                parser.advance()
                let refusal = parser.refuseArithmetic()
                let right = try parser.factor()
                let (above, below) = (left.aggregates.count, right.aggregates.count)
                guard right.bareColumns.isEmpty, above + below <= 2,
                    symbol == "/" || above == 0 || below == 0
                else { throw refusal }
                factors += 1
                left = .arithmetic(symbol == "*" ? .multiply : .divide, left, right)
            }
            if parser.token.isSymbol("+") || parser.token.isSymbol("-") {
                throw parser.refuseArithmetic()
            }
            return left
        }
    }

    private func refuseArithmetic() -> GateRefusal {
        refuse(
            "a grouped column, an aggregate, an aggregate times or over a number, or the ratio of two aggregates; no + or -",
            "分组列、聚合函数、聚合函数乘以或除以数字，或两个聚合函数之比；不允许加减")
    }

    private mutating func factor() throws(GateRefusal) -> Expression {
        if let number = number() { return number }
        switch token.kind {
        case .symbol("-"):
            let refusal = refuseArithmetic()
            advance()
            let inner = try nested { (parser) throws(GateRefusal) in try parser.factor() }
            guard inner.bareColumns.isEmpty else { throw refusal }
            return .negative(inner)
        case .symbol("("):
            advance()
            let inner = try value()
            try demandSymbol(")")
            return inner
        case .word where isCall: return try function()
        case .word, .name:
            if let index = try column() { return .column(index) }
            throw refuse(
                "a column of \(table.name), a number or an aggregate", "列、数字或聚合函数")
        case .symbol, .end, .integer, .decimal, .text:
            throw refuse(
                "a column, a number or an aggregate; subqueries are not allowed",
                "列、数字或聚合函数；不允许子查询")
        }
    }

    private var isCall: Bool {
        tokens[min(index + 1, tokens.count - 1)].isSymbol("(")
    }

    private mutating func function() throws(GateRefusal) -> Expression {
        if token.keyword == "ROUND" { return try rounding() }
        guard let keyword = token.keyword,
            let function = Aggregate.Function(rawValue: keyword)
        else {
            throw refuse(
                "COUNT, SUM, AVG, MIN, MAX or ROUND", " COUNT、SUM、AVG、MIN、MAX 或 ROUND")
        }
        advance()
        try demandSymbol("(")
        if function == .count, takeSymbol("*") {
            try demandSymbol(")")
            return .aggregate(Aggregate(function: .count, isDistinct: false, argument: nil))
        }
        let isDistinct = function == .count && take("DISTINCT")
        let argument: Expression
        switch function {
        case .count, .minimum, .maximum: argument = try plainArgument()
        case .sum, .average: argument = try scaledArgument()
        }
        guard takeSymbol(")") else { throw refuseArgument() }
        return .aggregate(
            Aggregate(function: function, isDistinct: isDistinct, argument: argument))
    }

    private static let argumentEnglish =
        "a plain column as the argument (COUNT also *), in SUM and AVG also a column times or over one number"
    private static let argumentChinese =
        "单独的列作为参数（COUNT 也可用 *）；SUM 与 AVG 也可用列乘以或除以一个数字"

    private func refuseArgument() -> GateRefusal {
        refuse(QueryParser.argumentEnglish, QueryParser.argumentChinese)
    }

    private mutating func plainArgument() throws(GateRefusal) -> Expression {
        try plainColumn(QueryParser.argumentEnglish, QueryParser.argumentChinese)
    }

    /// One column and at most one number: nobody's share of a sum depends on the number.
    private mutating func scaledArgument() throws(GateRefusal) -> Expression {
        let isNegative = takeSymbol("-")
        let argument: Expression
        if let scale = try scale() {
            guard takeSymbol("*") else { throw refuseArgument() }
            argument = .arithmetic(.multiply, scale, try plainArgument())
        } else {
            let column = try plainArgument()
            if takeSymbol("*") {
                argument = .arithmetic(.multiply, column, try signedScale(isDivisor: false))
            } else if takeSymbol("/") {
                argument = .arithmetic(.divide, column, try signedScale(isDivisor: true))
            } else {
                argument = column
            }
        }
        return isNegative ? .negative(argument) : argument
    }

    private mutating func signedScale(isDivisor: Bool) throws(GateRefusal) -> Expression {
        let isNegative = takeSymbol("-")
        guard let scale = try scale() else { throw refuseArgument() }
        // Whole numbers divided by whole ones are cut off in SQLite: values below a divisor would count as 0, and a
        // sum would be about the others alone.
        let number: Expression
        if isDivisor, case .integer(let whole) = scale {
            number = .decimal("\(whole).0")
        } else {
            number = scale
        }
        return isNegative ? .negative(number) : number
    }

    /// Nil where no number stands. Its range keeps products from being cut off at 0 or infinity, as a comparison would.
    private mutating func scale() throws(GateRefusal) -> Expression? {
        let refusal = refuse("a number from 1e-9 to 1e9", "1e-9 至 1e9 的数字")
        guard let number = number() else { return nil }
        let magnitude: Double? =
            switch number {
            case .integer(let whole): Double(whole)
            case .decimal(let digits): Double(digits)
            case .column, .text, .negative, .arithmetic, .aggregate, .round, .compare, .and, .or,
                .not, .isIn, .between, .like, .isNull:
                nil
            }
        guard let magnitude, QueryParser.scaleRange.contains(magnitude) else { throw refusal }
        return number
    }

    private mutating func rounding() throws(GateRefusal) -> Expression {
        advance()
        try demandSymbol("(")
        let refusal = refuse("ROUND around an aggregate only", "只能对聚合结果取整")
        let value = try self.value()
        guard value.bareColumns.isEmpty, !value.aggregates.isEmpty else { throw refusal }
        var places: Int64 = 0
        if takeSymbol(",") {
            guard case .integer(let number) = token.kind, number <= 10 else {
                throw refuse("0 to 10 decimal places", "0 至 10 位小数")
            }
            places = number
            advance()
        }
        try demandSymbol(")")
        return .round(value, Int(places))
    }

    private mutating func plainColumn(
        _ allowed: String, _ chinese: String
    ) throws(GateRefusal) -> Expression {
        if case .word = token.kind, isCall { throw refuse(allowed, chinese) }
        guard let index = try column() else { throw refuse(allowed, chinese) }
        return .column(index)
    }

    private static let reserved: Set<String> = [
        "SELECT", "DISTINCT", "ALL", "FROM", "WHERE", "GROUP", "BY", "HAVING", "ORDER", "LIMIT",
        "AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "AS", "UNION", "EXCEPT",
        "INTERSECT", "CASE", "CAST", "EXISTS", "WITH", "OVER", "COLLATE", "JOIN", "ON",
    ]

    /// Nil where the next token is no name.
    mutating func column() throws(GateRefusal) -> Int? {
        let name: String
        switch token.kind {
        case .word(let text):
            guard !QueryParser.reserved.contains(text.asciiUppercased) else { return nil }
            name = text
        case .name(let text): name = text
        case .text, .integer, .decimal, .symbol, .end: return nil
        }
        guard let found = table.index(of: name) else {
            throw GateRefusal(
                .sqlRefused, at: token.position,
                "the table has no column \(name); licensed are \(table.scope.joined(separator: ", "))",
                "表中没有列 \(name)；许可范围为 \(table.scope.joined(separator: "、"))")
        }
        guard table.isLicensed(found) else {
            throw GateRefusal(
                .scopeNotPermitted, at: token.position,
                "the licence does not cover the column \(name)", "许可范围不含列 \(name)")
        }
        advance()
        return found
    }
}
