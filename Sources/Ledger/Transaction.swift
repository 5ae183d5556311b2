import Encoding
import LedgerCrypto

/// Who a member is: the unified social credit code (GB 32100, 18 characters) or, for a foreign organisation,
/// `TYPE:number`. The checksum is checked at enrolment (Policy), here only the alphabet and the length.
public struct MemberID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    /// `nil` unless 1…64 bytes of `0-9 A-Z : -`.
    public init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= LedgerLimits.memberIDBytesMax else { return nil }
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x3A, 0x2D: continue
            default: return nil
            }
        }
        self.text = text
    }

    public var description: String { text }

    public static func < (left: MemberID, right: MemberID) -> Bool { left.text < right.text }
}

extension MemberID: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) { encoder.text(text) }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        let text = try decoder.text(max: LedgerLimits.memberIDBytesMax)
        guard let id = MemberID(text) else {
            throw decoder.invalid("a member id is 1 to 64 characters of 0-9 A-Z : -")
        }
        self = id
    }
}

/// The signed payload: `[kind, nonce, last valid height, member, body]`.
///
/// The nonce (16 random bytes) makes two equal orders distinct, and keeps digests of the payload from being guessed.
/// The body is one deterministic CBOR map; its form belongs to the kind (Sources/Market).
public struct Transaction: Equatable, Sendable {
    /// Number of the kind; `TransactionKind` in Records gives the names.
    public let kind: UInt64
    public let nonce: [UInt8]
    /// The last height at which a block may hold this transaction.
    public let lastValidHeight: UInt64
    public let member: MemberID
    /// The encoded CBOR map.
    public let body: [UInt8]

    public init(
        kind: UInt64, nonce: [UInt8], lastValidHeight: UInt64, member: MemberID, body: [UInt8]
    ) {
        precondition(nonce.count == LedgerLimits.nonceBytes, "a nonce is 16 bytes")
        self.kind = kind
        self.nonce = nonce
        self.lastValidHeight = lastValidHeight
        self.member = member
        self.body = body
    }

    /// Digest of context and payload: the same for every envelope around this payload.
    public static func id(payload: [UInt8], chain: ChainID, suite: Suite) -> Digest {
        id(payload: payload[...], chain: chain, suite: suite)
    }

    static func id(payload: ArraySlice<UInt8>, chain: ChainID, suite: Suite) -> Digest {
        var state = DigestState(suite)
        state.update(context(chain))
        state.update(payload)
        return state.finalize()
    }

    /// The RFC 9162 leaf hash over the same bytes: a transaction's leaf in the tree of a signed batch.
    static func batchLeaf(payload: ArraySlice<UInt8>, chain: ChainID, suite: Suite) -> Digest {
        var state = DigestState(suite)
        state.update(byte: 0)
        state.update(context(chain))
        state.update(payload)
        return state.finalize()
    }

    private static func context(_ chain: ChainID) -> [UInt8] {
        var encoder = CBOREncoder(reserving: 64)
        encoder.array(2)
        encoder.text(SigningContext.transaction.rawValue)
        encoder.value(chain)
        return encoder.bytes
    }
}

extension Transaction: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(5)
        encoder.unsigned(kind)
        encoder.bytes(nonce)
        encoder.unsigned(lastValidHeight)
        encoder.value(member)
        encoder.raw(body)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 5)
        kind = try decoder.unsigned()
        nonce = try decoder.bytes(exactly: LedgerLimits.nonceBytes)
        lastValidHeight = try decoder.unsigned()
        member = try decoder.value()
        body = try decoder.rawItem()
    }
}
