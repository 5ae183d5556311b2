import Policy
import Records

/// What the gate knows of the table that a licence is for.
public struct GateTable: Sendable {
    /// As the query names it.
    public let name: String
    public let columns: [String]
    /// The column that tells entities apart; nil where each row is one.
    public let entityKey: String?
    /// Licensed columns.
    public let scope: [String]

    public init(name: String, columns: [String], entityKey: String?, scope: [String]) {
        self.name = name
        self.columns = columns
        self.entityKey = entityKey
        self.scope = scope
    }

    /// An exact name first, then one that differs in the case of ASCII letters.
    func index(of name: String) -> Int? {
        columns.firstIndex(of: name)
            ?? columns.firstIndex { $0.asciiUppercased == name.asciiUppercased }
    }

    func isLicensed(_ index: Int) -> Bool { scope.contains(columns[index]) }
}

/// A query that passed the gate, as the SQL that the worker runs. All of it is ours, written from the parsed tree.
public struct GatedQuery: Sendable, Equatable {
    /// Headings of the output.
    public let headings: [String]
    /// The licensed columns that it reads, for the licence check.
    public let columns: [String]
    /// Every column that the statements read, the entity key included.
    public let columnsRead: [String]
    public let sql: String
    /// For each group that WHERE leaves, before HAVING and LIMIT: distinct entities, rows.
    public let groupSQL: String
    /// For each group, one statement for each column inside an aggregate: entities that have a value; where it is
    /// summed also their total magnitude and the largest one's, else zeros.
    public let contributionSQL: [String]
}

/// Lets only aggregates through: one SELECT over the licensed table, in the grammar of docs/sandbox.md.
///
/// A query whose output would be rows, and not groups, is refused with `rowLevelOutput`; a column outside the licence
/// with `scopeNotPermitted`; anything else outside the grammar with `sqlRefused`, saying where and what is allowed.
/// MIN and MAX show one row's value, and are refused unless the review policy has `allow-extremes` = 1.
public enum QueryGate {
    public static let sqlBytesMax = 16_384
    /// The table's name in its own file.
    public static let fileTable = "t"
    public static let allowExtremes = "allow-extremes"

    public static func admit(
        _ sql: String, to table: GateTable, allowsExtremes: Bool = false
    ) throws(GateRefusal) -> GatedQuery {
        guard sql.utf8.count <= sqlBytesMax else {
            throw GateRefusal(
                .sqlRefused, "a query has at most \(sqlBytesMax) bytes", "查询最长 \(sqlBytesMax) 字节")
        }
        let tree = try QueryParser.parse(sql, table)
        try refuseRows(tree, table)
        let aggregates = all(tree).flatMap(\.aggregates)
        if !allowsExtremes,
            let extreme = aggregates.first(where: {
                $0.function == .minimum || $0.function == .maximum
            })
        {
            throw GateRefusal(
                .sqlRefused,
                "\(extreme.function.rawValue) shows a single row's value, which the review policy does not allow; use COUNT, SUM or AVG",
                "\(extreme.function.rawValue) 会显示单行数值，审核规则不允许；请用 COUNT、SUM 或 AVG")
        }
        return write(tree, table, aggregates)
    }

    /// Every expression whose value an output depends on group by group.
    private static func all(_ tree: QueryTree) -> [Expression] {
        tree.items.map(\.value) + (tree.having.map { [$0.value] } ?? [])
            + tree.orders.map(\.value)
    }

    private static func refuseRows(
        _ tree: QueryTree, _ table: GateTable
    ) throws(GateRefusal) {
        if let position = tree.starPosition {
            throw GateRefusal(
                .rowLevelOutput, at: position, "* gives rows; only aggregates leave the sandbox",
                "* 会输出明细行；沙箱只输出聚合结果")
        }
        for item in tree.items {
            for index in item.value.bareColumns where !tree.groups.contains(index) {
                throw GateRefusal(
                    .rowLevelOutput, at: item.position,
                    "\(table.columns[index]) is neither in GROUP BY nor inside an aggregate",
                    "列 \(table.columns[index]) 既不在 GROUP BY 中，也不在聚合函数内")
            }
        }
        guard tree.items.contains(where: { !$0.value.aggregates.isEmpty }) else {
            throw GateRefusal(
                .rowLevelOutput, "no output is an aggregate", "输出中没有聚合结果")
        }
        let sorted = tree.orders.map { ($0.value, $0.position) }
        for (value, position) in (tree.having.map { [$0] } ?? []) + sorted {
            for index in value.bareColumns where !tree.groups.contains(index) {
                throw GateRefusal(
                    .sqlRefused, at: position,
                    "\(table.columns[index]) must be in GROUP BY or inside an aggregate",
                    "列 \(table.columns[index]) 应在 GROUP BY 中或聚合函数内")
            }
        }
    }

