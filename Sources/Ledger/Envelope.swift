import Encoding
import LedgerCrypto

/// Why bytes are not an acceptable envelope, before any state is asked. None of these ever enters a block.
public enum EnvelopeError: Error, Equatable, Sendable {
    case tooLarge(bytes: Int, bytesMax: Int)
    case undecodable(CBORError)
    case wrongContext
    case wrongSuite(algorithm: Int64, expected: Int64)
    case wrongChain(found: ChainID, expected: ChainID)
    case detachedPayload
    case unprotectedHeaders
}

/// A transaction in its COSE_Sign1, decoded once; the signature is not yet checked.
public struct Envelope: Sendable, Equatable {
    /// The exact bytes that came in.
    public let bytes: [UInt8]
    /// Digest of exactly these bytes: proposals, log leaves and caches use it.
    public let digest: Digest
    /// Digest of context and payload: replay protection uses it.
    public let id: Digest
    public let transaction: Transaction
    /// The key that is said to have signed.
    public let keyID: KeyID
    let sign1: CoseSign1

    /// Decodes strictly and checks context, suite and chain; `bytesMax` is the genesis parameter.
    public init(
        bytes: [UInt8], chain: ChainID, suite: Suite,
        bytesMax: Int = LedgerLimits.transactionBytesMax
    ) throws(EnvelopeError) {
        guard bytes.count <= bytesMax else {
            throw .tooLarge(bytes: bytes.count, bytesMax: bytesMax)
        }
        let sign1: CoseSign1
        let transaction: Transaction
        let header: ParsedHeader
        do {
            sign1 = try CoseSign1.decode(bytes, limits: LedgerLimits.envelope)
            header = try ParsedHeader.decode(sign1.protected, limits: LedgerLimits.certificate)
        } catch {
            throw .undecodable(error)
        }
        guard header.context == .transaction, header.extraCount == 0 else { throw .wrongContext }
        guard header.algorithm == suite.coseAlgorithm else {
            throw .wrongSuite(algorithm: header.algorithm, expected: suite.coseAlgorithm)
        }
        guard header.chain == chain else {
            throw .wrongChain(found: header.chain, expected: chain)
        }
        guard sign1.unprotected == .map([]) else { throw .unprotectedHeaders }
        guard let payload = sign1.payload else { throw .detachedPayload }
        do {
            transaction = try Transaction.decode(payload, limits: LedgerLimits.envelope)
        } catch {
            throw .undecodable(error)
        }
        self.bytes = bytes
        self.sign1 = sign1
        self.transaction = transaction
        self.keyID = header.keyID
        self.digest = suite.digest(bytes)
        self.id = Transaction.id(payload: payload, chain: chain, suite: suite)
    }

    /// Checks the signature under `key`, which the caller found under `keyID` among the enrolled keys.
    ///
    /// - Returns: `nil` when the key is another one or the signature is not valid under it.
    public func verified(by key: PublicKey) -> Verified<SignedTransaction>? {
        guard key.keyID == keyID, sign1.isValid(key: key) else { return nil }
        return Verified(checked: SignedTransaction(envelope: self, key: key))
    }

    /// Signs a transaction: the member's side.
    public static func sign(
        _ transaction: Transaction, chain: ChainID, with key: SigningKey
    ) -> [UInt8] {
        let suite = key.publicKey.suite
        let header = SigningContext.transaction.protectedHeader(
            suite: suite, keyID: key.publicKey.keyID, chain: chain)
        return CoseSign1.sign(
            protected: header, payload: transaction.encoded, detached: false, with: key
        ).encoded
    }
}

/// An envelope with the key under which its signature is valid. Whether that key is live is for Execution to say.
public struct SignedTransaction: Sendable, Equatable {
    public let envelope: Envelope
    public let key: PublicKey

    public init(envelope: Envelope, key: PublicKey) {
        self.envelope = envelope
        self.key = key
    }

    public var id: Digest { envelope.id }
    public var digest: Digest { envelope.digest }
    public var transaction: Transaction { envelope.transaction }
}
