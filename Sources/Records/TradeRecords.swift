import Encoding
import Ledger
import LedgerCrypto

/// An assessor's statement about an asset (评估结论).
public struct AttestationRecord: Hashable, Sendable {
    /// The transaction's id.
    public var id: Digest
    public var asset: Digest
    public var assessor: MemberID
    public var kind: AttestationKind
    /// 0…10000, hundredths of a percent.
    public var score: UInt64
    /// Unix time.
    public var expiresMs: UInt64
    /// Salted digest of the report.
    public var reportCommitment: Digest
    public var height: UInt64

    public init(
        id: Digest, asset: Digest, assessor: MemberID, kind: AttestationKind, score: UInt64,
        expiresMs: UInt64, reportCommitment: Digest, height: UInt64
    ) {
        self.id = id
        self.asset = asset
        self.assessor = assessor
        self.kind = kind
        self.score = score
        self.expiresMs = expiresMs
        self.reportCommitment = reportCommitment
        self.height = height
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(8)
        encoder.field(1, id)
        encoder.field(2, asset)
        encoder.field(3, assessor)
        encoder.field(4, kind)
        encoder.field(5, score)
        encoder.field(6, expiresMs)
        encoder.field(7, reportCommitment)
        encoder.field(8, height)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        id = try fields.value(1, &decoder)
        asset = try fields.value(2, &decoder)
        assessor = try fields.value(3, &decoder)
        kind = try fields.value(4, &decoder)
        score = try fields.number(5, &decoder)
        expiresMs = try fields.number(6, &decoder)
        reportCommitment = try fields.value(7, &decoder)
        height = try fields.number(8, &decoder)
        try fields.finish(&decoder)
    }
}

/// Terms under which an asset can be licensed (报价).
public struct OfferRecord: Hashable, Sendable {
    /// The transaction's id.
    public var id: Digest
    public var asset: Digest
    public var provider: MemberID
    public var venue: MemberID
    public var sandboxOperator: MemberID
    /// For one use.
    public var priceFen: UInt64
    /// Codes of Policy's list, ascending.
    public var purposes: [String]
    /// Scope: what a job may read, ascending.
    public var columns: [String]
    /// From agreement to expiry.
    public var durationMs: UInt64
    /// At most this many uses in one agreement.
    public var usesMax: UInt64
    /// Least number of entities behind an output row.
    public var groupMinimum: UInt64
    /// Pinned from policy when the venue admits the offer.
    public var venueFeeBasisPoints: UInt64?
    public var status: OfferStatus
    public var publishedHeight: UInt64

    public init(
        id: Digest, asset: Digest, provider: MemberID, venue: MemberID, sandboxOperator: MemberID,
        priceFen: UInt64, purposes: [String], columns: [String], durationMs: UInt64,
        usesMax: UInt64, groupMinimum: UInt64, venueFeeBasisPoints: UInt64? = nil,
        status: OfferStatus, publishedHeight: UInt64
    ) {
        self.id = id
        self.asset = asset
        self.provider = provider
        self.venue = venue
        self.sandboxOperator = sandboxOperator
        self.priceFen = priceFen
        self.purposes = purposes
        self.columns = columns
        self.durationMs = durationMs
        self.usesMax = usesMax
        self.groupMinimum = groupMinimum
        self.venueFeeBasisPoints = venueFeeBasisPoints
        self.status = status
        self.publishedHeight = publishedHeight
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(
            fieldCount(
                13, venueFeeBasisPoints != nil))
        encoder.field(1, id)
        encoder.field(2, asset)
        encoder.field(3, provider)
        encoder.field(4, venue)
        encoder.field(5, sandboxOperator)
        encoder.field(6, priceFen)
        encoder.field(7, list: purposes)
        encoder.field(8, list: columns)
        encoder.field(9, durationMs)
        encoder.field(10, usesMax)
        encoder.field(11, groupMinimum)
        encoder.field(12, ifPresent: venueFeeBasisPoints)
        encoder.field(13, status)
        encoder.field(14, publishedHeight)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        id = try fields.value(1, &decoder)
        asset = try fields.value(2, &decoder)
        provider = try fields.value(3, &decoder)
        venue = try fields.value(4, &decoder)
        sandboxOperator = try fields.value(5, &decoder)
        priceFen = try fields.number(6, &decoder)
        purposes = try fields.texts(
            7, max: RecordLimits.purposesMax, textMax: RecordLimits.codeBytesMax, &decoder)
        columns = try fields.texts(
            8, max: RecordLimits.columnsMax, textMax: RecordLimits.codeBytesMax, &decoder)
        durationMs = try fields.number(9, &decoder)
        usesMax = try fields.number(10, &decoder)
        groupMinimum = try fields.number(11, &decoder)
        venueFeeBasisPoints = try fields.optionalNumber(12, &decoder)
        status = try fields.value(13, &decoder)
        publishedHeight = try fields.number(14, &decoder)
        try fields.finish(&decoder)
    }
}

