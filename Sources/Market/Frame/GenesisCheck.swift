import Encoding
import Ledger
import LedgerCrypto
import Records

/// Whether a genesis that came from elsewhere can be run. `Genesis` itself only knows keys and bytes; execution
/// takes its records for sound.
public enum GenesisCheck {
    /// What is wrong and what would be right.
    public struct Fault: Equatable, Sendable, CustomStringConvertible {
        public let english: String
        public let chinese: String

        /// English / 中文.
        public var description: String { "\(english) / \(chinese)" }

        init(_ english: String, _ chinese: String) {
            self.english = english
            self.chinese = chinese
        }
    }

    /// What is wrong, in English and Chinese on one line; nil when nothing is.
    public static func problem(in genesis: Genesis) -> String? {
        fault(in: genesis)?.description
    }

    /// What is wrong first; nil when nothing is.
    public static func fault(in genesis: Genesis) -> Fault? {
        var members: [MemberID: MemberRecord] = [:]
        var keys: [KeyRecord] = []
        for (index, stored) in genesis.records.enumerated() {
            guard let record = try? StoredRecord.decode(value: stored.value) else {
                return Fault(
                    "genesis record \(index) does not decode", "创世记录 \(index) 无法解码")
            }
            guard record.stateKey(genesis.suite) == stored.key else {
                return Fault(
                    "genesis record \(index) stands under another record's key",
                    "创世记录 \(index) 的键与内容不符")
            }
            switch record {
            case .member(let member): members[member.id] = member
            case .key(let key): keys.append(key)
            case .policy: continue
            case .validators, .votingKey, .asset, .attestation, .transfer, .offer, .agreement,
                .account, .bank,
                .withdrawal, .job,
                .evidence, .timerIndex, .timerDay, .timerHour, .saltSeed:
                return Fault(
                    "genesis record \(index) is of type \(record.type.name); only members, keys and"
                        + " policies may stand there",
                    "创世记录 \(index) 类型为\(record.type.titleZh)，只允许成员、密钥与规则")
            }
        }
        return fault(members: members, keys: keys, in: genesis)
    }

    private static func fault(
        members: [MemberID: MemberRecord], keys: [KeyRecord], in genesis: Genesis
    ) -> Fault? {
        let votingKeys = genesis.validators.validators.map(\.votingKey.keyID)
        let seats = ValidatorRecover(seats: genesis.validators.validators).encoded.count
        let room = genesis.parameters.transactionBytesMax
        if genesis.recovery != nil, UInt64(seats + ValidatorRecover.envelopeBytes) > room {
            return Fault(
                "transactionBytesMax is \(room), and a recovery of as many seats takes "
                    + "\(seats + ValidatorRecover.envelopeBytes)",
                "transactionBytesMax 为 \(room)，而同样席位数的恢复需要 \(seats + ValidatorRecover.envelopeBytes)"
            )
        }
        let recoveryKeys = genesis.recovery?.keys.map(\.keyID) ?? []
        if let key = recoveryKeys.first(where: {
            votingKeys.contains($0) || keys.map(\.keyID).contains($0)
        }) {
            return Fault(
                "recovery key \(key) is a validator's or a member's too; it must be for recoveries alone",
                "恢复密钥 \(key) 同时用于记账或成员签名；恢复密钥不得另作他用")
        }
        var liveKeys: [MemberID: UInt64] = [:]
        for key in keys {
            guard members[key.member] != nil, key.publicKey.suite == genesis.suite,
                key.keyID == key.publicKey.keyID, !votingKeys.contains(key.keyID)
            else {
                return Fault(
                    "genesis key \(key.keyID) is no proper key of a member",
                    "创世密钥 \(key.keyID) 不是成员的有效密钥")
            }
            if key.isLive { liveKeys[key.member, default: 0] += 1 }
        }
        for member in members.values.sorted(by: { $0.id < $1.id })
        where member.liveKeys != liveKeys[member.id, default: 0] || member.liveKeys == 0 {
            return Fault(
                "genesis member \(member.id) must have the live keys that it counts, at least one",
                "创世成员 \(member.id) 的有效密钥数不符或为零")
        }
        for member in members.values.sorted(by: { $0.id < $1.id })
        where !member.rolePeriods.isEmpty {
            return Fault(
                "genesis member \(member.id) has periods of roles; its roles begin with the ledger",
                "创世成员 \(member.id) 带有角色任期记录，其角色应自创世起计")
        }
        guard members.values.contains(where: { $0.has(.governor) && $0.status == .active }) else {
            return Fault(
                "genesis has no active governor, so nobody could ever be enrolled",
                "创世文件没有治理机构，无法办理成员入网")
        }
        return nil
    }
}
