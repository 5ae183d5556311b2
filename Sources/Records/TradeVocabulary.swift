public enum OfferStatus: UInt64, NumberedCase {
    case published = 1
    case admitted = 2
    case withdrawn = 3

    public var name: String {
        switch self {
        case .published: "published"
        case .admitted: "admitted"
        case .withdrawn: "withdrawn"
        }
    }

    public var titleZh: String {
        switch self {
        case .published: "待上架"
        case .admitted: "已上架"
        case .withdrawn: "已下架"
        }
    }
}

public enum AgreementStatus: UInt64, NumberedCase {
    case requested = 1
    case agreed = 2
    case closed = 3
    case expired = 4
    case revoked = 5

    public var name: String {
        switch self {
        case .requested: "requested"
        case .agreed: "agreed"
        case .closed: "closed"
        case .expired: "expired"
        case .revoked: "revoked"
        }
    }

    public var titleZh: String {
        switch self {
        case .requested: "待同意"
        case .agreed: "履行中"
        case .closed: "已结清"
        case .expired: "已到期"
        case .revoked: "已撤销"
        }
    }
}

public enum JobStatus: UInt64, NumberedCase {
    case submitted = 1
    /// The sandbox holds an output for review.
    case held = 2
    case released = 3
    case rejected = 4
    /// The sandbox refused to run it or to hold its output.
    case refused = 5
    /// Its licence ended first.
    case lapsed = 6

    public var name: String {
        switch self {
        case .submitted: "submitted"
        case .held: "held"
        case .released: "released"
        case .rejected: "rejected"
        case .refused: "refused"
        case .lapsed: "lapsed"
        }
    }

    public var titleZh: String {
        switch self {
        case .submitted: "已提交"
        case .held: "待审核"
        case .released: "已放行"
        case .rejected: "已驳回"
        case .refused: "已拒绝"
        case .lapsed: "已失效"
        }
    }

    /// Whether it still holds a use of its licence in reserve.
    public var isOpen: Bool {
        switch self {
        case .submitted, .held: true
        case .released, .rejected, .refused, .lapsed: false
        }
    }
}

public enum WithdrawalStatus: UInt64, NumberedCase {
    case requested = 1
    case confirmed = 2
    case rejected = 3

    public var name: String {
        switch self {
        case .requested: "requested"
        case .confirmed: "confirmed"
        case .rejected: "rejected"
        }
    }

    public var titleZh: String {
        switch self {
        case .requested: "待出金"
        case .confirmed: "已出金"
        case .rejected: "已退回"
        }
    }
}

/// Which of an asset's logs an event belongs to.
public enum EventLogKind: UInt64, NumberedCase {
    /// Who holds which right; public, with member ids.
    case rights = 0
    /// Uses and payments; the parties appear under per-agreement pseudonyms.
    case trades = 1
    case refusals = 2

    public var name: String {
        switch self {
        case .rights: "rights"
        case .trades: "trades"
        case .refusals: "refusals"
        }
    }

    public var titleZh: String {
        switch self {
        case .rights: "权属日志"
        case .trades: "交易日志"
        case .refusals: "拒绝日志"
        }
    }
}
