import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records

// Bundles of one question.
extension EvidenceBundle {
    /// The complete history of an asset in these logs, or the proof that there is no such asset.
    ///
    /// - Parameter logs: ascending, not empty.
    package static func assetHistory(
        asset: Digest, logs: [EventLogKind] = EventLogKind.allCases,
        from source: some EvidenceSource, disclosing: @escaping Disclosure = { _ in true }
    ) throws(EvidenceSourceError) -> EvidenceBundle {
        try answering(
            [.assetHistory(asset: asset, logs: logs)], from: source, disclosing: disclosing)
    }

    /// What became of a transaction.
    package static func transaction(
        id: Digest, from source: some EvidenceSource,
        disclosing: @escaping Disclosure = { _ in true }
    ) throws(EvidenceSourceError) -> EvidenceBundle {
        try answering([.transaction(id)], from: source, disclosing: disclosing)
    }

    /// The header at a height, in the log of the newest final one: any ancestor, in the logarithm of the chain's length.
    ///
    /// - Parameter digest: of an older checkpoint, when the question is whether the ledger goes on from that.
    package static func header(
        height: UInt64, digest: Digest? = nil, from source: some EvidenceSource
    ) throws(EvidenceSourceError) -> EvidenceBundle {
        try answering([.header(height: height, digest: digest)], from: source)
    }

    /// What the state holds under a record's id, or that it holds nothing.
    package static func record(
        type: RecordType, id: [CBORValue], from source: some EvidenceSource
    ) throws(EvidenceSourceError) -> EvidenceBundle {
        try answering([.record(type: type, id: id)], from: source)
    }
}
