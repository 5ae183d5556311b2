import Encoding
import Ledger
import LedgerCrypto

/// The snapshots that a node has made of its ledger, in a folder of their own beside it; any of them may be deleted while
/// the node is stopped.
///
/// A snapshot is a folder named by its height: `manifest`, and `0`, `1` … for its chunks. It is made under another name
/// and renamed when everything in it is on disk, so a folder with a height for its name is whole.
///
/// **Threads**: a value; one thread makes, another may offer and read what `list` has seen.
public struct SnapshotShelf: Sendable {
    /// What another node is told of a snapshot.
    public struct Offer: Equatable, Sendable {
        public let height: UInt64
        /// `SnapshotManifest.identity`.
        public let digest: Digest
    }

    /// What making one took.
    public struct Made: Equatable, Sendable {
        public let height: UInt64
        public let chunks: Int
        public let bytes: Int
    }

    /// Snapshots kept; the oldest goes when one more is made.
    public static let keptMax = 2
    static let manifestName = "manifest"
    private static let makingName = "making"

    public let folder: String
    private let ledger: String
    private let genesis: Genesis
    private let sizes: SnapshotSizes

    /// - Parameter store: path of the store's `ledger.db`.
    public init(
        folder: String, store: String, genesis: Genesis, sizes: SnapshotSizes = SnapshotSizes()
    ) {
        self.folder = folder
        self.sizes = sizes
        ledger = store
        self.genesis = genesis
    }

    /// Makes a snapshot of what is durable now; see `make(_:isWanted:)`.
    public func make(isWanted: @escaping () -> Bool = { true }) throws(StorageError) -> Made? {
        try make(LedgerPin(store: ledger, suite: genesis.suite), isWanted: isWanted)
    }

    /// Makes a snapshot of a pinned ledger, unless the newest one is as new or there is only genesis. Takes seconds for each
    /// gigabyte of state and of the last blocks.
    ///
    /// A crash inside leaves a folder that is no snapshot, and is removed the next time.
    ///
    /// - Parameter isWanted: asked again and again; false ends the making.
    /// - Returns: nil where nothing was made.
    public func make(
        _ pin: LedgerPin, isWanted: @escaping () -> Bool = { true }
    ) throws(StorageError) -> Made? {
        let making = "\(folder)/\(Self.makingName)"
        SnapshotFiles.remove(making)
        guard pin.height > newestHeight ?? 0 else { return nil }
        try SnapshotFiles.create(folder: making)
        defer { SnapshotFiles.remove(making) }
        let written = try SnapshotWriter.write(
            pin, genesis: genesis, to: making, sizes: sizes, isWanted: isWanted)
        guard let (manifest, bytes) = written else { return nil }
        try SnapshotFiles.sync(folder: making)
        try SnapshotFiles.rename(making, to: "\(folder)/\(manifest.height)")
        try SnapshotFiles.sync(folder: folder)
        for height in heights().dropLast(Self.keptMax) { remove(height) }
        return Made(height: manifest.height, chunks: manifest.chunks, bytes: bytes)
    }

    /// Those that are whole, oldest first.
    public func list() -> [Offer] {
        heights().compactMap { height in
            guard let bytes = manifest(height),
                let read = try? SnapshotManifest.decode(bytes, limits: SnapshotLimits.manifest),
                read.height == height
            else { return nil }
            return Offer(height: height, digest: read.identity(genesis.suite))
        }
    }

    /// Removes one, renamed first, so that no part of it is taken for the whole.
    private func remove(_ height: UInt64) {
        let making = "\(folder)/\(Self.makingName)"
        SnapshotFiles.remove(making)
        try? SnapshotFiles.rename("\(folder)/\(height)", to: making)
        SnapshotFiles.remove(making)
    }

    public var newestHeight: UInt64? { heights().last }

    private func heights() -> [UInt64] {
        SnapshotFiles.names(in: folder).compactMap { UInt64($0) }.sorted()
    }

    public func manifest(_ height: UInt64) -> [UInt8]? {
        SnapshotFiles.read(
            "\(folder)/\(height)/\(Self.manifestName)", bytesMax: SnapshotLimits.manifestBytesMax)
    }

    /// Nil where there is no such snapshot any more, or no such chunk.
    public func chunk(_ index: Int, of height: UInt64) -> [UInt8]? {
        guard (0..<SnapshotLimits.chunksMax).contains(index) else { return nil }
        return SnapshotFiles.read(
            "\(folder)/\(height)/\(index)", bytesMax: SnapshotLimits.chunkBytesMax)
    }
}
