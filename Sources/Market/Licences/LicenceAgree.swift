import Encoding
import Ledger
import LedgerCrypto
import Records

/// The provider agrees to a requested licence (同意许可): the price of all uses goes from the buyer's account into
/// escrow, and the term begins with this block's time.
public struct LicenceAgree: TransactionBody {
    public let agreement: Digest

    public init(
        agreement: Digest
    ) {
        self.agreement = agreement
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(1)
        encoder.field(1, agreement)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        agreement = try fields.value(1, &decoder)
        try fields.finish(&decoder)
    }
}

extension LicenceAgree {
    public static var kind: TransactionKind { .licenceAgree }
    public static var requiredRoles: [Role] { [.provider] }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "agreement", 1, .digest, .everyone,
                en: "the agreement", zh: "许可协议")
        ]
    }

    public static var example: LicenceAgree {
        LicenceAgree(agreement: Example.id)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard var record = state.agreement(agreement) else { throw .unknownAgreement }
        guard record.provider == context.member.id else { throw .notPermitted }
        guard record.status == .requested else { throw .wrongState }
        _ = try state.registeredAsset(record.asset, operatedBy: record.provider)
        let (totalFen, priceOverflow) = record.priceFen.multipliedReportingOverflow(
            by: record.usesMax)
        let (expiresMs, timeOverflow) = context.timeMs.addingReportingOverflow(record.durationMs)
        precondition(!priceOverflow, "licence.request bounded the total")
        guard !timeOverflow else { throw .valueNotAllowed }
        if totalFen > 0 { try state.lock(totalFen, of: record.buyer, at: record.bank) }
        record.escrowFen = totalFen
        record.startsMs = context.timeMs
        record.expiresMs = expiresMs
        record.status = .agreed
        try state.addDeadline(record.expiry)
        state.put(record)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.tradeTouch(agreement, context) { record in
            [
                ("startsMs", .unsigned(record.startsMs)),
                ("expiresMs", .unsigned(record.expiresMs)),
                ("escrowFen", .unsigned(record.escrowFen)),
            ]
        }
    }
}
