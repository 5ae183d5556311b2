import Encoding
import LedgerCrypto
import Records

/// A value of the state map, decoded.
public struct DecodedValue: Sendable {
    public let record: AnyRecord

    /// - Parameter value: read from the state, so that it was encoded by this code: one that does not decode is a
    ///   defect and not input.
    public init(_ value: [UInt8]) {
        do throws(CBORError) {
            record = try StoredRecord.decode(value, limits: StoredRecord.limits).record()
        } catch {
            preconditionFailure("a stored record does not decode: \(error)")
        }
    }
}

/// Decoded members, keys and validator sets, kept from block to block: every transaction needs its sender's, and decoding a public key
/// checks the curve point, which costs more than all the rest.
///
/// An entry counts only for exactly the bytes that it was decoded from, so nothing ever has to be invalidated.
/// Not thread-safe: it belongs to one executor.
public final class RecordCache {
    /// About 1 KiB each.
    public static let entriesMax = 16_384

    private var entries: [Digest: (value: [UInt8], decoded: DecodedValue)] = [:]

    public init() {}

    public func decoded(_ value: [UInt8], at key: Digest) -> DecodedValue {
        if let entry = entries[key], entry.value == value { return entry.decoded }
        let decoded = DecodedValue(value)
        switch decoded.record {
        case .member, .key, .validators:
            // Starting over is rare and cheap, and needs no order of use to be kept.
            if entries.count >= RecordCache.entriesMax { entries.removeAll(keepingCapacity: true) }
            entries[key] = (value, decoded)
        case .policy, .votingKey, .asset, .attestation, .transfer, .offer, .agreement, .account,
            .bank,
            .withdrawal, .job,
            .evidence, .timerIndex, .timerDay, .timerHour, .saltSeed:
            break
        }
        return decoded
    }
}
