import Encoding
import Ledger
import LedgerCrypto
import Merkle
import SQLite

/// A final block as it goes to another node.
public struct StoredBlock: Sendable, Equatable {
    public let block: Block
    /// The finalization of this very block, where one was stored.
    public let finalization: Certificate?
    /// One code for each entry.
    public let codes: [UInt64]

    /// The outcomes that the header's results root commits to.
    public func outcomes(_ suite: Suite) -> [EntryOutcome] {
        zip(block.entries, codes).map {
            EntryOutcome(entryDigest: $0.digest(suite), code: $1)
        }
    }
}

/// Reads of the final chain, shared by the store and its read-only companions. Errors of bytes that
/// do not decode are SQLite's "corrupt".
final class LedgerTables {
    let database: Database
    let suite: Suite
    private let selectBlock: Statement
    private let selectRange: Statement
    private let selectHeader: Statement
    private let selectFinalization: Statement
    private let selectEpochs: Statement
    private let selectTile: Statement
    private let selectEvents: Statement
    private let selectEvent: Statement
    private let selectTexts: Statement
    private let selectMeta: Statement

    /// A header's bytes are at most this many, so that reading one does not read its whole block.
    static let headerBytesMax = 512
    /// What a list of blocks with their certificates adds to each one's bytes, at most.
    private static let framingBytesMax = 16

    init(_ database: Database, suite: Suite) throws(SQLiteError) {
        self.database = database
        self.suite = suite
        let columns =
            "SELECT bytes, finalization, codes, header, block.height FROM block JOIN body ON body.id = body"
        selectBlock = try database.prepare("\(columns) WHERE block.height = ?1")
        selectRange = try database.prepare(
            "\(columns) WHERE block.height >= ?1 ORDER BY block.height LIMIT ?2")
        selectHeader = try database.prepare(
            """
            SELECT substr(bytes, 1, \(Self.headerBytesMax)), header
            FROM block JOIN body ON body.id = body WHERE block.height = ?1
            """)
        selectFinalization = try database.prepare(
            """
            SELECT height, finalization FROM block
            WHERE height >= ?1 AND finalization IS NOT NULL ORDER BY height LIMIT 1
            """)
        selectEpochs = try database.prepare(
            "SELECT height, validators FROM epoch WHERE epoch > ?1 AND epoch <= ?2 ORDER BY epoch")
        selectTile = try database.prepare("SELECT hashes FROM tile WHERE id = ?1")
        selectEvents = try database.prepare(
            "SELECT asset, log, position, bytes, id FROM event WHERE id >= ?1 AND id < ?2")
        selectEvent = try database.prepare(
            "SELECT asset, log, position, bytes, id FROM event WHERE id = ?1")
        selectTexts = try database.prepare(
            """
            SELECT asset, title_zh, title_en, keywords FROM asset_text
            WHERE id >= ?1 AND id < ?2
            """)
        selectMeta = try database.prepare("SELECT value FROM meta WHERE name = ?1")
    }

    func meta(_ name: String) throws(SQLiteError) -> [UInt8]? {
        try selectMeta.bind(1, name)
        guard try selectMeta.step() else { return nil }
        defer { selectMeta.reset() }
        return selectMeta.bytes(0)
    }

    func watermark() throws(SQLiteError) -> Watermark? {
        guard let bytes = try meta("watermark") else { return nil }
        do throws(CBORError) {
            return try Watermark.decode(bytes, limits: LedgerLimits.certificate)
        } catch {
            throw damaged("the watermark does not decode: \(error)")
        }
    }

    private func stored(_ row: Statement) throws(SQLiteError) -> StoredBlock {
        let block: Block
        do throws(CBORError) {
            block = try Block.decode(row.bytes(0), limits: LedgerLimits.block)
        } catch {
            throw damaged("a stored block does not decode: \(error)")
        }
        let codes = OutcomeCodes.decode(
            row.isNull(2) ? nil : row.bytes(2), count: block.entries.count)
        guard let codes else { throw damaged("a stored block has not one code for each entry") }
        let digest = try checked(block.header, digest: row.digest(3), height: row.unsigned(4))
        let finalization = row.isNull(1) ? nil : try certificate(row, 1)
        // Whoever hands out another block's certificate is taken for a forger.
        guard finalization.map({ $0.statement.subject?.header == digest }) ?? true else {
            throw damaged("block \(block.header.height) is stored with another one's certificate")
        }
        return StoredBlock(block: block, finalization: finalization, codes: codes)
    }

