import Encoding
import Ledger
import LedgerCrypto
import Records

/// The holder of rights in an asset offers them to another member (权利转让).
///
/// The transfer's id is the transaction's. The rights change hands when the transferee has accepted and, unless the policy
/// `transfers` waives it, a registrar has registered the transfer; until then nothing binds and either side may cancel.
/// What was agreed before stays with whoever agreed (docs/decisions/0011-rights-in-force.md).
public struct RightTransfer: TransactionBody {
    public let asset: Digest
    public let to: MemberID
    /// Ascending, each once, at least one.
    public let rights: [DataRight]
    public let termsCommitment: Digest
    /// Unix time.
    public let expiresMs: UInt64

    public init(
        asset: Digest, to: MemberID, rights: [DataRight], termsCommitment: Digest,
        expiresMs: UInt64
    ) {
        self.asset = asset
        self.to = to
        self.rights = rights
        self.termsCommitment = termsCommitment
        self.expiresMs = expiresMs
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(5)
        encoder.field(1, asset)
        encoder.field(2, to)
        encoder.field(3, list: rights)
        encoder.field(4, termsCommitment)
        encoder.field(5, expiresMs)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        asset = try fields.value(1, &decoder)
        to = try fields.value(2, &decoder)
        rights = try fields.sortedList(3, max: DataRight.allCases.count, &decoder)
        termsCommitment = try fields.value(4, &decoder)
        expiresMs = try fields.number(5, &decoder)
        try fields.finish(&decoder)
    }
}

extension RightTransfer {
    public static var kind: TransactionKind { .rightTransfer }
    public static var requiredRoles: [Role] { [.provider] }
    public static var requiredMandates: [Mandate] { [.legalRepresentative] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec("asset", 1, .digest, .everyone, en: "the asset", zh: "数据资产"),
            FieldSpec(
                "to", 2, .memberID, .everyone, en: "the transferee, a provider", zh: "受让方，须为数据提供方"),
            FieldSpec(
                "rights", 3, .choices(of: DataRight.self), .everyone,
                en: "which of the registered rights, ascending", zh: "转让的权利，升序"),
            FieldSpec(
                "termsCommitment", 4, .commitment, .everyone, opening: .parties,
                en: "salted digest of the contract; its price is settled off chain",
                zh: "转让合同的加盐摘要，对价链下结算"),
            FieldSpec(
                "expiresMs", 5, .timeMs, .everyone, en: "to be accepted before", zh: "接受期限"),
        ]
    }

    public static var example: RightTransfer {
        RightTransfer(
            asset: Example.id, to: Example.buyer, rights: [.processing, .operating],
            termsCommitment: Example.commitment, expiresMs: 1_798_732_800_000)
    }

    public func check() throws(OutcomeCode) {
        guard !rights.isEmpty else { throw .valueNotAllowed }
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        let record = try state.registeredAsset(asset)
        guard to != context.member.id, expiresMs > context.timeMs,
            rights.allSatisfy(record.rights.contains)
        else { throw .valueNotAllowed }
        _ = try state.activeMember(to, role: .provider)
        let transfer = TransferRecord(
            id: context.transactionID, asset: asset, from: context.member.id, to: to,
            rights: rights, termsCommitment: termsCommitment, expiresMs: expiresMs,
            offeredHeight: context.height)
        try transfer.checkHolder(in: record)
        state.put(transfer)
    }

    public func touches(in state: inout StateView, _ context: ApplyContext) -> [Touch] {
        state.rightsTouch(
            asset, context, ("transfer", .bytes(context.transactionID.bytes)),
            ("to", .text(to.text)), ("rights", .array(rights.map { .text($0.name) })),
            ("termsCommitment", .bytes(termsCommitment.bytes)),
            ("expiresMs", .unsigned(expiresMs)))
    }
}

extension TransferRecord {
    /// - Throws: `rightNotHeld` unless the transferor holds all that it transfers.
    func checkHolder(in asset: AssetRecord) throws(OutcomeCode) {
        guard rights.allSatisfy({ asset.holder(of: $0) == from }) else { throw .rightNotHeld }
    }
}

extension StateView {
    /// Hands the rights over.
    mutating func complete(
        _ transfer: inout TransferRecord, of asset: AssetRecord, in context: ApplyContext
    ) {
        var asset = asset
        asset.transfer(transfer.rights, to: transfer.to, at: context.height)
        put(asset)
        transfer.status = .completed
        transfer.completedHeight = context.height
    }

    /// An event of the rights log about a transfer that exists.
    mutating func transferTouch(
        _ id: Digest, _ context: ApplyContext, _ detail: (String, CBORValue)...
    ) -> [Touch] {
        guard let record = transfer(id) else { return [] }
        let common: [(String, CBORValue)] = [
            ("transfer", .bytes(id.bytes)), ("status", .text(record.status.name)),
            ("from", .text(record.from.text)), ("to", .text(record.to.text)),
            ("rights", .array(record.rights.map { .text($0.name) })),
        ]
        return [
            Touch(
                asset: record.asset, log: .rights, actor: .member(context.member.id),
                detail: .detail(common + detail))
        ]
    }
}
