/// A public key of SM2 (GB/T 32918) that signatures with SM3 are checked with; signer ID 1234567812345678
/// (GM/T 0009 clause 10).
///
/// For the browser page alone: everything else takes OpenSSL's, and the tests hold this one to it.
public struct SM2PublicKey: Sendable {
    /// 0x04 ‖ X ‖ Y.
    public static let byteCount = 65
    /// r ‖ s.
    public static let signatureByteCount = 64

    private let point: SM2Point
    /// Z of GB/T 32918.2 §5.5: what is hashed before the message.
    private let identity: [UInt8]

    /// Nil unless the bytes are `0x04 ‖ X ‖ Y` with X, Y < p on the curve.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == SM2PublicKey.byteCount, bytes[0] == 0x04 else { return nil }
        let (x, y) = (Word256(bytes, at: 1), Word256(bytes, at: 33))
        guard let point = SM2Point(x: x, y: y) else { return nil }
        self.point = point
        let signer = Array("1234567812345678".utf8)
        let bitCount = UInt16(8 * signer.count)
        identity = SM3.digest(
            [UInt8(bitCount >> 8), UInt8(bitCount & 0xFF)] + signer
                + SM2Curve.a + SM2Curve.b + SM2Curve.baseX + SM2Curve.baseY + bytes[1...])
    }

    /// GB/T 32918.2 §7.1. Every malformed signature is just not valid.
    public func isValid(signature: [UInt8], over message: UnsafeRawBufferPointer) -> Bool {
        guard signature.count == SM2PublicKey.signatureByteCount else { return false }
        let order = SM2Curve.order
        let (r, s) = (Word256(signature), Word256(signature, at: 32))
        guard r != .zero, r < order.value, s != .zero, s < order.value else { return false }
        let t = order.add(r, s)
        guard t != .zero else { return false }
        guard let x = SM2Point.sum(base: s, point: point, times: t).x else { return false }
        var hash = SM3()
        identity.withUnsafeBytes { hash.update($0) }
        hash.update(message)
        return order.add(order.reduced(Word256(hash.finalize())), order.reduced(x)) == r
    }
}

/// The curve y² = x³ + ax + b of GB/T 32918.5 clause 2, a = p - 3.
enum SM2Curve {
    static let a = bytes(
        0xFFFF_FFFE_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_0000_0000, 0xFFFF_FFFF_FFFF_FFFC)
    static let b = bytes(
        0x28E9_FA9E_9D9F_5E34, 0x4D5A_9E4B_CF65_09A7, 0xF397_89F5_15AB_8F92, 0xDDBC_BD41_4D94_0E93)
    static let baseX = bytes(
        0x32C4_AE2C_1F19_8119, 0x5F99_0446_6A39_C994, 0x8FE3_0BBF_F266_0BE1, 0x715A_4589_334C_74C7)
    static let baseY = bytes(
        0xBC37_36A2_F4F6_779C, 0x59BD_CEE3_6B69_2153, 0xD0A9_877C_C62A_4740, 0x02DF_32E5_2139_F0A0)
    static let field = Modulus(
        Word256(
            bytes(
                0xFFFF_FFFE_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_0000_0000,
                0xFFFF_FFFF_FFFF_FFFF)))
    static let order = Modulus(
        Word256(
            bytes(
                0xFFFF_FFFE_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF, 0x7203_DF6B_21C6_052B,
                0x53BB_F409_39D5_4123)))
    static let base = SM2Point(
        formX: field.form(Word256(baseX)), y: field.form(Word256(baseY)), z: field.one)

    private static func bytes(_ words: UInt64...) -> [UInt8] {
        words.flatMap { word in
            stride(from: UInt64(56), through: 0, by: -8).map {
                UInt8(truncatingIfNeeded: word >> $0)
            }
        }
    }
}

extension Modulus {
    /// A number below 2^256 modulo this one, which is above 2^255.
    func reduced(_ number: Word256) -> Word256 {
        let (difference, borrows) = number.subtracting(value)
        return borrows ? number : difference
    }
}