    func block(_ height: UInt64) throws(SQLiteError) -> StoredBlock? {
        try selectBlock.bind(1, height)
        guard try selectBlock.step() else { return nil }
        defer { selectBlock.reset() }
        return try stored(selectBlock)
    }

    /// Blocks from a height upwards: at most `countMax` of them, and after the first one at most
    /// `bytesMax` bytes in all.
    func blocks(
        from height: UInt64, countMax: Int, bytesMax: Int
    ) throws(SQLiteError) -> [StoredBlock] {
        try selectRange.bind(1, height)
        try selectRange.bind(2, Int64(countMax))
        defer { selectRange.reset() }
        var blocks: [StoredBlock] = []
        var bytes = 0
        while try selectRange.step() {
            bytes += selectRange.withBytes(0) { $0.count }
            if bytes > bytesMax, !blocks.isEmpty { break }
            blocks.append(try stored(selectRange))
        }
        return blocks
    }

    /// What `Store.certifiedBlocks` says.
    func certifiedBlocks(
        from height: UInt64, countMax: Int, bytesWanted: Int, bytesMax: Int
    ) throws(SQLiteError) -> [StoredBlock] {
        try selectRange.bind(1, height)
        try selectRange.bind(2, Int64(countMax))
        defer { selectRange.reset() }
        var blocks: [StoredBlock] = []
        // Up to here, the last one certifies them all.
        var certified = 0
        var bytes = 0
        while try selectRange.step() {
            bytes += selectRange.withBytes(0) { $0.count } + Self.framingBytesMax
            if !selectRange.isNull(1) { bytes += CertificateRow.byteCount(selectRange, 1) }
            if bytes > bytesMax { break }
            let next = try stored(selectRange)
            blocks.append(next)
            guard next.finalization != nil else { continue }
            certified = blocks.count
            if bytes > bytesWanted { break }
        }
        return Array(blocks.prefix(certified))
    }

    func header(_ height: UInt64) throws(SQLiteError) -> (header: Header, digest: Digest)? {
        try selectHeader.bind(1, height)
        guard try selectHeader.step() else { return nil }
        defer { selectHeader.reset() }
        let bytes = selectHeader.bytes(0)
        let header: Header
        do throws(CBORError) {
            // The bytes are the beginning of a block: its array head, then its header.
            var decoder = CBORDecoder(bytes.span.bytes, limits: LedgerLimits.certificate)
            try decoder.array(exactly: 2)
            header = try decoder.value()
        } catch {
            throw damaged("the header at height \(height) does not decode: \(error)")
        }
        return (header, try checked(header, digest: selectHeader.digest(1), height: height))
    }

    /// The header's digest, which is to be the one that was stored with it.
    private func checked(
        _ header: Header, digest: Digest?, height: UInt64
    ) throws(SQLiteError) -> Digest {
        guard let digest, header.digest(suite) == digest, header.height == height else {
            throw damaged("the header of block \(height) is not what was written")
        }
        return digest
    }

    /// The lowest certified block at or above a height, with its finalization.
    func finalization(
        from height: UInt64
    ) throws(SQLiteError) -> (height: UInt64, certificate: Certificate)? {
        try selectFinalization.bind(1, height)
        guard try selectFinalization.step() else { return nil }
        defer { selectFinalization.reset() }
        let found = (selectFinalization.unsigned(0), try certificate(selectFinalization, 1))
        guard found.1.statement.subject?.height == found.0 else {
            throw damaged("block \(found.0) is stored with another one's certificate")
        }
        return found
    }

    /// The finalization that was stored for a view, within heights of one epoch: views ascend with them.
    func finalization(
        ofView view: UInt64, in heights: ClosedRange<UInt64>
    ) throws(SQLiteError) -> Certificate? {
        var (low, high) = (heights.lowerBound, heights.upperBound)
        while low <= high {
            let middle = low + (high - low) / 2
            if let (height, certificate) = try finalization(from: middle), height <= high,
                // A recovery's names no view.
                certificate.kind == .finalize, certificate.view <= view
            {
                if certificate.view == view { return certificate }
                low = height + 1
            } else if middle > low {
                high = middle - 1
            } else {
                return nil
            }
        }
        return nil
    }

