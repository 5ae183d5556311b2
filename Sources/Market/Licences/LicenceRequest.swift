import Encoding
import Ledger
import LedgerCrypto
import Policy
import Records

/// A buyer asks for a licence under an admitted offer (申请许可), and names the bank that it pays from.
///
/// The agreement's id is the transaction's. Nothing is locked yet; the buyer can withdraw with `licence.close`.
public struct LicenceRequest: TransactionBody {
    public let offer: Digest
    public let bank: MemberID
    public let purpose: String
    public let columns: [String]
    public let uses: UInt64
    /// Salted digest of the buyer's statement.
    public let statementCommitment: Digest
    public let pseudonymSalt: [UInt8]

    public init(
        offer: Digest, bank: MemberID, purpose: String, columns: [String], uses: UInt64,
        statementCommitment: Digest, pseudonymSalt: [UInt8]
    ) {
        self.offer = offer
        self.bank = bank
        self.purpose = purpose
        self.columns = columns
        self.uses = uses
        self.statementCommitment = statementCommitment
        self.pseudonymSalt = pseudonymSalt
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(7)
        encoder.field(1, offer)
        encoder.field(2, bank)
        encoder.field(3, purpose)
        encoder.field(4, list: columns)
        encoder.field(5, uses)
        encoder.field(6, statementCommitment)
        encoder.field(7, bytes: pseudonymSalt)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        offer = try fields.value(1, &decoder)
        bank = try fields.value(2, &decoder)
        purpose = try fields.text(3, max: RecordLimits.codeBytesMax, &decoder)
        columns = try fields.texts(
            4, max: RecordLimits.columnsMax, textMax: RecordLimits.codeBytesMax, &decoder)
        uses = try fields.number(5, &decoder)
        statementCommitment = try fields.value(6, &decoder)
        pseudonymSalt = try fields.bytes(7, exactly: Salted.saltBytes, &decoder)
        try fields.finish(&decoder)
    }
}

extension LicenceRequest {
    public static var kind: TransactionKind { .licenceRequest }
    public static var requiredRoles: [Role] { [.buyer] }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "offer", 1, .digest, .everyone,
                en: "the offer", zh: "报价"),
            FieldSpec(
                "bank", 2, .memberID, .parties,
                en: "where the buyer's money is and all parties are paid", zh: "付款与结算所在的清结算机构"),
            FieldSpec(
                "purpose", 3, .text(max: RecordLimits.codeBytesMax), .everyone,
                en: "one of the offer's purposes", zh: "用途，须在报价之内"),
            FieldSpec(
                "columns", 4,
                .texts(max: RecordLimits.columnsMax, textMax: RecordLimits.codeBytesMax), .everyone,
                en: "some of the offer's columns, ascending", zh: "所用列，升序"),
            FieldSpec(
                "uses", 5, .number, .everyone,
                en: "number of uses", zh: "使用次数"),
            FieldSpec(
                "statementCommitment", 6, .commitment, .everyone, opening: .parties,
                en: "salted digest of the buyer's statement of source, parties, purpose and scope",
                zh: "需求方声明（来源、当事方、用途、范围）的加盐摘要"),
            FieldSpec(
                "pseudonymSalt", 7, .bytes(exactly: Salted.saltBytes), .parties,
                en: "random; makes the parties' pseudonyms in public logs", zh: "随机盐，用于公开日志中的当事方化名"),
        ]
    }

    public static var example: LicenceRequest {
        LicenceRequest(
            offer: Example.id, bank: Example.bank, purpose: "weather-service",
            columns: ["origin", "temp"], uses: 10, statementCommitment: Example.commitment,
            pseudonymSalt: Example.salt)
    }

    public func check() throws(OutcomeCode) {
        guard Purpose(code: purpose) != nil else { throw .purposeNotPermitted }
        guard Scope.isCanonical(columns) else { throw .scopeNotPermitted }
        guard uses >= 1 else { throw .usesNotPermitted }
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard let terms = state.offer(offer) else { throw .unknownOffer }
        guard terms.status == .admitted, let fee = terms.venueFeeBasisPoints else {
            throw .wrongState
        }
        _ = try state.registeredAsset(terms.asset, operatedBy: terms.provider)
        // A licence from oneself would only make trade look livelier than it is.
        guard terms.provider != context.member.id else { throw .conflictOfInterest }
        guard terms.purposes.contains(purpose) else { throw .purposeNotPermitted }
        guard let offered = Scope(terms.columns), let asked = Scope(columns),
            asked.isSubset(of: offered)
        else { throw .scopeNotPermitted }
        guard uses <= terms.usesMax else { throw .usesNotPermitted }
        let (totalFen, overflow) = terms.priceFen.multipliedReportingOverflow(by: uses)
        guard !overflow, totalFen <= RecordLimits.amountFenMax else { throw .amountOutOfRange }
        guard state.bank(bank) != nil else { throw .bankUnknown }
        state.put(
            AgreementRecord(
                id: context.transactionID, offer: offer, asset: terms.asset,
                provider: terms.provider, buyer: context.member.id, venue: terms.venue,
                sandboxOperator: terms.sandboxOperator, bank: bank, purpose: purpose,
                columns: columns, priceFen: terms.priceFen, usesMax: uses,
                durationMs: terms.durationMs, groupMinimum: terms.groupMinimum,
                venueFeeBasisPoints: fee, pseudonymSalt: pseudonymSalt,
                statementCommitment: statementCommitment, requestedHeight: context.height))
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        guard let asset = state.offer(offer)?.asset else { return [] }
        // The agreement does not exist yet when the request is refused, but its salt does.
        let pseudonym = Pseudonym.of(
            context.member.id, salt: pseudonymSalt, suite: context.suite)
        return [
            Touch(
                asset: asset, log: .trades, actor: .pseudonym(pseudonym),
                detail: .detail([
                    ("agreement", .bytes(context.transactionID.bytes)),
                    ("offer", .bytes(offer.bytes)), ("purpose", .text(purpose)),
                    ("columns", .array(columns.map(CBORValue.text))), ("uses", .unsigned(uses)),
                    ("statementCommitment", .bytes(statementCommitment.bytes)),
                ]))
        ]
    }
}
