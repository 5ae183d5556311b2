import Encoding
import Ledger
import LedgerCrypto
import Merkle

/// A COSE Receipt (RFC 9942): one validator's finalize vote, with the way from a leaf to the log root that it signed.
///
/// It takes nobody's word but that validator's; a quorum of them is for a bundle or a transparent statement. Wire, in deterministic CBOR:
///
/// ```
/// #6.18([bstr .cbor {1: alg, 4: key id, 395: 1, -70002: [chain, epoch, view, height, header digest]},
///        {396: {-1: [bstr .cbor [size, index, path]]}},
///        null,                                            ; the log root, which leaf and path give
///        signature])
/// ```
///
/// The protected header is the vote's, to the byte. The size is not in it: trees of several sizes have the same path to
/// a leaf (RFC 9162 §2.1.3), so only who has the header, whose digest is signed, knows which size is right.
public struct Receipt: Equatable, Sendable {
    public let suite: Suite
    /// The voting key that signed.
    public let keyID: KeyID
    public let chain: ChainID
    public let epoch: UInt64
    public let view: UInt64
    /// Of the header that the vote finalizes.
    public let height: UInt64
    /// That header's digest.
    public let header: Digest
    /// Leaves of the log.
    public let size: UInt64
    /// The leaf's place, from 0.
    public let index: UInt64
    /// RFC 9162 inclusion path, lowest sibling first.
    public let path: [Digest]
    /// 64 bytes.
    public let signature: [UInt8]

    /// Bytes of an encoded receipt, for decoders: 64 digests and what is around them.
    public static let bytesMax = 4_096
    public static let limits = CBORLimits(
        bytesMax: bytesMax, depthMax: 8, itemsMax: EvidenceLimits.pathMax, stringBytesMax: bytesMax)

    /// Of a finalize vote; nil for a vote of another kind.
    public init?(
        vote: Vote, chain: ChainID, suite: Suite, keyID: KeyID, size: UInt64, index: UInt64,
        path: [Digest]
    ) {
        guard vote.statement.kind == .finalize, let subject = vote.statement.subject,
            path.count <= EvidenceLimits.pathMax
        else { return nil }
        self.suite = suite
        self.keyID = keyID
        self.chain = chain
        epoch = vote.statement.epoch
        view = vote.statement.view
        height = subject.height
        header = subject.header
        self.size = size
        self.index = index
        self.path = path
        signature = vote.signature
    }

    /// The root that the leaf's data leads to; nil where size, index and path do not fit one another.
    public func root(leaf: [UInt8]) -> Digest? {
        LogProof.rootFromInclusion(
            leafHash: suite.leafDigest(leaf), index: index, size: size, path: path, suite: suite)
    }

    func statement(root: Digest) -> VoteStatement {
        .finalize(
            epoch: epoch, view: view, VoteSubject(height: height, header: header, logRoot: root))
    }
}

// MARK: Verification

/// Why a receipt does not show that a validator's log holds a leaf.
public enum ReceiptFault: Error, Equatable, Sendable {
    case undecodable(CBORError)
    case otherLedger(found: ChainID, expected: ChainID)
    case otherEpoch(found: UInt64, expected: UInt64)
    case otherSuite
    /// No validator of the set votes with this key.
    case unknownKey(KeyID)
    /// Size, index and path do not fit one another.
    case malformedProof
    /// Leaf and path do not lead to what this key signed, or it signed nothing such.
    case badSignature(KeyID)
    /// The header is not the one that the vote is for, or its log is not of that size.
    case otherHeader
}

extension Receipt {
    /// What a receipt shows.
    public struct Finding: Equatable, Sendable {
        /// Number of the signing validator in its set.
        public let validator: Int
        /// The log root that it signed, which covers the leaf.
        public let root: Digest
    }

    /// Checks that a validator of this set finalized a log that holds the leaf.
    ///
    /// - Parameters:
    ///   - leaf: the leaf's data: `[0, header digest]`, `[1, envelope digest]` or `[2, action digest]`.
    ///   - certified: the header that the vote is for, where the caller has it; then the size is checked too, and
    ///     with it that the leaf stands at `index`.
    public func verified(
        leaf: [UInt8], chain: ChainID, validators: ValidatorSet, certified: Header? = nil
    ) throws(ReceiptFault) -> Finding {
        guard self.chain == chain else {
            throw .otherLedger(found: self.chain, expected: chain)
        }
        guard suite == validators.suite else { throw .otherSuite }
        guard epoch == validators.epoch else {
            throw .otherEpoch(found: epoch, expected: validators.epoch)
        }
        guard let validator = validators.index(ofKey: keyID) else { throw .unknownKey(keyID) }
        guard let root = root(leaf: leaf) else { throw .malformedProof }
        let vote = Vote(
            statement: statement(root: root), validator: validator, signature: signature)
        guard vote.verified(chain: chain, validators: validators) != nil else {
            throw .badSignature(keyID)
        }
        if let certified {
            guard certified.digest(suite) == header, certified.logSize == size else {
                throw .otherHeader
            }
        }
        return Finding(validator: validator, root: root)
    }

