import Records

/// What a column's fields have been so far.
///
/// A column is integer or real when every field that is not null reads so, else text. Null is an unquoted empty field;
/// in a column that is otherwise numeric `NA`, `NULL` and `\N` are null too, in a text column they are texts (NA is
/// Namibia). Numbers with leading zeros or a plus sign are texts: they are codes.
struct ColumnGuess: Equatable, Sendable {
    private var sawReal = false
    private var sawText = false
    private var sawNumber = false

    static let nullWords: Set<String> = ["NA", "NULL", "\\N"]

    mutating func see(_ field: CSVField) {
        guard !sawText, !(field.text.isEmpty && !field.isQuoted),
            !ColumnGuess.nullWords.contains(field.text)
        else { return }
        switch Number(field.text) {
        case .integer: sawNumber = true
        case .real:
            sawNumber = true
            sawReal = true
        case nil: sawText = true
        }
    }

    var type: ColumnType {
        if sawText || !sawNumber { return .text }
        return sawReal ? .real : .integer
    }

    enum Number: Equatable {
        case integer(Int64)
        case real(Double)

        init?(_ text: String) {
            let bytes = Array(text.utf8)
            let digits = bytes.first == 0x2D ? bytes.dropFirst() : bytes[...]
            guard let first = digits.first, (0x30...0x39).contains(first), bytes.count <= 40
            else { return nil }
            let whole = digits.prefix { (0x30...0x39).contains($0) }
            if first == 0x30, whole.count > 1 { return nil }
            if whole.count == digits.count {
                guard let value = Int64(text) else { return nil }
                self = .integer(value)
                return
            }
            // Double reads hexadecimal and words such as "nan" too.
            let allowed: (UInt8) -> Bool = {
                (0x30...0x39).contains($0) || [0x2E, 0x65, 0x45, 0x2B, 0x2D].contains($0)
            }
            guard digits.allSatisfy(allowed), let value = Double(text), value.isFinite
            else { return nil }
            self = .real(value)
        }
    }
}

/// A value of a table.
enum TableValue: Equatable, Sendable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)

    /// Nil where the field is not of the column's type.
    init?(_ field: CSVField, as type: ColumnType) {
        if field.text.isEmpty, !field.isQuoted {
            self = .null
            return
        }
        if type == .text {
            self = .text(field.text)
            return
        }
        if ColumnGuess.nullWords.contains(field.text) {
            self = .null
            return
        }
        switch (type, ColumnGuess.Number(field.text)) {
        case (.integer, .integer(let value)): self = .integer(value)
        case (.real, .integer(let value)): self = .real(Double(value))
        case (.real, .real(let value)): self = .real(value)
        default: return nil
        }
    }
}

/// Names that a query can write without quotes, each once whatever the case of its letters.
enum ColumnNames {
    static let bytesMax = 60
    private static let taken: Set<String> = ["rowid", "oid", "_rowid_"]

    static func sanitised(_ headers: [String]) -> [String] {
        var used = taken
        return headers.enumerated().map { index, header in
            let base = sanitised(header, position: index + 1)
            var name = base
            var number = 2
            while !used.insert(name.lowercased()).inserted {
                name = "\(base)_\(number)"
                number += 1
            }
            return name
        }
    }

    private static func sanitised(_ header: String, position: Int) -> String {
        var name = ""
        for scalar in header.unicodeScalars {
            let isKept =
                scalar == "_" || (0x30...0x39).contains(scalar.value)
                || (scalar.value < 0x80
                    ? (0x41...0x5A).contains(scalar.value) || (0x61...0x7A).contains(scalar.value)
                    : scalar.properties.isAlphabetic)
            let piece = isKept ? String(scalar) : "_"
            guard name.utf8.count + piece.utf8.count <= bytesMax else { break }
            name += piece
        }
        if name.allSatisfy({ $0 == "_" }) { return "column_\(position)" }
        if let first = name.utf8.first, (0x30...0x39).contains(first) { name = "_" + name }
        return name
    }

    /// What a table may be called: such a name itself, in ASCII.
    static func isTableName(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= bytesMax,
            !(0x30...0x39).contains(first)
        else { return false }
        return name.utf8.allSatisfy {
            $0 == 0x5F || (0x30...0x39).contains($0) || (0x41...0x5A).contains($0)
                || (0x61...0x7A).contains($0)
        }
    }
}