    /// Of a view that a final block has passed, where this node saw it.
    func nullification(epoch: UInt64, view: UInt64) throws(SQLiteError) -> Certificate? {
        guard let row = CertificateRow.id(epoch: epoch, view: view) else { return nil }
        // Not prepared beforehand: it is seldom asked for, and a file that no node has opened since has no such table.
        let select = try database.prepare(
            "SELECT bytes FROM skipped_view WHERE id = ?1", isKept: false)
        try select.bind(1, row)
        return try select.step() ? certificate(select, 0) : nil
    }

    private func certificate(
        _ row: Statement, _ column: Int
    ) throws(SQLiteError) -> Certificate {
        guard let certificate = CertificateRow.decode(row.bytes(column), suite: suite) else {
            throw damaged("a stored certificate is not what was written")
        }
        return certificate
    }

    /// The sets of the epochs 1 to `last`, each with the height of the block that made it.
    /// Those above `first`.
    func epochs(
        after first: UInt64 = 0, upTo last: UInt64
    ) throws(SQLiteError) -> [(height: UInt64, validators: ValidatorSet)] {
        try selectEpochs.bind(1, first)
        try selectEpochs.bind(2, last)
        defer { selectEpochs.reset() }
        var epochs: [(UInt64, ValidatorSet)] = []
        while try selectEpochs.step() {
            do throws(CBORError) {
                let set = try ValidatorSet.decode(
                    selectEpochs.bytes(1), limits: LedgerLimits.genesis)
                epochs.append((selectEpochs.unsigned(0), set))
            } catch {
                throw damaged("the set of an epoch does not decode: \(error)")
            }
        }
        return epochs
    }

    func tile(_ id: Int64) throws(SQLiteError) -> [Digest]? {
        try selectTile.bind(1, id)
        guard try selectTile.step() else { return nil }
        defer { selectTile.reset() }
        return selectTile.withBytes(0) { LogTiles.Tile.hashes(from: $0) }
    }

    private func event(_ row: Statement) throws(SQLiteError) -> StoredEvent {
        guard let asset = row.digest(0) else { throw damaged("an event's asset is cut") }
        return StoredEvent(
            asset: asset, log: row.unsigned(1), index: row.unsigned(2), bytes: row.bytes(3))
    }

    /// A block's events with their locations.
    func events(
        height: UInt64
    ) throws(SQLiteError) -> [(location: BlockLocation, event: StoredEvent)] {
        try selectEvents.bind(1, BlockLocation(height: height, position: 0).rowID)
        try selectEvents.bind(2, BlockLocation(height: height + 1, position: 0).rowID)
        defer { selectEvents.reset() }
        var events: [(BlockLocation, StoredEvent)] = []
        while try selectEvents.step() {
            let location = BlockLocation(rowID: selectEvents.integer(4))
            events.append((location, try event(selectEvents)))
        }
        return events
    }

    func event(at location: BlockLocation) throws(SQLiteError) -> StoredEvent? {
        try selectEvent.bind(1, location.rowID)
        guard try selectEvent.step() else { return nil }
        defer { selectEvent.reset() }
        return try event(selectEvent)
    }

    func texts(height: UInt64) throws(SQLiteError) -> [AssetText] {
        try selectTexts.bind(1, BlockLocation(height: height, position: 0).rowID)
        try selectTexts.bind(2, BlockLocation(height: height + 1, position: 0).rowID)
        defer { selectTexts.reset() }
        var texts: [AssetText] = []
        while try selectTexts.step() {
            guard let asset = selectTexts.digest(0) else {
                throw damaged("a text's asset is cut")
            }
            texts.append(
                AssetText(
                    asset: asset, titleZh: selectTexts.text(1), titleEn: selectTexts.text(2),
                    keywords: selectTexts.text(3)))
        }
        return texts
    }
}

/// A place in the chain: an entry, an event or a text by its position in a block.
public struct BlockLocation: Hashable, Comparable, Sendable {
    public let height: UInt64
    public let position: Int

    /// Positions in one block; more than any block has entries or events.
    static let positionBits: UInt64 = 20

    public init(height: UInt64, position: Int) {
        precondition(position >= 0 && position < 1 << Self.positionBits)
        precondition(height < 1 << 43, "heights stay below 2^43")
        self.height = height
        self.position = position
    }

    init(rowID: Int64) {
        height = UInt64(bitPattern: rowID) >> Self.positionBits
        position = Int(UInt64(bitPattern: rowID) & (1 << Self.positionBits - 1))
    }

    var rowID: Int64 { Int64(height << Self.positionBits) | Int64(position) }

    public static func < (left: Self, right: Self) -> Bool { left.rowID < right.rowID }
}
