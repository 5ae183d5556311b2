import SQLite
import Testing

private let runaway =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"

/// The error of `body`, `nil` where there is none.
private func failure(_ body: () throws -> Void) -> SQLiteError? {
    do {
        try body()
        return nil
    } catch let error as SQLiteError {
        return error
    } catch {
        Issue.record("not an error of SQLite: \(error)")
        return nil
    }
}

@Suite struct DatabaseTests {
    private func memory() throws -> Database { try Database(path: ":memory:") }

    @Test func valuesOfEveryClassRoundTrip() throws {
        let database = try memory()
        let statement = try database.prepare("SELECT ?1, typeof(?1), length(?1)")
        let values: [(SQLiteValue, String)] = [
            (.null, "null"), (.integer(.min), "integer"), (.integer(.max), "integer"),
            (.real(-0.5), "real"), (.text(""), "text"), (.text("数据\u{0}要素"), "text"),
            (.blob([]), "blob"), (.blob([0, 255, 0]), "blob"),
        ]
        for (value, type) in values {
            try statement.bind(1, value)
            #expect(try statement.step())
            #expect(try statement.value(0) == value)
            #expect(statement.text(1) == type)
            #expect(statement.isNull(0) == (value == .null))
            #expect(try !statement.step())
        }
        #expect(statement.parameterCount == 1 && statement.columnCount == 3)
    }

