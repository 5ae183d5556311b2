import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import Storage

/// A bundle's parts: the state from one snapshot, everything else from the archive, which only grows.
struct NodeEvidence: EvidenceSource {
    let records: StateCache
    let archive: ArchiveReader
    let chain: ChainID
    let eventsMax: Int
    /// The ends of earlier epochs are left out: whoever asks knows them.
    var firstEpoch: UInt64 = 0

    var suite: Suite { records.suite }

    func checkpoint() -> (header: Header, certificate: Certificate)? {
        records.state.finalization.map { (records.state.header, $0) }
    }

    func epochChanges() -> [EpochChange]? {
        let epoch = records.state.header.epoch
        return reading { () throws(StorageError) in
            try archive.store.epochChanges(from: firstEpoch, before: epoch)
        }
    }

    /// Nil also when the store fails, which is noted: the answer is then the failure, not an absence.
    private func reading<Value>(_ body: () throws(StorageError) -> Value?) -> Value? {
        do throws(StorageError) {
            return try body()
        } catch {
            records.note(error)
            return nil
        }
    }

    func block(height: UInt64) -> Block? {
        reading { () throws(StorageError) in try archive.store.block(height)?.block }
    }

    func outcomes(height: UInt64) -> [EntryOutcome]? {
        reading { () throws(StorageError) in try archive.store.block(height)?.outcomes(suite) }
    }

    func logPath(index: UInt64, size: UInt64) -> [Digest]? {
        LogProof.inclusionPath(index: index, size: size, reader: archive.store, suite: suite)
    }

    /// What is still missing reads as absent, so that one round finds all that is: the bundle of a round with
    /// missing keys is thrown away.
    func stateProof(key: Digest) -> (value: [UInt8]?, proof: MapProof)? {
        records.item(key).map { ($0.value, $0.proof) } ?? (nil, Self.unfetched)
    }

    /// The proof of absence in an empty map: `[0, h'', [], null]`.
    private static let unfetched: MapProof = {
        guard let proof = try? MapProof.decode([0x84, 0x00, 0x40, 0x80, 0xF6]) else {
            preconditionFailure("the empty map's proof is well formed")
        }
        return proof
    }()

    /// Nil also where a node that joined by a snapshot does not hold the log's beginning.
    func events(asset: Digest, log: EventLogKind) -> [[UInt8]]? {
        reading { () throws(StorageError) in
            let events = try archive.store.events(
                asset: asset, log: log.rawValue, countMax: eventsMax, in: archive.index)
            if archive.store.base != nil, events.first?.index != 0 {
                let key = StateKey.digest(.asset, asset, suite: suite)
                guard records.record(AssetRecord.self, key)?.log(log).size == 0 else { return nil }
            }
            return events.map(\.bytes)
        }
    }

    func locate(transaction id: Digest) -> (height: UInt64, position: UInt64)? {
        reading { () throws(StorageError) in
            var found = try archive.store.find(transaction: id, chain: chain, in: archive.index)
            if found == nil { found = try archive.store.find(entry: id, in: archive.index) }
            return found.map { ($0.location.height, UInt64($0.location.position)) }
        }
    }
}
