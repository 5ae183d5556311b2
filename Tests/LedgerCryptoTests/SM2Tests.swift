import COpenSSL
import Encoding
import Foundation
import Testing

@testable import LedgerCrypto

@Suite struct SM2Tests {
    // GB/T 32918.5-2017 (GM/T 0003.5-2012) annexes A and C: one key for both examples.
    static let secret = hex("3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8")
    static let point = hex(
        """
        04 09F9DF311E5421A150DD7D161E4BC5C672179FAD1833FC076BB08FF356F35020
        CCEA490CE26775A52DC6EA718CC1AA600AED05FBF35E084A6632F6072DA9AD13
        """)
    static let signature = hex(
        """
        F5A03B0648D2C4630EEAC513E1BB81A15944DA3827D5B74143AC7EACEEE720B3
        B1B6AA29DF212FD8763182BC0D421CA1BB9038FD1F7F42D4840B69C485BBC1AA
        """)
    static let order = hex("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123")

    @Test func theStandardsSignatureVerifies() throws {
        let message = Array("message digest".utf8)
        let key = try PublicKey(suite: .sm2SM3, bytes: SM2Tests.point)
        #expect(key.isValid(signature: SM2Tests.signature, over: message))
        #expect(!key.isValid(signature: SM2Tests.signature, over: message + [0]))
        for bit in stride(from: 0, to: 512, by: 7) {
            let flipped = flippingBit(bit, of: SM2Tests.signature)
            #expect(!key.isValid(signature: flipped, over: message))
        }
    }

    @Test func theStandardsKeyPair() throws {
        let key = try SigningKey(suite: .sm2SM3, secret: SM2Tests.secret)
        #expect(key.publicKey.bytes == SM2Tests.point)
        #expect(key.secret == SM2Tests.secret)
        let signature = key.sign([1, 2, 3])
        #expect(signature.count == 64)
        #expect(key.publicKey.isValid(signature: signature, over: [1, 2, 3]))
        #expect(!key.publicKey.isValid(signature: signature, over: [1, 2]))
    }

    @Test func theStandardsCiphertextOpens() throws {
        // Annex C, in the DER of GM/T 0009 7.2.
        let cipher = hex(
            """
            307C022004EBFC718E8D1798620432268E77FEB6415E2EDE0E073C0F4F640ECD2E149A73022100E858F9D8
            1E5430A57B36DAAB8F950A3C64E6EE6A63094D99283AFF767E124DF0042059983C18F809E262923C53AEC2
            95D30383B54E39D609D160AFCB1908D0BD8766041321886CA989CA9C7D58087307CA93092D651EFA
            """)
        let (key, _) = try #require(SM2Key.withSecret(SM2Tests.secret))
        #expect(key.decrypt(cipher) == Array("encryption standard".utf8))
        #expect(key.decrypt(Array(cipher.dropLast())) == nil)
    }

    @Test func rAndSMustBeInRange() throws {
        let message = Array("message digest".utf8)
        let key = try PublicKey(suite: .sm2SM3, bytes: SM2Tests.point)
        let (goodR, goodS) = (SM2Tests.signature[..<32], SM2Tests.signature[32...])
        let all = [UInt8](repeating: 0xFF, count: 32)
        let none = [UInt8](repeating: 0, count: 32)
        for bad in [none, SM2Tests.order, all] {
            #expect(!key.isValid(signature: bad + goodS, over: message))
            #expect(!key.isValid(signature: goodR + bad, over: message))
        }
        // r + s = n makes t zero, which the standard refuses (GB/T 32918.2 7.1 B5).
        let one = [UInt8](repeating: 0, count: 31) + [1]
        var beforeOrder = SM2Tests.order
        beforeOrder[31] -= 1
        #expect(!key.isValid(signature: one + beforeOrder, over: message))
        #expect(!key.isValid(signature: SM2Tests.signature + [0], over: message))
        #expect(!key.isValid(signature: [], over: message))
    }

    @Test func secretsMustBeInRange() throws {
        var last = SM2Tests.order
        last[31] -= 2
        #expect(throws: Never.self) { try SigningKey(suite: .sm2SM3, secret: last) }
        let outside = [
            [UInt8](repeating: 0, count: 32), SM2Tests.order.dropLast() + [0x22], SM2Tests.order,
            [UInt8](repeating: 0xFF, count: 32),
        ]
        for secret in outside {
            #expect(throws: KeyError.secretOutOfRange) {
                try SigningKey(suite: .sm2SM3, secret: secret)
            }
        }
        #expect(throws: KeyError.wrongLength(expected: 32, actual: 33)) {
            try SigningKey(suite: .sm2SM3, secret: SM2Tests.secret + [0])
        }
    }

    @Test func onlyUncompressedPointsOfTheCurveAreKeys() throws {
        for form: UInt8 in [0x00, 0x02, 0x03, 0x05, 0x06, 0x07] {
            #expect(throws: KeyError.invalidPoint) {
                try PublicKey(suite: .sm2SM3, bytes: [form] + SM2Tests.point.dropFirst())
            }
        }
        for bit in stride(from: 8, to: 520, by: 5) {
            #expect(throws: KeyError.invalidPoint) {
                try PublicKey(
                    suite: .sm2SM3, bytes: flippingBit(bit, of: SM2Tests.point))
            }
        }
        #expect(throws: KeyError.invalidPoint) {
            try PublicKey(suite: .sm2SM3, bytes: [4] + [UInt8](repeating: 0, count: 64))
        }
        #expect(throws: KeyError.wrongLength(expected: 65, actual: 32)) {
            try PublicKey(suite: .sm2SM3, bytes: [UInt8](repeating: 0, count: 32))
        }
        // x = 0 is on the curve (b is a square); x = p names the same point and must not.
        let prime = hex("FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF")
        let root = hex("FD4511E81736A60F07E88A83D6CF5A167FAE6D1A9C9330E76E232E00F5CDC154")
        let zero = [UInt8](repeating: 0, count: 32)
        #expect(throws: Never.self) {
            try PublicKey(suite: .sm2SM3, bytes: [4] + zero + root)
        }
        #expect(throws: KeyError.invalidPoint) {
            try PublicKey(suite: .sm2SM3, bytes: [4] + prime + root)
        }
    }

    // GB/T 32907-2016 annex A.1: the block is the keystream of a counter equal to the plaintext.
    @Test func sm4() {
        let block = hex("0123456789ABCDEFFEDCBA9876543210")
        var output = [UInt8](repeating: 0, count: 16)
        let zeros = [UInt8](repeating: 0, count: 16)
        #expect(huijin_sm4_ctr(block, block, zeros, 16, &output) == 1)
        #expect(output == hex("681EDF34D206965E86B3E94F536E4246"))
    }

    // Against its definition (RFC 2104 §2), for keys shorter and longer than a block.
    @Test func hmacSM3() {
        let suite = LedgerCrypto.Suite.sm2SM3
        for keyCount in [1, 32, 64, 65, 100] {
            let key = [UInt8](repeating: 0x5A, count: keyCount)
            let short = keyCount > 64 ? suite.digest(key).bytes : key
            let block = short + [UInt8](repeating: 0, count: 64 - short.count)
            let message = Array("message".utf8)
            let inner = suite.digest(block.map { $0 ^ 0x36 } + message)
            let outer = suite.digest(block.map { $0 ^ 0x5C } + inner.bytes)
            #expect(SM4Box.mac(key, message) == outer.bytes)
        }
    }
}
