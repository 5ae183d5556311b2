/// Bounds on a CSV file.
public struct CSVLimits: Sendable, Equatable {
    public var fieldBytesMax = 65_536
    public var rowBytesMax = 1_048_576
    /// As many as an asset's record may list.
    public var columnsMax = 256
    public var rowsMax = 50_000_000
    /// Bad rows that are named before reading stops.
    public var badRowsMax = 20

    public init() {}
}

/// A row that cannot be used, by the line it begins on (from 1).
public struct BadRow: Error, Equatable, Sendable, CustomStringConvertible {
    public let line: Int
    public let english: String
    public let chinese: String

    public var description: String { "line \(line): \(english) / 第 \(line) 行：\(chinese)" }
}

package struct CSVField: Equatable, Sendable {
    package let text: String
    package let isQuoted: Bool
}

package struct CSVRow: Equatable, Sendable {
    package let line: Int
    package let fields: [CSVField]
}

/// RFC 4180 in a stream: commas, double quotes, line ends CRLF or LF (also inside quotes), UTF-8 with or without a byte
/// order mark. Empty lines are left out. After a bad row it goes on with the next line.
package struct CSVReader {
    private let limits: CSVLimits
    private let more: () throws -> [UInt8]
    private var buffer: [UInt8] = []
    private var offset = 0
    private var isAtEnd = false
    private var isAtStart = true
    private var line = 1

    /// - Parameter more: the next bytes of the file; none at its end.
    package init(limits: CSVLimits, more: @escaping () throws -> [UInt8]) {
        self.limits = limits
        self.more = more
    }

    private enum Place { case start, plain, quoted, afterQuote }

    private mutating func byte() throws -> UInt8? {
        if offset == buffer.count {
            guard !isAtEnd else { return nil }
            buffer = try more()
            offset = 0
            if isAtStart {
                isAtStart = false
                while buffer.count < 3 {
                    let next = try more()
                    if next.isEmpty { break }
                    buffer += next
                }
                if buffer.starts(with: [0xEF, 0xBB, 0xBF]) {
                    buffer.removeFirst(3)
                    if buffer.isEmpty { buffer = try more() }
                }
            }
            if offset >= buffer.count {
                isAtEnd = true
                return nil
            }
        }
        defer { offset += 1 }
        return buffer[offset]
    }

    private mutating func skipLine() throws {
        while let next = try byte() {
            if next == 0x0A {
                line += 1
                return
            }
        }
    }

    /// The next row; nil at the end.
    ///
    /// - Throws: `BadRow`, after which the next call goes on; or what `more` throws.
    package mutating func next() throws -> CSVRow? {
        while true {
            let start = line
            guard let fields = try fieldsOfRow() else { return nil }
            if fields.count == 1, fields[0].text.isEmpty, !fields[0].isQuoted { continue }
            return CSVRow(line: start, fields: fields)
        }
    }

    private mutating func fieldsOfRow() throws -> [CSVField]? {
        let start = line
        var fields: [CSVField] = []
        var field: [UInt8] = []
        var place = Place.start
        var isQuoted = false
        var rowBytes = 0

        func bad(_ english: String, _ chinese: String) -> BadRow {
            BadRow(line: start, english: english, chinese: chinese)
        }
        func close() throws(BadRow) {
            guard let text = String(validating: field, as: UTF8.self), !field.contains(0) else {
                throw bad(
                    "field \(fields.count + 1) is not UTF-8 text",
                    "第 \(fields.count + 1) 个字段不是 UTF-8 文本")
            }
            guard fields.count < limits.columnsMax else {
                throw bad("more than \(limits.columnsMax) fields", "超过 \(limits.columnsMax) 个字段")
            }
            fields.append(CSVField(text: text, isQuoted: isQuoted))
            field.removeAll(keepingCapacity: true)
            isQuoted = false
            place = .start
        }

        while true {
            guard let next = try byte() else {
                if place == .quoted { throw bad("a quotation mark is not closed", "引号未闭合") }
                if fields.isEmpty, field.isEmpty, place == .start { return nil }
                try close()
                return fields
            }
            rowBytes += 1
            guard rowBytes <= limits.rowBytesMax, field.count <= limits.fieldBytesMax else {
                if next != 0x0A { try skipLine() } else { line += 1 }
                throw bad(
                    "longer than a row (\(limits.rowBytesMax)) or field (\(limits.fieldBytesMax)) may be, in bytes",
                    "行或字段过长（上限 \(limits.rowBytesMax) / \(limits.fieldBytesMax) 字节）")
            }
            if place == .quoted {
                if next == 0x22 {
                    place = .afterQuote
                } else {
                    if next == 0x0A { line += 1 }
                    field.append(next)
                }
                continue
            }
            switch next {
            case 0x2C:
                do { try close() } catch {
                    try skipLine()
                    throw error
                }
            case 0x0A:
                line += 1
                try close()
                return fields
            case 0x0D:
                guard try byte() == 0x0A else {
                    try skipLine()
                    throw bad("a carriage return without a line feed", "回车符后没有换行符")
                }
                line += 1
                try close()
                return fields
            case 0x22 where place == .start:
                place = .quoted
                isQuoted = true
            case 0x22 where place == .afterQuote:
                field.append(next)
                place = .quoted
            default:
                guard place != .afterQuote, next != 0x22 else {
                    try skipLine()
                    throw bad(
                        "a quotation mark in the wrong place; write it twice inside a quoted field",
                        "引号位置不对；应置于带引号的字段内并写两次")
                }
                field.append(next)
                place = .plain
            }
        }
    }
}
