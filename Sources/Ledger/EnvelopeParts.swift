import Encoding
import LedgerCrypto

/// Where the parts of an envelope lie in its bytes, of either form.
struct EnvelopeParts: Sendable {
    let protected: Range<Int>
    let payload: Range<Int>
    let signature: Range<Int>
    /// Nil where the payload itself is signed.
    let proof: BatchProof?

    /// The first byte of `[payload, COSE_Sign1]`; the other form begins with its tag.
    private static let batchInitialByte: UInt8 = 0x82

    init(_ bytes: [UInt8]) throws(EnvelopeError) {
        if bytes.first == EnvelopeParts.batchInitialByte {
            do throws(CBORError) {
                self = try EnvelopeParts.batch(bytes)
            } catch {
                throw .undecodable(error)
            }
        } else {
            self = try EnvelopeParts.single(bytes)
        }
    }

    private init(
        protected: Range<Int>, payload: Range<Int>, signature: Range<Int>, proof: BatchProof?
    ) {
        self.protected = protected
        self.payload = payload
        self.signature = signature
        self.proof = proof
    }

    /// `#6.18([protected, {}, payload, signature])`.
    private static func single(_ bytes: [UInt8]) throws(EnvelopeError) -> EnvelopeParts {
        var hasUnprotected = false
        var payload: Range<Int>?
        let protected: Range<Int>
        let signature: Range<Int>
        do throws(CBORError) {
            var decoder = CBORDecoder(bytes.span.bytes, limits: LedgerLimits.envelope)
            try decoder.tag(exactly: CoseSign1.tag)
            try decoder.array(exactly: 4)
            protected = try decoder.byteRange()
            let unprotected = try decoder.map()
            if unprotected > 0 { hasUnprotected = true }
            // What is refused in the end must still be well formed, so that its error is the same whatever it holds.
            for _ in 0..<unprotected {
                _ = try decoder.skip()
                _ = try decoder.skip()
            }
            if try decoder.peekIsNull() {
                try decoder.null()
            } else {
                payload = try decoder.byteRange()
            }
            signature = try decoder.byteRange(exactly: Suite.signatureByteCount)
            try decoder.finish()
        } catch {
            throw .undecodable(error)
        }
        guard !hasUnprotected else { throw .unprotectedHeaders }
        guard let payload else { throw .detachedPayload }
        return EnvelopeParts(
            protected: protected, payload: payload, signature: signature, proof: nil)
    }

    /// `[payload, #6.18([protected, {396: {-1: [proof]}}, null, signature])]`.
    private static func batch(_ bytes: [UInt8]) throws(CBORError) -> EnvelopeParts {
        var decoder = CBORDecoder(bytes.span.bytes, limits: LedgerLimits.envelope)
        try decoder.array(exactly: 2)
        let payload = try decoder.byteRange()
        try decoder.tag(exactly: CoseSign1.tag)
        try decoder.array(exactly: 4)
        let protected = try decoder.byteRange()
        var proof: Range<Int>?
        try decoder.integerMap(max: 1) { (label, decoder) throws(CBORError) in
            guard label == HeaderLabel.verifiableProofs else {
                throw decoder.invalid("the unprotected header holds nothing but the proof")
            }
            try decoder.integerMap(max: 1) { (label, decoder) throws(CBORError) in
                guard label == HeaderLabel.inclusionProofs else {
                    throw decoder.invalid("a batch is proved by inclusion")
                }
                try decoder.array(exactly: 1)
                proof = try decoder.byteRange(max: BatchProof.bytesMax)
            }
        }
        guard let proof else { throw decoder.invalid("an envelope of a batch has its proof") }
        try decoder.null()
        let signature = try decoder.byteRange(exactly: Suite.signatureByteCount)
        try decoder.finish()
        return EnvelopeParts(
            protected: protected, payload: payload, signature: signature,
            proof: try BatchProof.decode(bytes, at: proof))
    }
}

extension CBORDecodable {
    /// Reads one value that fills a part of the bytes; errors point into that part.
    static func decode(_ bytes: [UInt8], at range: Range<Int>) throws(CBORError) -> Self {
        var decoder = CBORDecoder(
            bytes.span.bytes.extracting(range), limits: LedgerLimits.envelope)
        let value = try Self(from: &decoder)
        try decoder.finish()
        return value
    }
}

/// What the protected header of an envelope says, of either form.
struct EnvelopeHeader {
    let algorithm: Int64
    let keyID: KeyID
    let chain: ChainID
    /// Whether the context is that of the form.
    let isOfItsForm: Bool
    /// How many transactions the signed root covers.
    let batchSize: UInt64?

    init(_ bytes: [UInt8], at range: Range<Int>, isBatch: Bool) throws(CBORError) {
        if isBatch {
            let header = try BatchHeader.decode(bytes, at: range)
            algorithm = header.algorithm
            keyID = header.keyID
            chain = header.chain
            isOfItsForm = true
            batchSize = header.size
        } else {
            let header = try ParsedHeader.decode(bytes, at: range)
            algorithm = header.algorithm
            keyID = header.keyID
            chain = header.chain
            isOfItsForm = header.context == .transaction && header.extraCount == 0
            batchSize = nil
        }
    }
}
