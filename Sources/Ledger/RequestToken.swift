import Encoding
import LedgerCrypto

/// A signed HTTP request: who asks, for what, and when.
///
/// Carried as `Authorization: Huijin <base64url of the COSE_Sign1>`; the payload is `[method, path with query, time]`,
/// the context `huijin/request`. A token is good for its one path and for `validForMs` around its time.
public struct RequestToken: Sendable, Equatable {
    public let method: String
    /// Path with query, exactly as sent.
    public let path: String
    public let timeMs: UInt64
    public let keyID: KeyID
    private let sign1: CoseSign1

    public static let scheme = "Huijin"
    public static let validForMs: UInt64 = 60_000
    public static let bytesMax = 8_192

    public enum Failure: Error, Equatable, Sendable {
        case malformed
        case wrongSuite
        case wrongChain
        /// Made for another method or path.
        case otherRequest
        /// The clock difference in milliseconds exceeds `validForMs`.
        case stale(differenceMs: UInt64)
        case badSignature
    }

    /// The header's value, for the client's side.
    public static func header(
        method: String, path: String, timeMs: UInt64, chain: ChainID, with key: SigningKey
    ) -> String {
        let suite = key.publicKey.suite
        let protected = SigningContext.request.protectedHeader(
            suite: suite, keyID: key.publicKey.keyID, chain: chain)
        var encoder = CBOREncoder()
        encoder.array(3)
        encoder.text(method)
        encoder.text(path)
        encoder.unsigned(timeMs)
        let sign1 = CoseSign1.sign(
            protected: protected, payload: encoder.bytes, detached: false, with: key)
        return scheme + " " + Base64URL.encode(sign1.encoded)
    }

    /// Decodes a header's value; nothing is checked yet but its form, suite and chain.
    public init(header: String, chain: ChainID, suite: Suite) throws(Failure) {
        let prefix = RequestToken.scheme + " "
        guard header.utf8.count <= RequestToken.bytesMax, header.hasPrefix(prefix),
            let bytes = Base64URL.decode(String(header.dropFirst(prefix.count))),
            let sign1 = try? CoseSign1.decode(bytes, limits: LedgerLimits.certificate),
            let parsed = SigningContext.parse(protectedHeader: sign1.protected),
            parsed.context == .request, parsed.extraCount == 0,
            sign1.unprotected == .map([]),
            let payload = sign1.payload,
            let body = try? Body.decode(payload, limits: LedgerLimits.certificate)
        else { throw .malformed }
        guard parsed.algorithm == suite.coseAlgorithm else { throw .wrongSuite }
        guard parsed.chain == chain else { throw .wrongChain }
        self.sign1 = sign1
        self.keyID = parsed.keyID
        self.method = body.method
        self.path = body.path
        self.timeMs = body.timeMs
    }

    /// Checks the token for one request under the key that the caller found for `keyID`.
    public func check(
        method: String, path: String, nowMs: UInt64, key: PublicKey
    ) throws(Failure) {
        guard method == self.method, path == self.path else { throw .otherRequest }
        let difference = nowMs > timeMs ? nowMs - timeMs : timeMs - nowMs
        guard difference <= RequestToken.validForMs else {
            throw .stale(differenceMs: difference)
        }
        guard key.keyID == keyID, sign1.isValid(key: key) else { throw .badSignature }
    }

    private struct Body: CBORDecodable {
        let method: String
        let path: String
        let timeMs: UInt64

        init(from decoder: inout CBORDecoder) throws(CBORError) {
            try decoder.array(exactly: 3)
            method = try decoder.text(max: 16)
            path = try decoder.text(max: 4_096)
            timeMs = try decoder.unsigned()
        }
    }
}
