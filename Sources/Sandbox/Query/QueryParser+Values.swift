/// Conditions and values, from the loosest binding to the tightest.
extension QueryParser {
    // MARK: Conditions

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

    mutating func condition() throws(GateRefusal) -> Expression {
        let position = token.position
        let value = try any()
        guard value.isCondition else {
            throw GateRefusal(
                .sqlRefused, at: position,
                "expected a condition: =, <>, <, <=, >, >=, IN, BETWEEN, LIKE or IS NULL",
                "此处应为条件：=、<>、<、<=、>、>=、IN、BETWEEN、LIKE 或 IS NULL")
        }
        return value
    }

    mutating func value() throws(GateRefusal) -> Expression {
        let position = token.position
        let value = try any()
        guard !value.isCondition else {
            throw GateRefusal(
                .sqlRefused, at: position, "expected a value, not a condition", "此处应为数值，不是条件")
        }
        return value
    }

    private func demandKind(
        _ value: Expression, isCondition: Bool, _ position: Int
    ) throws(GateRefusal) {
        guard value.isCondition == isCondition else {
            throw GateRefusal(
                .sqlRefused, at: position,
                isCondition ? "expected a condition" : "expected a value, not a condition",
                isCondition ? "此处应为条件" : "此处应为数值，不是条件")
        }
    }

    private mutating func any() throws(GateRefusal) -> Expression {
        try nested { (parser) throws(GateRefusal) in
            let position = parser.token.position
            var left = try parser.conjunction()
            var terms = 1
            while parser.take("OR") {
                try parser.count(&terms)
                try parser.demandKind(left, isCondition: true, position)
                let at = parser.token.position
                let right = try parser.conjunction()
                try parser.demandKind(right, isCondition: true, at)
                left = .or(left, right)
            }
            return left
        }
    }

