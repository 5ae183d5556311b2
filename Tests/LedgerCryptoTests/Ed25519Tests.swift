import CSodium
import Encoding
import LedgerCrypto
import Testing

@Suite struct Ed25519Tests {
    // RFC 8032 §7.1, tests 1, 2, 3 and SHA(abc).
    static let vectors: [[String]] = [
        [
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            """
            e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701c
            f9b46bd25bf5f0595bbe24655141438e7a100b
            """,
        ],
        [
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            """
            92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0
            f11d8c387b2eaeb4302aeeb00d291612bb0c00
            """,
        ],
        [
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            """
            6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f76098
            4dc6594a7c15e9716ed28dc027beceea1ec40a
            """,
        ],
        [
            "833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            """
            ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3
            feebbd454d4423643ce80e2a9ac94fa54ca49f
            """,
            """
            dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c664
            31e0303dca179c138ac17ad9bef1177331a704
            """,
        ],
    ]

    @Test(arguments: vectors)
    func rfc8032(vector: [String]) throws {
        let key = try SigningKey(suite: .ed25519SHA256, secret: hex(vector[0]))
        let message = hex(vector[2])
        let signature = hex(vector[3])
        #expect(key.publicKey.bytes == hex(vector[1]))
        #expect(key.secret == hex(vector[0]))
        #expect(key.sign(message) == signature)
        let publicKey = try PublicKey(suite: .ed25519SHA256, bytes: hex(vector[1]))
        #expect(publicKey.isValid(signature: signature, over: message))
        #expect(!publicKey.isValid(signature: signature, over: message + [0]))
    }

    // MARK: Keys

    // The eight points whose order divides 8, as multiples of one of order 8.
    static let smallOrderPoints: [[UInt8]] = {
        let generator = hex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa")
        var points = [generator]
        for _ in 0..<7 {
            var sum = [UInt8](repeating: 0, count: 32)
            _ = crypto_core_ed25519_add(&sum, points[points.count - 1], generator)
            points.append(sum)
        }
        return points
    }()

    @Test func everyPointOfSmallOrderIsRefused() {
        let points = Ed25519Tests.smallOrderPoints
        #expect(Set(points).count == 8)
        #expect(points[7] == [1] + [UInt8](repeating: 0, count: 31))
        for point in points {
            #expect(throws: KeyError.smallOrder) {
                try PublicKey(suite: .ed25519SHA256, bytes: point)
            }
            // x = 0 with the sign bit set is a second encoding of the same point.
            var negative = point
            negative[31] ^= 0x80
            #expect(throws: KeyError.smallOrder) {
                try PublicKey(suite: .ed25519SHA256, bytes: negative)
            }
        }
    }

    // y + p fits 255 bits for y = 0…18 only: all 38 encodings, small order among them.
    @Test func everyNonCanonicalKeyIsRefused() {
        for low in UInt8(0xED)...0xFF {
            for top: UInt8 in [0x7F, 0xFF] {
                let bytes = [low] + [UInt8](repeating: 0xFF, count: 30) + [top]
                #expect(throws: KeyError.notCanonical) {
                    try PublicKey(suite: .ed25519SHA256, bytes: bytes)
                }
            }
        }
    }

    @Test func pointsOutsideThePrimeSubgroupAreRefused() throws {
        let honest = SigningKey.generate(.ed25519SHA256).publicKey.bytes
        for point in Ed25519Tests.smallOrderPoints.dropLast() {
            var mixed = [UInt8](repeating: 0, count: 32)
            #expect(crypto_core_ed25519_add(&mixed, honest, point) == 0)
            #expect(throws: KeyError.invalidPoint) {
                try PublicKey(suite: .ed25519SHA256, bytes: mixed)
            }
        }
        // y = 2 is on no point: (y² - 1) / (dy² + 1) is not a square.
        let offCurve = [2] + [UInt8](repeating: 0, count: 31)
        #expect(throws: KeyError.invalidPoint) {
            try PublicKey(suite: .ed25519SHA256, bytes: offCurve)
        }
        #expect(throws: KeyError.wrongLength(expected: 32, actual: 31)) {
            try PublicKey(suite: .ed25519SHA256, bytes: Array(honest.dropLast()))
        }
    }

    // MARK: Signatures on which libraries disagree

    // The order L of the prime subgroup, little-endian (RFC 8032 §5.1).
    static let order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")

    @Test func aSecondFormOfSIsRefused() throws {
        let key = SigningKey.generate(.ed25519SHA256)
        let signature = key.sign([1, 2, 3])
        var carry = 0
        var shifted = Array(signature[..<32])
        for index in 0..<32 {
            let sum = Int(signature[32 + index]) + Int(Ed25519Tests.order[index]) + carry
            shifted.append(UInt8(sum & 0xFF))
            carry = sum >> 8
        }
        #expect(carry == 0)
        #expect(key.publicKey.isValid(signature: signature, over: [1, 2, 3]))
        #expect(!key.publicKey.isValid(signature: shifted, over: [1, 2, 3]))
    }

    // R of small order with the S that satisfies S·B = R + h·A for it when R is the identity:
    // OpenSSL and BoringSSL accept that one.
    @Test func rOfSmallOrderIsRefused() throws {
        let key = SigningKey.generate(.ed25519SHA256)
        let message: [UInt8] = Array("huijin".utf8)
        let nonCanonicalIdentity = [0xEE] + [UInt8](repeating: 0xFF, count: 30) + [0x7F]
        for encodedR in Ed25519Tests.smallOrderPoints + [nonCanonicalIdentity] {
            let challenge = reduced(sha512(encodedR + key.publicKey.bytes + message))
            var scalarS = [UInt8](repeating: 0, count: 32)
            crypto_core_ed25519_scalar_mul(&scalarS, challenge, secretScalar(of: key))
            if encodedR == Ed25519Tests.smallOrderPoints[7] {
                // The equation does hold, so only the check on R stands in the way.
                var left = [UInt8](repeating: 0, count: 32)
                var right = left
                _ = crypto_scalarmult_ed25519_base_noclamp(&left, scalarS)
                _ = crypto_scalarmult_ed25519_noclamp(&right, challenge, key.publicKey.bytes)
                #expect(left == right)
            }
            #expect(!key.publicKey.isValid(signature: encodedR + scalarS, over: message))
        }
    }

    private func sha512(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 64)
        crypto_hash_sha512(&digest, bytes, UInt64(bytes.count))
        return digest
    }

    private func reduced(_ wide: [UInt8]) -> [UInt8] {
        var scalar = [UInt8](repeating: 0, count: 32)
        crypto_core_ed25519_scalar_reduce(&scalar, wide)
        return scalar
    }

    private func secretScalar(of key: SigningKey) -> [UInt8] {
        var scalar = Array(sha512(key.secret)[..<32])
        scalar[0] &= 248
        scalar[31] &= 127
        scalar[31] |= 64
        return reduced(scalar + [UInt8](repeating: 0, count: 32))
    }

    // "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020), test vectors: message, key,
    // signature. Each is accepted by some library in use; none may be accepted here.
    static let disputed: [[String]] = [
        [
            "8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "0000000000000000000000000000000000000000000000000000000000000000",
        ],
        [
            "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            "a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04",
        ],
        [
            "aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
            "8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e",
        ],
        [
            "9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79",
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            "9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f",
            "87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009",
        ],
        [
            "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            "160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512",
            "5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09",
        ],
        [
            "e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c",
            "cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d",
            "21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7",
            "e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405",
        ],
        [
            "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
            "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
            "e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e",
            "547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514",
        ],
        [
            "85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40",
            "442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623",
            "8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942",
            "7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22",
        ],
        [
            "fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607",
        ],
        [
            "84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1",
            "f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09",
        ],
    ]

    @Test(arguments: disputed)
    func disputedSignaturesAreRefused(vector: [String]) {
        let signature = hex(vector[2] + vector[3])
        #expect(signature.count == 64)
        guard let key = try? PublicKey(suite: .ed25519SHA256, bytes: hex(vector[1])) else { return }
        #expect(!key.isValid(signature: signature, over: hex(vector[0])))
    }
}