/// A point in Jacobian coordinates, x = X/Z² and y = Y/Z³, all in Montgomery form; Z is zero for the point at infinity.
struct SM2Point {
    private var formX: Word256
    private var formY: Word256
    private var formZ: Word256

    static let infinity = SM2Point(
        formX: SM2Curve.field.one, y: SM2Curve.field.one, z: .zero)

    init(formX: Word256, y: Word256, z: Word256) {
        self.formX = formX
        formY = y
        formZ = z
    }

    /// Nil unless both are below p and the point is on the curve.
    init?(x: Word256, y: Word256) {
        let field = SM2Curve.field
        guard x < field.value, y < field.value else { return nil }
        self.init(formX: field.form(x), y: field.form(y), z: field.one)
        let linear = field.multiply(formX, field.form(Word256(SM2Curve.a)))
        let cube = field.multiply(field.square(formX), formX)
        let right = field.add(field.add(cube, linear), field.form(Word256(SM2Curve.b)))
        guard field.square(formY) == right else { return nil }
    }

    /// The abscissa as a number; nil at infinity.
    var x: Word256? {
        guard formZ != .zero else { return nil }
        let field = SM2Curve.field
        return field.number(field.multiply(formX, field.square(field.inverse(formZ))))
    }

    /// base·G + times·point, by one chain of doublings.
    static func sum(base: Word256, point: SM2Point, times: Word256) -> SM2Point {
        let both = SM2Curve.base.adding(point)
        var result = infinity
        for index in stride(from: 255, through: 0, by: -1) {
            result = result.doubled()
            switch (base.bit(index), times.bit(index)) {
            case (true, true): result = result.adding(both)
            case (true, false): result = result.adding(SM2Curve.base)
            case (false, true): result = result.adding(point)
            case (false, false): break
            }
        }
        return result
    }

    /// Explicit-Formulas Database, shortw/jacobian-3 "dbl-2001-b"; right at infinity too. No point has order 2.
    func doubled() -> SM2Point {
        let field = SM2Curve.field
        let delta = field.square(formZ)
        let gamma = field.square(formY)
        let beta = field.multiply(formX, gamma)
        let slope = field.multiply(field.subtract(formX, delta), field.add(formX, delta))
        let alpha = field.add(field.add(slope, slope), slope)
        let beta2 = field.add(beta, beta)
        let beta4 = field.add(beta2, beta2)
        let x = field.subtract(field.square(alpha), field.add(beta4, beta4))
        let z = field.subtract(
            field.subtract(field.square(field.add(formY, formZ)), gamma), delta)
        let gamma2 = field.add(gamma, gamma)
        let square2 = field.add(field.square(gamma2), field.square(gamma2))
        let y = field.subtract(field.multiply(alpha, field.subtract(beta4, x)), square2)
        return SM2Point(formX: x, y: y, z: z)
    }

    /// The sum in all cases: with infinity, of a point with itself, and with its negative.
    func adding(_ other: SM2Point) -> SM2Point {
        if formZ == .zero { return other }
        if other.formZ == .zero { return self }
        let field = SM2Curve.field
        let (square1, square2) = (field.square(formZ), field.square(other.formZ))
        let u1 = field.multiply(formX, square2)
        let u2 = field.multiply(other.formX, square1)
        let s1 = field.multiply(formY, field.multiply(other.formZ, square2))
        let s2 = field.multiply(other.formY, field.multiply(formZ, square1))
        if u1 == u2 { return s1 == s2 ? doubled() : .infinity }
        let (run, rise) = (field.subtract(u2, u1), field.subtract(s2, s1))
        let runSquare = field.square(run)
        let runCube = field.multiply(run, runSquare)
        let part = field.multiply(u1, runSquare)
        let x = field.subtract(
            field.subtract(field.square(rise), runCube), field.add(part, part))
        let y = field.subtract(
            field.multiply(rise, field.subtract(part, x)), field.multiply(s1, runCube))
        let z = field.multiply(field.multiply(formZ, other.formZ), run)
        return SM2Point(formX: x, y: y, z: z)
    }
}
