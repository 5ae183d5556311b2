import Records

/// Which columns of a table are meant. Ascending by UTF-8 bytes, each once.
///
/// An ordered list instead of `Set`: the same set has one form on the ledger, and iteration has one order.
public struct Scope: Hashable, Sendable {
    public let columns: [String]

    public static let columnsMax = RecordLimits.columnsMax
    public static let columnNameBytesMax = RecordLimits.codeBytesMax

    /// Sorts, and drops repetitions.
    ///
    /// - Returns: `nil` for no column, more than `columnsMax`, or a name that is empty, longer than
    ///   `columnNameBytesMax` bytes or holds a control character.
    public init?(_ columns: [String]) {
        var unique: [String] = []
        for name in columns.sorted(by: Scope.precedes)
        where unique.last.map({ Scope.precedes($0, name) }) ?? true {
            unique.append(name)
        }
        guard Scope.isCanonical(unique) else { return nil }
        self.columns = unique
    }

    /// Whether a list is what `columns` may be.
    public static func isCanonical(_ columns: [String]) -> Bool {
        !columns.isEmpty && columns.count <= columnsMax && columns.allSatisfy(isColumnName)
            && isAscending(columns)
    }

    /// 1 to `columnNameBytesMax` bytes without control characters.
    public static func isColumnName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= columnNameBytesMax
            && name.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    public func contains(_ column: String) -> Bool {
        var low = 0
        var high = columns.count
        while low < high {
            let middle = (low + high) / 2
            if Scope.precedes(columns[middle], column) { low = middle + 1 } else { high = middle }
        }
        return low < columns.count && columns[low].utf8.elementsEqual(column.utf8)
    }

    public func isSubset(of other: Scope) -> Bool {
        columns.allSatisfy(other.contains)
    }

    /// Swift's own `<` folds canonically equivalent texts together; ours must tell them apart.
    static func precedes(_ left: String, _ right: String) -> Bool {
        left.utf8.lexicographicallyPrecedes(right.utf8)
    }

    static func isAscending(_ texts: [String]) -> Bool {
        zip(texts, texts.dropFirst()).allSatisfy(precedes)
    }
}
