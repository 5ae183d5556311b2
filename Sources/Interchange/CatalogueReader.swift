import Foundation
import LightClient
import Records

/// Reads a catalogue: one JSON record a line, as in FirstData (`id`, `name`, `description`, `data_content` in Chinese
/// and English, `tags`, `domains`, `authority_level`, `website`, `data_url`).
///
/// A bad line is reported with its number and reason, and the next ones are read. Fields that are not used here are
/// allowed and ignored. Lines are given one at a time, so a file of any size takes one line's memory.
public struct CatalogueReader {
    /// Bytes of one line.
    public static let lineBytesMax = 65_536

    private var line = 0
    private var firstLines: [String: Int] = [:]

    public init() {}

    /// The next line, without its line feed.
    ///
    /// - Returns: nil for a blank line.
    public mutating func read(
        line bytes: [UInt8]
    ) throws(CatalogueProblem) -> CatalogueEntry? {
        line += 1
        guard bytes.count <= Self.lineBytesMax else {
            throw problem(.tooLong(bytes: bytes.count, bytesMax: Self.lineBytesMax))
        }
        if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { return nil }
        guard
            let parsed = try? JSONSerialization.jsonObject(
                with: Data(bytes), options: [.fragmentsAllowed])
        else { throw problem(.notJSON) }
        guard let object = parsed as? [String: Any] else { throw problem(.notAnObject) }
        let fields = CatalogueFields(line: line, object: object)
        let entry = try fields.entry(bytes)
        if let first = firstLines[entry.code] {
            throw problem(.repeated(code: entry.code, firstLine: first))
        }
        firstLines[entry.code] = line
        return entry
    }

    /// All lines of a file in memory, in order; blank ones left out.
    public static func read(
        all bytes: [UInt8]
    ) -> [Result<CatalogueEntry, CatalogueProblem>] {
        var reader = CatalogueReader()
        var results: [Result<CatalogueEntry, CatalogueProblem>] = []
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        // A byte order mark is not part of the first record.
        if let first = lines.first, first.starts(with: [0xEF, 0xBB, 0xBF]) {
            lines[0] = first.dropFirst(3)
        }
        for line in lines {
            do throws(CatalogueProblem) {
                if let entry = try reader.read(line: Array(line)) {
                    results.append(.success(entry))
                }
            } catch {
                results.append(.failure(error))
            }
        }
        return results
    }

    private func problem(_ reason: CatalogueProblem.Reason) -> CatalogueProblem {
        CatalogueProblem(line: line, reason: reason)
    }
}

/// The fields of one line, each checked where it is read.
private struct CatalogueFields {
    let line: Int
    let object: [String: Any]

    func entry(_ bytes: [UInt8]) throws(CatalogueProblem) -> CatalogueEntry {
        let code = try text(object, "id", path: "id", max: RecordLimits.codeBytesMax)
        guard PolicyRecord.isName(code) else { throw problem(.notACode(field: "id")) }
        let name = try nested("name")
        let description = try nested("description")
        let website = try address("website", max: RecordLimits.titleBytesMax)
        return CatalogueEntry(
            line: line, code: code,
            titleZh: try text(name, "zh", path: "name.zh", max: RecordLimits.titleBytesMax),
            titleEn: try text(name, "en", path: "name.en", max: RecordLimits.titleBytesMax),
            keywords: try keywords(), source: website,
            sourceURL: object["data_url"] == nil
                ? website : try address("data_url", max: RecordLimits.urlBytesMax),
            ownerClass: try ownerClass(),
            descriptionZh: try text(
                description, "zh", path: "description.zh", max: CatalogueReader.lineBytesMax),
            descriptionEn: try text(
                description, "en", path: "description.en", max: CatalogueReader.lineBytesMax),
            bytes: bytes)
    }

    private func problem(_ reason: CatalogueProblem.Reason) -> CatalogueProblem {
        CatalogueProblem(line: line, reason: reason)
    }

    private func nested(_ field: String) throws(CatalogueProblem) -> [String: Any] {
        guard let value = object[field] else { throw problem(.missing(field: field)) }
        guard let nested = value as? [String: Any] else {
            throw problem(.wrongType(field: field, expected: .object))
        }
        return nested
    }

    private func text(
        _ object: [String: Any], _ name: String, path: String, max: Int
    ) throws(CatalogueProblem) -> String {
        guard let value = object[name] else { throw problem(.missing(field: path)) }
        guard let text = value as? String else {
            throw problem(.wrongType(field: path, expected: .text))
        }
        try check(text, path: path)
        guard text.utf8.count <= max else {
            throw problem(.textTooLong(field: path, bytes: text.utf8.count, bytesMax: max))
        }
        return text
    }

    private func check(_ text: String, path: String) throws(CatalogueProblem) {
        guard !text.isEmpty else { throw problem(.empty(field: path)) }
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F }) else {
            throw problem(.controlCharacter(field: path))
        }
    }

    private func address(_ field: String, max: Int) throws(CatalogueProblem) -> String {
        let text = try text(object, field, path: field, max: max)
        guard Names.isWebAddress(text) else { throw problem(.notAnAddress(field: field)) }
        return text
    }

    private func ownerClass() throws(CatalogueProblem) -> OwnerClass {
        let field = "authority_level"
        let level = try text(object, field, path: field, max: RecordLimits.codeBytesMax)
        switch level {
        case "government", "international": return .publicData
        case "research", "market", "commercial", "other": return .enterprise
        default: throw problem(.unknownValue(field: field, value: level))
        }
    }

    // MARK: Keywords

    private func texts(
        _ object: [String: Any], _ name: String, path: String
    ) throws(CatalogueProblem) -> [String] {
        guard let value = object[name], !(value is NSNull) else { return [] }
        guard let list = value as? [String] else {
            throw problem(.wrongType(field: path, expected: .textList))
        }
        for text in list { try check(text, path: path) }
        return list
    }

    /// Domains and tags as they are; of contents the name before an explanation. Those too long for a keyword are cut
    /// at a character, those beyond the count are left out: titles are searched as well.
    private func keywords() throws(CatalogueProblem) -> [String] {
        var all = try texts(object, "domains", path: "domains")
        all += try texts(object, "tags", path: "tags")
        if object["data_content"] != nil {
            let content = try nested("data_content")
            for language in ["zh", "en"] {
                let path = "data_content.\(language)"
                all += try texts(content, language, path: path).map(Self.head)
            }
        }
        var seen: Set<String> = []
        var keywords: [String] = []
        for keyword in all.map(Self.cut) where keywords.count < RecordLimits.keywordsMax {
            if !keyword.isEmpty, seen.insert(keyword).inserted { keywords.append(keyword) }
        }
        return keywords
    }

    private static func head(_ text: String) -> String {
        for separator in [" - ", " – ", "：", ": ", "（", " ("] {
            if let range = text.range(of: separator), range.lowerBound > text.startIndex {
                return String(text[..<range.lowerBound])
            }
        }
        return text
    }

    private static func cut(_ text: String) -> String {
        // Forwards: to find the last character of a row of flags, all of the row is read again and again.
        var bytes = 0
        return String(
            text.prefix { character in
                bytes += character.utf8.count
                return bytes <= RecordLimits.codeBytesMax
            })
    }
}
