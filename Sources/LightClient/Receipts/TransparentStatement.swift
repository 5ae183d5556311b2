import Encoding
import Ledger
import LedgerCrypto

/// A signed statement with receipts of the log that holds it, after SCITT (RFC 9943): a member's individually signed
/// transaction, and in its unprotected header what validators' finalize votes prove of it (RFC 9942).
///
/// ```
/// #6.18([protected, {394: [+ bstr .cbor receipt], ? -70003: bstr .cbor context}, payload, signature])
/// context = [header, [* epoch-change], state / null]
/// ```
///
/// Protected header, payload and signature are the envelope's to the byte, so the signature is checked as before, and the
/// envelope without that header is what the log's leaf is the digest of. The context leads from the genesis to the
/// receipts' validators, and says with what key the member signed; a statement that others put together has none, and
/// then its validators must be known already. docs/wire-format.md "Transparent statements".
public struct TransparentStatement: Equatable, Sendable {
    /// The exact bytes that the ledger recorded.
    public let envelope: [UInt8]
    /// In any order; at least one.
    public let receipts: [Receipt]
    public let context: Context?

    /// What is proven by the receipts, and what they rest on.
    public struct Context: Equatable, Sendable {
        /// The header that the votes finalized.
        public let header: Header
        /// From epoch 0 up to the header's, or from where its maker's trust starts.
        public let epochChanges: [EpochChange]
        /// The signing key's record under the header's state root.
        public let key: StateEvidence?

        public init(header: Header, epochChanges: [EpochChange], key: StateEvidence?) {
            self.header = header
            self.epochChanges = epochChanges
            self.key = key
        }
    }

    public static let receiptsMax = LedgerLimits.validatorsMax
    /// 16 MiB: as many epochs as a bundle may cross.
    public static let limits = CBORLimits(
        bytesMax: 16_777_216, depthMax: 16, itemsMax: EvidenceLimits.epochChangesMax,
        stringBytesMax: 16_777_216)

    private let message: CoseSign1

    /// Nil unless the envelope is signed by itself: of a batch's, the signature is over the batch's root and not over the
    /// statement. Nil as well without a receipt, or with more than `receiptsMax`.
    public init?(envelope: [UInt8], receipts: [Receipt], context: Context?) {
        guard let message = try? CoseSign1.decode(envelope, limits: LedgerLimits.envelope),
            message.payload != nil, message.unprotected == .map([]),
            1...Self.receiptsMax ~= receipts.count
        else { return nil }
        self.envelope = envelope
        self.receipts = receipts
        self.context = context
        self.message = message
    }
}

// MARK: Wire

extension TransparentStatement: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        var header: [(CBORValue, CBORValue)] = [
            (
                CBORValue(HeaderLabel.receipts),
                .array(receipts.map { .bytes($0.encoded) })
            )
        ]
        if let context {
            header.append((CBORValue(HeaderLabel.statementContext), .bytes(context.encoded)))
        }
        var message = message
        message.unprotected = .map(header)
        encoder.value(message)
    }

    /// Part by part: a header of another form is refused before anything of it is held.
    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.tag(exactly: CoseSign1.tag)
        try decoder.array(exactly: 4)
        let protected = try decoder.bytes()
        let labels = try decoder.map(max: 2)
        guard labels > 0 else {
            throw decoder.invalid("the unprotected header holds receipts and a context")
        }
        try decoder.label(HeaderLabel.receipts)
        var receipts: [Receipt] = []
        for _ in 0..<(try decoder.array(max: Self.receiptsMax)) {
            let bytes = try decoder.bytes(max: Receipt.limits.bytesMax)
            receipts.append(try Receipt.decode(bytes, limits: Receipt.limits))
        }
        var context: Context?
        if labels == 2 {
            try decoder.label(HeaderLabel.statementContext)
            context = try Context.decode(try decoder.bytes(), limits: Self.limits)
        }
        let message = CoseSign1(
            protected: protected, payload: try decoder.bytes(),
            signature: try decoder.bytes(exactly: Suite.signatureByteCount))
        guard
            let statement = TransparentStatement(
                envelope: message.encoded, receipts: receipts, context: context)
        else { throw decoder.invalid("a statement has its payload and 1 to 128 receipts") }
        self = statement
    }
}

extension TransparentStatement.Context: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.value(header)
        encoder.list(epochChanges)
        encoder.optional(key)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        header = try decoder.value()
        epochChanges = try decoder.list(max: EvidenceLimits.epochChangesMax)
        key = try decoder.optional()
    }
}
