import Foundation
import Interchange
import Records
import Testing

@Suite struct CatalogueTests {
    static let good = """
        {"id":"cn-a","name":{"zh":"甲","en":"A"},"description":{"zh":"说明","en":"Text"},\
        "authority_level":"government","website":"https://a.cn","data_url":"https://a.cn/d",\
        "domains":["finance"],"tags":["t1","finance"],\
        "data_content":{"zh":["指数（月度）"],"en":["Index - monthly"]},"api_url":null}
        """

    static func read(_ lines: String...) -> [Result<CatalogueEntry, CatalogueProblem>] {
        CatalogueReader.read(all: Array(lines.joined(separator: "\n").utf8))
    }

    @Test func aLineBecomesAnEntry() throws {
        let entry = try #require(try Self.read(Self.good).first?.get())
        #expect(entry.code == "cn-a")
        #expect(entry.titleZh == "甲")
        #expect(entry.titleEn == "A")
        #expect(entry.keywords == ["finance", "t1", "指数", "Index"])
        #expect(entry.source == "https://a.cn")
        #expect(entry.sourceURL == "https://a.cn/d")
        #expect(entry.ownerClass == .publicData)
        #expect(entry.bytes == Array(Self.good.utf8))
    }

    @Test func badLinesAreNamedAndTheRestGoIn() throws {
        let results = Self.read(
            "\u{FEFF}" + Self.good, "", "{", "[1]", Self.good,
            Self.good.replacing("cn-a", with: "cn-b"), "  \r")
        #expect(results.count == 5)
        #expect(try results[0].get().line == 1)
        #expect(results[1] == .failure(CatalogueProblem(line: 3, reason: .notJSON)))
        #expect(results[2] == .failure(CatalogueProblem(line: 4, reason: .notAnObject)))
        let again = CatalogueProblem(line: 5, reason: .repeated(code: "cn-a", firstLine: 1))
        #expect(results[3] == .failure(again))
        #expect(again.description.hasPrefix("line 5: id cn-a stands in line 1 already / 第 5 行"))
        #expect(try results[4].get().line == 6)
    }

    @Test(arguments: [
        (#""id":"cn-a","#, "", CatalogueProblem.Reason.missing(field: "id")),
        (#""cn-a""#, "7", .wrongType(field: "id", expected: .text)),
        (#""cn-a""#, #""a b""#, .notACode(field: "id")),
        (#""zh":"甲""#, #""zh":"""#, .empty(field: "name.zh")),
        (#""en":"A""#, #""x":"A""#, .missing(field: "name.en")),
        (#""en":"A""#, #""en":"A\u0007""#, .controlCharacter(field: "name.en")),
        (#"{"zh":"甲","en":"A"}"#, #""A""#, .wrongType(field: "name", expected: .object)),
        (#""https://a.cn","#, #""ftp://a.cn","#, .notAnAddress(field: "website")),
        (#""https://a.cn/d""#, #""https://a.cn/ d""#, .notAnAddress(field: "data_url")),
        (
            #""government""#, #""king""#,
            .unknownValue(field: "authority_level", value: "king")
        ),
        (#"["finance"]"#, #""finance""#, .wrongType(field: "domains", expected: .textList)),
        (#"["t1","finance"]"#, "[1]", .wrongType(field: "tags", expected: .textList)),
    ])
    func eachFieldIsChecked(part: String, by: String, reason: CatalogueProblem.Reason) {
        let line = Self.good.replacing(part, with: by)
        #expect(line != Self.good)
        #expect(Self.read(line) == [.failure(CatalogueProblem(line: 1, reason: reason))])
    }

    @Test func textsKeepTheLimitsOfRecords() throws {
        let long = String(repeating: "长", count: 86)
        #expect(
            Self.read(Self.good.replacing("甲", with: long)) == [
                .failure(
                    CatalogueProblem(
                        line: 1,
                        reason: .textTooLong(
                            field: "name.zh", bytes: 258, bytesMax: RecordLimits.titleBytesMax)))
            ])
        // A keyword is cut between characters; there are never too many.
        let many = (0..<200).map { "\"k\($0)\"" }.joined(separator: ",")
        let crowded = Self.good.replacing(#""t1","finance""#, with: "\"\(long)\",\(many)")
        let entry = try #require(try Self.read(crowded).first?.get())
        #expect(entry.keywords.count == RecordLimits.keywordsMax)
        #expect(entry.keywords[1] == String(repeating: "长", count: 21))
        let huge = String(repeating: " ", count: CatalogueReader.lineBytesMax) + Self.good
        guard case .failure(let problem) = Self.read(huge)[0], case .tooLong = problem.reason else {
            Issue.record("a line beyond the limit is refused")
            return
        }
    }

    static let real = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "shared/data/catalogue.jsonl")

    @Test(
        .enabled(
            if: FileManager.default.fileExists(atPath: real.path),
            "../shared/data/catalogue.jsonl is not there: skipped"))
    func theRealCatalogueIsReadWhole() throws {
        let results = CatalogueReader.read(all: Array(try Data(contentsOf: Self.real)))
        let entries = try results.map { try $0.get() }
        #expect(entries.count == 241)
        #expect(Set(entries.map(\.code)).count == 241)
        for entry in entries {
            #expect(PolicyRecord.isName(entry.code))
            #expect(entry.titleZh.utf8.count <= RecordLimits.titleBytesMax)
            #expect(entry.titleEn.utf8.count <= RecordLimits.titleBytesMax)
            #expect(entry.source.utf8.count <= RecordLimits.titleBytesMax)
            #expect(entry.sourceURL.utf8.count <= RecordLimits.urlBytesMax)
            #expect(!entry.keywords.isEmpty)
            #expect(entry.keywords.count <= RecordLimits.keywordsMax)
            #expect(entry.keywords.allSatisfy { $0.utf8.count <= RecordLimits.codeBytesMax })
        }
        #expect(entries.contains { $0.keywords.contains("证券结算数据") })
    }
}
