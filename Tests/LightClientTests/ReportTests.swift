import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records
import TestLedgers
import Testing

@Suite struct ReportTests {
    @Test func theReportSaysWhatWasProvenAndWhatWasNot() throws {
        let fixture = Fixture(.ed25519SHA256)
        let answer = try fixture.verifier.verify(try fixture.history())
        let text = EvidenceReport(answer).text
        for part in [
            "PROVEN / 已证明", "3 of 4 validators", "rights log: 4 events, none missing",
            "权属日志：共 4 个事件，无遗漏", "complete to height 5, time 2026-01-01 08:00:01.250 +08:00",
            "完整至高度 5", "refused, 140 purpose-not-permitted", "only claimed", "逐时气象观测",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        #expect(answer.json.encodedText.hasPrefix(#"{"verdict":"proven","ledger":"test""#))
        #expect(answer.json.encodedText.contains(#""codeName":"purpose-not-permitted""#))
    }

    @Test func aProblemSaysWhereAndWhat() throws {
        let problem = EvidenceProblem(
            .event(index: 4, log: 1, of: .zero), .eventField(.height, found: "7", expected: "8"))
        #expect(
            problem.description
                == "event 4 of the trades log of \(Digest.zero.hex): field height: the event says 7, "
                + "its evidence says 8 / \(Digest.zero.hex) 的交易日志第 4 号事件：高度字段：事件为 7，证据为 8")
        #expect(EvidenceReport(problem).text.hasPrefix("PROVEN FALSE"))
        #expect(problem.json.encodedText.hasPrefix(#"{"verdict":"proven-false""#))
    }

    @Test func recordedTextsCannotPlayWithTheTerminal() throws {
        var fixture = Fixture(.ed25519SHA256)
        fixture.alter { chain, before in
            guard var record = chain.assetRecord(before.other) else { return }
            record.titleEn = "a\u{1B}[2J\u{202E}b\n\"PROVEN"
            chain.put(record)
            chain.append([])
        }
        let bundle = try EvidenceBundle.assetHistory(asset: fixture.other, from: fixture.chain)
        let answer = try fixture.verifier.verify(bundle)
        let text = EvidenceReport(answer).text
        #expect(text.contains(#"a\u{1b}[2J\u{202e}b\u{a}"PROVEN"#))
        let allowed = text.unicodeScalars.allSatisfy { $0.value >= 0x20 || $0 == "\n" }
        #expect(allowed)
        #expect(answer.json.encodedText.contains(#"a\u001b[2J\u202eb\n\"PROVEN"#))
    }

    @Test(arguments: [
        (UInt64(0), "1970-01-01 08:00:00.000 +08:00"),
        (951_753_599_999, "2000-02-28 23:59:59.999 +08:00"),
        (951_753_600_000, "2000-02-29 00:00:00.000 +08:00"),
        (951_840_000_000, "2000-03-01 00:00:00.000 +08:00"),
        (1_704_038_399_000, "2023-12-31 23:59:59.000 +08:00"),
        (4_107_513_600_000, "2100-03-01 00:00:00.000 +08:00"),
        (ShanghaiTime.max, "9999-12-31 23:59:59.999 +08:00"),
        (ShanghaiTime.max + 1, "253402272000000 ms"),
    ])
    func timesAreShanghais(unixMs: UInt64, text: String) {
        #expect(ShanghaiTime.text(unixMs: unixMs) == text)
    }
}
