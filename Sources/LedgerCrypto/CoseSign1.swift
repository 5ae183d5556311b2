public import Encoding

/// A COSE_Sign1 message (RFC 9052 §4.2), tag 18. `external_aad` is always empty.
///
/// The protected header must name its algorithm (label 1) and it must be the key's; everything
/// else in the headers is for the reader of the message to judge.
public struct CoseSign1: Equatable, Sendable {
    public static let tag: UInt64 = 18

    /// The encoded protected header map, as signed.
    public var protected: [UInt8]
    /// A map; empty unless the signature is proved through a batch.
    public var unprotected: CBORValue
    /// Nil when the payload travels apart (detached).
    public var payload: [UInt8]?
    /// 64 bytes.
    public var signature: [UInt8]

    public init(
        protected: [UInt8], unprotected: CBORValue = .map([]), payload: [UInt8]?,
        signature: [UInt8]
    ) {
        self.protected = protected
        self.unprotected = unprotected
        self.payload = payload
        self.signature = signature
    }

    /// The bytes that a signature covers: `Sig_structure` with context "Signature1" (RFC 9052
    /// §4.4).
    public static func signedBytes(protected: [UInt8], payload: [UInt8]) -> [UInt8] {
        signedBytes(protected: protected[...], payload: payload[...])
    }

    /// The same, of parts of a message that is held as a whole.
    public static func signedBytes(
        protected: ArraySlice<UInt8>, payload: ArraySlice<UInt8>
    ) -> [UInt8] {
        var encoder = CBOREncoder(reserving: protected.count + payload.count + 32)
        encoder.array(4)
        encoder.text("Signature1")
        encoder.bytes(protected)
        encoder.bytes([])
        encoder.bytes(payload)
        return encoder.bytes
    }

    /// Signs `payload`; the message leaves it out when `detached`. `protected` must name the
    /// key's algorithm.
    public static func sign(
        protected: [UInt8], payload: [UInt8], detached: Bool = false, with key: SigningKey
    ) -> CoseSign1 {
        precondition(
            algorithm(protected: protected) == key.publicKey.suite.coseAlgorithm,
            "the protected header names the key's algorithm under label 1")
        let signature = key.sign(signedBytes(protected: protected, payload: payload))
        return CoseSign1(
            protected: protected, payload: detached ? nil : payload, signature: signature)
    }

    /// Whether the signature is `key`'s over the payload, which is `detachedPayload` if and only
    /// if the message carries none.
    public func isValid(key: PublicKey, detachedPayload: [UInt8]? = nil) -> Bool {
        let signed: [UInt8]
        switch (payload, detachedPayload) {
        case (let attached?, nil): signed = attached
        case (nil, let detached?): signed = detached
        case (nil, nil), (_?, _?): return false
        }
        guard CoseSign1.algorithm(protected: protected) == key.suite.coseAlgorithm else {
            return false
        }
        return key.isValid(
            signature: signature,
            over: CoseSign1.signedBytes(protected: protected, payload: signed))
    }

    /// The algorithm that an encoded protected header names under label 1; nil without one, or
    /// when the header is not exactly one deterministic map.
    public static func algorithm(protected: [UInt8]) -> Int64? {
        try? readAlgorithm(protected)
    }

    private static func readAlgorithm(_ protected: [UInt8]) throws(CBORError) -> Int64? {
        var whole = CBORDecoder(protected.span.bytes, limits: protectedLimits)
        _ = try whole.skip()
        try whole.finish()
        // Label 1 sorts before every other label that has a meaning, so it comes first.
        var decoder = CBORDecoder(protected.span.bytes, limits: protectedLimits)
        guard try decoder.map() > 0, try decoder.unsigned() == 1 else { return nil }
        return try decoder.integer()
    }

    private static let protectedLimits = CBORLimits(
        bytesMax: 4_096, depthMax: 4, itemsMax: 16, stringBytesMax: 4_096)
}

extension CoseSign1: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.tag(CoseSign1.tag)
        encoder.array(4)
        encoder.bytes(protected)
        encoder.value(unprotected)
        if let payload {
            encoder.bytes(payload)
        } else {
            encoder.null()
        }
        encoder.bytes(signature)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.tag(exactly: CoseSign1.tag)
        try decoder.array(exactly: 4)
        protected = try decoder.bytes()
        unprotected = try decoder.value()
        guard case .map = unprotected else {
            throw decoder.invalid("the unprotected header must be a map")
        }
        if try decoder.peekIsNull() {
            try decoder.null()
            payload = nil
        } else {
            payload = try decoder.bytes()
        }
        signature = try decoder.bytes(exactly: Suite.signatureByteCount)
    }
}
