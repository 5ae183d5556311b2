import Encoding
import LedgerCrypto
import Merkle

/// The end of a log as its tiles keep it: for each tile level the hashes after the last full tile. With it a log can be
/// gone on with whose beginning is not held, and every node over later leaves is known.
///
/// Wire form: `[size: uint, [+ [* bstr .size 32]]]`, the lowest level first.
public struct LogEnd: Equatable, Sendable {
    public let size: UInt64
    let rows: [[Digest]]

    /// The empty log.
    init() {
        size = 0
        rows = [[]]
    }

    /// Nil unless the rows are as long as a log of that size leaves them.
    init?(size: UInt64, rows: [[Digest]]) {
        guard rows.map(\.count) == LogTiles.recentCounts(size: size) else { return nil }
        self.size = size
        self.rows = rows
    }

    /// The end of the first `size` leaves of a longer log; nil where the reader lacks a node.
    init?(size: UInt64, of reader: some LogNodeReader) {
        var rows: [[Digest]] = []
        for (row, count) in LogTiles.recentCounts(size: size).enumerated() {
            let end = size >> UInt64(row * LogTiles.levels)
            var hashes: [Digest] = []
            hashes.reserveCapacity(count)
            for index in end - UInt64(count)..<end {
                guard let hash = reader.node(level: row * LogTiles.levels, index: index) else {
                    return nil
                }
                hashes.append(hash)
            }
            rows.append(hashes)
        }
        self.size = size
        self.rows = rows
    }

    func frontier(_ suite: Suite) -> LogFrontier {
        var peaks: [Digest] = []
        for row in rows.reversed() {
            var rest = row[...]
            for level in (0..<LogTiles.levels).reversed() where row.count >> level & 1 == 1 {
                peaks.append(LogTiles.root(rest.prefix(1 << level), suite: suite))
                rest = rest.dropFirst(1 << level)
            }
        }
        guard let frontier = LogFrontier(size: size, peaks: peaks) else {
            preconditionFailure("the rows hold one peak for each one bit of the size")
        }
        return frontier
    }

    func tiles(_ suite: Suite) -> LogTiles {
        LogTiles(suite: suite, frontier: frontier(suite), recent: rows)
    }

    /// The node at a tile level's position, when it is one of these; all of the last, unfinished tile are.
    func hash(row: Int, index: UInt64) -> Digest? {
        guard row < rows.count else { return nil }
        let end = size >> UInt64(row * LogTiles.levels)
        let start = end - UInt64(rows[row].count)
        return index >= start && index < end ? rows[row][Int(index - start)] : nil
    }

    /// Whether a tile was full here already, so that this end does not hold it.
    func isBefore(tile id: Int64) -> Bool {
        let (row, number) = LogTiles.place(id)
        let above = UInt64((row + 1) * LogTiles.levels)
        return above < 64 && number < size >> above
    }
}

extension LogEnd: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.unsigned(size)
        encoder.array(rows.count)
        for row in rows { encoder.list(row) }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        let size = try decoder.unsigned()
        let count = try decoder.array(max: 64 / LogTiles.levels)
        var rows: [[Digest]] = []
        for _ in 0..<count { rows.append(try decoder.list(max: LogTiles.hashesPerTile - 1)) }
        guard let end = LogEnd(size: size, rows: rows) else {
            throw decoder.invalid("a log's end has the hashes that its size leaves over")
        }
        self = end
    }
}
