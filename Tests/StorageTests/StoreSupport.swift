import Foundation
import Ledger
import LedgerCrypto
import Merkle
import SQLite
import Storage

/// A folder of a test's own, removed when the test lets go of it.
final class TestFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/huijin-store-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The files as they are at this moment, in another folder, without their lock: what a crash
    /// of the process leaves.
    func copy(walBytes: Int? = nil) throws -> TestFolder {
        let copy = try TestFolder()
        for name in ["ledger.db", "ledger.db-wal", "index.db", "index.db-wal"] {
            guard var data = FileManager.default.contents(atPath: "\(path)/\(name)") else {
                continue
            }
            if name == "ledger.db-wal", let walBytes { data = data.prefix(walBytes) }
            try data.write(to: URL(fileURLWithPath: "\(copy.path)/\(name)"))
        }
        return copy
    }

    func byteCount(_ name: String) -> Int {
        FileManager.default.contents(atPath: "\(path)/\(name)")?.count ?? 0
    }
}

/// Makes a chain without consensus: blocks whose headers fit, and certificates that nobody checks
/// here.
struct TestChain {
    let suite: Suite
    let genesis: Genesis
    let key: SigningKey
    var header: Header
    var digest: Digest
    var frontier = LogFrontier()
    var view: UInt64 = 0
    private var counter: UInt8 = 0

    init(suite: Suite = .ed25519SHA256, name: String = "test", store: Store? = nil) {
        self.suite = suite
        key = SigningKey.generate(suite)
        guard let member = MemberID("MEMBER-1"),
            let validators = ValidatorSet(
                epoch: 0,
                validators: [
                    Validator(member: member, votingKey: key.publicKey, transportKey: [1])
                ])
        else { preconditionFailure("the test's validator set is valid") }
        let records = (0..<20).map { number in
            GenesisRecord(key: suite.digest([0, UInt8(number)]), value: [UInt8(number), 7])
        }
        genesis = Genesis(
            name: name, suite: suite, timeMs: 1_000, parameters: Parameters(),
            validators: validators, records: records)
        header = genesis.header(stateRoot: .zero)
        digest = .zero
    }

    /// Takes the store's genesis block as the chain's beginning.
    mutating func start(_ store: Store) {
        header = store.header
        digest = store.watermark.header
        frontier = store.watermark.frontier
        view = store.watermark.view
    }

    mutating func envelope(_ text: String = "") -> Entry {
        counter &+= 1
        var nonce = [UInt8](repeating: 0, count: 16)
        nonce[0] = counter
        nonce[1] = UInt8(truncatingIfNeeded: header.height)
        guard let member = MemberID("MEMBER-1") else { preconditionFailure() }
        let transaction = Transaction(
            kind: 60, nonce: nonce, lastValidHeight: 100, member: member, body: [0xA0])
        return .envelope(Envelope.sign(transaction, chain: genesis.chain, with: key))
    }

    /// The next block on top of `overlay`, and the overlay after it.
    mutating func block(
        on overlay: inout MapOverlay<Store>, entries: [Entry], refused: Set<Int> = [],
        changes: [(key: Digest, value: [UInt8]?)] = [], certified: Bool = true,
        events: [StoredEvent] = [], texts: [AssetText] = []
    ) -> BlockCommit {
        let sorted = changes.sorted { $0.key < $1.key }
        overlay = overlay.applying(
            sorted.map { MapChange(key: $0.key, valueHash: $0.value.map { suite.digest($0) }) })
        let outcomes = entries.enumerated().map { index, entry in
            EntryOutcome(entryDigest: entry.digest(suite), code: refused.contains(index) ? 101 : 0)
        }
        let log = frontier.grown(
            parent: digest, entryLeaves: entries.map { LogLeaf.entry($0, suite: suite) },
            suite: suite)
        frontier = log.frontier
        header = Header(
            chain: genesis.chain, height: header.height + 1, epoch: 0, parent: digest,
            timeMs: header.timeMs + 1, logSize: frontier.size, logRoot: frontier.root(suite),
            stateRoot: overlay.root, resultsRoot: resultsRoot(outcomes, suite: suite),
            entryCount: UInt64(entries.count), validators: header.validators)
        digest = header.digest(suite)
        view += 1
        guard let layer = overlay.layers.last else { preconditionFailure("a layer was applied") }
        return BlockCommit(
            block: Block(header: header, entries: entries), header: digest,
            finalization: certified ? finalization() : nil, outcomes: outcomes, log: log,
            layer: layer, changes: sorted, events: events, texts: texts)
    }

    /// One block on top of the store's committed state.
    mutating func block(
        on store: Store, entries: [Entry], refused: Set<Int> = [],
        changes: [(key: Digest, value: [UInt8]?)] = [], events: [StoredEvent] = [],
        texts: [AssetText] = []
    ) -> BlockCommit {
        var overlay = MapOverlay(base: store)
        return block(
            on: &overlay, entries: entries, refused: refused, changes: changes, events: events,
            texts: texts)
    }

    func finalization() -> Certificate {
        Certificate(
            statement: .finalize(epoch: 0, view: view, VoteSubject(header, suite: suite)),
            signatures: [
                CertificateSignature(
                    validator: 0, signature: [UInt8](repeating: UInt8(view & 255), count: 64))
            ])
    }

    /// Of the newest block.
    func notarization(epoch: UInt64, view: UInt64) -> Certificate {
        Certificate(
            statement: .notarize(epoch: epoch, view: view, VoteSubject(header, suite: suite)),
            signatures: finalization().signatures)
    }

    func change(_ number: Int, _ value: [UInt8]?) -> (key: Digest, value: [UInt8]?) {
        (suite.digest([1, UInt8(number & 255), UInt8(number >> 8)]), value)
    }
}

/// The error of `body`, `nil` where there is none or it is of another type.
func storageError(_ body: () throws -> Void) -> StorageError? {
    do {
        try body()
        return nil
    } catch {
        return error as? StorageError
    }
}
