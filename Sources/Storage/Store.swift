import Ledger
import LedgerCrypto
import Merkle
import Records
import SQLite

/// A node's durable memory: bodies and votes before they are promised, final blocks with the state
/// after them, and the chain's log.
///
/// One folder: `ledger.db` (SQLite, WAL) is the ledger; `ledger.lock` keeps a second node out;
/// `index.db` beside it (see `Index`) can be deleted at any time.
///
/// **Threads**: one at a time, and never the cooperative pool, because `persist` and `commit` wait
/// for the disk. `StoreReader` reads the same file from other threads.
///
/// **Crashes.** Each of `open`, `persist` and `commit` is one SQLite transaction; with
/// `synchronous=FULL` it is on disk when the call returns. A crash inside a call leaves the state
/// before it. What that means is said beside each of them.
///
/// **Failures.** A call that throws leaves memory and file apart. From then on every call throws
/// the same error (`failure`); the node stops, and opening again finds the last durable step.
public final class Store {
    public struct Options: Sendable {
        /// Each step is on disk before the call returns. False only where a power cut may lose
        /// the latest steps: simulations and measurements.
        public var isDurable: Bool
        /// Pages of 4 KiB that the file may have at most; nil for SQLite's own limit of 17 TB.
        public var pagesMax: UInt32?
        /// Pages in the write-ahead log after which a commit copies it into the file. 16 MiB: each
        /// checkpoint copies a page once however often it changed.
        public var logPagesMax: UInt32 = 4_096
        public var state = StateStore.Limits()
        /// A registered SQLite VFS in place of the system's files; the folder then is one of its
        /// own, and only this store may open it.
        public var vfs: String?

        public init(isDurable: Bool = true, pagesMax: UInt32? = nil) {
            self.isDurable = isDurable
            self.pagesMax = pagesMax
        }
    }

    public let genesis: Genesis
    public let chain: ChainID
    public var suite: Suite { genesis.suite }
    /// Path of `ledger.db`, for `StoreReader` and `Index`.
    public let path: String
    /// The committed state, which overlays are built on.
    public internal(set) var state: StateStore
    /// What the file held when it was opened, or a snapshot brought: what the node goes on from.
    public internal(set) var recovered: RecoveredChain
    public internal(set) var watermark: Watermark
    /// The header at the watermark.
    public internal(set) var header: Header
    /// Where the chain begins here, when the store was filled from a snapshot.
    public internal(set) var base: SnapshotBase?
    /// Why the store stopped, if it did.
    public internal(set) var failure: StorageError?

    let database: Database
    let tables: LedgerTables
    let writes: StoreWrites
    let voting: VotingRows
    let stateLimits: StateStore.Limits
    var tiles: LogTiles
    /// Bodies that are stored and not final: row and height by header digest.
    var pendingBodies: [Digest: (row: Int64, height: UInt64)]
    var votes: [VoteSlot: VoteStatement] = [:]
    /// Over all of them.
    var voteSum = VoteSum()
    /// Which certificates are stored.
    var certificates: Set<VoteSlot> = []
    private let lock: FolderLock

    /// Opens a node's folder, creating it for a new node: then it holds the genesis block and the
    /// genesis state, or, after a crash, nothing.
    public init(
        folder: String, genesis: Genesis, options: Options = Options()
    ) throws(StorageError) {
        self.genesis = genesis
        chain = genesis.chain
        stateLimits = options.state
        lock = try FolderLock(folder: folder, vfs: options.vfs)
        path = folder + "/" + LedgerSchema.fileName
        database = try Self.open(path, options)
        let isNew = try !LedgerSchema.check(database, chain: chain)
        do throws(SQLiteError) {
            if isNew {
                try Self.create(database, genesis)
            } else {
                try database.execute(LedgerSchema.addedTables)
            }
            tables = try LedgerTables(database, suite: genesis.suite)
            writes = try StoreWrites(database, suite: genesis.suite)
            voting = try VotingRows(database)
            guard let watermark = try tables.watermark() else {
                throw damaged("the watermark is missing")
            }
            self.watermark = watermark
            header = try Self.checkedHeader(tables, watermark)
            base = try tables.base()
            tiles = try tables.loadTiles(
                frontier: watermark.frontier, height: watermark.height, base: base)
            (recovered, pendingBodies) = try Self.loadPending(tables, writes, watermark, header)
            for statement in recovered.votes { votes[VoteSlot(statement)] = statement }
            voteSum = VoteSum(recovered.votes, genesis.suite)
            try voting.check(voteSum)
            certificates = Set(recovered.certificates.map { VoteSlot($0.statement) })
        } catch {
            throw StorageError(error, path: path)
        }
        do throws(StateStoreError) {
            state = try StateStore(
                database: database, suite: genesis.suite, expectedRoot: header.stateRoot,
                limits: options.state)
        } catch {
            throw StorageError(error, path: path)
        }
        try makeDurable()
    }

