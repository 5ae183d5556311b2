import Encoding
import LedgerCrypto
import Merkle

/// Where a transaction stands in the RFC 9162 §2.1 tree of its batch. Wire: `[size, index, [* digest]]`, the
/// inclusion proof of RFC 9942 §5.2; the leaf's data is what the transaction id is the digest of.
public struct BatchProof: Hashable, Sendable {
    /// Transactions of the batch; the signature binds it too.
    public let size: UInt64
    /// Counted from 0.
    public let index: UInt64
    /// Lowest sibling first.
    public let path: [Digest]

    /// Of the encoded proof.
    static let bytesMax = 512

    public init(size: UInt64, index: UInt64, path: [Digest]) {
        self.size = size
        self.index = index
        self.path = path
    }

    /// Whether size and index are within their limits and the path has the one length that belongs to them; nothing is
    /// hashed before that is known.
    var isWellFormed: Bool {
        guard size <= UInt64(LedgerLimits.batchSizes.upperBound),
            LedgerLimits.batchSizes.contains(Int(size)), index < size
        else { return false }
        var place = BatchPlace(index: index, size: size)
        var length = 0
        while place.climb() { length += 1 }
        return path.count == length
    }

    /// The root that the leaf leads to; nil for a proof that is not well formed.
    func root(leaf: Digest, suite: Suite) -> Digest? {
        guard isWellFormed else { return nil }
        return LogProof.rootFromInclusion(
            leafHash: leaf, index: index, size: size, path: path, suite: suite)
    }
}

extension BatchProof: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.unsigned(size)
        encoder.unsigned(index)
        encoder.list(path)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        size = try decoder.unsigned()
        index = try decoder.unsigned()
        path = try decoder.list(max: LedgerLimits.batchPathMax)
    }
}

/// The protected header of a signed batch root: `{1: alg, 4: kid, 395: 1, -70001: ["huijin/batch", chain, size]}`.
struct BatchHeader: Hashable, Sendable, CBOREncodable, CBORDecodable {
    let algorithm: Int64
    let keyID: KeyID
    let chain: ChainID
    let size: UInt64

    func encode(into encoder: inout CBOREncoder) {
        encoder.map(4)
        encoder.integer(HeaderLabel.algorithm)
        encoder.integer(algorithm)
        encoder.integer(HeaderLabel.keyID)
        encoder.value(keyID)
        encoder.integer(HeaderLabel.verifiableData)
        encoder.integer(HeaderLabel.logTree)
        encoder.integer(HeaderLabel.context)
        encoder.array(3)
        encoder.text(SigningContext.batch.rawValue)
        encoder.value(chain)
        encoder.unsigned(size)
    }

    init(algorithm: Int64, keyID: KeyID, chain: ChainID, size: UInt64) {
        self.algorithm = algorithm
        self.keyID = keyID
        self.chain = chain
        self.size = size
    }

    init(from decoder: inout CBORDecoder) throws(CBORError) {
        func label(_ label: Int64, _ decoder: inout CBORDecoder) throws(CBORError) {
            guard try decoder.integer() == label else {
                throw decoder.invalid("a batch header has algorithm, key id, tree and context")
            }
        }
        guard try decoder.map() == 4 else {
            throw decoder.invalid("a batch header has four labels")
        }
        try label(HeaderLabel.algorithm, &decoder)
        algorithm = try decoder.integer()
        try label(HeaderLabel.keyID, &decoder)
        keyID = try decoder.value()
        try label(HeaderLabel.verifiableData, &decoder)
        try label(HeaderLabel.logTree, &decoder)
        try label(HeaderLabel.context, &decoder)
        try decoder.array(exactly: 3)
        guard try decoder.text(max: 64) == SigningContext.batch.rawValue else {
            throw decoder.invalid("the context of a batch is \(SigningContext.batch.rawValue)")
        }
        chain = try decoder.value()
        size = try decoder.unsigned()
    }
}

// MARK: Checking

/// A signed batch root as an envelope states it, with the key that is to have signed: one signature for all
/// envelopes that make the same claim.
public struct BatchClaim: Sendable {
    public let signature: BatchSignature
    let root: Digest
    let size: UInt64
    private let envelope: Envelope

    fileprivate init?(_ envelope: Envelope, under key: PublicKey) {
        guard let signature = BatchSignature(envelope, under: key),
            let proof = envelope.batchProof,
            let root = proof.root(leaf: envelope.batchLeaf, suite: envelope.suite)
        else { return nil }
        self.signature = signature
        self.root = root
        self.size = proof.size
        self.envelope = envelope
    }

