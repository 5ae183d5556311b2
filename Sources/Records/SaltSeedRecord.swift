import Encoding
import LedgerCrypto

/// What the salts of records come from: the nonces of all transactions so far, one after the other. Nodes have it, and it is shown to
/// nobody else. From the first block with a transaction that somebody was not shown, he can compute neither it nor any salt; the
/// regulator, who is shown all, may read all records anyway.
///
/// There is one such record, from the first block with a transaction on.
public struct SaltSeedRecord: Hashable, Sendable {
    public let seed: Digest

    public init(seed: Digest) {
        self.seed = seed
    }

    /// After a block: `H(["huijin/salt-seed", seed before / h'', [+ nonce]])`.
    ///
    /// - Parameters:
    ///   - seed: nil before the first one.
    ///   - nonces: of the block's transactions, in its order, refused ones too.
    public init(after seed: Digest?, nonces: [[UInt8]], suite: Suite) {
        var encoder = CBOREncoder(reserving: 64 + 20 * nonces.count)
        encoder.array(3)
        encoder.text("huijin/salt-seed")
        encoder.bytes(seed?.bytes ?? [])
        encoder.array(nonces.count)
        for nonce in nonces { encoder.bytes(nonce) }
        self.seed = suite.digest(encoder.bytes)
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(1)
        encoder.field(1, seed)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        seed = try fields.value(1, &decoder)
        try fields.finish(&decoder)
    }
}
