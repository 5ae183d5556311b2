import Encoding
import Foundation
import LedgerCrypto
import LightClient
import Records
import TestLedgers
import Testing

/// The report as a page, the histories as PROV-JSON, and the commands that change bundles.
@Suite struct PageTests {
    private static let hostile = "</li><script>alert(\"1\")</script><img src='x' onerror=a()>&amp;"

    @Test func hostileTextsStayTexts() throws {
        var fixture = Fixture(.ed25519SHA256)
        fixture.alter { chain, before in
            guard var record = chain.assetRecord(before.other) else { return }
            record.titleEn = Self.hostile
            record.titleZh = "\u{202E}" + Self.hostile
            chain.put(record)
            chain.append([])
        }
        let bundle = try EvidenceBundle.assetHistory(asset: fixture.other, from: fixture.chain)
        let page = EvidenceReport(try fixture.verifier.verify(bundle)).html
        for active in ["<script", "<img", "onerror=a()>", "\u{202E}"] {
            #expect(!page.contains(active), "\(active)")
        }
        #expect(page.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"))
        #expect(page.contains("src=&#39;x&#39;") && page.contains("&amp;amp;"))
        // Well formed: the text alone is what the plain report says.
        let parser = XMLCheck(page)
        #expect(parser.isWellFormed, "\(parser.problem)")
    }

