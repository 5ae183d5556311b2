/// SplitMix64: the same seed and round give the same input.
package struct Randomness {
    private var state: UInt64

    package init(seed: UInt64, round: UInt64) {
        state = seed &* 0x9E37_79B9_7F4A_7C15 ^ round &* 0xD134_2543_DE82_EF95
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0 ..< bound, for a bound of at least 1.
    package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    package mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }
}

package enum Mutation {
    static let randomBytesMax = 200
    static let changesMax = 6

    /// Mostly a valid example with a few changes, sometimes noise.
    package static func input(from examples: [[UInt8]], _ random: inout Randomness) -> [UInt8] {
        guard !examples.isEmpty, random.below(16) != 0 else {
            return (0..<random.below(randomBytesMax)).map { _ in random.byte() }
        }
        var bytes = examples[random.below(examples.count)]
        // Half of them keep their form, so that they reach what comes after decoding.
        if random.below(2) == 0 {
            let other = examples[random.below(examples.count)]
            let times = 1 + random.below(changesMax)
            if let tree = TreeMutation(bytes) {
                bytes = tree.changed(times: times, other: TreeMutation(other), &random)
            } else if let text = TextMutation(bytes) {
                bytes = text.changed(times: times, other: TextMutation(other) ?? text, &random)
            }
            if random.below(2) == 0 { return bytes }
        }
        for _ in 0..<(1 + random.below(changesMax)) { change(&bytes, &random) }
        return bytes
    }

    private static func change(_ bytes: inout [UInt8], _ random: inout Randomness) {
        guard !bytes.isEmpty else { return }
        let place = random.below(bytes.count)
        switch random.below(7) {
        case 0: bytes[place] ^= 1 << UInt8(random.below(8))
        case 1: bytes[place] = random.byte()
        case 2: bytes.removeSubrange(place...)
        case 3: bytes.insert(random.byte(), at: place)
        case 4: bytes.remove(at: place)
        case 5:
            // A length that promises far more than there is.
            let heads: [[UInt8]] = [
                [0x9B, 0x7F] + [UInt8](repeating: 0xFF, count: 7), [0x5A, 0xFF, 0xFF, 0xFF, 0xFF],
                [0xBA, 0x10, 0, 0, 0], [0x81], [0xC1],
            ]
            bytes.insert(contentsOf: heads[random.below(heads.count)], at: place)
        default:
            let end = min(bytes.count, place + 1 + random.below(24))
            bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count))
        }
    }
}