    /// Decodes an encoded receipt, strictly.
    public static func decode(_ bytes: [UInt8]) throws(ReceiptFault) -> Receipt {
        do throws(CBORError) {
            return try decode(bytes, limits: limits)
        } catch {
            throw .undecodable(error)
        }
    }
}

// MARK: Wire

extension Receipt: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        // The root is the detached payload and not a part of the header.
        let protected = statement(root: .zero).protectedHeader(
            chain: chain, suite: suite, keyID: keyID)
        encoder.tag(CoseSign1.tag)
        encoder.array(4)
        encoder.bytes(protected)
        encoder.map(1)
        encoder.integer(HeaderLabel.verifiableProofs)
        encoder.map(1)
        encoder.integer(HeaderLabel.inclusionProofs)
        encoder.array(1)
        encoder.bytes(proof)
        encoder.null()
        encoder.bytes(signature)
    }

    private var proof: [UInt8] {
        var encoder = CBOREncoder(reserving: 32 + 34 * path.count)
        encoder.array(3)
        encoder.unsigned(size)
        encoder.unsigned(index)
        encoder.list(path)
        return encoder.bytes
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.tag(exactly: CoseSign1.tag)
        try decoder.array(exactly: 4)
        let signed = try SignedPart.decode(try decoder.bytes(), limits: Receipt.limits)
        try decoder.labels(1)
        try decoder.label(HeaderLabel.verifiableProofs)
        try decoder.labels(1)
        try decoder.label(HeaderLabel.inclusionProofs)
        try decoder.array(exactly: 1)
        let place = try Place.decode(try decoder.bytes(), limits: Receipt.limits)
        try decoder.null()
        signature = try decoder.bytes(exactly: Suite.signatureByteCount)
        suite = signed.suite
        keyID = signed.keyID
        chain = signed.chain
        epoch = signed.epoch
        view = signed.view
        height = signed.height
        header = signed.header
        size = place.size
        index = place.index
        path = place.path
    }

    /// The protected header of a finalize vote.
    private struct SignedPart: CBORDecodable {
        let suite: Suite
        let keyID: KeyID
        let chain: ChainID
        let epoch: UInt64
        let view: UInt64
        let height: UInt64
        let header: Digest

        init(from decoder: inout CBORDecoder) throws(CBORError) {
            try decoder.labels(4)
            try decoder.label(HeaderLabel.algorithm)
            let algorithm = try decoder.integer()
            guard let suite = Suite.allCases.first(where: { $0.coseAlgorithm == algorithm })
            else { throw decoder.invalid("the algorithm is that of a suite") }
            self.suite = suite
            try decoder.label(HeaderLabel.keyID)
            keyID = try decoder.value()
            try decoder.label(HeaderLabel.verifiableData)
            try decoder.label(HeaderLabel.logTree)
            try decoder.label(HeaderLabel.finalize)
            try decoder.array(exactly: 5)
            chain = try decoder.value()
            epoch = try decoder.unsigned()
            view = try decoder.unsigned()
            height = try decoder.unsigned()
            header = try decoder.value()
        }
    }

    /// `[size, index, path]`.
    private struct Place: CBORDecodable {
        let size: UInt64
        let index: UInt64
        let path: [Digest]

        init(from decoder: inout CBORDecoder) throws(CBORError) {
            try decoder.array(exactly: 3)
            size = try decoder.unsigned()
            index = try decoder.unsigned()
            path = try decoder.list(max: EvidenceLimits.pathMax)
        }
    }
}

extension CBORDecoder {
    fileprivate mutating func labels(_ count: Int) throws(CBORError) {
        guard try map() == count else {
            throw invalid("a receipt's headers hold what the vote signs and one proof")
        }
    }

    /// The next label of a header, which is this one.
    mutating func label(_ label: Int64) throws(CBORError) {
        guard try integer() == label else {
            throw invalid("the header's next label is \(label)")
        }
    }
}
