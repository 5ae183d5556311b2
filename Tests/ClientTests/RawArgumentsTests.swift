import Files
import Testing

/// Names that are not UTF-8 would be repaired, and others be read and written in their place.
@Suite struct RawArgumentsTests {
    @Test(
        arguments: [
            [], [[]], [Array("watch".utf8), Array("信任".utf8)], [Array("a\u{FFFD}b".utf8)],
        ] as [[[UInt8]]])
    func wordsInUTF8AreTaken(_ words: [[UInt8]]) {
        #expect(RawArguments.problem(in: words) == nil)
    }

    @Test(
        arguments: [
            [0xFF], [0x6D, 0x2F, 0xFF, 0xFE, 0xE4], [0xD0, 0xC5, 0xC8, 0xCE], [0xE4, 0xBD],
            [0xC0, 0x80], [0xED, 0xA0, 0x80], [0x80],
        ] as [[UInt8]])
    func theFirstOtherIsNamed(_ word: [UInt8]) throws {
        let words = [Array("--trust".utf8), word, [0xFE]]
        let problem = try #require(RawArguments.problem(in: words))
        #expect(problem.number == 2 && problem.english.contains("argument 2"))
        #expect(problem.shown.utf8.allSatisfy { (0x20..<0x7F).contains($0) })
        #expect(problem.chinese.contains("第 2 个"))
    }

    @Test func whatIsShownIsShort() throws {
        let long = [UInt8](repeating: 0xFF, count: 100_000)
        let problem = try #require(RawArguments.problem(in: [long]))
        #expect(problem.shown.utf8.count < 1_000)
        let escaped = try #require(RawArguments.problem(in: [[0x5C, 0xFF]]))
        #expect(escaped.shown == "\\x5c\\xff")
    }
}
