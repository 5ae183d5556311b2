import Encoding
import Ledger
import LedgerCrypto
import Records

/// Ends a transfer before the rights change hands (取消转让): the transferor withdraws it, the transferee declines it, or a
/// registrar that is of neither's group turns an accepted one down. Allowed while the asset is frozen.
public struct RightCancel: TransactionBody {
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

extension RightCancel {
    public static var kind: TransactionKind { .rightCancel }
    public static var requiredRoles: [Role] { [] }
    public static var requiredMandates: [Mandate] { Mandate.persons }

    public static var fields: [FieldSpec] {
        [FieldSpec("transfer", 1, .digest, .everyone, en: "the transfer", zh: "转让")]
    }

    public static var example: RightCancel { RightCancel(transfer: Example.id) }

    public func check() throws(OutcomeCode) {}

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        guard var record = state.transfer(transfer) else { throw .unknownTransfer }
        let isParty = [record.from, record.to].contains(context.member.id)
        if !isParty {
            guard context.member.has(.registrar) else { throw .notPermitted }
            try state.refuseOwnGroup(context.member, of: [record.from, record.to])
        }
        switch record.status {
        case .completed, .cancelled: throw .wrongState
        case .offered: guard isParty else { throw .notPermitted }
        case .accepted: break
        }
        record.status = .cancelled
        state.put(record)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.transferTouch(transfer, context)
    }
}
