import LedgerCrypto
import SQLite

/// Why the node's store cannot be opened or cannot go on. After an error from `Store.persist` or
/// `Store.commit` nothing of that call may be relied on and the store answers every later call
/// with the same error: the node stops, and opening again finds the last durable step.
public enum StorageError: Error, Equatable, Sendable {
    /// There is no room left on the disk, in a quota or under the database's page limit.
    case diskFull(path: String)
    /// Another process, or another store in this one, has the folder open.
    case inUse(path: String)
    /// The folder or file cannot be created or opened.
    case cannotOpen(path: String, reason: String)
    /// The file is a database of something else.
    case notALedger(path: String)
    /// The file was written by another version.
    case wrongSchema(path: String, found: Int64, expected: Int64)
    /// The file belongs to the ledger of another genesis.
    case wrongGenesis(path: String, found: String, expected: String)
    /// What was read is not what was written.
    case damaged(path: String, reason: String)
    /// A vote that contradicts one on disk: to sign it would be equivocation.
    case conflictingVote(path: String, epoch: UInt64, view: UInt64)
    /// Anything else that SQLite reports.
    case failed(path: String, SQLiteError)

    /// Sorts an error of SQLite into the cases above.
    init(_ error: SQLiteError, path: String) {
        if error.isFull {
            self = .diskFull(path: path)
        } else if error.isCorrupt {
            self = .damaged(path: path, reason: error.message)
        } else if error.isBusy {
            self = .inUse(path: path)
        } else {
            self = .failed(path: path, error)
        }
    }

    init(_ error: StateStoreError, path: String) {
        switch error {
        case .database(let error): self.init(error, path: path)
        case .damaged, .wrongRoot: self = .damaged(path: path, reason: error.description)
        }
    }

    public var isDiskFull: Bool {
        if case .diskFull = self { true } else { false }
    }

    /// The file is one of ours, but its contents are of no use to this node: whatever can be made
    /// anew from elsewhere is. Anything else, such as a file that cannot be opened, may pass.
    public var isUselessFile: Bool {
        switch self {
        case .damaged, .wrongSchema, .wrongGenesis: true
        case .diskFull, .inUse, .cannotOpen, .notALedger, .conflictingVote, .failed: false
        }
    }
}

extension StorageError: CustomStringConvertible {
    /// What is wrong and what to do, in English and Chinese.
    public var description: String { "\(english) / \(chinese)" }

    public var english: String {
        switch self {
        case .diskFull(let path):
            "\(path): no space left to write; free some and start the node again. "
                + "Nothing that was acknowledged is lost"
        case .inUse(let path): "\(path): another process is using it; stop that one first"
        case .cannotOpen(let path, let reason):
            "\(path): cannot be opened: \(reason); check the path and its permissions"
        case .notALedger(let path):
            "\(path): is not a Huijin ledger; name another data folder"
        case .wrongSchema(let path, let found, let expected):
            "\(path): has schema \(found), this program reads \(expected); use the matching version"
        case .wrongGenesis(let path, let found, let expected):
            "\(path): belongs to chain \(found), the genesis file is that of \(expected); "
                + "name the right genesis file or another data folder"
        case .damaged(let path, let reason):
            "\(path): is damaged: \(reason); empty the folder, start again, and give the seat "
                + "a new voting key (docs/operations.md)"
        case .conflictingVote(let path, let epoch, let view):
            "\(path): holds another vote of this key in epoch \(epoch), view \(view); "
                + "never run one voting key in two nodes"
        case .failed(let path, let error):
            "\(path): \(error.message) (SQLite \(error.extendedCode))"
        }
    }

    public var chinese: String {
        switch self {
        case .diskFull(let path): "\(path)：磁盘空间不足，请清理后重新启动节点；已确认的数据没有丢失"
        case .inUse(let path): "\(path)：正被另一进程使用，请先停止该进程"
        case .cannotOpen(let path, let reason): "\(path)：无法打开（\(reason)），请检查路径和权限"
        case .notALedger(let path): "\(path)：不是汇津账本，请指定其他数据文件夹"
        case .wrongSchema(let path, let found, let expected):
            "\(path)：结构版本为 \(found)，本程序只读取版本 \(expected)，请使用相应版本"
        case .wrongGenesis(let path, let found, let expected):
            "\(path)：属于链 \(found)，而创世文件属于链 \(expected)，请更换创世文件或数据文件夹"
        case .damaged(let path, let reason):
            "\(path)：已损坏（\(reason)），请清空文件夹后启动，并为席位更换投票密钥（见 docs/operations.md）"
        case .conflictingVote(let path, let epoch, let view):
            "\(path)：第 \(epoch) 届视图 \(view) 已有本密钥的另一投票，同一投票密钥不可用于两个节点"
        case .failed(let path, let error):
            "\(path)：数据库错误 \(error.extendedCode)：\(error.message)"
        }
    }
}

/// The error for bytes of our own that cannot be read back.
func damaged(_ what: String) -> SQLiteError {
    // 11 is SQLITE_CORRUPT: to the caller it is the same whether SQLite or we notice.
    SQLiteError(extendedCode: 11, message: what)
}
