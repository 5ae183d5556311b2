import Encoding

/// A closed list whose cases have a number on the wire and a name for people. Numbers are never reused.
public protocol NumberedCase: RawRepresentable<UInt64>, CaseIterable, CBORCodable, Comparable,
    Hashable, Sendable
{
    /// Stable, in lower case with hyphens; used on the command line and in JSON.
    var name: String { get }
    var titleZh: String { get }
}

extension NumberedCase {
    public init?(name: String) {
        for known in Self.allCases where known.name == name {
            self = known
            return
        }
        return nil
    }

    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }

    public func encode(into encoder: inout CBOREncoder) { encoder.unsigned(rawValue) }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        guard let known = Self(rawValue: try decoder.unsigned()) else {
            throw decoder.invalid("the number has no meaning in \(Self.self)")
        }
        self = known
    }
}

/// What an organisation may do on the market (design: "Who does what").
public enum Role: UInt64, NumberedCase {
    case governor = 1
    case provider = 2
    case buyer = 3
    case registrar = 4
    case venue = 5
    case assessor = 6
    case settlementBank = 7
    case arbitrator = 8
    case sandboxOperator = 9
    case outputReviewer = 10
    case regulator = 11
    case validator = 12

    public var name: String {
        switch self {
        case .governor: "governor"
        case .provider: "provider"
        case .buyer: "buyer"
        case .registrar: "registrar"
        case .venue: "venue"
        case .assessor: "assessor"
        case .settlementBank: "settlement-bank"
        case .arbitrator: "arbitrator"
        case .sandboxOperator: "sandbox-operator"
        case .outputReviewer: "output-reviewer"
        case .regulator: "regulator"
        case .validator: "validator"
        }
    }

    public var titleZh: String {
        switch self {
        case .governor: "治理机构"
        case .provider: "数据提供方"
        case .buyer: "数据需求方"
        case .registrar: "登记机构"
        case .venue: "交易机构"
        case .assessor: "评估机构"
        case .settlementBank: "清结算机构"
        case .arbitrator: "仲裁机构"
        case .sandboxOperator: "沙箱运营方"
        case .outputReviewer: "输出审核方"
        case .regulator: "监管机构"
        case .validator: "记账节点"
        }
    }
}

/// In what capacity a person signs for a member with a key.
public enum Mandate: UInt64, NumberedCase {
    case maker = 1
    case checker = 2
    case legalRepresentative = 3
    /// A program of the member's, such as its sandbox.
    case service = 4

    public var name: String {
        switch self {
        case .maker: "maker"
        case .checker: "checker"
        case .legalRepresentative: "legal-representative"
        case .service: "service"
        }
    }

    public var titleZh: String {
        switch self {
        case .maker: "经办"
        case .checker: "复核"
        case .legalRepresentative: "法定代表人"
        case .service: "系统服务"
        }
    }
}

public enum MemberStatus: UInt64, NumberedCase {
    case active = 1
    case suspended = 2

    public var name: String {
        switch self {
        case .active: "active"
        case .suspended: "suspended"
        }
    }

    public var titleZh: String {
        switch self {
        case .active: "正常"
        case .suspended: "停用"
        }
    }
}

/// Which version of a policy binds an agreement (design: "Rules are data").
public enum PolicyTag: UInt64, NumberedCase {
    /// Pinned when agreed.
    case commercial = 1
    /// Current at every use, because law changes.
    case mandatory = 2

    public var name: String {
        switch self {
        case .commercial: "commercial"
        case .mandatory: "mandatory"
        }
    }

    public var titleZh: String {
        switch self {
        case .commercial: "商业条款"
        case .mandatory: "强制规则"
        }
    }
}
