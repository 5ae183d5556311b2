import Encoding
import FuzzKit
import Testing

@Suite struct MutationTests {
    /// A fault is repeated by its seed and round, in a debug build too: there changed maps, which are out of order, once trapped.
    @Test func theSameRoundGivesTheSameInput() {
        let map = CBORValue.canonicalMap([
            (.unsigned(1), .array([.text("a"), .bytes([0x82, 0x01, 0x02]), .null])),
            (.unsigned(2), .tag(9, .bool(true))), (.text("x"), .negative(3)),
        ])
        let examples = [
            map.encoded, Array(#"{"price":[1,-2.5e3,"中'\u{600}"]}"#.utf8), [0xFF, 0xC3],
        ]
        var inputs: Set<[UInt8]> = []
        for round in UInt64(0)..<3_000 {
            var (random, again) = (
                Randomness(seed: 7, round: round), Randomness(seed: 7, round: round)
            )
            let input = Mutation.input(from: examples, &random)
            #expect(Mutation.input(from: examples, &again) == input)
            inputs.insert(input)
        }
        #expect(inputs.count > 2_000)
    }
}
