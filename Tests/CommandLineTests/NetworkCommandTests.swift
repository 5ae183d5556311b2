import Client
import Foundation
import Testing

/// The command line against a node, as separate processes.
@Suite(.serialized) struct NetworkCommandTests {
    private func running(
        suite: String = "ed25519", _ body: (Bench, String) throws -> Void
    ) throws {
        let bench = try Bench()
        let network = try bench.makeNetwork(suite: suite)
        let node = try #require(network["nodes"]?.list?.first?["api"]?.text)
        try bench.startNode()
        try body(bench, node)
    }

    private func line(_ id: String, _ zh: String, _ en: String) -> String {
        """
        {"id": "\(id)", "name": {"zh": "\(zh)", "en": "\(en)"}, "description": {"zh": "说明", \
        "en": "About"}, "data_content": {"zh": ["内容"], "en": ["content"]}, "tags": ["\(id)-tag"], \
        "domains": ["d"], "authority_level": "government", "website": "https://example.org", \
        "data_url": "https://example.org/data"}
        """
    }

    @Test(arguments: ["ed25519", "sm2"])
    func aCatalogueGoesInOnceAndBadLinesAreNamed(_ suite: String) throws {
        try running(suite: suite) { bench, node in
            try bench.enrol("provider", "provider", node: node)
            let lines = [
                line("one", "证券统计", "Securities statistics"), "{\"id\": \"two\"}", "not json",
                line("three", "海洋观测", "Ocean observations"), "",
                line("one", "重复", "Repeated"),
            ]
            try bench.write(lines.joined(separator: "\n"), "catalogue.jsonl")
            let first = try bench.answer(
                ["asset", "import", "catalogue.jsonl"], as: "provider", expect: 65)
            #expect(first["read"]?.unsigned == 5)
            #expect(first["registered"]?.unsigned == 2)
            #expect(first["skipped"]?.unsigned == 0)
            #expect(
                first["failed"]?.list?.compactMap { $0["line"]?.unsigned } == [2, 3, 6])
            for reason in first["failed"]?.list ?? [] {
                #expect(reason["reason"]?.text?.contains(" / ") == true)
            }
            let again = try bench.answer(
                ["asset", "import", "catalogue.jsonl"], as: "provider", expect: 65)
            #expect(again["registered"]?.unsigned == 0)
            #expect(again["skipped"]?.unsigned == 2)
            for (words, code) in [
                ("证券", "one"), ("securities", "one"), ("海洋观测", "three"), ("three-tag", "three"),
            ] {
                let found = try bench.answer(["asset", "search", words], as: "provider")
                #expect(found["assets"]?.list?.compactMap { $0["code"]?.text } == [code])
            }
        }
    }

    @Test func everySubmissionSaysWhatBecameOfIt() throws {
        try running { bench, node in
            try bench.enrol("provider", "provider", node: node)
            try bench.enrol("registrar", "registrar", node: node)
            try bench.write(
                """
                {"code": "w-1", "titleZh": "气象", "titleEn": "Weather \u{202E}\u{2028}well", "keywords": [],
                 "columns": [{"name": "station", "type": "text"}], "entityKey": "station",
                 "rowCount": 3, "dataCommitment": "\(String(repeating: "ab", count: 32))",
                 "source": "here", "sourceURL": "", "ownerClass": "public", "level": "raw",
                 "grade": "general", "rights": ["holding"]}
                """, "asset.json")
            let made = try bench.answer(
                ["asset", "register", "--description", "asset.json"], as: "provider")
            let asset = try #require(made["asset"]?.text)
            for field in ["transaction", "envelope", "message"] {
                #expect(made[field]?.text?.isEmpty == false, "\(field)")
            }
            #expect(made["status"]?.text == "final" && made["code"]?.unsigned == 0)
            #expect(made["height"]?.unsigned != nil && made["index"]?.unsigned != nil)

            // The same again is refused on the ledger, with a code, a height, and exit status 1.
            let twice = try bench.answer(
                ["asset", "register", "--description", "asset.json"], as: "provider", expect: 1)
            #expect(twice["codeName"]?.text == "already-exists")
            #expect(twice["height"]?.unsigned != nil)
            let other = try bench.answer(
                ["asset", "approve", asset, "--evidence", "title"], as: "provider", expect: 1)
            #expect(other["codeName"]?.text == "not-permitted")

            let shown = try bench.answer(["asset", "show", asset], as: "registrar")
            #expect(shown["status"]?.text == "claimed" && shown["titleZh"]?.text == "气象")
            // What members wrote cannot turn a line around or begin another.
            #expect(shown["titleEn"]?.text == "Weather \u{202E}\u{2028}well")
            for format in ["text", "json"] {
                let raw = try bench.huijin(
                    ["asset", "show", asset, "--output", format], as: "registrar"
                ).output
                #expect(
                    !raw.unicodeScalars.contains { "\u{202E}\u{2028}".unicodeScalars.contains($0) })
                #expect(raw.contains("well"))
            }
            let id = try #require(made["transaction"]?.text)
            let transaction = try bench.answer(["tx", "show", id], as: "registrar")
            #expect(transaction["codeName"]?.text == "accepted")
            let nothing = String(repeating: "0", count: 64)
            try bench.huijin(["asset", "show", nothing], as: "registrar", expect: 2)
            try bench.huijin(["tx", "show", nothing], as: "registrar", expect: 2)
            try bench.huijin(
                ["asset", "show", asset, "--node", "http://127.0.0.1:1"], as: "registrar",
                expect: 69)

            let audit = try bench.answer(
                ["audit", "asset", asset, "--out", "a.bundle", "--logs", "rights"],
                as: "registrar")
            #expect(audit["events"]?["rights"]?.unsigned == 1)
            try bench.huijin(
                ["audit", "asset", asset, "--out", "b.bundle", "--logs", "refusals"],
                as: "registrar", expect: 77)
            // Nothing is overwritten, be it the genesis, and no link is followed.
            let genesis = try bench.read("net/genesis.json")
            try FileManager.default.createSymbolicLink(
                at: bench.folder.appending(path: "link"),
                withDestinationURL: bench.folder.appending(path: "target"))
            for name in ["a.bundle", "net/genesis.json", "link"] {
                try bench.huijin(
                    ["audit", "asset", asset, "--out", name], as: "registrar", expect: 73)
            }
            #expect(try bench.read("net/genesis.json") == genesis)
            #expect(
                !FileManager.default.fileExists(
                    atPath: bench.folder.appending(path: "target").path))

            let watch = ["watch", "--trust", "trust", "--looks", "1", "--asset", asset]
            let unheard = try bench.huijin(watch, as: "registrar", isHeard: false, expect: 70)
            #expect(unheard.complaint.contains("无法写到标准输出"))
            #expect(try bench.huijin(watch, as: "registrar").output.contains("[record]"))
            #expect(try !bench.huijin(watch, as: "registrar").output.contains("[record]"))
            let missing = try bench.answer(
                ["audit", "asset", nothing, "--out", "c.bundle"], as: "registrar")
            #expect(missing["present"]?.bool == false)
            #expect(audit["present"]?.bool == true)
            let future = try bench.huijin(
                ["audit", "header", "9999999999", "--out", "d.bundle"], as: "registrar", expect: 2)
            #expect(future.complaint.contains("9999999999 is not there yet"))
            // At once, also where a node could be thought to lag.
            let height = try #require(
                try bench.answer(["network", "status"], as: "registrar")["height"]?.unsigned)
            let near = try bench.huijin(
                ["audit", "header", "\(height + 900)", "--out", "d.bundle"], as: "registrar",
                expect: 2)
            #expect(near.complaint.contains("is not there yet"))
            #expect(near.complaint.contains("尚无高度"))
            let stranger = try bench.huijin(
                ["audit", "header", "1", "--digest", nothing, "--out", "d.bundle"],
                as: "registrar", expect: 2)
            let certified = try bench.answer(
                ["audit", "header", "1", "--out", "header.bundle"], as: "registrar")
            let digest = try #require(certified["header"]?.text)
            #expect(stranger.complaint.contains(digest) && stranger.complaint.contains("--digest"))
            #expect(!stranger.complaint.contains("gave no valid proof"))
            let past = ["--time", "2001-01-01T00:00:00+08:00"]
            let member = try #require(shown["provider"]?.text)
            let early = try bench.huijin(
                ["audit", "role", member, "provider", "--out", "d.bundle"] + past,
                as: "registrar", expect: 2)
            #expect(early.complaint.contains("before the ledger began"))
        }
    }

    @Test func statusShowsEveryNodeAndThoseThatDoNotAnswer() throws {
        try running { bench, node in
            let all = try bench.answer(
                ["network", "status", "--all", "--node", node, "--node", "http://127.0.0.1:1"],
                as: "governor")
            let nodes = try #require(all["nodes"]?.list)
            #expect(nodes.map { $0["reachable"]?.bool } == [true, false])
            #expect(nodes.first?["suite"]?.text == "ed25519-sha256")
        }
    }
}
