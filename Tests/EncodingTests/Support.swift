import Encoding

/// SplitMix64: the same numbers on every run and machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// A number whose bit length is uniform, so that every head width occurs.
    mutating func number() -> UInt64 {
        let bits = UInt64.random(in: 0...64, using: &self)
        return bits == 0 ? 0 : next() >> (64 - bits)
    }

    mutating func value(depth: Int) -> CBORValue {
        switch Int.random(in: 0..<(depth > 0 ? 9 : 6), using: &self) {
        case 0: return .unsigned(number())
        case 1: return .negative(number())
        case 2:
            let count = Int.random(in: 0...30, using: &self)
            return .bytes((0..<count).map { _ in UInt8(truncatingIfNeeded: next()) })
        case 3: return .text(text())
        case 4: return .bool(Bool.random(using: &self))
        case 5: return .null
        case 6:
            return .array(
                (0..<Int.random(in: 0...5, using: &self)).map { _ in value(depth: depth - 1) })
        case 7:
            var pairs: [(CBORValue, CBORValue)] = []
            for _ in 0..<Int.random(in: 0...5, using: &self) {
                let key = value(depth: depth - 1)
                guard !pairs.contains(where: { $0.0 == key }) else { continue }
                pairs.append((key, value(depth: depth - 1)))
            }
            return .canonicalMap(pairs)
        default: return .tag(number(), value(depth: depth - 1))
        }
    }

    private mutating func text() -> String {
        let alphabet: [Character] = ["a", "Z", "0", "\"", "\n", "ü", "数", "据", "𐅑", "e\u{301}"]
        let count = Int.random(in: 0...12, using: &self)
        return String((0..<count).map { _ in alphabet.randomElement(using: &self) ?? "a" })
    }
}

func bytes(_ hex: String) -> [UInt8] {
    guard let bytes = Hex.decode(hex) else { preconditionFailure("bad hex in a test: \(hex)") }
    return bytes
}

/// The error of decoding any item, `nil` where it is accepted.
func refusal(_ input: [UInt8], limits: CBORLimits = .standard) -> CBORError? {
    do throws(CBORError) {
        _ = try CBORValue.decode(input, limits: limits)
        return nil
    } catch {
        return error
    }
}

/// The error of validating one item and nothing more, `nil` where it is accepted.
func skipRefusal(_ input: [UInt8], limits: CBORLimits = .standard) -> CBORError? {
    var decoder = CBORDecoder(input.span.bytes, limits: limits)
    do throws(CBORError) {
        _ = try decoder.skip()
        try decoder.finish()
        return nil
    } catch {
        return error
    }
}

/// Runs a decoding of `input` and returns its error, `nil` where it succeeds.
func refusal(
    of input: [UInt8], limits: CBORLimits = .standard,
    _ read: (inout CBORDecoder) throws(CBORError) -> Void
) -> CBORError? {
    var decoder = CBORDecoder(input.span.bytes, limits: limits)
    do throws(CBORError) {
        try read(&decoder)
        try decoder.finish()
        return nil
    } catch {
        return error
    }
}
