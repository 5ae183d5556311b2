import Encoding
import Ledger
import LedgerCrypto
import Records

/// The transferee accepts a transfer (接受转让). Where the policy `transfers` waives a registrar's approval, the rights change
/// hands at once.
public struct RightAccept: TransactionBody {
    public let transfer: Digest

    public init(
        transfer: Digest
    ) {
        self.transfer = transfer
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(1)
        encoder.field(1, transfer)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        transfer = try fields.value(1, &decoder)
        try fields.finish(&decoder)
    }
}

extension RightAccept {
    public static var kind: TransactionKind { .rightAccept }
    public static var requiredRoles: [Role] { [.provider] }
    public static var requiredMandates: [Mandate] { [.legalRepresentative] }

    public static var fields: [FieldSpec] {
        [FieldSpec("transfer", 1, .digest, .everyone, en: "the transfer", zh: "转让")]
    }

    public static var example: RightAccept { RightAccept(transfer: Example.id) }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard var record = state.transfer(transfer) else { throw .unknownTransfer }
        guard record.to == context.member.id else { throw .notPermitted }
        guard record.status == .offered else { throw .wrongState }
        guard context.timeMs < record.expiresMs else { throw .transferExpired }
        let asset = try state.registeredAsset(record.asset)
        try record.checkHolder(in: asset)
        let approval = state.policy(PolicyRecord.transfers)?.number(
            StandardPolicies.registrarApproval)
        if approval == 0 {
            state.complete(&record, of: asset, in: context)
        } else {
            record.status = .accepted
        }
        state.put(record)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.transferTouch(transfer, context)
    }
}