/// A licence (许可协议): what was agreed, what was used, what is in escrow.
public struct AgreementRecord: Hashable, Sendable {
    /// The request's transaction id.
    public var id: Digest
    public var offer: Digest
    public var asset: Digest
    public var provider: MemberID
    public var buyer: MemberID
    public var venue: MemberID
    public var sandboxOperator: MemberID
    /// Where buyer, provider and venue hold the accounts that it is settled on.
    public var bank: MemberID
    public var purpose: String
    /// Licensed scope, ascending.
    public var columns: [String]
    /// For one use.
    public var priceFen: UInt64
    public var usesMax: UInt64
    /// By open jobs.
    public var usesReserved: UInt64
    /// Released, and so to be paid.
    public var usesMetered: UInt64
    public var durationMs: UInt64
    /// Unix time; 0 until agreed.
    public var startsMs: UInt64
    /// Unix time; 0 until agreed.
    public var expiresMs: UInt64
    public var groupMinimum: UInt64
    public var venueFeeBasisPoints: UInt64
    /// Locked in the buyer's account and not yet paid or refunded.
    public var escrowFen: UInt64
    public var paidProviderFen: UInt64
    public var paidVenueFen: UInt64
    public var refundedFen: UInt64
    /// Makes the parties' pseudonyms in the asset's trades log.
    public var pseudonymSalt: [UInt8]
    /// Salted digest of the buyer's statement of source and use.
    public var statementCommitment: Digest
    public var status: AgreementStatus
    public var requestedHeight: UInt64
    /// There exactly when the status is `revoked`.
    public var revocation: Revocation?

    public init(
        id: Digest, offer: Digest, asset: Digest, provider: MemberID, buyer: MemberID,
        venue: MemberID, sandboxOperator: MemberID, bank: MemberID, purpose: String,
        columns: [String], priceFen: UInt64, usesMax: UInt64, usesReserved: UInt64 = 0,
        usesMetered: UInt64 = 0, durationMs: UInt64, startsMs: UInt64 = 0, expiresMs: UInt64 = 0,
        groupMinimum: UInt64, venueFeeBasisPoints: UInt64, escrowFen: UInt64 = 0,
        paidProviderFen: UInt64 = 0, paidVenueFen: UInt64 = 0, refundedFen: UInt64 = 0,
        pseudonymSalt: [UInt8], statementCommitment: Digest, status: AgreementStatus = .requested,
        requestedHeight: UInt64, revocation: Revocation? = nil
    ) {
        self.id = id
        self.offer = offer
        self.asset = asset
        self.provider = provider
        self.buyer = buyer
        self.venue = venue
        self.sandboxOperator = sandboxOperator
        self.bank = bank
        self.purpose = purpose
        self.columns = columns
        self.priceFen = priceFen
        self.usesMax = usesMax
        self.usesReserved = usesReserved
        self.usesMetered = usesMetered
        self.durationMs = durationMs
        self.startsMs = startsMs
        self.expiresMs = expiresMs
        self.groupMinimum = groupMinimum
        self.venueFeeBasisPoints = venueFeeBasisPoints
        self.escrowFen = escrowFen
        self.paidProviderFen = paidProviderFen
        self.paidVenueFen = paidVenueFen
        self.refundedFen = refundedFen
        self.pseudonymSalt = pseudonymSalt
        self.statementCommitment = statementCommitment
        self.status = status
        self.requestedHeight = requestedHeight
        self.revocation = revocation
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(fieldCount(27, revocation != nil))
        encoder.field(1, id)
        encoder.field(2, offer)
        encoder.field(3, asset)
        encoder.field(4, provider)
        encoder.field(5, buyer)
        encoder.field(6, venue)
        encoder.field(7, sandboxOperator)
        encoder.field(8, bank)
        encoder.field(9, purpose)
        encoder.field(10, list: columns)
        encoder.field(11, priceFen)
        encoder.field(12, usesMax)
        encoder.field(13, usesReserved)
        encoder.field(14, usesMetered)
        encoder.field(15, durationMs)
        encoder.field(16, startsMs)
        encoder.field(17, expiresMs)
        encoder.field(18, groupMinimum)
        encoder.field(19, venueFeeBasisPoints)
        encoder.field(20, escrowFen)
        encoder.field(21, paidProviderFen)
        encoder.field(22, paidVenueFen)
        encoder.field(23, refundedFen)
        encoder.field(24, bytes: pseudonymSalt)
        encoder.field(25, statementCommitment)
        encoder.field(26, status)
        encoder.field(27, requestedHeight)
        encoder.field(28, ifPresent: revocation)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        id = try fields.value(1, &decoder)
        offer = try fields.value(2, &decoder)
        asset = try fields.value(3, &decoder)
        provider = try fields.value(4, &decoder)
        buyer = try fields.value(5, &decoder)
        venue = try fields.value(6, &decoder)
        sandboxOperator = try fields.value(7, &decoder)
        bank = try fields.value(8, &decoder)
        purpose = try fields.text(9, max: RecordLimits.codeBytesMax, &decoder)
        columns = try fields.texts(
            10, max: RecordLimits.columnsMax, textMax: RecordLimits.codeBytesMax, &decoder)
        priceFen = try fields.number(11, &decoder)
        usesMax = try fields.number(12, &decoder)
        usesReserved = try fields.number(13, &decoder)
        usesMetered = try fields.number(14, &decoder)
        durationMs = try fields.number(15, &decoder)
        startsMs = try fields.number(16, &decoder)
        expiresMs = try fields.number(17, &decoder)
        groupMinimum = try fields.number(18, &decoder)
        venueFeeBasisPoints = try fields.number(19, &decoder)
        escrowFen = try fields.number(20, &decoder)
        paidProviderFen = try fields.number(21, &decoder)
        paidVenueFen = try fields.number(22, &decoder)
        refundedFen = try fields.number(23, &decoder)
        pseudonymSalt = try fields.bytes(24, exactly: 16, &decoder)
        statementCommitment = try fields.value(25, &decoder)
        status = try fields.value(26, &decoder)
        requestedHeight = try fields.number(27, &decoder)
        revocation = try fields.optional(28, &decoder)
        try fields.finish(&decoder)
        guard usesReserved <= usesMax, usesMetered <= usesMax - usesReserved else {
            throw decoder.invalid("no more uses are reserved and metered than a licence has")
        }
    }
}

