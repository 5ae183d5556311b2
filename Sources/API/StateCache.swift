import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

/// The part of one finalised state that an answer needs.
///
/// An answer is worked out from a snapshot; what it looks up and does not find here is noted, fetched with
/// everything else at one (newer) height, and the answer is worked out anew. So the replica's thread
/// does single look-ups only, and an answer never mixes two heights.
final class StateCache {
    let state: CertifiedState
    let suite: Suite
    private var places: [Digest: Int] = [:]
    private(set) var missing: [Digest] = []

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
        if !missing.contains(key) { missing.append(key) }
        return nil
    }

    /// The record under the key; nil when there is none, or when it is still missing.
    func record(_ key: Digest) -> AnyRecord? {
        guard let value = item(key)?.value else { return nil }
        return try? StoredRecord.decode(value: value)
    }

    func record<Record: RecordCodable>(_: Record.Type, _ key: Digest) -> Record? {
        record(key).flatMap { Record($0) }
    }
}
