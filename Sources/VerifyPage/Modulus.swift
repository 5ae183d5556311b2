/// A number below 2^256: eight words of 32 bits, the lowest first.
struct Word256: Equatable {
    var words: InlineArray<8, UInt32>

    static let zero = Word256(words: InlineArray(repeating: 0))

    init(words: InlineArray<8, UInt32>) { self.words = words }

    /// The 32 bytes from `start` on, big-endian.
    init(_ bytes: [UInt8], at start: Int = 0) {
        words = InlineArray { index in
            var word: UInt32 = 0
            for byte in 0..<4 { word = word << 8 | UInt32(bytes[start + 28 - 4 * index + byte]) }
            return word
        }
    }

    static func == (left: Word256, right: Word256) -> Bool {
        for index in 0..<8 where left.words[index] != right.words[index] { return false }
        return true
    }

    static func < (left: Word256, right: Word256) -> Bool { left.subtracting(right).borrows }

    func bit(_ index: Int) -> Bool { (words[index >> 5] >> UInt32(index & 31)) & 1 == 1 }

    /// The sum modulo 2^256.
    func adding(_ other: Word256) -> (sum: Word256, carries: Bool) {
        var (sum, carry) = (Word256.zero, UInt64(0))
        for index in 0..<8 {
            carry += UInt64(words[index]) + UInt64(other.words[index])
            sum.words[index] = UInt32(truncatingIfNeeded: carry)
            carry >>= 32
        }
        return (sum, carry == 1)
    }

    /// The difference modulo 2^256.
    func subtracting(_ other: Word256) -> (difference: Word256, borrows: Bool) {
        var (difference, borrow) = (Word256.zero, UInt64(0))
        for index in 0..<8 {
            let part = UInt64(words[index]) &- UInt64(other.words[index]) &- borrow
            difference.words[index] = UInt32(truncatingIfNeeded: part)
            borrow = part >> 63
        }
        return (difference, borrow == 1)
    }
}

/// Arithmetic on numbers below an odd modulus of 256 bits. Its time depends on the numbers, so it is for public ones.
struct Modulus {
    let value: Word256
    /// -value^-1 modulo 2^32.
    private let inverse: UInt32
    /// 2^512 modulo `value`.
    private let squareOfRadix: Word256
    /// The Montgomery form of 1.
    let one: Word256

    init(_ value: Word256) {
        self.value = value
        let low = value.words[0]
        var inverse: UInt32 = 1
        for _ in 0..<5 { inverse = inverse &* (2 &- low &* inverse) }  // Newton: bits double
        self.inverse = 0 &- inverse
        // 2^256 modulo the value, which is above 2^255; then doubled 256 times.
        one = Word256.zero.subtracting(value).difference
        var power = one
        for _ in 0..<256 { power = Modulus.add(power, power, value) }
        squareOfRadix = power
    }

    private static func add(_ left: Word256, _ right: Word256, _ modulus: Word256) -> Word256 {
        let (sum, carries) = left.adding(right)
        let (difference, borrows) = sum.subtracting(modulus)
        return carries || !borrows ? difference : sum
    }

    func add(_ left: Word256, _ right: Word256) -> Word256 { Modulus.add(left, right, value) }

    func subtract(_ left: Word256, _ right: Word256) -> Word256 {
        let (difference, borrows) = left.subtracting(right)
        return borrows ? difference.adding(value).sum : difference
    }

    /// left · right · 2^-256: the product of two numbers in Montgomery form, in that form.
    func multiply(_ left: Word256, _ right: Word256) -> Word256 {
        var words = InlineArray<10, UInt32>(repeating: 0)
        for index in 0..<8 {
            var carry: UInt64 = 0
            let factor = UInt64(left.words[index])
            for inner in 0..<8 {
                carry += UInt64(words[inner]) + factor * UInt64(right.words[inner])
                words[inner] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            carry += UInt64(words[8])
            words[8] = UInt32(truncatingIfNeeded: carry)
            words[9] = UInt32(truncatingIfNeeded: carry >> 32)

            let multiple = UInt64(words[0] &* inverse)
            carry = (UInt64(words[0]) + multiple * UInt64(value.words[0])) >> 32
            for inner in 1..<8 {
                carry += UInt64(words[inner]) + multiple * UInt64(value.words[inner])
                words[inner - 1] = UInt32(truncatingIfNeeded: carry)
                carry >>= 32
            }
            carry += UInt64(words[8])
            words[7] = UInt32(truncatingIfNeeded: carry)
            words[8] = words[9] + UInt32(truncatingIfNeeded: carry >> 32)
        }
        let product = Word256(words: InlineArray { words[$0] })
        let (difference, borrows) = product.subtracting(value)
        return words[8] == 1 || !borrows ? difference : product
    }

    func square(_ number: Word256) -> Word256 { multiply(number, number) }

    /// The Montgomery form of a number below the modulus.
    func form(_ number: Word256) -> Word256 { multiply(number, squareOfRadix) }

    /// The number whose Montgomery form this is.
    func number(_ form: Word256) -> Word256 {
        multiply(form, Word256(words: [1, 0, 0, 0, 0, 0, 0, 0]))
    }

    /// The inverse of a number in Montgomery form, in that form; of zero, zero. The modulus must be a prime p: x^(p-2).
    func inverse(_ form: Word256) -> Word256 {
        let exponent = value.subtracting(Word256(words: [2, 0, 0, 0, 0, 0, 0, 0])).difference
        var result = one
        for index in stride(from: 255, through: 0, by: -1) {
            result = square(result)
            if exponent.bit(index) { result = multiply(result, form) }
        }
        return result
    }
}
