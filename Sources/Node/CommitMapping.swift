import Encoding
import Execution
import Ledger
import LedgerCrypto
import Market
import Records
import Replica
import Storage

/// From what execution gave to what the store and the index keep.
extension Commit {
    /// One for each block; the certificate belongs to the last.
    func stored(suite: Suite) -> [BlockCommit] {
        blocks.map { block in
            BlockCommit(
                block: block.block, header: block.headerDigest,
                finalization: block.headerDigest == finalization.statement.subject?.header
                    ? finalization : nil,
                outcomes: block.outcomes, layer: block.mapLayer, changes: block.delta.changes,
                events: block.events.map { $0.stored }, texts: block.texts(suite))
        }
    }
}

extension PlacedEvent {
    fileprivate var stored: StoredEvent {
        StoredEvent(
            asset: asset, log: event.log.rawValue, index: event.index, bytes: event.encoded)
    }
}

extension ExecutedBlock {
    /// Search texts of the assets that this block registered. Titles never change afterwards.
    func texts(_ suite: Suite) -> [AssetText] {
        events.compactMap { placed in
            guard placed.event.kind == .transaction(.assetRegister), placed.event.code == .accepted,
                let change = delta.value(
                    for: StateKey.digest(.asset, placed.asset, suite: suite)),
                let value = change, case .asset(let asset)? = try? StoredRecord.decode(value: value)
            else { return nil }
            let words = [asset.code, asset.provider.text] + asset.keywords
            return AssetText(
                asset: asset.id, titleZh: asset.titleZh, titleEn: asset.titleEn,
                keywords: words.joined(separator: " "))
        }
    }

    func indexBatch(texts: [AssetText]) -> IndexBatch {
        let entries = zip(outcomes, transactions).map { outcome, transaction in
            IndexBatch.Entry(
                transaction: transaction?.id, digest: outcome.entryDigest,
                member: transaction?.member, code: outcome.code)
        }
        return IndexBatch(
            height: height, entries: entries,
            events: events.map {
                IndexBatch.Event(
                    asset: $0.asset, log: $0.event.log.rawValue, index: $0.event.index)
            },
            texts: texts)
    }
}