    private mutating func conjunction() throws(GateRefusal) -> Expression {
        let position = token.position
        var left = try negation()
        var terms = 1
        while take("AND") {
            try count(&terms)
            try demandKind(left, isCondition: true, position)
            let at = token.position
            let right = try negation()
            try demandKind(right, isCondition: true, at)
            left = .and(left, right)
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
        return try nested { (parser) throws(GateRefusal) in
            let position = parser.token.position
            let value = try parser.negation()
            try parser.demandKind(value, isCondition: true, position)
            return .not(value)
        }
    }

    private mutating func predicate() throws(GateRefusal) -> Expression {
        let position = token.position
        let left = try sum()
        if case .symbol(let symbol) = token.kind,
            let comparison = Expression.Comparison(rawValue: symbol)
        {
            try demandKind(left, isCondition: false, position)
            advance()
            return .compare(comparison, left, try operand())
        }
        if take("IS") {
            try demandKind(left, isCondition: false, position)
            let negated = take("NOT")
            try demand("NULL")
            return .isNull(left, negated: negated)
        }
        let negated = token.keyword == "NOT"
        let keyword = negated ? tokens[min(index + 1, tokens.count - 1)].keyword : token.keyword
        guard let keyword, ["IN", "BETWEEN", "LIKE"].contains(keyword) else {
            if negated { throw refuse("IN, BETWEEN or LIKE", " IN、BETWEEN 或 LIKE") }
            return left
        }
        try demandKind(left, isCondition: false, position)
        if negated { advance() }
        advance()
        switch keyword {
        case "IN": return .isIn(left, try list(), negated: negated)
        case "BETWEEN":
            let low = try operand()
            try demand("AND")
            return .between(left, low, try operand(), negated: negated)
        default:
            guard case .text(let pattern) = token.kind else {
                throw refuse("a 'pattern'", "'模式' 文本")
            }
            advance()
            return .like(left, pattern, negated: negated)
        }
    }

    private mutating func operand() throws(GateRefusal) -> Expression {
        let position = token.position
        let value = try sum()
        try demandKind(value, isCondition: false, position)
        return value
    }

    private mutating func list() throws(GateRefusal) -> [Expression] {
        try demandSymbol("(")
        var values: [Expression] = []
        repeat {
            guard values.count < QueryParser.listMax else {
                throw refuse(
                    "at most \(QueryParser.listMax) values", "最多 \(QueryParser.listMax) 个值")
            }
            let isNegative = takeSymbol("-")
            switch token.kind {
            case .integer(let number):
                values.append(isNegative ? .negative(.integer(number)) : .integer(number))
            case .decimal(let digits):
                values.append(isNegative ? .negative(.decimal(digits)) : .decimal(digits))
            case .text(let text) where !isNegative: values.append(.text(text))
            case .word, .name, .text, .symbol, .end:
                throw refuse("a number or a 'text'; subqueries are not allowed", "数字或'文本'；不允许子查询")
            }
            advance()
        } while takeSymbol(",")
        try demandSymbol(")")
        return values
    }

    // MARK: Values

    private mutating func sum() throws(GateRefusal) -> Expression {
        let position = token.position
        var left = try product()
        while case .symbol(let symbol) = token.kind, symbol == "+" || symbol == "-" {
            try demandKind(left, isCondition: false, position)
            advance()
            let at = token.position
            let right = try product()
            try demandKind(right, isCondition: false, at)
            left = try chained(.arithmetic(symbol == "+" ? .add : .subtract, left, right))
        }
        return left
    }

    private mutating func product() throws(GateRefusal) -> Expression {
        let position = token.position
        var left = try unary()
        while case .symbol(let symbol) = token.kind, symbol == "*" || symbol == "/" {
            try demandKind(left, isCondition: false, position)
            advance()
            let at = token.position
            let right = try unary()
            try demandKind(right, isCondition: false, at)
            left = try chained(.arithmetic(symbol == "*" ? .multiply : .divide, left, right))
        }
        return left
    }

    /// A long chain of operators is a deep tree for SQLite and for our own recursion alike.
    private func chained(_ value: Expression) throws(GateRefusal) -> Expression {
        var height = 0
        var next = value
        while case .arithmetic(_, let left, _) = next {
            height += 1
            next = left
        }
        guard height <= QueryParser.depthMax else {
            throw refuse("at most \(QueryParser.depthMax) operators in a row", "连续运算过多")
        }
        return value
    }

    private mutating func unary() throws(GateRefusal) -> Expression {
        if takeSymbol("-") {
            return try nested { (parser) throws(GateRefusal) in
                let position = parser.token.position
                let value = try parser.unary()
                try parser.demandKind(value, isCondition: false, position)
                return .negative(value)
            }
        }
        return try primary()
    }

    private mutating func primary() throws(GateRefusal) -> Expression {
        switch token.kind {
        case .integer(let number):
            advance()
            return .integer(number)
        case .decimal(let digits):
            advance()
            return .decimal(digits)
        case .text(let text):
            advance()
            return .text(text)
        case .symbol("("):
            advance()
            if token.keyword == "SELECT" {
                throw refuse("a value; subqueries are not allowed", "数值；不允许子查询")
            }
            let value = try any()
            try demandSymbol(")")
            return value
        case .word where tokens[min(index + 1, tokens.count - 1)].isSymbol("("):
            return try function()
        case .word, .name:
            if let index = try column() { return .column(index) }
            throw refuse("a column of \(table.name), a number or a 'text'", "列、数字或'文本'")
        case .symbol, .end:
            throw refuse("a column, a number, a 'text' or an aggregate", "列、数字、'文本'或聚合函数")
        }
    }

    private mutating func function() throws(GateRefusal) -> Expression {
        if token.keyword == "ROUND" { return try rounding() }
        guard let keyword = token.keyword,
            let function = Aggregate.Function(rawValue: keyword)
        else {
            throw refuse(
                "COUNT, SUM, AVG, MIN, MAX or ROUND", " COUNT、SUM、AVG、MIN、MAX 或 ROUND")
        }
        guard allowsAggregates else {
            throw refuse(
                "no aggregate in WHERE, nor inside another aggregate", "非聚合表达式（WHERE 与聚合函数内不能再聚合）")
        }
        advance()
        try demandSymbol("(")
        if function == .count, takeSymbol("*") {
            try demandSymbol(")")
            return .aggregate(Aggregate(function: .count, isDistinct: false, argument: nil))
        }
        let isDistinct = function == .count && take("DISTINCT")
        allowsAggregates = false
        let argument = try value()
        allowsAggregates = true
        try demandSymbol(")")
        return .aggregate(
            Aggregate(function: function, isDistinct: isDistinct, argument: argument))
    }

    private mutating func rounding() throws(GateRefusal) -> Expression {
        guard allowsAggregates else {
            throw refuse("ROUND around an aggregate only", "只能对聚合结果取整")
        }
        advance()
        try demandSymbol("(")
        let value = try self.value()
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
