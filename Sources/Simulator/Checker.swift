import Consensus
import Ledger
import LedgerCrypto
import Records
import Replica
import Storage

/// A promise that was broken.
public struct Violation: Error, Sendable, Equatable, CustomStringConvertible {
    /// Milliseconds of virtual time since the beginning.
    public let atMs: UInt64
    public let description: String
}

/// A view of an epoch.
struct EpochView: Hashable, Comparable, CustomStringConvertible {
    let epoch: UInt64
    let view: UInt64

    init(_ statement: VoteStatement) {
        epoch = statement.epoch
        view = statement.view
    }

    var description: String { epoch == 0 ? "\(view)" : "\(epoch)/\(view)" }

    static func < (left: Self, right: Self) -> Bool {
        (left.epoch, left.view) < (right.epoch, right.view)
    }
}

/// Watches all honest replicas at once, as no replica can.
struct Checker {
    private struct Statements {
        var notarized: Set<Digest> = []
        var isNullified = false
        var finalized: Set<Digest> = []
    }

    private var headers: [Digest] = []
    /// By voting key.
    private var statements: [Int: [EpochView: Statements]] = [:]
    /// Final, as some honest replica said or stored, at these heights.
    private var finalHeightByID: [Digest: UInt64] = [:]
    private(set) var acknowledgedHeight: [Int: UInt64] = [:]
    /// In the order of the chain.
    private(set) var finalIDs: [Digest] = []
    var finalCount: Int { finalIDs.count }

    /// Of the highest block that anybody holds for final.
    var height: UInt64 { UInt64(headers.count) }
    func isFinal(_ id: Digest) -> Bool { finalHeightByID[id] != nil }
    func finalHeight(_ id: Digest) -> UInt64? { finalHeightByID[id] }
    func header(_ height: UInt64) -> Digest? {
        height >= 1 && height <= self.height ? headers[Int(height) - 1] : nil
    }

    /// An honest replica's commit is durable.
    mutating func committed(_ commit: Commit, seat: Int) -> String? {
        for block in commit.blocks {
            let transactions = block.transactions.compactMap {
                $0.map { (id: $0.id, lastValidHeight: $0.lastValidHeight) }
            }
            if let fault = final(block.headerDigest, block.height, transactions, seat) {
                return fault
            }
        }
        acknowledgedHeight[seat] = max(acknowledgedHeight[seat] ?? 0, commit.height)
        return nil
    }

    private mutating func final(
        _ header: Digest, _ height: UInt64,
        _ transactions: [(id: Digest, lastValidHeight: UInt64)], _ seat: Int
    ) -> String? {
        let index = Int(height) - 1
        if index < headers.count {
            return headers[index] == header
                ? nil : "agreement: two final blocks at height \(height), v\(seat) has the second"
        }
        guard index == headers.count else { return "v\(seat) skipped a height" }
        headers.append(header)
        for transaction in transactions {
            if finalHeightByID.updateValue(height, forKey: transaction.id) != nil {
                return "transaction \(transaction.id) is final twice"
            }
            if transaction.lastValidHeight < height {
                return "transaction \(transaction.id) is final after its last valid height"
            }
            finalIDs.append(transaction.id)
        }
        return nil
    }

    /// An honest replica signed this with a voting key.
    mutating func signed(_ statement: VoteStatement, key: Int, seat: Int) -> String? {
        let view = EpochView(statement)
        var before = statements[key, default: [:]][view] ?? Statements()
        switch statement.kind {
        case .notarize:
            if let subject = statement.subject { before.notarized.insert(subject.header) }
        case .nullify: before.isNullified = true
        case .finalize:
            if let subject = statement.subject { before.finalized.insert(subject.header) }
        case .recover: return "v\(seat) signed a recovery with a voting key"
        }
        statements[key, default: [:]][view] = before
        if before.notarized.count > 1 {
            return "v\(seat) notarized twice in view \(view)"
        }
        if before.finalized.count > 1 {
            return "v\(seat) finalized twice in view \(view)"
        }
        if before.isNullified, !before.finalized.isEmpty {
            return "v\(seat) nullified and finalized in view \(view)"
        }
        return nil
    }