    @Test func typedColumnsAndCounters() throws {
        let database = try memory()
        try database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, b BLOB, s TEXT, r REAL)")
        let insert = try database.prepare("INSERT INTO t (b, s, r) VALUES (?, ?, ?)")
        for number in 1...3 {
            try insert.bind(1, [UInt8](repeating: UInt8(number), count: number))
            try insert.bind(2, "第\(number)")
            try insert.bind(3, Double(number) / 4)
            try insert.run()
            #expect(database.lastInsertRowID == number)
        }
        insert.clearParameters()
        try insert.run()
        let select = try database.prepare("SELECT id, b, s, r FROM t ORDER BY id")
        #expect(select.isReadOnly && !insert.isReadOnly && !select.isExplain)
        #expect(select.columnName(2) == "s")
        for number in 1...3 {
            #expect(try select.step())
            #expect(select.integer(0) == number)
            #expect(select.bytes(1) == [UInt8](repeating: UInt8(number), count: number))
            #expect(select.withBytes(1) { $0.count } == number)
            #expect(select.text(2) == "第\(number)")
            #expect(select.real(3) == Double(number) / 4)
        }
        #expect(try select.step())
        #expect(select.isNull(1) && select.bytes(1).isEmpty && select.text(2).isEmpty)
        #expect(try !select.step())
        try database.execute("UPDATE t SET r = 0")
        #expect(database.changes == 4)
        #expect(select.operations > 0)
    }

    @Test func exactlyOneStatementIsCompiled() throws {
        let database = try memory()
        #expect(failure { _ = try database.prepare("SELECT 1; -- done\n ; /* nothing */ ") } == nil)
        for sql in [
            "SELECT 1; SELECT 2", "SELECT 1; nonsense", "", " -- nothing",
            "SELECT 1;;;DROP TABLE t",
            "SELECT 1\u{0} FROM t",
        ] {
            #expect(failure { _ = try database.prepare(sql) } != nil, "\(sql)")
        }
        let error = failure { _ = try database.prepare("SELEKT 1") }
        #expect(error?.code == 1 && error?.sql == "SELEKT 1")
        #expect(error?.message.contains("SELEKT") == true)
    }

    @Test func errorsNameTheConstraint() throws {
        let database = try memory()
        try database.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, u TEXT UNIQUE) STRICT")
        try database.execute("INSERT INTO t VALUES (1, 'a')")
        let error = failure { try database.execute("INSERT INTO t VALUES (2, 'a')") }
        #expect(error?.isConstraint == true && error?.extendedCode == 2067)
        #expect(error?.message.contains("t.u") == true)
        let outOfRange = try database.prepare("SELECT ?1")
        #expect(failure { try outOfRange.bind(2, 1) }?.code == 25)
    }

    @Test func transactionsCommitOrLeaveNothing() throws {
        struct Refused: Error {}
        let folder = try TemporaryFolder()
        let database = try Database(path: folder.file("a.db"))
        #expect(try database.setPragma("journal_mode", "wal") == "wal")
        try database.execute("CREATE TABLE t (n)")
        let other = try Database(path: folder.file("a.db"), access: .readOnly)
        func count(_ database: Database) throws -> Int64 {
            let statement = try database.prepare("SELECT count(*) FROM t")
            return try statement.step() ? statement.integer(0) : -1
        }
        try database.transaction { () throws(SQLiteError) in
            try database.execute("INSERT INTO t VALUES (1)")
        }
        #expect(try count(other) == 1)
        #expect(throws: Refused.self) {
            func refuse() throws(Refused) {
                _ = failure { try database.execute("INSERT INTO t VALUES (2)") }
                throw Refused()
            }
            try database.transaction(convert: { _ in Refused() }, refuse)
        }
        #expect(!database.isInTransaction)
        #expect(try count(database) == 1)
        let nested = failure {
            try database.transaction { () throws(SQLiteError) in
                try database.execute("INSERT INTO t VALUES (3)")
                try database.begin()
            }
        }
        #expect(nested != nil)
        #expect(try count(database) == 1)
        #expect(failure { try other.execute("INSERT INTO t VALUES (4)") }?.code == 8)
        try database.checkpoint(.truncate)
        #expect(try database.pragma("journal_mode") == "wal")
    }

    @Test func aLockedDatabaseIsBusy() throws {
        let folder = try TemporaryFolder()
        let first = try Database(path: folder.file("a.db"))
        try first.execute("CREATE TABLE t (n)")
        let second = try Database(path: folder.file("a.db"), access: .readWrite)
        try second.setBusyTimeout(milliseconds: 0)
        try first.begin()
        #expect(failure { try second.begin() }?.isBusy == true)
        try first.rollback()
        #expect(failure { try second.begin() } == nil)
    }

    @Test func openingSaysWhatIsWrong() throws {
        let folder = try TemporaryFolder()
        let missing = folder.file("missing.db")
        let absent = failure { _ = try Database(path: missing, access: .readWrite) }
        #expect(absent?.code == 14 && absent?.description.contains(missing) == true)
        let database = try Database(path: folder.file("a.db"))
        try database.execute("CREATE TABLE t (n)")
        let notADatabase = try Database(path: folder.file("text.db"))
        try Array("this is not a database, and it is long enough to be seen".utf8)
            .write(to: folder.file("text.db"))
        #expect(failure { _ = try notADatabase.pragma("user_version") }?.isCorrupt == true)
    }

    @Test func aFullDatabaseIsToldApart() throws {
        let folder = try TemporaryFolder()
        let database = try Database(path: folder.file("a.db"))
        try database.setPragma("journal_mode", "wal")
        try database.execute("CREATE TABLE t (b BLOB)")
        try database.execute("INSERT INTO t VALUES (x'01')")
        try database.setPragma("max_page_count", "10")
        let insert = try database.prepare("INSERT INTO t VALUES (zeroblob(3000))")
        let error = failure {
            try database.transaction { () throws(SQLiteError) in
                for _ in 0..<20 { try insert.run() }
            }
        }
        #expect(error?.isFull == true && error?.code == 13)
        #expect(!database.isInTransaction)
        let count = try database.prepare("SELECT count(*) FROM t")
        #expect(try count.step() && count.integer(0) == 1)
        #expect(SQLiteError(extendedCode: 778, message: "").isFull)
        #expect(SQLiteError(extendedCode: 1034, message: "", systemError: 28).isFull)
        #expect(!SQLiteError(extendedCode: 1034, message: "", systemError: 5).isFull)
        #expect(!SQLiteError(extendedCode: 11, message: "", systemError: 28).isFull)
    }

    @Test func statementsOutliveTheirOwnersName() throws {
        var database: Database? = try memory()
        let statement = try database?.prepare("SELECT 7")
        let interrupter = database?.interrupter
        database = nil
        #expect(try statement?.step() == true)
        #expect(statement?.integer(0) == 7)
        interrupter?.interrupt()
    }
}

