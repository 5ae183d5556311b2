import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Records
import TestLedgers
import Testing

/// Questions in words, and what a reader who expects one makes of a bundle.
@Suite struct AskedQuestionTests {
    private static func digest(_ byte: UInt8) -> Digest { Suite.ed25519SHA256.digest([byte]) }

    private static let member = TestMember("91310000MA1FL00003", .ed25519SHA256, 3).id

    /// All different.
    private static let questions: [EvidenceQuestion] = [
        .assetHistory(asset: digest(1), logs: [.rights, .refusals]),
        .assetHistory(asset: digest(2), logs: [.rights, .refusals]),
        .transaction(digest(1)), .output(job: digest(1)),
        .record(type: .account, id: [.text(member.text), .text("DUNS:123-4")]),
        .record(type: .asset, id: [.bytes(digest(1).bytes)]),
        .record(type: .offer, id: [.bytes(digest(1).bytes)]),
        .record(type: .key, id: [.bytes([UInt8](repeating: 7, count: 16))]),
        .record(type: .timerDay, id: [.unsigned(20_000)]),
        .header(height: 7, digest: nil), .header(height: 8, digest: digest(1)),
        .licence(digest(1), at: .height(12)), .licence(digest(1), at: .height(13)),
        .licence(digest(1), at: .time(1_772_328_600_250)),
        .role(.outputReviewer, of: member, at: .height(12)),
        .role(.buyer, of: member, at: .time(0)),
    ]

    @Test func theWordsOfAQuestionAskItAndNoOther() throws {
        for question in Self.questions {
            let asked = try AskedQuestion(question.text)
            #expect(asked.question == question)
            for other in Self.questions {
                #expect(asked.isAnswered(by: other) == (other == question), "\(question.text)")
            }
        }
    }

