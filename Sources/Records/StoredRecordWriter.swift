import Encoding
import LedgerCrypto

/// Writes the records that one block changes as values of the state map. What their salts have in common is encoded once, and
/// nothing but the value is allocated for each.
///
/// A record's salt: the first 16 bytes of `H(["huijin/salt/2", seed, height, key])`.
public struct StoredRecordWriter {
    private let suite: Suite
    /// What the salt is a digest of; its beginning is the same for all records.
    private var salted: CBOREncoder
    private let saltHead: Int
    private var body = CBOREncoder(reserving: 384)

    /// - Parameters:
    ///   - seed: `SaltSeedRecord` after that block; nil before the first transaction.
    ///   - height: the block's.
    public init(seed: Digest?, height: UInt64, suite: Suite) {
        self.suite = suite
        salted = CBOREncoder(reserving: 112)
        salted.array(4)
        salted.text("huijin/salt/2")
        salted.bytes(seed?.bytes ?? [])
        salted.unsigned(height)
        saltHead = salted.bytes.count
    }

    /// `StoredRecord` as it is encoded.
    ///
    /// - Parameter key: where the record is kept.
    public mutating func value(_ record: AnyRecord, at key: Digest) -> [UInt8] {
        salted.truncate(to: saltHead)
        salted.value(key)
        let salt = suite.digest(salted.bytes)
        body.removeAll()
        record.encode(into: &body)
        var value = CBOREncoder(reserving: body.bytes.count + StoredRecord.saltBytes + 16)
        value.array(3)
        salt.encodeFirstHalf(into: &value)
        value.value(record.type)
        value.bytes(body.bytes)
        return value.bytes
    }
}