    private static func write(
        _ tree: QueryTree, _ table: GateTable, _ aggregates: [Aggregate]
    ) -> GatedQuery {
        let writer = SQLWriter(columns: table.columns)
        let from = " FROM \(SQLWriter.quote(fileTable))"
        let filter = tree.condition.map { " WHERE \(writer.sql($0))" } ?? ""
        let groups = tree.groups.map(writer.column)
        let grouping = groups.isEmpty ? "" : " GROUP BY \(groups.joined(separator: ", "))"
        var sql = "SELECT " + tree.items.map { writer.sql($0.value) }.joined(separator: ", ")
        sql += from + filter + grouping
        if let having = tree.having { sql += " HAVING \(writer.sql(having.value))" }
        // Constants order nothing, and SQLite would read an integer as an output's number. The group columns at the
        // end make one order, and so one output, of every query.
        let keys = tree.orders
            .filter { !$0.value.columns.isEmpty || !$0.value.aggregates.isEmpty }
            .map { writer.sql($0.value) + ($0.isDescending ? " DESC" : "") }
        if !(keys + groups).isEmpty {
            sql += " ORDER BY " + (keys + groups).joined(separator: ", ")
        }
        if let limit = tree.limit { sql += " LIMIT \(limit)" }

        let key = table.entityKey.map(SQLWriter.quote) ?? "rowid"
        var summed: [Int] = []
        var counted: [Int] = []
        for aggregate in aggregates {
            let columns = aggregate.argument?.columns ?? []
            switch aggregate.function {
            case .sum, .average: summed += columns
            case .count, .minimum, .maximum: counted += columns
            }
        }
        // A sum's check counts who has a value, too.
        let present = Set(counted).subtracting(summed).sorted().map {
            "SELECT COUNT(DISTINCT CASE WHEN \(writer.column($0)) IS NOT NULL THEN \(key) END), 0, 0"
                + "\(from)\(filter)\(grouping)"
        }
        let contributing = Set(summed).sorted().map {
            contributions(writer.column($0), key: key, groups: groups, source: from + filter)
        }
        let read = Set(
            (all(tree) + (tree.condition.map { [$0] } ?? [])).flatMap(\.columns) + tree.groups)
        let columns = read.sorted().map { table.columns[$0] }
        return GatedQuery(
            headings: tree.items.map(\.name), columns: columns,
            columnsRead: columns + (table.entityKey.map { [$0] } ?? []), sql: sql,
            groupSQL: "SELECT COUNT(DISTINCT \(key)), COUNT(*)\(from)\(filter)\(grouping)",
            contributionSQL: contributing + present)
    }

    /// Per group: how many entities have a value, the total of their magnitudes, and the largest of them.
    private static func contributions(
        _ column: String, key: String, groups: [String], source: String
    ) -> String {
        let named = groups.enumerated().map { "\($1) AS g\($0)" }
        let inner = (named + ["\(key) AS k", "SUM(ABS(1.0 * \(column))) AS s"])
            .joined(separator: ", ")
        let by = (groups + [key]).joined(separator: ", ")
        let outer = groups.indices.map { "g\($0)" }.joined(separator: ", ")
        return "SELECT COUNT(CASE WHEN k IS NOT NULL THEN s END), TOTAL(s), MAX(s) FROM "
            + "(SELECT \(inner)\(source) GROUP BY \(by))"
            + (groups.isEmpty ? "" : " GROUP BY \(outer)")
    }
}
