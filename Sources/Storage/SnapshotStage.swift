import Encoding
import Ledger
import LedgerCrypto

/// A snapshot on its way in: a folder with a manifest that genesis proves and the chunks that have come, each checked
/// before it was written and again before it is used.
///
/// **Crashes.** Nothing here is promised to anybody. A file is written under another name and renamed; what a power cut
/// leaves of it is checked when the folder is opened again, and thrown away when it is not what the manifest says. So a
/// stage is gone on with where it stood.
public struct SnapshotStage: Sendable {
    public let folder: String
    public let manifest: VerifiedManifest
    /// Chunks that are not here yet, ascending.
    public private(set) var missing: [Int]
    /// Bytes of the chunks that are here.
    public private(set) var bytes = 0

    private static let manifestName = "manifest"
    private static let partName = "part"

    public var isComplete: Bool { missing.isEmpty }

    /// Begins with a new manifest. Chunks that are in the folder already and fit it are kept, others are removed.
    ///
    /// A crash inside leaves the earlier manifest or this one, each with chunks that may not fit and are then removed.
    public init(
        folder: String, manifest bytes: [UInt8], verified: VerifiedManifest
    ) throws(StorageError) {
        try SnapshotFiles.create(folder: folder)
        try Self.write(bytes, to: Self.manifestName, in: folder)
        self.init(folder: folder, verified)
    }

    /// Goes on with what an earlier run left; nil when there is nothing of use.
    public init?(folder: String, genesis: Genesis) {
        guard
            let bytes = SnapshotFiles.read(
                "\(folder)/\(Self.manifestName)", bytesMax: SnapshotLimits.manifestBytesMax)
        else { return nil }
        do throws(SnapshotFault) {
            self.init(folder: folder, try VerifiedManifest(bytes, genesis: genesis))
        } catch {
            Self.remove(folder: folder)
            return nil
        }
    }

    private init(folder: String, _ manifest: VerifiedManifest) {
        self.folder = folder
        self.manifest = manifest
        var missing = Set(0..<manifest.manifest.chunks)
        for name in SnapshotFiles.names(in: folder) where name != Self.manifestName {
            let path = "\(folder)/\(name)"
            if let index = Int(name), missing.contains(index),
                let held = SnapshotFiles.read(path, bytesMax: SnapshotLimits.chunkBytesMax),
                (try? manifest.check(chunk: index, held)) != nil
            {
                missing.remove(index)
                bytes += held.count
            } else {
                SnapshotFiles.remove(path)
            }
        }
        self.missing = missing.sorted()
    }

    /// Takes a chunk that a peer gave.
    ///
    /// - Returns: why it is not genuine, if so: the peer lies.
    public mutating func add(
        chunk index: Int, _ content: [UInt8]
    ) throws(StorageError) -> SnapshotFault? {
        guard let place = missing.firstIndex(of: index) else { return nil }
        do throws(SnapshotFault) {
            try manifest.check(chunk: index, content)
        } catch {
            return error
        }
        try Self.write(content, to: "\(index)", in: folder)
        missing.remove(at: place)
        bytes += content.count
        return nil
    }

    /// Nil where the file is gone.
    func chunk(_ index: Int) -> [UInt8]? {
        SnapshotFiles.read("\(folder)/\(index)", bytesMax: SnapshotLimits.chunkBytesMax)
    }

    /// Not synced: what a crash spoils is noticed.
    private static func write(
        _ content: [UInt8], to name: String, in folder: String
    ) throws(StorageError) {
        let part = "\(folder)/\(partName)"
        try SnapshotFiles.write(content, to: part, isDurable: false)
        try SnapshotFiles.rename(part, to: "\(folder)/\(name)")
    }

    /// After the snapshot has become the store's content, or when nothing comes of it.
    public static func remove(folder: String) { SnapshotFiles.remove(folder) }
}
