import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

/// A value of the state that is not a record.
struct DamagedRecord: Error, CustomStringConvertible {
    let key: Digest
    let height: UInt64
    let reason: CBORError

    var description: String {
        "the state's record \(key.hex) at height \(height) does not decode: \(reason)"
            + " / 高度 \(height) 的状态记录 \(key.hex) 无法解码"
    }
}

/// The part of one finalized state that an answer needs.
///
/// An answer is worked out from a snapshot; what it looks up and does not find here is noted, fetched with
/// everything else at one (newer) height, and the answer is worked out anew. So the replica's thread
/// does single look-ups only, and an answer never mixes two heights.
final class StateCache {
    let state: CertifiedState
    let suite: Suite
    private var places: [Digest: Int] = [:]
    private(set) var missing: [Digest] = []
    private var isMissing: Set<Digest> = []
    /// What could not be read; the answer is then thrown away. The first one is kept.
    private(set) var failure: (any Error)?

    /// - Parameter keys: those that `state` was asked for.
    init(_ state: CertifiedState, keys: [Digest], suite: Suite) {
        precondition(state.items.count == keys.count, "one item for each key")
        self.state = state
        self.suite = suite
        for (index, key) in keys.enumerated() { places[key] = index }
    }

    /// Nil when it is not here; then it is noted as missing.
    func item(_ key: Digest) -> CertifiedState.Item? {
        if let place = places[key] { return state.items[place] }
        if isMissing.insert(key).inserted { missing.append(key) }
        return nil
    }

    /// Notes what could not be read: it must never look like something that is not there.
    func note(_ error: any Error) { failure = failure ?? error }

    /// The record under the key; nil when there is none, when it is still missing, or when it is damaged, which is
    /// noted.
    func record(_ key: Digest) -> AnyRecord? {
        guard let value = item(key)?.value else { return nil }
        do throws(CBORError) {
            return try StoredRecord.decode(value: value)
        } catch {
            note(DamagedRecord(key: key, height: state.header.height, reason: error))
            return nil
        }
    }

    func record<Record: RecordCodable>(_: Record.Type, _ key: Digest) -> Record? {
        record(key).flatMap { Record($0) }
    }
}
