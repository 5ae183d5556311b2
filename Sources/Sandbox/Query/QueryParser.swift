/// Reads one SELECT in the grammar of docs/sandbox.md; whatever is not in it is refused where it stands.
struct QueryParser {
    static let depthMax = 32
    static let itemsMax = 64
    static let groupsMax = 8
    static let listMax = 1_000
    static let limitMax: Int64 = 1_000_000
    /// AND or OR in a row.
    static let termsMax = 256
    /// Numbers and aggregates in one product.
    static let factorsMax = 4
    /// Magnitudes of the number that scales an aggregate's argument.
    static let scaleRange = 1e-9...1e9

    let tokens: [Token]
    let table: GateTable
    var index = 0
    var depth = 0
    /// Whether values are of groups, as in the select list, HAVING and ORDER BY, or of rows, as in WHERE.
    var allowsAggregates = false

    private init(_ tokens: [Token], _ table: GateTable) {
        self.tokens = tokens
        self.table = table
    }

    static func parse(_ sql: String, _ table: GateTable) throws(GateRefusal) -> QueryTree {
        var parser = QueryParser(try Lexer.tokens(sql), table)
        return try parser.query()
    }

    // MARK: Tokens

    var token: Token { tokens[index] }

    func refuse(_ allowed: String, _ chinese: String) -> GateRefusal {
        GateRefusal(
            .sqlRefused, at: token.position, "expected \(allowed)", "此处应为\(chinese)")
    }

    mutating func advance() { if index + 1 < tokens.count { index += 1 } }

    mutating func take(_ keyword: String) -> Bool {
        guard token.keyword == keyword else { return false }
        advance()
        return true
    }

    mutating func takeSymbol(_ symbol: String) -> Bool {
        guard token.isSymbol(symbol) else { return false }
        advance()
        return true
    }

    mutating func demand(_ keyword: String) throws(GateRefusal) {
        guard take(keyword) else { throw refuse(keyword, " \(keyword)") }
    }

    mutating func demandSymbol(_ symbol: String) throws(GateRefusal) {
        guard takeSymbol(symbol) else { throw refuse("\"\(symbol)\"", "“\(symbol)”") }
    }

    // MARK: Clauses

    mutating func query() throws(GateRefusal) -> QueryTree {
        var tree = QueryTree()
        try demand("SELECT")
        allowsAggregates = true
        repeat { try item(&tree) } while takeSymbol(",")
        try demand("FROM")
        try source()
        allowsAggregates = false
        if take("WHERE") { tree.condition = try condition() }
        if take("GROUP") {
            try demand("BY")
            repeat { try group(&tree) } while takeSymbol(",")
        }
        allowsAggregates = true
        if !tree.groups.isEmpty, token.keyword == "HAVING" {
            let position = token.position
            advance()
            tree.having = (try condition(), position)
        }
        if take("ORDER") {
            try demand("BY")
            repeat { try order(&tree) } while takeSymbol(",")
        }
        if take("LIMIT") {
            guard case .integer(let limit) = token.kind, limit <= QueryParser.limitMax else {
                throw refuse(
                    "a number up to \(QueryParser.limitMax)", "不超过 \(QueryParser.limitMax) 的整数")
            }
            advance()
            tree.limit = limit
        }
        _ = takeSymbol(";")
        guard token.kind == .end else {
            throw refuse(
                "the end of the query; its clauses are WHERE, GROUP BY, HAVING, ORDER BY, LIMIT, in this order, over one table",
                "查询结尾；子句依次为 WHERE、GROUP BY、HAVING、ORDER BY、LIMIT，且只能用一张表")
        }
        return tree
    }

    mutating func item(_ tree: inout QueryTree) throws(GateRefusal) {
        let position = token.position
        guard tree.items.count < QueryParser.itemsMax else {
            throw refuse(
                "at most \(QueryParser.itemsMax) outputs", "最多 \(QueryParser.itemsMax) 个输出列")
        }
        if takeSymbol("*") {
            tree.starPosition = position
            return
        }
        let value = try self.value()
        var name = SQLWriter(columns: table.columns).sql(value)
        if case .column(let index) = value { name = table.columns[index] }
        if take("AS") {
            switch token.kind {
            case .word(let text), .name(let text): name = text
            case .text, .integer, .decimal, .symbol, .end: throw refuse("a heading", "列名")
            }
            advance()
        }
        tree.items.append(.init(value: value, name: name, position: position))
    }

    mutating func source() throws(GateRefusal) {
        let name: String? =
            switch token.kind {
            case .word(let text), .name(let text): text
            case .text, .integer, .decimal, .symbol, .end: nil
            }
        guard let name, name.asciiUppercased == table.name.asciiUppercased else {
            throw refuse("the licensed table \(table.name)", "获许可的表 \(table.name)")
        }
        advance()
    }

    mutating func group(_ tree: inout QueryTree) throws(GateRefusal) {
        guard tree.groups.count < QueryParser.groupsMax else {
            throw refuse(
                "at most \(QueryParser.groupsMax) columns", "最多 \(QueryParser.groupsMax) 个分组列")
        }
        guard let index = try column() else { throw refuse("a column to group by", "分组列") }
        tree.groups.append(index)
    }

    mutating func order(_ tree: inout QueryTree) throws(GateRefusal) {
        let position = token.position
        guard tree.orders.count < QueryParser.itemsMax else {
            throw refuse("at most \(QueryParser.itemsMax) keys", "最多 \(QueryParser.itemsMax) 个排序项")
        }
        let value: Expression
        if case .integer(let ordinal) = token.kind {
            guard ordinal >= 1, ordinal <= tree.items.count else {
                throw refuse("an output's number", "输出列序号")
            }
            value = tree.items[Int(ordinal) - 1].value
            advance()
        } else if let item = heading(tree) {
            value = item.value
            advance()
        } else {
            value = try self.value()
        }
        let isDescending = take("DESC")
        if !isDescending { _ = take("ASC") }
        tree.orders.append(.init(value: value, isDescending: isDescending, position: position))
    }

    /// The output of that heading, where the next word is one and stands alone.
    func heading(_ tree: QueryTree) -> QueryTree.Item? {
        let name: String
        switch token.kind {
        case .word(let text), .name(let text): name = text
        case .text, .integer, .decimal, .symbol, .end: return nil
        }
        let next = tokens[min(index + 1, tokens.count - 1)]
        guard
            next.kind == .end || next.isSymbol(",") || next.isSymbol(";")
                || ["ASC", "DESC", "LIMIT"].contains(next.keyword ?? "")
        else { return nil }
        return tree.items.first { $0.name.asciiUppercased == name.asciiUppercased }
    }
}
