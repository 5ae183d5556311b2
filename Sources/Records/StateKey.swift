import Encoding
import Ledger
import LedgerCrypto

/// The types of records in the state map.
public enum RecordType: UInt64, NumberedCase {
    case member = 1
    case key = 2
    case policy = 3
    case validators = 4
    case votingKey = 5
    case asset = 10
    case attestation = 12
    case transfer = 13
    case offer = 20
    case agreement = 30
    case account = 40
    case bank = 41
    case withdrawal = 42
    case job = 50
    case evidence = 60
    case timerIndex = 70
    case timerDay = 71
    case timerHour = 72
    case saltSeed = 90

    public var name: String {
        switch self {
        case .member: "member"
        case .key: "key"
        case .policy: "policy"
        case .validators: "validators"
        case .votingKey: "voting-key"
        case .asset: "asset"
        case .attestation: "attestation"
        case .transfer: "transfer"
        case .offer: "offer"
        case .agreement: "agreement"
        case .account: "account"
        case .bank: "bank"
        case .withdrawal: "withdrawal"
        case .job: "job"
        case .evidence: "evidence"
        case .timerIndex: "timer-index"
        case .timerDay: "timer-day"
        case .timerHour: "timer-hour"
        case .saltSeed: "salt-seed"
        }
    }

    public var titleZh: String {
        switch self {
        case .member: "成员"
        case .key: "密钥"
        case .policy: "规则"
        case .validators: "记账节点集合"
        case .votingKey: "投票密钥"
        case .asset: "数据资产"
        case .attestation: "评估结论"
        case .transfer: "权利转让"
        case .offer: "报价"
        case .agreement: "许可协议"
        case .account: "账户"
        case .bank: "清结算机构台账"
        case .withdrawal: "出金申请"
        case .job: "作业"
        case .evidence: "存证"
        case .timerIndex: "到期索引"
        case .timerDay: "到期日"
        case .timerHour: "到期时段"
        case .saltSeed: "盐值种子"
        }
    }
}

/// Keys of the state map: `H(CBOR ["huijin/state", type, id…])`.
public enum StateKey {
    public static let context = "huijin/state"

    public static func member(_ id: MemberID, _ suite: Suite) -> Digest {
        digest(.member, id, suite)
    }

    public static func key(_ id: KeyID, _ suite: Suite) -> Digest { digest(.key, id, suite) }

    public static func policy(_ name: String, _ suite: Suite) -> Digest {
        digest(.policy, name, suite)
    }

    /// Of the one record that holds the validator set.
    public static func validators(_ suite: Suite) -> Digest {
        digest(.validators, UInt64(0), suite)
    }

    /// Of the one record that salts come from.
    public static func saltSeed(_ suite: Suite) -> Digest { digest(.saltSeed, UInt64(0), suite) }

    public static func votingKey(_ id: KeyID, _ suite: Suite) -> Digest {
        digest(.votingKey, id, suite)
    }

    public static func account(member: MemberID, bank: MemberID, _ suite: Suite) -> Digest {
        digest(.account, member, bank, suite)
    }

    public static func bank(_ id: MemberID, _ suite: Suite) -> Digest { digest(.bank, id, suite) }

    /// Key of a record that is named by a digest: assets, offers, agreements, jobs and the like.
    public static func digest(_ type: RecordType, _ id: Digest, suite: Suite) -> Digest {
        digest(type, id, suite)
    }

    static func digest<ID: CBOREncodable>(_ type: RecordType, _ id: ID, _ suite: Suite) -> Digest {
        var encoder = CBOREncoder(reserving: 96)
        encoder.array(3)
        encoder.text(context)
        encoder.unsigned(type.rawValue)
        encoder.value(id)
        return suite.digest(encoder.bytes)
    }

    static func digest<First: CBOREncodable, Second: CBOREncodable>(
        _ type: RecordType, _ first: First, _ second: Second, _ suite: Suite
    ) -> Digest {
        var encoder = CBOREncoder(reserving: 160)
        encoder.array(4)
        encoder.text(context)
        encoder.unsigned(type.rawValue)
        encoder.value(first)
        encoder.value(second)
        return suite.digest(encoder.bytes)
    }
}

/// Reads values of the state map: the finalized ones, or those of an overlay above them.
public protocol StateReader {
    /// The encoded `StoredRecord` under that key, or nil.
    func value(for key: Digest) -> [UInt8]?
}