    /// What was found may have been written by a process that was killed before it could sync: the system's cache
    /// shows it, and a power cut would take it away again, after its votes were signed once more. A commit
    /// syncs the whole log.
    private func makeDurable() throws(StorageError) {
        try run { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in
                try writes.setWatermark(watermark)
                try voting.drawStoreID()
                try voting.setVoteSum(voteSum)
            }
        }
    }

    private static func open(_ path: String, _ options: Options) throws(StorageError) -> Database {
        let database: Database
        do throws(SQLiteError) {
            database = try Database(path: path, vfs: options.vfs)
            // Without shared memory only one connection can write ahead.
            if options.vfs != nil { try database.setPragma("locking_mode", "EXCLUSIVE") }
            guard try database.setPragma("journal_mode", "wal") == "wal" else {
                throw SQLiteError(extendedCode: 14, message: "write-ahead logging is refused")
            }
            try database.setPragma("synchronous", options.isDurable ? "FULL" : "OFF")
            try database.setBusyTimeout(milliseconds: 5_000)
            try database.setPragma("wal_autocheckpoint", "\(options.logPagesMax)")
            try database.setPragma("journal_size_limit", "67108864")
            // Nearly all that is written is appended, and the state has a cache of its own. A large cache here costs: SQLite 3.40 walks
            // through all of it at the end of a transaction that split a page (docs/performance.md).
            try database.setPragma("cache_size", "-8192")
            if let pagesMax = options.pagesMax {
                try database.setPragma("max_page_count", "\(pagesMax)")
            }
        } catch {
            if error.code == 26 { throw .notALedger(path: path) }
            if error.code == 14 { throw .cannotOpen(path: path, reason: error.message) }
            throw StorageError(error, path: path)
        }
        return database
    }

    /// A crash in here leaves a file without tables, which the next opening takes as new.
    private static func create(_ database: Database, _ genesis: Genesis) throws(SQLiteError) {
        try database.transaction { () throws(SQLiteError) in
            try LedgerSchema.create(database, chain: genesis.chain)
            let state = try stateStep { () throws(StateStoreError) in
                let state = try StateStore(
                    database: database, suite: genesis.suite, expectedRoot: .zero)
                let changes = genesis.records.map {
                    MapChange(key: $0.key, valueHash: genesis.suite.digest($0.value))
                }
                let overlay = MapOverlay(base: state).applying(changes)
                if let layer = overlay.layers.last {
                    try state.commit(layer, changes: genesis.records.map { ($0.key, $0.value) })
                }
                return state
            }
            let header = genesis.header(stateRoot: state.root)
            let writes = try StoreWrites(database, suite: genesis.suite)
            let block = Block(header: header, entries: [])
            let digest = header.digest(genesis.suite)
            let body = try writes.insertBody(block, header: digest)
            try writes.insertBlock(height: 0, body: body, finalization: nil, codes: nil)
            try writes.setWatermark(
                Watermark(
                    height: 0, header: digest, epoch: 0, view: 0, frontier: LogFrontier(),
                    firstPendingBody: body + 1))
        }
    }

    /// The header that the watermark names, checked against it.
    private static func checkedHeader(
        _ tables: LedgerTables, _ watermark: Watermark
    ) throws(SQLiteError) -> Header {
        guard let (header, digest) = try tables.header(watermark.height) else {
            throw damaged("block \(watermark.height) is missing")
        }
        guard digest == watermark.header, header.logSize == watermark.frontier.size,
            header.logRoot == watermark.frontier.root(tables.suite)
        else { throw damaged("block \(watermark.height) is not the one of the watermark") }
        return header
    }

    static func loadPending(
        _ tables: LedgerTables, _ writes: StoreWrites, _ watermark: Watermark, _ header: Header
    ) throws(SQLiteError) -> (
        recovered: RecoveredChain, rows: [Digest: (row: Int64, height: UInt64)]
    ) {
        var rows: [Digest: (row: Int64, height: UInt64)] = [:]
        var bodies: [Block] = []
        // A lower one is final, and was stored after one that is still pending.
        for row in try writes.bodies(from: watermark.firstPendingBody)
        where row.block.header.height > watermark.height {
            guard row.block.header.digest(tables.suite) == row.header else {
                throw damaged("a pending block is not what was stored")
            }
            rows[row.header] = (row.id, row.block.header.height)
            bodies.append(row.block)
        }
        bodies.sort { $0.header.height < $1.header.height }
        // Genesis has none; nothing may be final above the watermark.
        let finalization = try tables.finalization(from: watermark.height)?.certificate
        let subject = VoteSubject(header, suite: tables.suite)
        guard finalization.map({ $0.statement.subject == subject }) ?? (watermark.height == 0)
        else { throw damaged("block \(watermark.height) is not the one certified") }
        let recovered = RecoveredChain(
            watermark: watermark, header: header, finalization: finalization, bodies: bodies,
            votes: try writes.votes(), certificates: try writes.certificates())
        return (recovered, rows)
    }

    /// Stores bodies, own statements and the notarizations behind finalize votes in one durable
    /// step, before anything signed about them leaves this node. What is stored already, or final,
    /// is left as it is.
    ///
    /// A crash inside leaves none of them, and nothing was signed. A crash right after leaves
    /// statements that nobody has seen: after the restart the same ones are signed again.
    ///
    /// - Throws: `conflictingVote`, before anything is written, where another statement of the
    ///   same kind is stored for that view: the last guard against equivocation.
    public func persist(
        bodies: [Block], votes statements: [VoteStatement], certificates: [Certificate]
    ) throws(StorageError) {
        if let failure { throw failure }
        var newBodies: [(digest: Digest, block: Block)] = []
        for block in bodies {
            let digest = block.header.digest(suite)
            guard pendingBodies[digest] == nil, block.header.height > watermark.height,
                !newBodies.contains(where: { $0.digest == digest })
            else { continue }
            newBodies.append((digest, block))
        }
        var newVotes: [VoteSlot: VoteStatement] = [:]
        var orderedVotes: [VoteStatement] = []
        for statement in statements {
            let slot = VoteSlot(statement)
            guard let stored = votes[slot] ?? newVotes[slot] else {
                newVotes[slot] = statement
                orderedVotes.append(statement)
                continue
            }
            guard stored == statement else {
                throw .conflictingVote(path: path, epoch: statement.epoch, view: statement.view)
            }
        }
        var newCertificates: [VoteSlot: Certificate] = [:]
        var orderedCertificates: [Certificate] = []
        for certificate in certificates {
            let slot = VoteSlot(certificate.statement)
            // Any quorum's signatures show the same.
            guard !self.certificates.contains(slot), newCertificates[slot] == nil else { continue }
            newCertificates[slot] = certificate
            orderedCertificates.append(certificate)
        }
        guard !newBodies.isEmpty || !newVotes.isEmpty || !newCertificates.isEmpty else { return }
        var sum = voteSum
        for statement in orderedVotes { sum.add(statement, suite) }
        let rows = try run { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in
                var rows: [Int64] = []
                for (digest, block) in newBodies {
                    rows.append(try writes.insertBody(block, header: digest))
                }
                for statement in orderedVotes { try writes.insertVote(statement) }
                if sum != voteSum { try voting.setVoteSum(sum) }
                for certificate in orderedCertificates {
                    try writes.insertCertificate(certificate)
                }
                return rows
            }
        }
        for (row, (digest, block)) in zip(rows, newBodies) {
            pendingBodies[digest] = (row, block.header.height)
        }
        votes.merge(newVotes) { stored, _ in stored }
        voteSum = sum
        self.certificates.formUnion(newCertificates.keys)
    }

    /// Brings the file up to date: rows of the state that lag behind its journal are written, and
    /// the write-ahead log is copied into the file. Before the folder is copied, or a clean stop.
    ///
    /// A crash inside loses nothing: journal and log hold the same until they are cut.
    public func checkpoint() throws(StorageError) {
        try run { () throws(SQLiteError) in
            try database.transaction { () throws(SQLiteError) in
                try stateStep { () throws(StateStoreError) in try state.flush() }
            }
            try database.checkpoint(.truncate)
        }
    }

    /// Why nothing more may be done with this store: a call that threw, or a read for the core that found
    /// damage and answered as if nothing were there. To be asked after each step of the core, before its effects.
    public var fault: StorageError? {
        failure ?? state.failure.map { StorageError($0, path: path) }
    }

    /// Runs SQLite calls; an error is remembered, and repeated from then on.
    func run<Value>(
        _ body: () throws(SQLiteError) -> Value
    ) throws(StorageError) -> Value {
        if let failure { throw failure }
        do throws(SQLiteError) {
            return try body()
        } catch {
            let failure = StorageError(error, path: path)
            self.failure = failure
            throw failure
        }
    }
}

/// Runs a step of the state with its error as SQLite's, for use inside a transaction.
func stateStep<Value>(
    _ body: () throws(StateStoreError) -> Value
) throws(SQLiteError) -> Value {
    do throws(StateStoreError) {
        return try body()
    } catch {
        if case .database(let error) = error { throw error }
        throw damaged(error.description)
    }
}

/// One statement, and one certificate, of each kind for each view.
struct VoteSlot: Hashable {
    let epoch: UInt64
    let view: UInt64
    let kind: VoteKind

    init(_ statement: VoteStatement) {
        epoch = statement.epoch
        view = statement.view
        kind = statement.kind
    }

    func isAbove(_ statement: VoteStatement) -> Bool {
        (epoch, view) > (statement.epoch, statement.view)
    }
}
