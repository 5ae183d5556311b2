import Encoding
import Ledger
import LedgerCrypto
import Records

/// Ends a licence before its deadline and settles it (结清许可); see `Settlement`.
///
/// The buyer may close at any time, giving up what it has not used; provider and venue only when every use is
/// metered, since else they could take back what they sold. While a job is open nobody may. A request that was
/// not agreed to yet is withdrawn by the buyer or declined by the provider in the same way; no money is in it.
public struct LicenceClose: TransactionBody {
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

extension LicenceClose {
    public static var kind: TransactionKind { .licenceClose }
    public static var requiredRoles: [Role] { [] }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "agreement", 1, .digest, .everyone,
                en: "the agreement", zh: "许可协议")
        ]
    }

    public static var example: LicenceClose {
        LicenceClose(agreement: Example.id)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard var record = state.agreement(agreement) else { throw .unknownAgreement }
        let sender = context.member.id
        let isBuyer = sender == record.buyer
        guard isBuyer || sender == record.provider || sender == record.venue else {
            throw .notPermitted
        }
        switch record.status {
        case .closed, .expired, .revoked: throw .licenceEnded
        case .requested:
            guard isBuyer || sender == record.provider else { throw .notPermitted }
            record.status = .closed
        case .agreed:
            guard record.usesReserved == 0 else { throw .jobOpen }
            guard isBuyer || record.usesMetered == record.usesMax else { throw .notPermitted }
            state.removeDeadline(record.expiry)
            Settlement.settle(&record, to: .closed, in: &state)
        }
        state.put(record)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.tradeTouch(agreement, context) { Settlement.detail($0) }
    }
}