@Suite struct GuardTests {
    @Test func theAuthorizerSeesAndRefuses() throws {
        let database = try Database(path: ":memory:")
        try database.execute("CREATE TABLE open (a, b); CREATE TABLE secret (s)")
        try database.execute("INSERT INTO open VALUES (1, 2); INSERT INTO secret VALUES (3)")
        var seen: [AuthorizerRequest] = []
        database.setAuthorizer { request in
            seen.append(request)
            switch request.action {
            case .select: return .allow
            case .read:
                if request.first == "secret" { return .deny }
                return request.second == "b" ? .ignore : .allow
            default: return .deny
            }
        }
        let allowed = try database.prepare("SELECT a, b FROM open")
        #expect(try allowed.step())
        #expect(allowed.integer(0) == 1 && allowed.isNull(1))
        #expect(
            seen.contains {
                $0.action == .read && $0.first == "open" && $0.second == "a"
                    && $0.database == "main"
            })
        for sql in [
            "SELECT s FROM secret", "SELECT a FROM open WHERE (SELECT s FROM secret)",
            "DELETE FROM open", "PRAGMA user_version", "ATTACH ':memory:' AS x",
            "SELECT random()", "CREATE TABLE x (y)",
        ] {
            #expect(failure { _ = try database.prepare(sql) }?.isDenied == true, "\(sql)")
        }
        database.setAuthorizer(nil)
        #expect(failure { _ = try database.prepare("SELECT s FROM secret") } == nil)
    }

    @Test func aStepBudgetStopsARunawayQuery() throws {
        let database = try Database(path: ":memory:")
        database.setStepBudget(operations: 200_000)
        let statement = try database.prepare(runaway)
        #expect(failure { _ = try statement.step() }?.isInterrupted == true)
        #expect(database.isStepBudgetExhausted)
        #expect(statement.operations >= 199_000 && statement.operations <= 202_000)
        #expect(failure { _ = try statement.step() }?.isInterrupted == true)
        database.setStepBudget(operations: 200_000) { false }
        #expect(failure { _ = try statement.step() }?.isInterrupted == true)
        #expect(!database.isStepBudgetExhausted)
        database.removeStepBudget()
        #expect(try database.prepare("SELECT 1").step())
    }

    @Test func anInterrupterStopsAQueryFromWithin() throws {
        let database = try Database(path: ":memory:")
        let interrupter = database.interrupter
        database.setStepBudget(operations: 50_000_000) {
            interrupter.interrupt()
            return true
        }
        let statement = try database.prepare(runaway)
        #expect(failure { _ = try statement.step() }?.isInterrupted == true)
        #expect(!database.isStepBudgetExhausted)
    }

    @Test func limitsAndHardening() throws {
        let folder = try TemporaryFolder()
        let database = try Database(path: folder.file("a.db"))
        try database.harden()
        #expect(failure { try database.execute("ATTACH ':memory:' AS x") } != nil)
        #expect(failure { _ = try database.prepare("SELECT \"not a column\"") } != nil)
        #expect(failure { _ = try database.prepare("SELECT load_extension('x')").step() } != nil)
        try database.execute("CREATE TABLE t (n)")
        #expect(
            failure { try database.execute("PRAGMA writable_schema=1; DELETE FROM sqlite_schema") }
                != nil)
        #expect(database.setLimit(.statementBytes, 20) > 20)
        #expect(failure { _ = try database.prepare("SELECT 1, 2, 3, 4, 5, 6, 7, 8") }?.code == 18)
        database.setLimit(.rowBytes, 100)
        let long = try Database(path: ":memory:")
        long.setLimit(.rowBytes, 100)
        #expect(failure { _ = try long.prepare("SELECT zeroblob(101)").step() }?.code == 18)
    }

    @Test func readOnlyConnectionsCannotWrite() throws {
        let folder = try TemporaryFolder()
        try Database(path: folder.file("a.db")).execute("CREATE TABLE t (n)")
        let reader = try Database(path: folder.file("a.db"), access: .readOnly)
        #expect(failure { try reader.execute("INSERT INTO t VALUES (1)") }?.code == 8)
        #expect(failure { try reader.execute("CREATE TABLE u (n)") }?.code == 8)
    }

    @Test func fullTextSearchIsPresentForChinese() throws {
        let database = try Database(path: ":memory:")
        try database.execute("CREATE VIRTUAL TABLE s USING fts5(title, tokenize = 'trigram')")
        try database.execute("INSERT INTO s VALUES ('北京市气象站逐小时数据 hourly weather')")
        let statement = try database.prepare("SELECT count(*) FROM s WHERE s MATCH ?")
        for (term, count) in [("气象站", 1), ("weather", 1), ("海洋局", 0)] {
            try statement.bind(1, term)
            #expect(try statement.step())
            #expect(statement.integer(0) == count)
            statement.reset()
        }
    }
}
