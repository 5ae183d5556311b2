import Encoding
import Policy
import Records
import SQLite

/// Runs one gated query on a table file: the disclosure rules first, then the query.
package struct QueryRun {
    let job: WorkerJob

    package init(job: WorkerJob) { self.job = job }

    /// What a statement of ours may call.
    private static let functions: Set<String> = [
        "count", "sum", "avg", "min", "max", "round", "abs", "total", "like",
    ]

    package func answer() -> WorkerAnswer {
        do throws(Stop) {
            return .output(try output())
        } catch {
            switch error {
            case .refused(let code, let english, let chinese):
                return .refused(code, english: english, chinese: chinese)
            case .withheld: return QueryRun.withheld
            case .database(let failure, let isBudget):
                return refusal(failure, isBudget: isBudget)
            }
        }
    }

    /// The one answer to every query whose output the disclosure rules keep back: too few entities, none, one that
    /// dominates, or numbers that overflow. Anything that told these apart would tell of single entities.
    static let withheld = WorkerAnswer.refused(
        .groupTooSmall,
        english:
            "an output would be about too few entities or mostly about one, or its numbers are out of range; "
            + "which of these, and where, is not told",
        chinese: "某项输出涉及的主体过少、主要来自单一主体，或数值越界；具体原因与位置不予说明")

    private static let notRun = WorkerAnswer.refused(
        .sqlRefused, english: "the database cannot run this query", chinese: "数据库无法执行此查询")

    private enum Stop: Error {
        case refused(OutcomeCode, String, String)
        case withheld
        case database(SQLiteError, isBudget: Bool)
    }

    /// SQLite's own words stay here: what fails while rows are read depends on the rows.
    private func refusal(_ error: SQLiteError, isBudget: Bool) -> WorkerAnswer {
        if isBudget || error.isInterrupted {
            return .refused(
                .resourceLimit, english: "more than \(job.limits.stepsMax) steps of work",
                chinese: "计算量超过 \(job.limits.stepsMax) 步")
        }
        // SQLITE_NOMEM and SQLITE_TOOBIG.
        if error.code == 7 || error.code == 18 {
            return .refused(
                .resourceLimit, english: "more than \(job.limits.memoryBytesMax) bytes of memory",
                chinese: "内存超过 \(job.limits.memoryBytesMax) 字节")
        }
        return QueryRun.notRun
    }

    private func open() throws(SQLiteError) -> Database {
        Database.setHeapLimit(bytes: Int64(job.limits.memoryBytesMax))
        let database = try Database(path: job.tablePath, access: .readOnly)
        try database.harden()
        // Sorting and grouping happen in memory: there is no place to write.
        try database.setPragma("temp_store", "MEMORY")
        try database.setPragma("query_only", "ON")
        database.setLimit(.rowBytes, Int32(clamping: max(1_000_000, job.limits.outputBytesMax * 4)))
        database.setLimit(.compoundSelects, 1)
        database.setLimit(.likePatternBytes, Int32(Lexer.textBytesMax))
        database.setLimit(.workerThreads, 0)
        let columns = Set(job.query.columnsRead)
        database.setAuthorizer { request in
            switch request.action {
            case .select: return .allow
            case .read:
                // COUNT(*) reads the column ""; the row id stands in where no column tells entities apart.
                guard request.first == QueryGate.fileTable, let column = request.second
                else { return .deny }
                return column.isEmpty || column == "ROWID" || columns.contains(column)
                    ? .allow : .deny
            case .function:
                return QueryRun.functions.contains(request.second?.lowercased() ?? "")
                    ? .allow : .deny
            default: return .deny
            }
        }
        database.setStepBudget(operations: job.limits.stepsMax)
        return database
    }

    private func output() throws(Stop) -> JobOutput {
        let database: Database
        do throws(SQLiteError) {
            database = try open()
        } catch {
            throw .database(error, isBudget: false)
        }
        var operations = 0
        let rowsRead = try checkGroups(database, &operations)
        for sql in job.query.contributionSQL {
            try checkContributions(sql, database, &operations)
        }
        let (bytes, groups) = try rows(database, &operations)
        return JobOutput(
            bytes: bytes, groups: groups, rowsRead: rowsRead, operations: UInt64(operations))
    }

    /// Calls `body` for each row.
    private func each(
        _ sql: String, _ database: Database, _ operations: inout Int,
        _ body: (Statement) throws(Stop) -> Void
    ) throws(Stop) {
        let statement: Statement
        do throws(SQLiteError) {
            statement = try database.prepare(sql, isKept: false)
        } catch {
            throw .database(error, isBudget: database.isStepBudgetExhausted)
        }
        do {
            while try statement.step() { try body(statement) }
            operations += statement.operations
        } catch let error as SQLiteError {
            // SQLITE_ERROR while it runs is arithmetic: an integer overflow in SUM.
            if error.code == 1 { throw .withheld }
            throw .database(error, isBudget: database.isStepBudgetExhausted)
        } catch let error as Stop {
            throw error
        } catch {
            preconditionFailure("only SQLite and the rules stop a statement: \(error)")
        }
    }

    /// - Returns: the rows that the output is made of.
    private func checkGroups(
        _ database: Database, _ operations: inout Int
    ) throws(Stop) -> UInt64 {
        var isAnyGroup = false
        var rows: Int64 = 0
        try each(job.query.groupSQL, database, &operations) { (row) throws(Stop) in
            isAnyGroup = true
            rows += row.integer(1)
            if UInt64(clamping: row.integer(0)) < job.groupMinimum { throw .withheld }
        }
        guard isAnyGroup else { throw .withheld }
        return UInt64(clamping: rows)
    }

    private func checkContributions(
        _ sql: String, _ database: Database, _ operations: inout Int
    ) throws(Stop) {
        guard
            let rules = DisclosureRules(
                groupMinimum: job.groupMinimum, dominancePercent: job.dominancePercent)
        else {
            throw .refused(.prohibited, "the review policy makes no sense", "审核规则无效")
        }
        try each(sql, database, &operations) { (row) throws(Stop) in
            // A group in which nobody has a value counts as one of nobody: that all of them have none is also told.
            let (total, largest) = QueryRun.scaled(total: row.real(1), largest: row.real(2))
            let facts = GroupFacts(
                entities: UInt64(clamping: row.integer(0)), total: total, largest: largest)
            if rules.violation(in: facts) != nil { throw .withheld }
        }
    }

    /// Two magnitudes as whole numbers of one unit, the total's 2⁻⁶⁰.
    ///
    /// What is not finite counts as dominated: it hides who it is made of.
    static func scaled(total: Double, largest: Double) -> (total: UInt64, largest: UInt64) {
        let unit = UInt64(1) << 60
        guard total.isFinite, largest.isFinite else { return (unit, unit) }
        guard total > 0, largest > 0 else { return (0, 0) }
        return (unit, UInt64(min(1, largest / total) * Double(unit)))
    }

    private func rows(
        _ database: Database, _ operations: inout Int
    ) throws(Stop) -> ([UInt8], UInt64) {
        var body = CBOREncoder()
        var count = 0
        let width = job.query.headings.count
        try each(job.query.sql, database, &operations) { (row) throws(Stop) in
            body.array(width)
            for column in 0..<width {
                let value: SQLiteValue
                do throws(SQLiteError) {
                    value = try row.value(column)
                } catch {
                    throw .database(error, isBudget: false)
                }
                switch value {
                case .null: body.null()
                case .integer(let number): body.integer(number)
                case .real(let number): body.text("\(number)")
                case .text(let text): body.text(text)
                case .blob(let bytes): body.bytes(bytes)
                }
            }
            count += 1
            try checkSize(body.bytes.count)
        }
        var encoder = CBOREncoder()
        encoder.array(2)
        encoder.list(job.query.headings)
        encoder.array(count)
        var bytes = encoder.bytes
        bytes += body.bytes
        try checkSize(bytes.count)
        return (bytes, UInt64(count))
    }

    private func checkSize(_ bytes: Int) throws(Stop) {
        guard bytes <= job.limits.outputBytesMax else {
            throw .refused(
                .outputTooLarge, "more than \(job.limits.outputBytesMax) bytes of output",
                "输出超过 \(job.limits.outputBytesMax) 字节")
        }
    }
}