    // MARK: Stores

    /// What it had acknowledged is not expected of its next life; of the others' it is.
    mutating func lostDisk(_ seat: Int) {
        acknowledgedHeight[seat] = 0
    }

    /// A replica starts from its store. What it finds there beyond everything acknowledged became durable right before
    /// a crash, and is final from now on.
    mutating func restarted(
        _ store: Store, seat: Int, chain: ChainID, mayLackBlocks: Bool
    ) -> String? {
        let found = store.watermark.height
        guard mayLackBlocks || found >= acknowledgedHeight[seat] ?? 0 else {
            return "durability: v\(seat) lost acknowledged blocks above \(found)"
        }
        // What a bad disk says is nobody's word; others will hold the same, or it has found its damage.
        while height < found, !mayLackBlocks {
            let next = height + 1
            guard let stored = try? store.block(next) else {
                return "v\(seat): block \(next) cannot be read"
            }
            var transactions: [(id: Digest, lastValidHeight: UInt64)] = []
            for case .envelope(let bytes) in stored.block.entries {
                guard let envelope = try? Envelope(bytes: bytes, chain: chain, suite: store.suite)
                else { return "v\(seat): an envelope of block \(next) does not decode" }
                transactions.append((envelope.id, envelope.transaction.lastValidHeight))
            }
            let header = stored.block.header.digest(store.suite)
            if let fault = final(header, next, transactions, seat) { return fault }
        }
        return check(store, seat: seat)
    }

    /// What must hold of a store at any time.
    func check(_ store: Store, seat: Int) -> String? {
        let end = store.watermark
        guard store.state.root == store.header.stateRoot else {
            return "v\(seat): the state is not the one of header \(end.height)"
        }
        if let header = self.header(end.height), header != end.header {
            return "agreement: v\(seat) holds another block at height \(end.height)"
        }
        return money(store, seat: seat)
    }

    /// Everything that was acknowledged as final, by anybody, is there, block by block.
    func checkAll(_ store: Store, seat: Int) -> String? {
        let end = min(store.watermark.height, self.height)
        for height in 1...max(1, end) where height <= end {
            guard let stored = try? store.block(height) else {
                return "durability: v\(seat) cannot read block \(height)"
            }
            guard stored.block.header.digest(store.suite) == headers[Int(height) - 1],
                stored.block.entries.count == Int(stored.block.header.entryCount)
            else { return "agreement: v\(seat) holds another block at height \(height)" }
        }
        return nil
    }

    private func money(_ store: Store, seat: Int) -> String? {
        var balance = MoneyBalance()
        var isReadable = true
        do throws(StateStoreError) {
            try store.state.forEachEntry { _, value in
                guard let record = try? StoredRecord.decode(value: Array(value)) else {
                    isReadable = false
                    return false
                }
                balance.add(record)
                return true
            }
        } catch {
            return "v\(seat): the state cannot be read: \(error)"
        }
        guard isReadable else { return "v\(seat): a stored record does not decode" }
        return balance.unbalanced.map { "v\(seat): money of bank \($0) is not conserved" }
    }
}

/// For each bank: confirmed deposits − withdrawals = what its clients hold.
struct MoneyBalance {
    private var held: [MemberID: UInt64] = [:]
    private var banks: [BankRecord] = []

    mutating func add(_ record: AnyRecord) {
        switch record {
        case .account(let account):
            held[account.bank, default: 0] +=
                account.availableFen + account.lockedFen + account.pendingWithdrawalFen
        case .bank(let bank): banks.append(bank)
        default: break
        }
    }

    /// A bank of which it does not hold.
    var unbalanced: MemberID? {
        banks.first { $0.depositsFen - $0.withdrawalsFen != held[$0.member] ?? 0 }?.member
    }
}
