import Encoding
import Ledger
import LedgerCrypto
import SQLite

/// What the store knows of the keys that vote from it; `VoteBinding` says why. All of it is vote state: it goes into no
/// snapshot and no backup.
///
/// Rows of `meta`: `store` = the store's id; `starts/<key id>` = starts counted; `bound/<key id>`, once the file beside the key was
/// written; `forgotten/<key id>` = the vote; `votes` = the sum of the votes that are stored.
extension Store {
    /// Claims the key for this start: counts it here, durably, then lets the driver write the file.
    ///
    /// - Parameters:
    ///   - file: what stands beside the key.
    ///   - write: makes the binding durable beside the key.
    /// - Returns: the binding, or why the key does not vote from here.
    public func claimVotes(
        of key: KeyID, file: BindingFile, write: (VoteBinding) throws(VoteBar) -> Void
    ) throws(StorageError) -> Result<VoteBinding, VoteBar> {
        let known = try run { () throws(SQLiteError) in
            (
                forgotten: try voting.forgotten(key), starts: try voting.starts(key),
                isBound: try voting.isBound(key), store: try voting.storeID()
            )
        }
        if let vote = known.forgotten {
            return .failure(.forgotten(epoch: vote.epoch, view: vote.view))
        }
        let binding: VoteBinding
        do throws(VoteBar) {
            binding = try VoteBinding.claim(
                key: key, store: known.store, counted: known.starts, isBound: known.isBound,
                file: file)
        } catch {
            return .failure(error)
        }
        try run { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in
                try voting.setStarts(key, binding.starts)
            }
        }
        do throws(VoteBar) {
            try write(binding)
        } catch {
            return .failure(error)
        }
        if !known.isBound {
            try run { () throws(SQLiteError) in
                try database.transaction { () throws(SQLiteError) in try voting.setBound(key) }
            }
        }
        return .success(binding)
    }

    /// A vote of this key is not in the store: it never votes from here again.
    public func bar(_ key: KeyID, forgotten statement: VoteStatement) throws(StorageError) {
        try run { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in
                try voting.setForgotten(key, statement)
            }
        }
    }
}

/// The statements behind it.
final class VotingRows {
    private let select: Statement
    private let insert: Statement
    private let draw: Statement

    init(_ database: Database) throws(SQLiteError) {
        select = try database.prepare("SELECT value FROM meta WHERE name = ?1")
        insert = try database.prepare("INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)")
        draw = try database.prepare(
            "INSERT OR IGNORE INTO meta (name, value) VALUES ('store', randomblob(\(StoreID.byteCount)))"
        )
    }

    /// Gives the store its id, unless it has one: a new store, or a backup, which comes without.
    func drawStoreID() throws(SQLiteError) { try draw.run() }

    func storeID() throws(SQLiteError) -> StoreID {
        guard let bytes = try value("store"), let id = StoreID(bytes: bytes) else {
            throw damaged("the store's id is missing")
        }
        return id
    }

    func starts(_ key: KeyID) throws(SQLiteError) -> UInt64 {
        guard let bytes = try value("starts/\(key)") else { return 0 }
        guard let starts = try? UInt64.decode(bytes, limits: LedgerLimits.certificate) else {
            throw damaged("the number of starts does not decode")
        }
        return starts
    }

    func setStarts(_ key: KeyID, _ starts: UInt64) throws(SQLiteError) {
        try set("starts/\(key)", starts.encoded)
    }

    func isBound(_ key: KeyID) throws(SQLiteError) -> Bool { try value("bound/\(key)") != nil }

    func setBound(_ key: KeyID) throws(SQLiteError) { try set("bound/\(key)", []) }

    func forgotten(_ key: KeyID) throws(SQLiteError) -> VoteStatement? {
        guard let bytes = try value("forgotten/\(key)") else { return nil }
        let statement = try? VoteStatement.decode(bytes, limits: LedgerLimits.certificate)
        guard let statement else { throw damaged("the forgotten vote does not decode") }
        return statement
    }

    func setForgotten(_ key: KeyID, _ statement: VoteStatement) throws(SQLiteError) {
        try set("forgotten/\(key)", statement.encoded)
    }

    func voteSum() throws(SQLiteError) -> VoteSum? {
        guard let bytes = try value("votes") else { return nil }
        guard let sum = try? VoteSum.decode(bytes, limits: LedgerLimits.certificate) else {
            throw damaged("the sum of the votes does not decode")
        }
        return sum
    }

    /// Whether the votes that were read are those that were stored.
    func check(_ sum: VoteSum) throws(SQLiteError) {
        // Without an id it is a new store, a backup, or one of an earlier version of this program.
        let isOurs = try value("store") != nil
        guard try voteSum() == sum || !isOurs else {
            throw damaged("the stored votes are not all that were stored")
        }
    }

    func setVoteSum(_ sum: VoteSum) throws(SQLiteError) { try set("votes", sum.encoded) }

    private func value(_ name: String) throws(SQLiteError) -> [UInt8]? {
        try select.bind(1, name)
        defer { select.reset() }
        return try select.step() ? select.bytes(0) : nil
    }

    private func set(_ name: String, _ value: [UInt8]) throws(SQLiteError) {
        try insert.bind(1, name)
        try insert.bind(2, value)
        try insert.run()
    }
}