    @Test func thePageSaysWhatIsProvenAndWhatIsClaimed() throws {
        let family = try ProvenanceTests.Family(.ed25519SHA256)
        let answer = try family.answer([family.children[0], family.youngest])
        let page = EvidenceReport(answer).html
        #expect(page.contains("<h1 class=\"proven\"><span>已证明</span> <span lang=\"en\">PROVEN"))
        #expect(page.contains("@page { size: A4"))
        let parts = page.components(separatedBy: "<section class=\"claimed\">")
        #expect(parts.count == 2 && parts[1].contains(family.source.hex))
        #expect(parts[0].contains("来源于仅列名、未证明的资产"))
        for address in ["http:", "https:", "src=", "href="] { #expect(!page.contains(address)) }
        #expect(XMLCheck(page).isWellFormed)
        let refused = EvidenceReport(EvidenceProblem(.bundle, .outOfOrder)).html
        #expect(refused.contains("<h1 class=\"refused\">"))
    }

    @Test func provenanceOfSeveralAssetsIsOneDocument() throws {
        let family = try ProvenanceTests.Family(.ed25519SHA256)
        let whole = try #require(PROVExport.document(try family.answer(family.all)))
        let json = try Self.parsed(whole)
        // Four assets; versions: 6 of the source, 3 of each child, 2 of the youngest.
        #expect(json["entity"]?.count == 18)
        let derived = (json["wasDerivedFrom"] ?? [:]).values.compactMap { $0 as? [String: String] }
        let pins = derived.filter {
            $0["prov:generatedEntity"] == "ledger:asset-\(family.youngest.hex)-0"
        }
        #expect(
            Set(pins.compactMap { $0["prov:usedEntity"] })
                == Set(family.children.map { "ledger:asset-\($0.hex)-1" }))
        try Self.everyNameIsDeclared(json)
        // A parent that is named only is an entity as well.
        let part = try Self.parsed(
            try #require(PROVExport.document(try family.answer([family.youngest]))))
        #expect(part["entity"]?["ledger:asset-\(family.children[0].hex)"] != nil)
        try Self.everyNameIsDeclared(part)
        let none = try family.answer([.zero])
        #expect(PROVExport.document(none) == nil)
    }

    private static func parsed(_ node: JSONNode) throws -> [String: [String: Any]] {
        let parsed = try JSONSerialization.jsonObject(with: Data(node.encodedText.utf8))
        return try #require(parsed as? [String: [String: Any]])
    }

    private static func everyNameIsDeclared(_ json: [String: [String: Any]]) throws {
        let declared = Set(
            ["entity", "activity", "agent"].flatMap { json[$0].map { Array($0.keys) } ?? [] })
        for kind in [
            "wasGeneratedBy", "used", "wasAssociatedWith", "wasDerivedFrom", "specializationOf",
        ] {
            for case let relation as [String: String] in (json[kind] ?? [:]).values {
                #expect(declared.isSuperset(of: relation.values), "\(relation)")
            }
        }
    }

    @Test func commandsSplitMergeAndRedact() throws {
        let family = try ProvenanceTests.Family(.ed25519SHA256)
        let questions = family.all.map { ProvenanceTests.history($0) }
        let whole = try EvidenceBundle.answering(questions, from: family.ledger)
        try CommandTests.inFolder { folder in
            func path(_ name: String) -> String { folder.appending(path: name).path }
            func bytes(_ name: String) throws -> [UInt8] {
                [UInt8](try Data(contentsOf: folder.appending(path: name)))
            }
            func run(_ words: String...) throws -> CommandTests.Run {
                try CommandTests.run(words + ["--genesis", path("genesis.cbor")])
            }
            try Data(family.ledger.genesis.encoded).write(
                to: folder.appending(path: "genesis.cbor"))
            try Data(whole.encoded).write(to: folder.appending(path: "whole"))
            let first = try run(
                "split", path("whole"), "--question", "0", "--question", "2", "--out", path("a"))
            #expect(first.code == 0 && first.output.hasPrefix("PROVEN"))
            #expect(
                try run(
                    "split", path("whole"), "--question", "1", "--question", "3", "--out", path("b")
                )
                .code == 0)
            #expect(try run("merge", path("b"), path("a"), "--out", path("c")).code == 0)
            #expect(try bytes("c") == whole.encoded)
            // Nothing is overwritten, and what is not there cannot be chosen.
            #expect(try run("merge", path("b"), path("a"), "--out", path("c")).code == 73)
            let many = try CommandTests.run(["merge"] + Array(repeating: path("a"), count: 257))
            #expect(many.code == 64 && many.errors.contains("最多 256 个文件"))
            let absent = try run("split", path("whole"), "--question", "9", "--out", path("d"))
            #expect(absent.code == 64 && absent.errors.contains("第 9 个问题"))

            let entry = whole.entries[0].content.digest(family.ledger.suite)
            let redacted = try run(
                "redact", path("whole"), "--envelope", entry.hex, "--out", path("e"))
            #expect(redacted.code == 0 && redacted.output.contains("信封未披露"))
            #expect(
                try EvidenceBundle.decode(bytes("e")).entries[0].content == .withheld(entry))
            // Without the header, which a checkpoint gives.
            #expect(try run("detach", path("whole"), "--out", path("g")).code == 0)
            #expect(try run("--bundle", path("g")).code == 2)
            let accepted = try run(
                "--bundle", path("whole"), "--checkpoint-out", path("checkpoint"))
            #expect(accepted.code == 0)
            let digest = whole.header.digest(family.ledger.suite).hex
            let read = try run(
                "--bundle", path("g"), "--checkpoint", path("checkpoint"), "--accept", digest)
            #expect(read.code == 0 && read.output.contains("以信任起点的区块头为准"))
            #expect(try run("detach", path("g"), "--out", path("h")).code == 2)
            #expect(try run("merge", path("g"), path("a"), "--out", path("h")).code == 0)
            #expect(try bytes("h") == whole.encoded)
            // An asset's record is what its history is proven by: nothing is written.
            let key = StateKey.digest(.asset, family.source, suite: family.ledger.suite)
            let useless = try run(
                "redact", path("whole"), "--record", key.hex, "--out", path("f"))
            #expect(useless.code == 2 && useless.errors.contains("未披露"))
            #expect(!FileManager.default.fileExists(atPath: path("f")))

            let page = try run(
                "--bundle", path("whole"), "--html", path("page.html"), "--prov", path("prov.json"))
            #expect(page.code == 0)
            #expect(String(decoding: try bytes("page.html"), as: UTF8.self).contains("来源谱系"))
            #expect(
                try JSONSerialization.jsonObject(with: Data(try bytes("prov.json")))
                    is [String: Any])
            #expect(try run("--bundle", path("whole"), "--html", path("page.html")).code == 73)
        }
    }
}

/// Whether all elements of a page are closed in order.
private struct XMLCheck {
    let isWellFormed: Bool
    let problem: String

    private static let void: Set<String> = ["meta", "!DOCTYPE"]

    init(_ page: String) {
        var open: [String] = []
        for part in page.components(separatedBy: "<").dropFirst() {
            let tag = part.prefix { $0 != ">" && $0 != " " }
            guard part.contains(">") else {
                (isWellFormed, problem) = (false, "no end: \(part)")
                return
            }
            if tag.hasPrefix("/") {
                guard open.popLast() == String(tag.dropFirst()) else {
                    (isWellFormed, problem) = (false, "closed: \(tag)")
                    return
                }
            } else if !Self.void.contains(String(tag)) {
                open.append(String(tag))
            }
        }
        isWellFormed = open.isEmpty
        problem = open.joined(separator: " ")
    }
}
