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
    /// Size, index and path of a batch contradict one another or what was signed.
    case batchProof
}

/// A transaction with what authorises it, decoded once; the signature is not yet checked.
///
/// A member signs either the transaction itself (`COSE_Sign1`, the payload within) or the root of a batch of its
/// transactions (`[payload, COSE_Sign1]`, a COSE Receipt of RFC 9942: the root is detached, the path unprotected). Both
/// stand alone: an envelope of a batch needs none of the others. docs/wire-format.md "Transactions".
public struct Envelope: Sendable, Equatable {
    /// On the heap once: an envelope passes through many hands, and each copy costs one reference count.
    private final class Content: Sendable {
        let bytes: [UInt8]
        /// Beside them: it is asked for where the bytes themselves are in no processor's cache.
        let byteCount: Int
        let digest: Digest
        let id: Digest
        let transaction: Transaction
        let keyID: KeyID
        let chain: ChainID
        let suite: Suite
        let parts: EnvelopeParts

        init(
            bytes: [UInt8], digest: Digest?, parts: EnvelopeParts, header: EnvelopeHeader,
            transaction: Transaction, suite: Suite
        ) {
            self.bytes = bytes
            byteCount = bytes.count
            self.parts = parts
            self.transaction = transaction
            keyID = header.keyID
            chain = header.chain
            self.suite = suite
            self.digest = digest ?? suite.digest(bytes)
            id = Transaction.id(payload: bytes[parts.payload], chain: header.chain, suite: suite)
        }
    }

    private let content: Content

    /// The exact bytes that came in.
    public var bytes: [UInt8] { content.bytes }
    /// Digest of exactly these bytes: proposals, log leaves and caches use it.
    public var digest: Digest { content.digest }
    /// Digest of context and payload, the same for both forms: replay protection uses it.
    public var id: Digest { content.id }
    public var transaction: Transaction { content.transaction }
    // By themselves, because a copy of the whole transaction costs a reference count for each of its parts.
    public var member: MemberID { content.transaction.member }
    public var lastValidHeight: UInt64 { content.transaction.lastValidHeight }
    public var byteCount: Int { content.byteCount }
    /// The key that is said to have signed.
    public var keyID: KeyID { content.keyID }
    /// The place in the batch; nil where the transaction itself is signed.
    public var batchProof: BatchProof? { content.parts.proof }
    var chain: ChainID { content.chain }
    var suite: Suite { content.suite }
    private var parts: EnvelopeParts { content.parts }

    var protected: ArraySlice<UInt8> { bytes[parts.protected] }
    var payload: ArraySlice<UInt8> { bytes[parts.payload] }
    var signature: [UInt8] { Array(bytes[parts.signature]) }
    func hasSignature(_ other: [UInt8]) -> Bool { bytes[parts.signature] == other[...] }

    /// Decodes strictly and checks context, suite and chain; `bytesMax` is the genesis parameter.
    ///
    /// - Parameter digest: of these very bytes, by a caller that has it already.
    public init(
        bytes: [UInt8], digest: Digest? = nil, chain: ChainID, suite: Suite,
        bytesMax: Int = LedgerLimits.transactionBytesMax
    ) throws(EnvelopeError) {
        guard bytes.count <= bytesMax else {
            throw .tooLarge(bytes: bytes.count, bytesMax: bytesMax)
        }
        let parts = try EnvelopeParts(bytes)
        let header: EnvelopeHeader
        let transaction: Transaction
        do throws(CBORError) {
            header = try EnvelopeHeader(bytes, at: parts.protected, isBatch: parts.proof != nil)
        } catch {
            throw .undecodable(error)
        }
        guard header.isOfItsForm else { throw .wrongContext }
        guard header.algorithm == suite.coseAlgorithm else {
            throw .wrongSuite(algorithm: header.algorithm, expected: suite.coseAlgorithm)
        }
        guard header.chain == chain else {
            throw .wrongChain(found: header.chain, expected: chain)
        }
        if let proof = parts.proof {
            // Other sizes can give the same path: what is not signed must not be free to vary.
            guard header.batchSize == proof.size, proof.isWellFormed else { throw .batchProof }
        }
        do throws(CBORError) {
            transaction = try Transaction.decode(bytes, at: parts.payload)
        } catch {
            throw .undecodable(error)
        }
        content = Content(
            bytes: bytes, digest: digest, parts: parts, header: header, transaction: transaction,
            suite: suite)
    }

    /// Checks the signature under `key`, which the caller found under `keyID` among the enrolled keys.
    ///
    /// - Returns: `nil` when the key is another one or the signature is not valid under it.
    public func verified(by key: PublicKey) -> Verified<SignedTransaction>? {
        guard key.keyID == keyID, key.suite == suite else { return nil }
        guard batchProof == nil else {
            return batchClaim(under: key)?.verified()?.transaction
        }
        let message = CoseSign1.signedBytes(protected: protected, payload: payload)
        guard key.isValid(signature: signature, over: message) else { return nil }
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

    public static func == (left: Envelope, right: Envelope) -> Bool {
        left.bytes == right.bytes && left.chain == right.chain && left.suite == right.suite
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
