import LedgerCrypto
import SQLite

/// Why the state store cannot go on. Every case but a full disk means that the file has been
/// damaged or changed by someone else: the remedy is a state snapshot or a replay of the blocks.
public enum StateStoreError: Error, Equatable, Sendable, CustomStringConvertible {
    case database(SQLiteError)
    /// A bucket row cannot be what was stored in it.
    case damaged(bucket: Int64, String)
    /// The rows are sound each, but together are not the state that was expected.
    case wrongRoot(expected: Digest, found: Digest)

    public var isFull: Bool {
        switch self {
        case .database(let error): error.isFull
        case .damaged, .wrongRoot: false
        }
    }

    public var description: String {
        switch self {
        case .database(let error):
            "state store: \(error) / 状态库读写失败"
        case .damaged(let bucket, let what):
            "state store: bucket \(bucket) is damaged: \(what); restore a snapshot or replay "
                + "the blocks / 状态库第 \(bucket) 桶已损坏，请恢复快照或重放区块"
        case .wrongRoot(let expected, let found):
            "state store: root is \(found), expected \(expected); restore a snapshot or replay "
                + "the blocks / 状态根不符，请恢复快照或重放区块"
        }
    }
}
