/// SM3 (GB/T 32905) over bytes that come in pieces.
///
/// For the browser page alone: everything else takes OpenSSL's, and the tests hold this one to it.
public struct SM3: Sendable {
    public static let byteCount = 32
    private static let blockByteCount = 64

    // GB/T 32905 §4.1.
    private var state: InlineArray<8, UInt32> = [
        0x7380_166F, 0x4914_B2B9, 0x1724_42D7, 0xDA8A_0600,
        0xA96F_30BC, 0x1631_38AA, 0xE38D_EE4D, 0xB0FB_0E4E,
    ]
    private var block = InlineArray<64, UInt8>(repeating: 0)
    private var byteCount: UInt64 = 0

    public init() {}

    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        for byte in bytes { append(byte) }
    }

    /// The 32 bytes of the digest.
    public consuming func finalize() -> [UInt8] {
        let bitCount = byteCount << 3
        append(0x80)
        while Int(byteCount & 63) != SM3.blockByteCount - 8 { append(0) }
        for shift in stride(from: UInt64(56), through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: bitCount >> shift))
        }
        var digest: [UInt8] = []
        digest.reserveCapacity(SM3.byteCount)
        for index in state.indices {
            for shift in stride(from: UInt32(24), through: 0, by: -8) {
                digest.append(UInt8(truncatingIfNeeded: state[index] >> shift))
            }
        }
        return digest
    }

    public static func digest(_ bytes: [UInt8]) -> [UInt8] {
        var running = SM3()
        bytes.withUnsafeBytes { running.update($0) }
        return running.finalize()
    }

    private mutating func append(_ byte: UInt8) {
        let index = Int(byteCount & 63)
        block[index] = byte
        byteCount &+= 1
        if index == SM3.blockByteCount - 1 { compress() }
    }

    // GB/T 32905 §5.3.
    private mutating func compress() {
        var words = InlineArray<68, UInt32>(repeating: 0)
        for index in 0..<16 {
            var word: UInt32 = 0
            for offset in 0..<4 { word = word << 8 | UInt32(block[4 * index + offset]) }
            words[index] = word
        }
        for index in 16..<68 {
            let mixed = words[index - 16] ^ words[index - 9] ^ rotated(words[index - 3], 15)
            words[index] =
                mixed ^ rotated(mixed, 15) ^ rotated(mixed, 23)
                ^ rotated(words[index - 13], 7) ^ words[index - 6]
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for round in 0..<64 {
            let constant: UInt32 = round < 16 ? 0x79CC_4519 : 0x7A87_9D8A
            let turned = rotated(a, 12)
            let first = rotated(turned &+ e &+ rotated(constant, UInt32(round & 31)), 7)
            let choice = round < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c)
            let other = round < 16 ? e ^ f ^ g : (e & f) | (~e & g)
            let one = choice &+ d &+ (first ^ turned) &+ (words[round] ^ words[round + 4])
            let two = other &+ h &+ first &+ words[round]
            (d, c, b, a) = (c, rotated(b, 9), a, one)
            (h, g, f, e) = (g, rotated(f, 19), e, two ^ rotated(two, 9) ^ rotated(two, 17))
        }
        state[0] ^= a
        state[1] ^= b
        state[2] ^= c
        state[3] ^= d
        state[4] ^= e
        state[5] ^= f
        state[6] ^= g
        state[7] ^= h
    }
}

private func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word << count | word >> ((32 &- count) & 31)
}
