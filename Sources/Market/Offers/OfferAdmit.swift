import Encoding
import Ledger
import LedgerCrypto
import Records

/// The venue that an offer names admits it to trade (准入上架), and thereby pins its own fee.
public struct OfferAdmit: TransactionBody {
    public let offer: Digest

    public init(
        offer: Digest
    ) {
        self.offer = offer
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(1)
        encoder.field(1, offer)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        offer = try fields.value(1, &decoder)
        try fields.finish(&decoder)
    }
}

extension OfferAdmit {
    public static var kind: TransactionKind { .offerAdmit }
    public static var requiredRoles: [Role] { [.venue] }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "offer", 1, .digest, .everyone,
                en: "the offer", zh: "报价")
        ]
    }

    public static var example: OfferAdmit {
        OfferAdmit(offer: Example.id)
    }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard var record = state.offer(offer) else { throw .unknownOffer }
        guard record.venue == context.member.id else { throw .notPermitted }
        guard record.status == .published else { throw .wrongState }
        _ = try state.registeredAsset(record.asset, operatedBy: record.provider)
        // Mandatory rules are those of today, not those of the day of publication.
        guard record.groupMinimum >= (try state.disclosureRules().groupMinimum) else {
            throw .valueNotAllowed
        }
        record.venueFeeBasisPoints = try state.venueSplit().venueBasisPoints
        record.status = .admitted
        state.put(record)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        guard let record = state.offer(offer) else { return [] }
        return state.rightsTouch(
            record.asset, context, ("offer", .bytes(offer.bytes)),
            ("venueFeeBasisPoints", record.venueFeeBasisPoints.map(CBORValue.unsigned) ?? .null))
    }
}
