import CVerifyLibrary
import Encoding
import Foundation
import Testing
import VerifyLibrary

/// The C interface, with the files of `Tests/Vectors/page.hex`: what is known of a ledger that has two certified histories.
@Suite struct VerifyLibraryTests {
    struct Answer {
        let code: Int32
        let report: String
        let kept: [UInt8]?
    }

    typealias Part = (kind: Int32, bytes: [UInt8])

    private static let known: [String: [UInt8]] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/page.hex")
        var parts: [String: [UInt8]] = [:]
        for line in ((try? String(contentsOf: file, encoding: .utf8)) ?? "").split(separator: "\n")
        where line.hasPrefix("known ") {
            let words = line.split(separator: " ").map(String.init)
            parts[words[1]] = Hex.decode(words[2])
        }
        return parts
    }()

    private static func part(_ kind: Int32, _ name: String) throws -> Part {
        (kind, try #require(known[name]))
    }

    private static func ask(
        _ given: [Part], format: Int32 = HUIJIN_JSON, nowMs: UInt64 = 1_800_000_000_000
    ) -> Answer {
        let buffers = given.map { part in
            let copy = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: part.bytes.count)
            _ = copy.initialize(from: part.bytes)
            return copy
        }
        defer { for buffer in buffers { buffer.deallocate() } }
        let parts = zip(given, buffers).map { part, buffer in
            huijin_part(kind: part.kind, start: buffer.baseAddress, count: buffer.count)
        }
        var result = huijin_result()
        let code = huijin_verify(parts, parts.count, nowMs, format, &result)
        defer {
            huijin_release(&result)
            #expect(result.report == nil && result.kept == nil && result.kept_count == 0)
        }
        return Answer(
            code: code, report: result.report.map { String(cString: $0) } ?? "",
            kept: result.kept.map {
                Array(UnsafeBufferPointer(start: $0, count: result.kept_count))
            })
    }

    private static func ask(_ bundle: String, _ more: [Part] = []) throws -> Answer {
        ask([try part(HUIJIN_GENESIS, "genesis"), try part(HUIJIN_BUNDLE, bundle)] + more)
    }

    @Test func aBundleIsProvenAloneAndFollowed() throws {
        let alone = try Self.ask("bundle")
        #expect(alone.code == HUIJIN_PROVEN && alone.kept == nil)
        #expect(alone.report.contains(#""verdict":"proven""#))
        let begun = try Self.ask("bundle", [(HUIJIN_TRUST, [])])
        #expect(begun.code == HUIJIN_PROVEN && begun.kept == Self.known["trust"])
        let again = try Self.ask("bundle", [try Self.part(HUIJIN_TRUST, "trust")])
        #expect(again.code == HUIJIN_PROVEN && again.kept == Self.known["trust"])
    }

    @Test func anotherHistoryBecomesEvidence() throws {
        let trust = try Self.part(HUIJIN_TRUST, "trust")
        let fork = try Self.ask("other", [trust])
        #expect(fork.code == HUIJIN_FORK && fork.report.contains(#""verdict":"fork-proven""#))
        #expect(fork.kept?.isEmpty == false)
        let seen = try Self.ask(
            "bundle",
            [
                try Self.part(HUIJIN_NOTE, "othernote"),
                try Self.part(HUIJIN_WITNESS, "witness"), trust,
            ])
        #expect(seen.code == HUIJIN_FORK && seen.kept == nil)
        #expect(seen.report.contains(#""verdict":"two-histories""#))
    }

    @Test func whatIsAskedAndWhereTrustStartsCount() throws {
        let expected = try Self.part(HUIJIN_EXPECTED, "expected")
        let checkpoint = try Self.part(HUIJIN_CHECKPOINT, "checkpoint")
        let accepted = try Self.part(HUIJIN_ACCEPTED, "accepted")
        #expect(try Self.ask("bundle", [expected, checkpoint, accepted]).code == HUIJIN_PROVEN)
        let third = Array("header 3".utf8)
        #expect(
            try Self.ask("bundle", [expected, (HUIJIN_EXPECTED, third)]).code == HUIJIN_NOT_PROVEN)
        #expect(try Self.ask("other", [checkpoint, accepted]).code == HUIJIN_NOT_PROVEN)
    }

    @Test func whatCannotBeIsMisuse() throws {
        let wrong: [[Part]] = [
            [(HUIJIN_EXPECTED, Array("who".utf8))], [(HUIJIN_EXPECTED, [0xFF])],
            [try Self.part(HUIJIN_CHECKPOINT, "checkpoint")],
            [try Self.part(HUIJIN_ACCEPTED, "accepted")],
            [try Self.part(HUIJIN_NOTE, "note")], [try Self.part(HUIJIN_WITNESS, "witness")],
            [(HUIJIN_TRUST, [1])], [(HUIJIN_GENESIS, [])], [(99, [])],
            [
                try Self.part(HUIJIN_CHECKPOINT, "checkpoint"),
                (HUIJIN_ACCEPTED, Array(String(repeating: "0", count: 64).utf8)),
            ],
        ]
        for parts in wrong {
            let answer = try Self.ask("bundle", parts)
            #expect(answer.code == HUIJIN_MISUSE && answer.report.contains("misuse"), "\(parts)")
        }
        #expect(Self.ask([]).code == HUIJIN_MISUSE)
        #expect(Self.ask([try Self.part(HUIJIN_GENESIS, "genesis")]).code == HUIJIN_MISUSE)
        let whole = [
            try Self.part(HUIJIN_GENESIS, "genesis"), try Self.part(HUIJIN_BUNDLE, "bundle"),
        ]
        #expect(Self.ask(whole, format: 3).code == HUIJIN_MISUSE)
        #expect(Self.ask(whole, format: HUIJIN_BOTH).report.contains("}\nPROVEN"))
        #expect(Self.ask(whole, format: HUIJIN_TEXT).report.hasPrefix("PROVEN"))
        #expect(huijin_verify(nil, 1, 0, HUIJIN_JSON, nil) == HUIJIN_MISUSE)
        var negative = huijin_part(kind: HUIJIN_BUNDLE, start: nil, count: -1)
        var result = huijin_result()
        #expect(huijin_verify(&negative, 1, 0, HUIJIN_TEXT, &result) == HUIJIN_MISUSE)
        huijin_release(&result)
        let many = [Part](repeating: (HUIJIN_EXPECTED, Array("header 2".utf8)), count: 510)
        #expect(Self.ask(whole + many).code == HUIJIN_PROVEN)
        #expect(Self.ask(whole + many + [many[0]]).code == HUIJIN_MISUSE)
    }

    @Test func theCallersClockCounts() throws {
        let whole = [
            try Self.part(HUIJIN_GENESIS, "genesis"), try Self.part(HUIJIN_BUNDLE, "bundle"),
            (HUIJIN_TRUST, []),
        ]
        // In 1970 the bundle's block has not been made.
        #expect(Self.ask(whole, nowMs: 1_000).code == HUIJIN_NOT_PROVEN)
        #expect(Self.ask(whole, nowMs: .max).code == HUIJIN_PROVEN)
    }
}
