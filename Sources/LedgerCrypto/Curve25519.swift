internal import CSodium

/// The checks that keep degenerate Curve25519 keys out, each with its own reason.
enum Curve25519 {
    /// Refuses anything but a canonical point of the prime-order subgroup.
    static func checkSigningKey(_ bytes: [UInt8]) throws(KeyError) {
        guard isBelowPrime(bytes) else { throw .notCanonical }
        guard !smallOrderOrdinates.contains(clearingTopBit(bytes)) else { throw .smallOrder }
        Sodium.ready()
        precondition(
            refusesMixedOrder,
            "this libsodium accepts keys of mixed order (CVE-2025-69277): install its security update"
        )
        // Also rejects x = 0 with the sign bit set, and points of mixed order.
        guard crypto_core_ed25519_is_valid_point(bytes) == 1 else { throw .invalidPoint }
    }

    // Nodes whose libraries disagree about a key would fork. The point is the generator plus the point of order two, (-x, -y).
    private static let refusesMixedOrder =
        crypto_core_ed25519_is_valid_point([0x95] + [UInt8](repeating: 0x99, count: 31)) == 0

    /// Refuses abscissas that are not canonical or that make every shared secret zero.
    static func checkAgreementKey(_ bytes: [UInt8]) throws(KeyError) {
        guard bytes[31] & 0x80 == 0, isBelowPrime(bytes) else { throw .notCanonical }
        Sodium.ready()
        // libsodium returns -1 when the product is zero, which for any clamped scalar happens
        // exactly for points of small order.
        let anyScalar = [UInt8](repeating: 1, count: 32)
        var product = [UInt8](repeating: 0, count: 32)
        guard crypto_scalarmult_curve25519(&product, anyScalar, bytes) == 0 else {
            throw .smallOrder
        }
    }

    /// Whether the low 255 bits, little-endian, are below 2^255 - 19.
    private static func isBelowPrime(_ bytes: [UInt8]) -> Bool {
        if bytes[31] & 0x7F != 0x7F { return true }
        for index in 1...30 where bytes[index] != 0xFF { return true }
        return bytes[0] < 0xED
    }

    private static func clearingTopBit(_ bytes: [UInt8]) -> [UInt8] {
        var cleared = bytes
        cleared[31] &= 0x7F
        return cleared
    }

    // The ordinates of the eight points whose order divides the cofactor, little-endian:
    // 0 (order 4), 1 (order 1), p-1 (order 2), and the two of order 8, which are each other's
    // negative. Checked in the tests by adding up points.
    private static let smallOrderOrdinates: [[UInt8]] = [
        ordinate(first: 0x00, rest: 0x00, last: 0x00),
        ordinate(first: 0x01, rest: 0x00, last: 0x00),
        ordinate(first: 0xEC, rest: 0xFF, last: 0x7F),
        [
            0x26, 0xE8, 0x95, 0x8F, 0xC2, 0xB2, 0x27, 0xB0, 0x45, 0xC3, 0xF4, 0x89, 0xF2, 0xEF,
            0x98, 0xF0, 0xD5, 0xDF, 0xAC, 0x05, 0xD3, 0xC6, 0x33, 0x39, 0xB1, 0x38, 0x02, 0x88,
            0x6D, 0x53, 0xFC, 0x05,
        ],
        [
            0xC7, 0x17, 0x6A, 0x70, 0x3D, 0x4D, 0xD8, 0x4F, 0xBA, 0x3C, 0x0B, 0x76, 0x0D, 0x10,
            0x67, 0x0F, 0x2A, 0x20, 0x53, 0xFA, 0x2C, 0x39, 0xCC, 0xC6, 0x4E, 0xC7, 0xFD, 0x77,
            0x92, 0xAC, 0x03, 0x7A,
        ],
    ]

    private static func ordinate(first: UInt8, rest: UInt8, last: UInt8) -> [UInt8] {
        [first] + [UInt8](repeating: rest, count: 30) + [last]
    }
}