extension AgreementRecord {
    /// Uses neither metered nor reserved.
    public var usesLeft: UInt64 {
        precondition(usesReserved <= usesMax && usesMetered <= usesMax - usesReserved)
        return usesMax - usesReserved - usesMetered
    }

    /// How a member appears in the asset's trades log.
    public func pseudonym(of member: MemberID, suite: Suite) -> [UInt8] {
        Pseudonym.of(member, salt: pseudonymSalt, suite: suite)
    }
}

/// A job of a buyer on a licensed asset (作业).
public struct JobRecord: Hashable, Sendable {
    /// The transaction's id.
    public var id: Digest
    public var agreement: Digest
    public var asset: Digest
    public var buyer: MemberID
    public var purpose: String
    /// Salted digest of the query.
    public var queryCommitment: Digest
    public var status: JobStatus
    /// Salted digest of the output that is held.
    public var outputCommitment: Digest?
    public var rowsRead: UInt64
    /// Rows of the output.
    public var groups: UInt64
    public var reviewer: MemberID?
    /// The sandbox's reason, an `OutcomeCode`.
    public var refusal: UInt64?
    public var submittedHeight: UInt64

    public init(
        id: Digest, agreement: Digest, asset: Digest, buyer: MemberID, purpose: String,
        queryCommitment: Digest, status: JobStatus, outputCommitment: Digest? = nil,
        rowsRead: UInt64 = 0, groups: UInt64 = 0, reviewer: MemberID? = nil,
        refusal: UInt64? = nil, submittedHeight: UInt64
    ) {
        self.id = id
        self.agreement = agreement
        self.asset = asset
        self.buyer = buyer
        self.purpose = purpose
        self.queryCommitment = queryCommitment
        self.status = status
        self.outputCommitment = outputCommitment
        self.rowsRead = rowsRead
        self.groups = groups
        self.reviewer = reviewer
        self.refusal = refusal
        self.submittedHeight = submittedHeight
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(
            fieldCount(
                10, outputCommitment != nil, reviewer != nil, refusal != nil))
        encoder.field(1, id)
        encoder.field(2, agreement)
        encoder.field(3, asset)
        encoder.field(4, buyer)
        encoder.field(5, purpose)
        encoder.field(6, queryCommitment)
        encoder.field(7, status)
        encoder.field(8, ifPresent: outputCommitment)
        encoder.field(9, rowsRead)
        encoder.field(10, groups)
        encoder.field(11, ifPresent: reviewer)
        encoder.field(12, ifPresent: refusal)
        encoder.field(13, submittedHeight)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        id = try fields.value(1, &decoder)
        agreement = try fields.value(2, &decoder)
        asset = try fields.value(3, &decoder)
        buyer = try fields.value(4, &decoder)
        purpose = try fields.text(5, max: RecordLimits.codeBytesMax, &decoder)
        queryCommitment = try fields.value(6, &decoder)
        status = try fields.value(7, &decoder)
        outputCommitment = try fields.optional(8, &decoder)
        rowsRead = try fields.number(9, &decoder)
        groups = try fields.number(10, &decoder)
        reviewer = try fields.optional(11, &decoder)
        refusal = try fields.optionalNumber(12, &decoder)
        submittedHeight = try fields.number(13, &decoder)
        try fields.finish(&decoder)
    }
}
