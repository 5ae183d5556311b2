import Ledger
import LedgerCrypto

/// What one block adds to the index. The node makes it from an executed block, or
/// `StoreReader.indexBatch` from a stored one.
public struct IndexBatch: Sendable, Equatable {
    /// An entry: what it is found by, and what became of it.
    public struct Entry: Sendable, Equatable {
        /// Nil for an automatic action.
        public let transaction: Digest?
        /// Digest of the envelope's exact bytes, or of the action.
        public let digest: Digest
        /// Nil for an automatic action.
        public let member: MemberID?
        /// Outcome code; 0 is accepted.
        public let code: UInt64

        public init(transaction: Digest?, digest: Digest, member: MemberID?, code: UInt64) {
            self.transaction = transaction
            self.digest = digest
            self.member = member
            self.code = code
        }
    }

    /// Where an event is in its asset's log, and its position among the block's events.
    public struct Event: Sendable, Equatable {
        public let asset: Digest
        public let log: UInt64
        public let index: UInt64

        public init(asset: Digest, log: UInt64, index: UInt64) {
            self.asset = asset
            self.log = log
            self.index = index
        }
    }

    public let height: UInt64
    /// In the block's order.
    public let entries: [Entry]
    /// In the order in which they were committed.
    public let events: [Event]
    public let texts: [AssetText]

    public init(height: UInt64, entries: [Entry], events: [Event], texts: [AssetText]) {
        self.height = height
        self.entries = entries
        self.events = events
        self.texts = texts
    }
}

/// An entry that was found, with what its block says of it.
public struct FoundEntry: Sendable, Equatable {
    public let location: BlockLocation
    public let entry: Entry
    /// Outcome code; 0 is accepted.
    public let code: UInt64
}

extension StoreReader {
    /// The batch of a final block; nil above the watermark.
    public func indexBatch(
        height: UInt64, chain: ChainID
    ) throws(StorageError) -> IndexBatch? {
        guard let stored = try block(height) else { return nil }
        var entries: [IndexBatch.Entry] = []
        for (entry, code) in zip(stored.block.entries, stored.codes) {
            switch entry {
            case .automatic:
                entries.append(
                    IndexBatch.Entry(
                        transaction: nil, digest: entry.digest(suite), member: nil, code: code))
            case .envelope(let bytes):
                let envelope = try finalEnvelope(bytes, height: height, chain: chain)
                entries.append(
                    IndexBatch.Entry(
                        transaction: envelope.id, digest: envelope.digest,
                        member: envelope.transaction.member, code: code))
            }
        }
        let events = try events(height: height).map {
            IndexBatch.Event(asset: $0.event.asset, log: $0.event.log, index: $0.event.index)
        }
        return IndexBatch(
            height: height, entries: entries, events: events, texts: try texts(height: height))
    }

    /// What is in a final block was decoded by a quorum before.
    private func finalEnvelope(
        _ bytes: [UInt8], height: UInt64, chain: ChainID
    ) throws(StorageError) -> Envelope {
        do throws(EnvelopeError) {
            return try Envelope(bytes: bytes, chain: chain, suite: suite)
        } catch {
            throw .damaged(
                path: path, reason: "block \(height) holds an envelope that is none: \(error)")
        }
    }

    /// The entry at a location; nil where there is none.
    public func entry(at location: BlockLocation) throws(StorageError) -> FoundEntry? {
        guard let stored = try block(location.height),
            location.position < stored.block.entries.count
        else { return nil }
        return FoundEntry(
            location: location, entry: stored.block.entries[location.position],
            code: stored.codes[location.position])
    }

    /// The entry with that transaction id. A transaction is final at most once.
    public func find(
        transaction: Digest, chain: ChainID, in index: Index
    ) throws(StorageError) -> FoundEntry? {
        // The index keeps 64 bits of the id; the block has the rest.
        for location in try index.entries(transaction: transaction) {
            guard let found = try entry(at: location), case .envelope(let bytes) = found.entry
            else { continue }
            let envelope = try finalEnvelope(bytes, height: location.height, chain: chain)
            if envelope.id == transaction { return found }
        }
        return nil
    }

    /// The entry with that envelope (or automatic action) digest.
    public func find(entry digest: Digest, in index: Index) throws(StorageError) -> FoundEntry? {
        for location in try index.entries(digest: digest) {
            guard let found = try entry(at: location) else { continue }
            if found.entry.digest(suite) == digest { return found }
        }
        return nil
    }

    /// Events of one of an asset's logs, in order, from a position on.
    public func events(
        asset: Digest, log: UInt64, from index: UInt64 = 0, countMax: Int, in lookup: Index
    ) throws(StorageError) -> [StoredEvent] {
        var events: [StoredEvent] = []
        for location in try lookup.events(
            asset: asset, log: log, from: index, countMax: countMax)
        {
            guard let event = try event(at: location), event.asset == asset, event.log == log
            else {
                throw .damaged(path: lookup.path, reason: "an event is not where the index says")
            }
            events.append(event)
        }
        return events
    }
}
