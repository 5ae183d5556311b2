/// Why bytes are not a key of their suite.
public enum KeyError: Error, Equatable, Sendable {
    case wrongLength(expected: Int, actual: Int)
    /// Ed25519, X25519: the coordinate is not below the field prime 2^255 - 19.
    case notCanonical
    /// Ed25519, X25519: one of the points of order 1, 2, 4 or 8, under which anybody can sign.
    case smallOrder
    /// Ed25519: no point, or one outside the prime-order subgroup. SM2: not on the curve, a
    /// coordinate not below p, or not the uncompressed form.
    case invalidPoint
    /// SM2: the secret scalar is not in [1, n-2].
    case secretOutOfRange
}

extension KeyError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .wrongLength(let expected, let actual):
            "key has \(actual) bytes, \(expected) expected / 密钥为 \(actual) 字节，应为 \(expected) 字节"
        case .notCanonical:
            "key is not in canonical form / 密钥编码不规范"
        case .smallOrder:
            "key is a point of small order, which proves nothing / 密钥为低阶点，不能用于证明"
        case .invalidPoint:
            "key is not a valid point of the curve / 密钥不是曲线上的有效点"
        case .secretOutOfRange:
            "secret key is outside [1, n-2] / 私钥不在 [1, n-2] 范围内"
        }
    }
}
