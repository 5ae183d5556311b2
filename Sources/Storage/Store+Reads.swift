import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import SQLite

extension Store: StateReader {
    /// The committed value; see `StateStore.value`.
    public func value(for key: Digest) -> [UInt8]? { state.value(for: key) }
}

extension Store: MapReader {
    public var top: MapTop { state.top }
    public func leaves(ofBucket id: UInt32) -> [HashedLeaf] { state.leaves(ofBucket: id) }
}

extension Store: LogNodeReader {
    /// Nil outside the committed log and below a snapshot's blocks, and where a tile cannot be read: then `failure` says why.
    public func node(level: Int, index: UInt64) -> Digest? {
        tiles.node(level: level, index: index) { id in
            // What lies below a snapshot's blocks is not missing: it was never here.
            if let base, base.logEnd.isBefore(tile: id) { return nil }
            return try? run { () throws(SQLiteError) in
                guard let tile = try tables.tile(id) else {
                    throw damaged("tile \(id) is missing")
                }
                return tile
            }
        }
    }
}

extension Store {
    /// The lowest height whose block is held; 0 but for a store that was filled from a snapshot.
    public var firstHeight: UInt64 { base?.firstHeight ?? 0 }

    /// The final block at a height; nil above the watermark and below `firstHeight`.
    public func block(_ height: UInt64) throws(StorageError) -> StoredBlock? {
        guard height <= watermark.height else { return nil }
        return try run { () throws(SQLiteError) in try tables.block(height) }
    }

    /// Final blocks from a height upwards: at most `countMax`, and after the first one at most
    /// `bytesMax` bytes in all. None from below `firstHeight`.
    public func blocks(
        from height: UInt64, countMax: Int, bytesMax: Int
    ) throws(StorageError) -> [StoredBlock] {
        guard height <= watermark.height, height >= firstHeight else { return [] }
        return try run { () throws(SQLiteError) in
            try tables.blocks(from: height, countMax: countMax, bytesMax: bytesMax)
        }
    }

    /// What another node needs to catch up: final blocks from a height upwards, of which the last
    /// has a finalization of its own and so certifies them all.
    ///
    /// It is the first certified one after `bytesWanted` bytes are exceeded, or else the last one
    /// within `countMax` blocks and `bytesMax` bytes, blocks and certificates together. Empty above
    /// the watermark, below `firstHeight`, and where no certified block lies within these bounds.
    public func certifiedBlocks(
        from height: UInt64, countMax: Int, bytesWanted: Int, bytesMax: Int
    ) throws(StorageError) -> [StoredBlock] {
        guard height <= watermark.height, height >= firstHeight else { return [] }
        return try run { () throws(SQLiteError) in
            try tables.certifiedBlocks(
                from: height, countMax: countMax, bytesWanted: bytesWanted, bytesMax: bytesMax)
        }
    }

    public func header(_ height: UInt64) throws(StorageError) -> Header? {
        guard height <= watermark.height else { return nil }
        return try run { () throws(SQLiteError) in try tables.header(height)?.header }
    }

    /// The lowest certified block at or above a height: what proves the block at that height.
    public func finalization(
        from height: UInt64
    ) throws(StorageError) -> (height: UInt64, certificate: Certificate)? {
        guard height <= watermark.height else { return nil }
        return try run { () throws(SQLiteError) in try tables.finalization(from: height) }
    }

    /// The height of the block that ended an epoch, held or not; nil where it has not ended.
    public func endHeight(ofEpoch epoch: UInt64) throws(StorageError) -> UInt64? {
        guard epoch < .max else { return nil }
        return try run { () throws(SQLiteError) in
            try tables.epochs(after: epoch, upTo: epoch + 1).first?.height
        }
    }

    /// The ends of the epochs before that one, oldest first; `StoreReader.epochChanges`.
    public func epochChanges(before epoch: UInt64) throws(StorageError) -> [EpochChange] {
        try run { () throws(SQLiteError) in
            try tables.epochChanges(from: 0, upTo: epoch, base: base)
        }
    }

    /// The events of the block at a height, in the order they were committed.
    public func events(height: UInt64) throws(StorageError) -> [StoredEvent] {
        guard height <= watermark.height else { return [] }
        return try run { () throws(SQLiteError) in
            try tables.events(height: height).map(\.event)
        }
    }
}
