import Encoding
import LedgerCrypto
import Testing

func hex(_ text: String) -> [UInt8] {
    Hex.decode(text.filter { !$0.isWhitespace }.lowercased()) ?? []
}

/// Round trip, truncation at each byte and a trailing byte: what every wire type owes.
func expectSoundWire<T: CBORCodable & Equatable>(_ value: T) {
    let bytes = value.encoded
    #expect((try? T.decode(bytes)) == value)
    for count in bytes.indices {
        #expect(throws: CBORError.self) { try T.decode(Array(bytes.prefix(count))) }
    }
    #expect(throws: CBORError.self) { try T.decode(bytes + [0]) }
}

/// The splitmix64 generator: seeded, so that a failure repeats.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
}

func flippingBit(_ bit: Int, of bytes: [UInt8]) -> [UInt8] {
    var flipped = bytes
    flipped[bit >> 3] ^= 1 << UInt8(bit & 7)
    return flipped
}
