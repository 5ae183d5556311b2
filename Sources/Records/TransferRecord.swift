import Encoding
import Ledger
import LedgerCrypto

public enum TransferStatus: UInt64, NumberedCase {
    case offered = 1
    /// Waits for a registrar's approval.
    case accepted = 2
    case completed = 3
    case cancelled = 4

    public var name: String {
        switch self {
        case .offered: "offered"
        case .accepted: "accepted"
        case .completed: "completed"
        case .cancelled: "cancelled"
        }
    }

    public var titleZh: String {
        switch self {
        case .offered: "待受让方接受"
        case .accepted: "待登记"
        case .completed: "已转让"
        case .cancelled: "已取消"
        }
    }
}

/// A transfer of rights in an asset from one member to another (权利转让).
public struct TransferRecord: Hashable, Sendable {
    /// The transaction's id.
    public var id: Digest
    public var asset: Digest
    public var from: MemberID
    public var to: MemberID
    /// Ascending, each once.
    public var rights: [DataRight]
    /// Salted digest of the contract.
    public var termsCommitment: Digest
    /// Until when it can be accepted, Unix time.
    public var expiresMs: UInt64
    public var status: TransferStatus
    public var offeredHeight: UInt64
    /// Who registered it, where policy asks for that.
    public var registrar: MemberID?
    /// Height at which the rights changed hands; there exactly when the status is `completed`.
    public var completedHeight: UInt64?

    public init(
        id: Digest, asset: Digest, from: MemberID, to: MemberID, rights: [DataRight],
        termsCommitment: Digest, expiresMs: UInt64, status: TransferStatus = .offered,
        offeredHeight: UInt64, registrar: MemberID? = nil, completedHeight: UInt64? = nil
    ) {
        self.id = id
        self.asset = asset
        self.from = from
        self.to = to
        self.rights = rights
        self.termsCommitment = termsCommitment
        self.expiresMs = expiresMs
        self.status = status
        self.offeredHeight = offeredHeight
        self.registrar = registrar
        self.completedHeight = completedHeight
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(fieldCount(9, registrar != nil, completedHeight != nil))
        encoder.field(1, id)
        encoder.field(2, asset)
        encoder.field(3, from)
        encoder.field(4, to)
        encoder.field(5, list: rights)
        encoder.field(6, termsCommitment)
        encoder.field(7, expiresMs)
        encoder.field(8, status)
        encoder.field(9, offeredHeight)
        encoder.field(10, ifPresent: registrar)
        encoder.field(11, ifPresent: completedHeight)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        id = try fields.value(1, &decoder)
        asset = try fields.value(2, &decoder)
        from = try fields.value(3, &decoder)
        to = try fields.value(4, &decoder)
        rights = try fields.sortedList(5, max: DataRight.allCases.count, &decoder)
        termsCommitment = try fields.value(6, &decoder)
        expiresMs = try fields.number(7, &decoder)
        status = try fields.value(8, &decoder)
        offeredHeight = try fields.number(9, &decoder)
        registrar = try fields.optional(10, &decoder)
        completedHeight = try fields.optionalNumber(11, &decoder)
        try fields.finish(&decoder)
    }
}

extension TransferRecord: RecordCodable {
    public static let type = RecordType.transfer
    public var wrapped: AnyRecord { .transfer(self) }
    public init?(_ record: AnyRecord) {
        guard case .transfer(let value) = record else { return nil }
        self = value
    }
    public func stateKey(_ suite: Suite) -> Digest {
        StateKey.digest(.transfer, id, suite)
    }
}
