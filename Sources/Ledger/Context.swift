import Encoding
import LedgerCrypto

/// What a signature is for.
///
/// Every signed structure names its purpose and its chain in the protected COSE header, so that no signature made
/// for one is ever valid for another (RFC 9052 §3; docs/wire-format.md "Contexts").
public enum SigningContext: String, Sendable, CaseIterable {
    case transaction = "huijin/tx"
    case batch = "huijin/batch"
    case notarize = "huijin/notarize"
    case nullify = "huijin/nullify"
    case recover = "huijin/recover"
    case checkpoint = "huijin/checkpoint"
    case request = "huijin/request"
}

/// COSE header labels (RFC 9052 §3.1, RFC 9942) and the private ones of this ledger.
public enum HeaderLabel {
    public static let algorithm: Int64 = 1
    public static let keyID: Int64 = 4
    /// Verifiable data structure (RFC 9942); 1 is the RFC 9162 SHA-256 log.
    public static let verifiableData: Int64 = 395
    /// The value of `verifiableData` for an RFC 9162 tree (of the chain's digest).
    public static let logTree: Int64 = 1
    /// Receipts in the unprotected header of a signed statement (RFC 9942).
    public static let receipts: Int64 = 394
    /// Proofs in the unprotected header (RFC 9942).
    public static let verifiableProofs: Int64 = 396
    /// Among them, proofs of inclusion.
    public static let inclusionProofs: Int64 = -1
    /// `[context text, chain id, …]`, see `SigningContext`.
    public static let context: Int64 = -70_001
    /// `[chain id, epoch, view, height, header digest]` of a finalize vote.
    public static let finalize: Int64 = -70_002
    /// What leads from the genesis to the receipts of a transparent statement, unprotected.
    public static let statementContext: Int64 = -70_003
}

/// The digest of the canonical genesis: which ledger something belongs to.
public typealias ChainID = Digest

extension SigningContext {
    /// The protected header `{1: alg, 4: kid, -70001: [context, chain, extra…]}`.
    ///
    /// - Parameter extra: encoded CBOR items that follow the chain id.
    public func protectedHeader(
        suite: Suite, keyID: KeyID, chain: ChainID, extra: [[UInt8]] = []
    ) -> [UInt8] {
        var encoder = CBOREncoder(reserving: 96)
        encoder.map(3)
        encoder.integer(HeaderLabel.algorithm)
        encoder.integer(suite.coseAlgorithm)
        encoder.integer(HeaderLabel.keyID)
        encoder.value(keyID)
        encoder.integer(HeaderLabel.context)
        encoder.array(2 + extra.count)
        encoder.text(rawValue)
        encoder.value(chain)
        for item in extra { encoder.raw(item) }
        return encoder.bytes
    }

    /// What a protected header of the form above says, or `nil` when its form is another.
    public static func parse(protectedHeader bytes: [UInt8]) -> ParsedHeader? {
        try? ParsedHeader.decode(bytes, limits: LedgerLimits.certificate)
    }
}

/// A protected header with a context label, decoded strictly; anything more than the three labels is refused.
public struct ParsedHeader: Sendable, Equatable, CBORDecodable {
    public let algorithm: Int64
    public let keyID: KeyID
    public let context: SigningContext
    public let chain: ChainID
    /// Number of items that follow the chain id.
    public let extraCount: Int

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var algorithm: Int64?
        var keyID: KeyID?
        var context: SigningContext?
        var chain: ChainID?
        var extraCount = 0
        try decoder.integerMap(max: 3) { (label, decoder) throws(CBORError) in
            switch label {
            case HeaderLabel.algorithm: algorithm = try decoder.integer()
            case HeaderLabel.keyID: keyID = try decoder.value()
            case HeaderLabel.context:
                let count = try decoder.array(max: 8)
                guard count >= 2 else {
                    throw decoder.invalid("a context is [text, chain id, …]")
                }
                let name = try decoder.text(max: 64)
                guard let known = SigningContext(rawValue: name) else {
                    throw decoder.invalid("unknown signing context")
                }
                context = known
                chain = try decoder.value()
                extraCount = count - 2
                for _ in 0..<extraCount { _ = try decoder.skip() }
            default: throw decoder.invalid("unknown protected header label")
            }
        }
        guard let algorithm, let keyID, let context, let chain else {
            throw decoder.invalid("a protected header has algorithm, key id and context")
        }
        self.algorithm = algorithm
        self.keyID = keyID
        self.context = context
        self.chain = chain
        self.extraCount = extraCount
    }
}