    /// Names the claim, whoever makes it: digest of key, protected header, root and signature.
    public var digest: Digest {
        let suite = signature.key.suite
        var state = DigestState(suite)
        // Key and signature have fixed lengths, so that the parts cannot be shifted against one another.
        state.update(signature.key.bytes)
        state.update(root)
        state.update(signature.signature)
        state.update(signature.protected)
        return state.finalize()
    }

    /// Checks the signature, which costs as much as that of a single transaction.
    public func verified() -> (batch: VerifiedBatch, transaction: Verified<SignedTransaction>)? {
        let message = CoseSign1.signedBytes(
            protected: signature.protected[...], payload: root.bytes[...])
        guard signature.key.isValid(signature: signature.signature, over: message) else {
            return nil
        }
        var batch = VerifiedBatch(checked: self)
        guard let transaction = batch.transaction(envelope) else {
            preconditionFailure("the envelope that the claim was made from leads to its root")
        }
        return (batch, transaction)
    }
}

/// What the envelopes of one batch have in common on the wire.
public struct BatchSignature: Hashable, Sendable {
    let key: PublicKey
    let protected: [UInt8]
    let signature: [UInt8]

    fileprivate init?(_ envelope: Envelope, under key: PublicKey) {
        guard envelope.batchProof != nil, key.keyID == envelope.keyID, key.suite == envelope.suite
        else { return nil }
        self.key = key
        protected = Array(envelope.protected)
        signature = envelope.signature
    }

    /// The same as making one of the envelope and comparing, without copies.
    func isStated(by envelope: Envelope) -> Bool {
        envelope.batchProof != nil && envelope.keyID == key.keyID && envelope.suite == key.suite
            && envelope.hasSignature(signature) && envelope.protected == protected[...]
    }

    // The signature alone tells honest batches apart; whoever makes others to collide pays with a check for each.
    public func hash(into hasher: inout Hasher) {
        signature.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension Envelope {
    /// The leaf that the batch's tree holds for this transaction.
    var batchLeaf: Digest { Transaction.batchLeaf(payload: payload, chain: chain, suite: suite) }

    /// What this envelope shares with others of its batch; nil where the transaction itself is signed, or by another key.
    public func batchSignature(under key: PublicKey) -> BatchSignature? {
        BatchSignature(self, under: key)
    }

    /// Follows the path to the root; nil where the transaction itself is signed, or by another key.
    public func batchClaim(under key: PublicKey) -> BatchClaim? {
        BatchClaim(self, under: key)
    }

    // MARK: Signing

    /// Signs transactions of one member with one signature: the member's side.
    ///
    /// - Parameter transactions: 2…1,024 of one member (`LedgerLimits.batchSizes`).
    /// - Returns: an envelope for each, in order; each is valid without the others.
    public static func signBatch(
        _ transactions: [Transaction], chain: ChainID, with key: SigningKey
    ) -> [[UInt8]] {
        precondition(
            LedgerLimits.batchSizes.contains(transactions.count), "a batch has 2 to 1,024 members")
        precondition(
            transactions.allSatisfy { $0.member == transactions[0].member },
            "the transactions of a batch are of one member")
        let suite = key.publicKey.suite
        let payloads = transactions.map { $0.encoded }
        let tree = LogTree(
            suite: suite,
            leafHashes: payloads.map {
                Transaction.batchLeaf(payload: $0[...], chain: chain, suite: suite)
            })
        let size = UInt64(payloads.count)
        let header = BatchHeader(
            algorithm: suite.coseAlgorithm, keyID: key.publicKey.keyID, chain: chain, size: size)
        let signed = CoseSign1.sign(
            protected: header.encoded, payload: tree.root.bytes, detached: true, with: key)
        return payloads.enumerated().map { index, payload in
            let path = tree.inclusionPath(index: UInt64(index), size: size)
            let proof = BatchProof(size: size, index: UInt64(index), path: path)
            return batchEnvelope(payload, signed, proof)
        }
    }

    static func batchEnvelope(
        _ payload: [UInt8], _ signed: CoseSign1, _ proof: BatchProof
    ) -> [UInt8] {
        var encoder = CBOREncoder(reserving: payload.count + 256 + 34 * proof.path.count)
        encoder.array(2)
        encoder.bytes(payload)
        encoder.tag(CoseSign1.tag)
        encoder.array(4)
        encoder.bytes(signed.protected)
        encoder.map(1)
        encoder.integer(HeaderLabel.verifiableProofs)
        encoder.map(1)
        encoder.integer(HeaderLabel.inclusionProofs)
        encoder.array(1)
        encoder.bytes(proof.encoded)
        encoder.null()
        encoder.bytes(signed.signature)
        return encoder.bytes
    }
}
