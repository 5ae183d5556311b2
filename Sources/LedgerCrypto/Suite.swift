public import Encoding

/// A cipher suite, fixed for a chain in its genesis. The raw value is the wire tag.
///
/// | suite | signatures | digests | sealing: to a key; at rest |
/// |---|---|---|---|
/// | `ed25519SHA256` | Ed25519 (RFC 8032) | SHA-256 (FIPS 180-4) | X25519; XChaCha20-Poly1305 |
/// | `sm2SM3` | SM2 (GB/T 32918) | SM3 (GB/T 32905) | SM2; SM4-CTR with HMAC-SM3 |
public enum Suite: UInt64, Sendable, CaseIterable, Hashable {
    case ed25519SHA256 = 1
    case sm2SM3 = 2

    /// The name used in configuration files and on the command line.
    public var name: String {
        switch self {
        case .ed25519SHA256: "ed25519-sha256"
        case .sm2SM3: "sm2-sm3"
        }
    }

    /// The suite of that exact name, or nil.
    public init?(name: String) {
        guard let suite = Suite.allCases.first(where: { $0.name == name }) else { return nil }
        self = suite
    }

    /// The COSE algorithm: EdDSA is -8 (RFC 9053 §2.2); COSE registers none for SM2, so a
    /// private-use value (below -65536, RFC 9052 §11.1) stands for SM2 with SM3.
    public var coseAlgorithm: Int64 {
        switch self {
        case .ed25519SHA256: -8
        case .sm2SM3: -65_601
        }
    }

    /// Bytes of a public key: 32 for Ed25519, 65 (`0x04 ‖ X ‖ Y`) for SM2.
    public var publicKeyByteCount: Int {
        switch self {
        case .ed25519SHA256: 32
        case .sm2SM3: 65
        }
    }

    /// Bytes of a signature in either suite: `R ‖ S` for Ed25519, `r ‖ s` for SM2.
    public static let signatureByteCount = 64
}

extension Suite: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.unsigned(rawValue)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        guard let suite = Suite(rawValue: try decoder.unsigned()) else {
            throw decoder.invalid("suite must be 1 (ed25519-sha256) or 2 (sm2-sm3)")
        }
        self = suite
    }
}
