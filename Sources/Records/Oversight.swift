import Encoding
import Ledger
import LedgerCrypto

/// In which office somebody steps in (履职身份); each has its own freeze of an asset.
public enum Office: UInt64, NumberedCase {
    case regulator = 1
    case arbitrator = 2

    public var name: String {
        switch self {
        case .regulator: "regulator"
        case .arbitrator: "arbitrator"
        }
    }

    public var titleZh: String {
        switch self {
        case .regulator: "监管机构"
        case .arbitrator: "仲裁机构"
        }
    }

    /// The role that its holder must have.
    public var role: Role {
        switch self {
        case .regulator: .regulator
        case .arbitrator: .arbitrator
        }
    }
}

/// Why an asset is frozen (冻结事由).
public enum FreezeReason: UInt64, NumberedCase {
    case rightsDispute = 1
    case unlawfulSource = 2
    case personalInformation = 3
    case dataSecurity = 4
    case courtOrder = 5
    case investigation = 6

    public var name: String {
        switch self {
        case .rightsDispute: "rights-dispute"
        case .unlawfulSource: "unlawful-source"
        case .personalInformation: "personal-information"
        case .dataSecurity: "data-security"
        case .courtOrder: "court-order"
        case .investigation: "investigation"
        }
    }

    public var titleZh: String {
        switch self {
        case .rightsDispute: "权属争议"
        case .unlawfulSource: "来源不合法"
        case .personalInformation: "个人信息权益"
        case .dataSecurity: "数据安全事件"
        case .courtOrder: "司法协助"
        case .investigation: "监管调查"
        }
    }
}

/// Why a licence is revoked (撤销事由).
public enum RevocationGround: UInt64, NumberedCase {
    case breach = 1
    case unlawfulSource = 2
    case personalInformation = 3
    case dataSecurity = 4
    case ruling = 5

    public var name: String {
        switch self {
        case .breach: "breach"
        case .unlawfulSource: "unlawful-source"
        case .personalInformation: "personal-information"
        case .dataSecurity: "data-security"
        case .ruling: "ruling"
        }
    }

    public var titleZh: String {
        switch self {
        case .breach: "违约"
        case .unlawfulSource: "来源不合法"
        case .personalInformation: "个人信息权益"
        case .dataSecurity: "数据安全事件"
        case .ruling: "监管决定或裁决"
        }
    }
}

/// A freeze that is in force (冻结). Wire: `[office, member, reason, reference commitment, height]`.
public struct Freeze: Hashable, Comparable, Sendable, CBORCodable {
    public let office: Office
    public let member: MemberID
    public let reason: FreezeReason
    /// Salted digest of the decision.
    public let referenceCommitment: Digest
    public let height: UInt64

    public init(
        office: Office, member: MemberID, reason: FreezeReason, referenceCommitment: Digest,
        height: UInt64
    ) {
        self.office = office
        self.member = member
        self.reason = reason
        self.referenceCommitment = referenceCommitment
        self.height = height
    }

    /// By office, of which each has one freeze at most.
    public static func < (left: Freeze, right: Freeze) -> Bool { left.office < right.office }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(5)
        encoder.value(office)
        encoder.value(member)
        encoder.value(reason)
        encoder.value(referenceCommitment)
        encoder.unsigned(height)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 5)
        office = try decoder.value()
        member = try decoder.value()
        reason = try decoder.value()
        referenceCommitment = try decoder.value()
        height = try decoder.unsigned()
    }
}

/// How a licence was revoked (撤销). Wire: `[member, ground, reference commitment, height]`.
public struct Revocation: Hashable, Sendable, CBORCodable {
    public let member: MemberID
    public let ground: RevocationGround
    /// Salted digest of the decision or of the evidence of the breach.
    public let referenceCommitment: Digest
    public let height: UInt64

    public init(
        member: MemberID, ground: RevocationGround, referenceCommitment: Digest, height: UInt64
    ) {
        self.member = member
        self.ground = ground
        self.referenceCommitment = referenceCommitment
        self.height = height
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(4)
        encoder.value(member)
        encoder.value(ground)
        encoder.value(referenceCommitment)
        encoder.unsigned(height)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 4)
        member = try decoder.value()
        ground = try decoder.value()
        referenceCommitment = try decoder.value()
        height = try decoder.unsigned()
    }
}

extension AssetRecord {
    public func freeze(by office: Office) -> Freeze? { freezes.first { $0.office == office } }

    /// Puts one more freeze on it.
    public mutating func freeze(_ freeze: Freeze) {
        precondition(self.freeze(by: freeze.office) == nil, "an office freezes an asset once")
        precondition(status != .revoked, "what is revoked is not frozen any more")
        freezes = (freezes + [freeze]).sorted()
        status = .frozen
    }

    /// Takes an office's freeze off; with the last one the asset is again what it was before.
    public mutating func unfreeze(by office: Office) {
        precondition(freeze(by: office) != nil, "only a freeze in force is lifted")
        freezes.removeAll { $0.office == office }
        if freezes.isEmpty { status = registeredHeight == nil ? .claimed : .registered }
    }
}
