import LedgerCrypto
import SQLite

/// One page of a search.
public struct SearchPage: Sendable, Equatable {
    /// Newest asset first.
    public let assets: [Digest]
    /// How many assets match in all.
    public let total: Int
}

extension Index {
    /// Bytes of a query that are looked at; longer ones are refused by the caller's API.
    public static let queryBytesMax = 256
    public static let queryWordsMax = 8
    public static let pageMax = 1_000

    /// Assets whose titles or keywords contain every word of the query, in any script and any
    /// case of Latin letters. Words are separated by white space; no words match every asset.
    ///
    /// A word of three characters or more is found by its trigrams. A shorter one (many Chinese
    /// words have two) by going through all texts.
    ///
    /// - Parameters:
    ///   - countMax: assets in a page, at most `pageMax`.
    ///   - offset: matches to leave out, for the next page.
    public func search(
        _ query: String, countMax: Int, offset: Int = 0
    ) throws(StorageError) -> SearchPage {
        // Scalar by scalar, here and below, as SQLite reads them: a mark beside a sign that joins it, such as U+0600, is no
        // `Character` of its own. And SQLite reads no further than a NUL.
        let words = query.unicodeScalars.split { $0.properties.isWhitespace || $0 == "\0" }
            .prefix(Self.queryWordsMax)
        let long = words.filter { $0.count >= 3 }
        let short = words.filter { $0.count < 3 }
        var conditions: [String] = []
        if !long.isEmpty { conditions.append("words MATCH ?1") }
        for index in short.indices {
            let parameter = "?\(index + 2)"
            conditions.append(
                """
                (title_zh LIKE \(parameter) ESCAPE '\\' OR title_en LIKE \(parameter) ESCAPE '\\'
                OR keywords LIKE \(parameter) ESCAPE '\\')
                """)
        }
        let filter = conditions.isEmpty ? "" : "WHERE " + conditions.joined(separator: " AND ")
        return try run { () throws(SQLiteError) in
            let page = try database.prepare(
                """
                SELECT digest FROM words JOIN asset ON asset.id = words.rowid \(filter)
                ORDER BY words.rowid DESC LIMIT \(max(0, min(countMax, Self.pageMax)))
                OFFSET \(max(0, offset))
                """, isKept: false)
            let count = try database.prepare(
                "SELECT count(*) FROM words \(filter)", isKept: false)
            for statement in [page, count] {
                if !long.isEmpty { try statement.bind(1, Self.match(long)) }
                for (index, word) in short.enumerated() {
                    try statement.bind(index + 2, Self.pattern(word))
                }
            }
            var assets: [Digest] = []
            while try page.step() {
                guard let digest = page.digest(0) else { throw damaged("an asset is cut") }
                assets.append(digest)
            }
            let total = try count.step() ? Int(count.integer(0)) : 0
            return SearchPage(assets: assets, total: total)
        }
    }

    /// Words as FTS5 strings, which all must be found: nothing in them is query syntax.
    private static func match(_ words: [Substring.UnicodeScalarView]) -> String {
        words.map { "\"" + escaped($0, ["\""], by: "\"") + "\"" }.joined(separator: " ")
    }

    private static func pattern(_ word: Substring.UnicodeScalarView) -> String {
        "%" + escaped(word, ["%", "_", "\\"], by: "\\") + "%"
    }

    private static func escaped(
        _ word: Substring.UnicodeScalarView, _ signs: [Unicode.Scalar], by mark: Unicode.Scalar
    ) -> String {
        var result = String.UnicodeScalarView()
        for scalar in word {
            if signs.contains(scalar) { result.append(mark) }
            result.append(scalar)
        }
        return String(result)
    }
}
