import Encoding
import Ledger
import LedgerCrypto

/// Which store a voting key votes from, and how often it has been started there.
///
/// A key votes from the store that first used it and from no other: one that was lost, restored from an older copy or
/// brought in from a backup does not show what the key has signed, and signing the contrary would be equivocation. The
/// binding is kept twice, in the store and in a small file beside the key. At each start `claim` compares the two, the store
/// counts the start, then the file does, both durably; the first time, the store then notes that there is a file. Only then is a
/// vote possible.
///
/// | a crash | leaves | the next start |
/// |---|---|---|
/// | before the store has counted | both as they were | counts again |
/// | between | the store one ahead, no vote of this start | brings the file up to it |
/// | after both | equal counts, and votes in the store alone | counts on |
///
/// A file that is missing though the store has noted it was lost, and with it what tells the store from its copies.
///
/// A copy of the store from an earlier start is behind the file. A copy from the latest start is not seen here: what peers
/// hold tells that (`Consensus`, "Lost votes").
///
/// As a file: `huijin vote binding 1`, then the key's id, the store's id and the number of starts, a line each.
public struct VoteBinding: Sendable, Equatable {
    public let key: KeyID
    /// Drawn at random when the store was made.
    public let store: StoreID
    /// From 1 on.
    public let starts: UInt64

    public init(key: KeyID, store: StoreID, starts: UInt64) {
        self.key = key
        self.store = store
        self.starts = starts
    }

    private static let heading = "huijin vote binding 1"
    /// A file with more is none.
    public static let textBytesMax = 256

    public var text: String { "\(Self.heading)\n\(Hex.encode(key.bytes))\n\(store)\n\(starts)\n" }

    /// Nil unless it is exactly the text of a binding.
    public init?(text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.textBytesMax, lines.count == 5, lines[0] == Self.heading,
            let keyBytes = Hex.decode(String(lines[1])), let key = KeyID(bytes: keyBytes),
            let storeBytes = Hex.decode(String(lines[2])), let store = StoreID(bytes: storeBytes),
            let starts = UInt64(lines[3]), starts >= 1, lines[4].isEmpty
        else { return nil }
        self.init(key: key, store: store, starts: starts)
        guard self.text == text else { return nil }
    }
}

/// Names one store. No copy of a store as a backup or a snapshot for others has the same.
public struct StoreID: Sendable, Hashable, CustomStringConvertible {
    public static let byteCount = 16
    public let bytes: [UInt8]

    public init?(bytes: [UInt8]) {
        guard bytes.count == StoreID.byteCount else { return nil }
        self.bytes = bytes
    }

    public var description: String { Hex.encode(bytes) }
}

/// Why a key does not vote from this store, now and until another key has its seat.
public enum VoteBar: Error, Sendable, Equatable {
    /// The file beside the key names another store.
    case otherStore
    /// The store has not seen starts that the file counts: it is an older copy.
    case olderStore
    /// The store has seen starts that the file does not count: the file was lost or is an older copy.
    case fileLost
    /// There is a file, and it is no binding of this key.
    case fileUnreadable
    /// The file cannot be written.
    case fileNotWritten(String)
    /// A vote by this key was seen that the store does not hold.
    case forgotten(epoch: UInt64, view: UInt64)

    /// Stable, in lower case with hyphens.
    public var name: String {
        switch self {
        case .otherStore: "other-store"
        case .olderStore: "older-store"
        case .fileLost: "binding-lost"
        case .fileUnreadable: "binding-unreadable"
        case .fileNotWritten: "binding-not-written"
        case .forgotten: "votes-forgotten"
        }
    }

    public var english: String {
        switch self {
        case .otherStore: "the voting key has voted from another store"
        case .olderStore: "the store is an older copy than the one that the voting key voted from"
        case .fileLost: "the binding beside the voting key is missing or an older copy"
        case .fileUnreadable: "the binding beside the voting key cannot be read"
        case .fileNotWritten(let reason):
            "the binding beside the voting key cannot be written: \(reason)"
        case .forgotten(let epoch, let view):
            "a vote of this key in epoch \(epoch), view \(view) is not in the store"
        }
    }

    public var chinese: String {
        switch self {
        case .otherStore: "该投票密钥曾用于另一存储"
        case .olderStore: "该存储是投票密钥所用存储的旧副本"
        case .fileLost: "投票密钥旁的绑定文件缺失或为旧副本"
        case .fileUnreadable: "投票密钥旁的绑定文件无法读取"
        case .fileNotWritten(let reason): "投票密钥旁的绑定文件无法写入：\(reason)"
        case .forgotten(let epoch, let view): "存储中没有本密钥在第 \(epoch) 届视图 \(view) 的一张投票"
        }
    }
}

/// What is found beside the key.
public enum BindingFile: Sendable, Equatable {
    case none
    case unreadable
    case binding(VoteBinding)
}

extension VoteBinding {
    /// The binding for this start, to be made durable in the store and then in the file.
    ///
    /// - Parameters:
    ///   - counted: starts of the key that the store has counted.
    ///   - isBound: whether the store has noted that there is a file.
    static func claim(
        key: KeyID, store: StoreID, counted: UInt64, isBound: Bool, file: BindingFile
    ) throws(VoteBar) -> VoteBinding {
        let filed: UInt64
        switch file {
        case .none:
            if isBound { throw .fileLost }
            filed = 0
        case .unreadable: throw .fileUnreadable
        case .binding(let binding):
            guard binding.key == key else { throw .fileUnreadable }
            guard binding.store == store else { throw .otherStore }
            filed = binding.starts
        }
        guard counted >= filed else { throw .olderStore }
        // One ahead: the crash came between the two, and nothing was voted in that start.
        guard counted - filed <= 1, counted < UInt64.max else { throw .fileLost }
        return VoteBinding(key: key, store: store, starts: counted == filed ? counted + 1 : counted)
    }
}