    @Test func whatIsNotSaidMayBeAnything() throws {
        let asset = Self.digest(1)
        let rights = EvidenceQuestion.assetHistory(asset: asset, logs: [.rights])
        let all = EvidenceQuestion.assetHistory(asset: asset, logs: EventLogKind.allCases)
        #expect(AskedQuestion(asset: asset).isAnswered(by: rights))
        #expect(try AskedQuestion("  asset\t\(asset.hex) ") == AskedQuestion(asset: asset))
        let trades = try AskedQuestion("asset --logs trades,rights,trades \(asset.hex)")
        #expect(trades.question == .assetHistory(asset: asset, logs: [.rights, .trades]))
        #expect(trades.isAnswered(by: all) && !trades.isAnswered(by: rights))
        let digest = EvidenceQuestion.header(height: 7, digest: asset)
        #expect(try AskedQuestion("header 7").isAnswered(by: digest))
        #expect(
            try !AskedQuestion(digest.text).isAnswered(by: .header(height: 7, digest: nil)))
    }

    @Test func mistakesAreNamed() throws {
        let id = Self.digest(1).hex
        let cases: [(String, QuestionMistake)] = [
            ("", .unknownKind("")), ("provenance \(id)", .unknownKind("provenance")),
            ("asset", .form(.asset)), ("asset \(id) \(id)", .form(.asset)),
            ("asset \(id) --height 1", .form(.asset)), ("asset \(id) --logs", .form(.asset)),
            ("licence \(id)", .form(.licence)), ("licence \(id) --height", .form(.licence)),
            ("licence \(id) --height 1 --height 1", .form(.licence)),
            ("licence \(id) --height 1 --time 2026-01-01T00:00:00Z", .form(.licence)),
            ("record asset", .form(.record)), ("role \(Self.member)", .form(.role)),
            ("asset xyz", .notADigest(name: "ID", "xyz")),
            ("output xyz", .notADigest(name: "JOB", "xyz")),
            ("header 7 --digest xyz", .notADigest(name: "--digest", "xyz")),
            ("header -7", .notANumber(name: "HEIGHT", "-7")),
            ("licence \(id) --height x", .notANumber(name: "--height", "x")),
            ("licence \(id) --time 2026-01-01", .notATime("2026-01-01")),
            ("role nobody! buyer --height 1", .notAMember("nobody!")),
            (
                "role \(Self.member) king --height 1",
                .notOneOf(name: "ROLE", "king", known: Role.allCases.map(\.name))
            ),
            (
                "asset \(id) --logs rights,",
                .notOneOf(name: "--logs", "", known: ["rights", "trades", "refusals"])
            ),
            ("record account \(Self.member)", .notAnID(.account, [Self.member.text])),
            ("record asset \(Self.member)", .notAnID(.asset, [Self.member.text])),
        ]
        for (text, mistake) in cases {
            #expect(throws: mistake, "\(text)") { try AskedQuestion(text) }
            #expect(mistake.chinese.unicodeScalars.contains { $0.value > 0x2E80 })
        }
    }

    /// The name of a policy that is not there may be anything, and a terminal obeys some of it.
    @Test func aQuestionIsShownWithoutControlCharacters() {
        let question = EvidenceQuestion.record(type: .policy, id: [.text("\u{1B}[2J x")])
        #expect(question.text == #"record policy "\u001b[2J x""#)
    }

    @Test func timesAreReadAsTheyAreWritten() {
        let times: [UInt64] = [
            0, 1, 951_782_400_000, 951_868_800_000, 1_709_164_800_000, 1_772_328_600_250,
            4_107_542_400_000, ShanghaiTime.max,
        ]
        for timeMs in times {
            #expect(ShanghaiTime.dateTime(unixMs: timeMs).flatMap(ShanghaiTime.unixMs) == timeMs)
        }
        for text in [
            "2026-03-01T09:30:00+08:00", "2026-03-01T01:30:00Z", "2026-02-28T20:00:00-05:30",
            "2026-03-01T01:30:00.0Z",
        ] {
            #expect(ShanghaiTime.unixMs(dateTime: text) == 1_772_328_600_000, "\(text)")
        }
        for text in [
            "", "2026-03-01", "2026-03-01T09:30+08:00", "2026-03-01T09:30:00",
            "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z",
            "2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z",
            "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00.0000Z", "2026-01-01T00:00:00Z ",
            "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+0800", "1969-12-31T23:59:59Z",
            "1970-01-01T07:59:59+08:00", "2026-01-01t00:00:00z", "+026-01-01T00:00:00Z",
        ] {
            #expect(ShanghaiTime.unixMs(dateTime: text) == nil, "\(text)")
        }
    }

    /// The program, for each kind of question: the bundle that answers it, and the one that answers another.
    @Test func theProgramRefusesAProvenBundleOfAnotherQuestion() throws {
        let fixture = Fixture(.ed25519SHA256)
        let chain = fixture.chain
        let entry = try #require(chain.blocks[1].entries.first)
        guard case .envelope(let bytes) = entry else {
            Issue.record("the first entry is a transaction")
            return
        }
        let transaction = try Envelope(
            bytes: bytes, chain: chain.chain, suite: .ed25519SHA256
        ).id
        let questions: [EvidenceQuestion] = [
            .assetHistory(asset: fixture.asset, logs: [.rights, .trades]),
            .transaction(transaction),
            .record(type: .asset, id: [.bytes(fixture.asset.bytes)]),
            .header(height: 3, digest: nil),
            .licence(Self.digest(1), at: .height(2)),
            .licence(Self.digest(1), at: .time(chain.newest.timeMs)),
            .role(.buyer, of: fixture.buyer.id, at: .height(2)),
            .output(job: Self.digest(1)),
        ]
        try CommandTests.inFolder { folder in
            let genesis = folder.appending(path: "genesis.cbor").path
            try Data(chain.genesis.encoded).write(to: URL(filePath: genesis))
            let file = folder.appending(path: "bundle.cbor").path
            func verify(
                _ questions: [EvidenceQuestion], _ more: [String]
            ) throws -> CommandTests.Run {
                let bundle = try EvidenceBundle.answering(questions, from: chain)
                try Data(bundle.encoded).write(to: URL(filePath: file))
                return try CommandTests.run(["--genesis", genesis, "--bundle", file] + more)
            }
            for (question, other) in zip(questions, questions.dropFirst() + questions.prefix(1)) {
                let good = try verify([question], ["--expect", question.text])
                #expect(good.code == 0, "\(question.text): \(good.output)\(good.errors)")
                let bad = try verify([other], ["--expect", question.text])
                #expect(bad.code == 2 && bad.output.hasPrefix("NOT PROVEN"))
                #expect(
                    bad.output.contains(
                        "it does not answer “\(question.text)”, but: \(other.text)"))
            }
            let expected = questions.flatMap { ["--expect", $0.text] }
            #expect(try verify(questions, expected).code == 0)
            let few = try verify(Array(questions.dropLast()), expected + ["--json"])
            #expect(few.code == 2 && few.output.contains("output \(Self.digest(1).hex)"))
            #expect(few.output.contains("… (7)"))

            #expect(try verify(questions, ["--transaction", transaction.hex]).code == 0)
            #expect(try verify(questions, ["--transaction", Self.digest(1).hex]).code == 2)
            let form = try verify(questions, ["--expect", "licence"])
            #expect(form.code == 64 && form.errors.contains("licence ID --height HEIGHT"))

            // Another question's bundle leaves nothing behind.
            let trust = folder.appending(path: "trust").path
            let wrong = ["--expect", "header 4"]
            #expect(try verify(questions, wrong + ["--trust", trust]).code == 2)
            let receipts = try CommandTests.run(
                ["receipts", file, "--genesis", genesis, "--out", trust] + wrong)
            #expect(receipts.code == 2 && receipts.errors.contains("header 4"))
            #expect(!FileManager.default.fileExists(atPath: trust))
        }
        let help = try CommandTests.run(["--help"]).output
        for kind in AskedQuestion.Kind.allCases { #expect(help.contains(kind.form)) }
    }
}
