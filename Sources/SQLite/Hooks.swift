import CSQLite

/// What a statement that is being compiled wants to do.
public struct AuthorizerRequest: Equatable, Sendable {
    public let action: AuthorizerAction
    /// What the action acts on: for `read` the table and the column, for `function` the function's
    /// name as second; see the table in SQLite's `sqlite3_set_authorizer` page.
    public let first: String?
    public let second: String?
    /// "main", "temp" or the name of an attached database.
    public let database: String?
    /// The innermost trigger or view that asks, `nil` for the statement itself.
    public let source: String?
}

/// The actions an authorizer is asked about, by SQLite's action codes.
public enum AuthorizerAction: Int32, Sendable, CaseIterable {
    case createIndex = 1
    case createTable = 2
    case createTempIndex = 3
    case createTempTable = 4
    case createTempTrigger = 5
    case createTempView = 6
    case createTrigger = 7
    case createView = 8
    case delete = 9
    case dropIndex = 10
    case dropTable = 11
    case dropTempIndex = 12
    case dropTempTable = 13
    case dropTempTrigger = 14
    case dropTempView = 15
    case dropTrigger = 16
    case dropView = 17
    case insert = 18
    case pragma = 19
    case read = 20
    case select = 21
    case transaction = 22
    case update = 23
    case attach = 24
    case detach = 25
    case alterTable = 26
    case reindex = 27
    case analyze = 28
    case createVirtualTable = 29
    case dropVirtualTable = 30
    case function = 31
    case savepoint = 32
    case recursive = 33
}

/// An authorizer's answer.
public enum AuthorizerDecision: Sendable {
    case allow
    /// The statement does not compile: `SQLiteError.isDenied`.
    case deny
    /// A column reads as NULL, another action is left out.
    case ignore
}

final class AuthorizerBox {
    let decide: (AuthorizerRequest) -> AuthorizerDecision

    init(_ decide: @escaping (AuthorizerRequest) -> AuthorizerDecision) {
        self.decide = decide
    }
}

final class ProgressBox {
    /// Operations left, counted down in strides.
    var remaining: Int
    let stride: Int
    var isExhausted = false
    let mayGoOn: () -> Bool

    init(remaining: Int, stride: Int, mayGoOn: @escaping () -> Bool) {
        self.remaining = remaining
        self.stride = stride
        self.mayGoOn = mayGoOn
    }

    func mayContinue() -> Bool {
        remaining -= stride
        if remaining <= 0 { isExhausted = true }
        return !isExhausted && mayGoOn()
    }
}

extension Database {
    /// Asks `decide` about everything that statements compiled from now on want to do; `nil` asks
    /// nobody. An action code that this version does not know is denied.
    ///
    /// `decide` must not use this connection.
    public func setAuthorizer(_ decide: ((AuthorizerRequest) -> AuthorizerDecision)?) {
        guard let decide else {
            sqlite3_set_authorizer(handle, nil, nil)
            authorizer = nil
            return
        }
        let box = AuthorizerBox(decide)
        sqlite3_set_authorizer(
            handle,
            { context, code, first, second, database, source in
                guard let context, let action = AuthorizerAction(rawValue: code) else {
                    return SQLITE_DENY
                }
                let box = Unmanaged<AuthorizerBox>.fromOpaque(context).takeUnretainedValue()
                let request = AuthorizerRequest(
                    action: action, first: first.map { String(cString: $0) },
                    second: second.map { String(cString: $0) },
                    database: database.map { String(cString: $0) },
                    source: source.map { String(cString: $0) })
                switch box.decide(request) {
                case .allow: return SQLITE_OK
                case .deny: return SQLITE_DENY
                case .ignore: return SQLITE_IGNORE
                }
            }, Unmanaged.passUnretained(box).toOpaque())
        // SQLite holds the box without owning it: the old one may go only now.
        authorizer = box
    }

    /// Stops statements once they have taken `operations` virtual machine operations in all from
    /// now on, or when `mayGoOn` returns false. They fail with `SQLiteError.isInterrupted`, and so
    /// do later ones until the budget is set anew.
    ///
    /// Operations are counted in strides of 1 000 and `mayGoOn` is asked once a stride, so a
    /// statement of fewer operations passes uncounted. `mayGoOn` must not use this connection.
    public func setStepBudget(
        operations: Int, mayGoOn: @escaping () -> Bool = { true }
    ) {
        let stride = 1_000
        let box = ProgressBox(remaining: operations, stride: stride, mayGoOn: mayGoOn)
        sqlite3_progress_handler(
            handle, Int32(stride),
            { context in
                guard let context else { return 1 }
                let box = Unmanaged<ProgressBox>.fromOpaque(context).takeUnretainedValue()
                return box.mayContinue() ? 0 : 1
            }, Unmanaged.passUnretained(box).toOpaque())
        progress = box
    }

    public func removeStepBudget() {
        sqlite3_progress_handler(handle, 0, nil, nil)
        progress = nil
    }

    /// Whether the step budget has stopped a statement, as against `mayGoOn` or an interrupter.
    public var isStepBudgetExhausted: Bool { progress?.isExhausted ?? false }
}
