import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import TestLedgers
import Testing

/// `huijin-verify` with a cosigned checkpoint beside the bundle.
@Suite struct WitnessCommandTests {
    typealias Desk = FollowCommandTests.Desk
    private static func json(_ output: String) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
    }

    @Test(arguments: Suite.allCases) func whoSawItIsInTheReport(
        suite: LedgerCrypto.Suite
    ) throws {
        let chain = TrustTests.chain(suite)
        let witness = Outsider()
        let key = witness.cosigner.verifierKey
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let bundle = try EvidenceBundle.header(height: 2, from: chain)
            // What the witness is to sign comes from a proven bundle.
            let out = folder.appending(path: "text").path
            #expect(try desk.verify(bundle, "--note-out", out).code == 0)
            let text = try String(contentsOfFile: out, encoding: .utf8)
            #expect(text == LogCheckpoint(witnessing: chain.newest).text)
            #expect(try desk.verify(bundle, "--note-out", out).code == 73)

            let note = try desk.file("note", witness.note(chain.newest))
            let page = folder.appending(path: "page.html").path
            let seen = try desk.verify(
                bundle, "--witnessed", note, "--witness", key, "--html", page)
            #expect(seen.code == 0 && seen.errors.isEmpty)
            #expect(seen.output.contains("ending with height 8 / 另经见证方"))
            #expect(try String(contentsOfFile: page, encoding: .utf8).contains("另经见证方"))
            // The same with a memory, where the note may be of what is trusted.
            let old = try desk.file("old", witness.note(chain.blocks[2].header))
            let kept = try desk.verify(
                bundle, "--witnessed", old, "--witness", key, "--json", "--trust", desk.trust)
            let report = try Self.json(kept.output)
            let witnessed = try #require(report["witnessed"] as? [String: Any])
            #expect(witnessed["height"] as? Int == 2 && report["trust"] != nil)
            #expect(try desk.kept().newest?.header.height == 8)
        }
    }

    /// A witness signs what goes on from what was proven to him before, and nothing else.
    @Test func aWitnessIsGivenNothingThatIsNotLinked() throws {
        var chain = TrustTests.chain(.ed25519SHA256)
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let first = try EvidenceBundle.header(height: 2, from: chain)
            #expect(try desk.verify(first, "--trust", desk.trust).code == 0)
            let known = chain.newest.height
            chain.grow(2)
            let out = folder.appending(path: "text").path
            let blind = try EvidenceBundle.header(height: chain.newest.height, from: chain)
            let refused = try desk.verify(blind, "--trust", desk.trust, "--note-out", out)
            #expect(refused.code == 2 && refused.errors.contains("未写出"))
            #expect(refused.output.hasPrefix("PROVEN / 已证明"))
            #expect(!FileManager.default.fileExists(atPath: out))
            // Nor does the next run take it for what was proven before.
            #expect(try desk.verify(blind, "--trust", desk.trust, "--note-out", out).code == 2)
            #expect(try desk.kept().newest?.header.height == known)
            chain.grow(1)
            let linked = try EvidenceBundle.header(height: known, from: chain)
            #expect(try desk.verify(linked, "--trust", desk.trust, "--note-out", out).code == 0)
            // An older header of the same history, of which nothing here shows that.
            let point = folder.appending(path: "point").path
            let older = try desk.verify(first, "--trust", desk.trust, "--checkpoint-out", point)
            #expect(older.code == 0, "it is among those that are trusted")
        }
    }

    @Test func twoHistoriesEndWithThree() throws {
        var fork = Fork(.ed25519SHA256)
        fork.left.grow(2)
        fork.right.grow(2)
        let witness = Outsider()
        try CommandTests.inFolder { folder in
            let desk = try Desk(fork.common, folder)
            let bundle = try EvidenceBundle.header(height: 4, from: fork.left)
            let note = try desk.file("note", witness.note(fork.right.newest))
            let words = ["--witnessed", note, "--witness", witness.cosigner.verifierKey]
            func verify(_ more: [String]) throws -> CommandTests.Run {
                let path = try desk.file("bundle.cbor", bundle.encoded)
                return try CommandTests.run(
                    ["--genesis", desk.genesis, "--bundle", path] + words + more)
            }
            let start = folder.appending(path: "start").path
            for more in [["--checkpoint-out", start], ["--trust", desk.trust]] {
                let run = try verify(more)
                #expect(run.code == 3)
                #expect(run.output.hasPrefix("TWO HISTORIES"))
                #expect(!run.output.contains("PROVEN"))
            }
            #expect(
                try Self.json(verify(["--json"]).output)["verdict"] as? String == "two-histories")
            // Nothing of it is trusted or passed on, and nobody but the witness is in doubt about the next bundle.
            let names = try desk.names()
            #expect(!names.contains { $0.hasPrefix("trust.cbor") && $0 != "trust.cbor.lock" })
            #expect(!names.contains("start"))
            #expect(try desk.verify(bundle, "--trust", desk.trust).code == 0)
        }
    }

    @Test func whatAWitnessDidNotSayIsRefused() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        let (one, two) = (Outsider(), Outsider("other.example", 8))
        let key = one.cosigner.verifierKey
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let bundle = try EvidenceBundle.header(height: 7, from: chain)
            let note = try desk.file("note", one.note(chain.newest))
            let other = try desk.verify(
                bundle, "--witnessed", note, "--witness", two.cosigner.verifierKey)
            #expect(other.code == 2 && other.output.contains("other.example has not cosigned it"))
            let missing = try desk.file("missing", one.note(chain.blocks[4].header))
            let unproven = try desk.verify(
                bundle, "--witnessed", missing, "--witness", key, "--trust", desk.trust)
            #expect(unproven.code == 2)
            #expect(unproven.output.contains("at height 4: ask for it with huijin audit header"))
            // What is not witnessed as was asked for is not trusted either.
            #expect(try !desk.names().contains("trust.cbor"))
            var forged = one.note(chain.newest)
            forged[forged.count - 10] ^= 1
            let wrong = try desk.verify(
                bundle, "--witnessed", try desk.file("forged", forged), "--witness", key, "--json")
            // That says nothing against the bundle.
            #expect(wrong.code == 2)
            #expect(try Self.json(wrong.output)["verdict"] as? String == "not-proven")
            let text = try desk.file(
                "text", Array(LogCheckpoint(witnessing: chain.newest).text.utf8))
            let unsigned = try desk.verify(bundle, "--witnessed", text, "--witness", key)
            #expect(unsigned.code == 2 && unsigned.output.contains("尚无任何见证方副署"))
            let huge = try desk.file("huge", [UInt8](repeating: 10, count: LogNote.bytesMax + 1))
            let tooLarge = try desk.verify(bundle, "--witnessed", huge, "--witness", key)
            #expect(tooLarge.code == 66 && tooLarge.errors.contains("larger than"))
            let away = folder.appending(path: "away").path
            #expect(try desk.verify(bundle, "--witnessed", away, "--witness", key).code == 66)
            #expect(try desk.verify(bundle, "--witnessed", note).code == 64)
            #expect(try desk.verify(bundle, "--witness", key).code == 64)
            let twice = try desk.verify(
                bundle, "--witnessed", note, "--witness", key, "--witness", key)
            #expect(twice.code == 64 && twice.errors.contains("每个见证方只须指定一次"))
            let bad = try desk.verify(bundle, "--witnessed", note, "--witness", "w+0+AA==")
            #expect(bad.code == 64 && bad.errors.contains("核验密钥"))
        }
    }
}
