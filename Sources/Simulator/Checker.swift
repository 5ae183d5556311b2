import Consensus
import Ledger
import LedgerCrypto
import Records
import Replica

/// A promise that was broken.
public struct Violation: Error, Sendable, Equatable, CustomStringConvertible {
    public let atMs: UInt64
    public let description: String
}

/// Watches all honest replicas at once, as no replica can.
struct Checker {
    private struct Statements {
        var notarized: Set<Digest> = []
        var isNullified = false
        var finalized: Set<Digest> = []
    }

    private var headers: [Digest] = []
    private var statements: [Int: [UInt64: Statements]] = [:]
    /// Acknowledged as final, by some honest replica, at these heights.
    private var finalHeightByID: [Digest: UInt64] = [:]
    private(set) var acknowledgedHeight: [Int: UInt64] = [:]
    private(set) var finalCount = 0

    var height: UInt64 { UInt64(headers.count) }
    func isFinal(_ id: Digest) -> Bool { finalHeightByID[id] != nil }

    /// An honest replica's commit is durable.
    mutating func committed(
        _ commit: Commit, seat: Int, authority: VoteAuthority
    ) -> String? {
        guard authority.verified(commit.finalization) != nil else {
            return "v\(seat) committed without a valid certificate"
        }
        for block in commit.blocks {
            let index = Int(block.height) - 1
            if index < headers.count {
                if headers[index] != block.headerDigest {
                    return "agreement: two final blocks at height \(block.height)"
                }
                continue
            }
            guard index == headers.count else { return "v\(seat) skipped a height" }
            headers.append(block.headerDigest)
            for case let transaction? in block.transactions {
                if finalHeightByID.updateValue(block.height, forKey: transaction.id) != nil {
                    return "transaction \(transaction.id) is final twice"
                }
                if transaction.lastValidHeight < block.height {
                    return "transaction \(transaction.id) is final after its last valid height"
                }
                finalCount += 1
            }
        }
        acknowledgedHeight[seat] = max(acknowledgedHeight[seat] ?? 0, commit.height)
        return nil
    }

    /// An honest replica signed this.
    mutating func signed(_ statement: VoteStatement, seat: Int) -> String? {
        var before = statements[seat, default: [:]][statement.view] ?? Statements()
        switch statement.kind {
        case .notarize:
            if let subject = statement.subject { before.notarized.insert(subject.header) }
        case .nullify: before.isNullified = true
        case .finalize:
            if let subject = statement.subject { before.finalized.insert(subject.header) }
        }
        statements[seat, default: [:]][statement.view] = before
        if before.notarized.count > 1 {
            return "v\(seat) notarized twice in view \(statement.view)"
        }
        if before.finalized.count > 1 {
            return "v\(seat) finalized twice in view \(statement.view)"
        }
        if before.isNullified, !before.finalized.isEmpty {
            return "v\(seat) nullified and finalized in view \(statement.view)"
        }
        return nil
    }

    /// A replica starts from its disk.
    func restarted(_ disk: SimulatedDisk, seat: Int) -> String? {
        guard disk.height >= acknowledgedHeight[seat] ?? 0 else {
            return "v\(seat) lost acknowledged blocks above \(disk.height)"
        }
        return check(disk, seat: seat)
    }

    /// What must hold of a disk at any time.
    func check(_ disk: SimulatedDisk, seat: Int) -> String? {
        guard disk.stateRoot == disk.header.stateRoot else {
            return "v\(seat): the state is not the one of header \(disk.height)"
        }
        if disk.height > 0, headers[Int(disk.height) - 1] != disk.headerDigest {
            return "agreement: v\(seat) holds another block at height \(disk.height)"
        }
        return money(disk, seat: seat)
    }

    /// For each bank: confirmed deposits − withdrawals = what its clients hold.
    private func money(_ disk: SimulatedDisk, seat: Int) -> String? {
        var client: [MemberID: UInt64] = [:]
        var banks: [BankRecord] = []
        for value in disk.records {
            guard let record = try? StoredRecord.decode(value: value)
            else { return "v\(seat): a stored record does not decode" }
            switch record {
            case .account(let account):
                client[account.bank, default: 0] +=
                    account.availableFen + account.lockedFen + account.pendingWithdrawalFen
            case .bank(let bank): banks.append(bank)
            default: continue
            }
        }
        for bank in banks where bank.depositsFen - bank.withdrawalsFen != client[bank.member] ?? 0 {
            return "v\(seat): money of bank \(bank.member) is not conserved"
        }
        return nil
    }
}
