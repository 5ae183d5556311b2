import Encoding
import Foundation
import LedgerCrypto
import Testing
import VerifyPage

/// The page's SM3 and SM2 decide as the ones of every other program (OpenSSL's, in LedgerCrypto).
@Suite struct AgreementTests {
    private static let order = bytes(
        "fffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123")

    private static func bytes(_ hex: String) -> [UInt8] { Hex.decode(hex) ?? [] }

    @Test func digestsOfEveryLengthInEveryTwoPieces() {
        // GB/T 32905 annex A.1.
        #expect(
            Hex.encode(SM3.digest(Array("abc".utf8)))
                == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")
        let message = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        for count in 0...message.count {
            let part = Array(message[..<count])
            let expected = Suite.sm2SM3.digest(part).bytes
            #expect(SM3.digest(part) == expected)
            var running = SM3()
            part[..<(count / 3)].withUnsafeBytes { running.update($0) }
            part[(count / 3)...].withUnsafeBytes { running.update($0) }
            #expect(running.finalize() == expected)
        }
    }

    @Test func theStandardsSignature() throws {
        // GB/T 32918.5 annex A.
        let point = Self.bytes(
            "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
                + "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13")
        let signature = Self.bytes(
            "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
                + "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa")
        let key = try #require(SM2PublicKey(point))
        Array("message digest".utf8).withUnsafeBytes {
            #expect(key.isValid(signature: signature, over: $0))
        }
        Array("message digesu".utf8).withUnsafeBytes {
            #expect(!key.isValid(signature: signature, over: $0))
        }
    }

    private struct Case: Decodable {
        let suite: String
        let name: String
        let publicKey: String
        let message: String
        let signature: String
        let decision: String
    }

    @Test func theSharedVectors() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/signatures.json")
        let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
        let mine = cases.filter { $0.suite == Suite.sm2SM3.name }
        #expect(mine.count >= 30)
        for item in mine {
            let decision = Self.decision(
                Self.bytes(item.publicKey), Self.bytes(item.message), Self.bytes(item.signature))
            #expect(decision == item.decision, "\(item.name)")
        }
    }

    /// Keys at both ends of their range meet the sums that are doublings or leave nothing.
    @Test func goodSignaturesOfUnusualKeysAndWhatComesCloseToThem() throws {
        var random = SystemRandomNumberGenerator()
        var secrets = (1...3).map { [UInt8](repeating: 0, count: 31) + [$0] }
        secrets += (2...4).map { (step: UInt8) in
            var last = Self.order
            last[31] -= step
            return last
        }
        secrets += (0..<2).map { _ in SigningKey.generate(.sm2SM3).secret }
        for secret in secrets {
            let key = try SigningKey(suite: .sm2SM3, secret: secret)
            let point = key.publicKey.bytes
            for count in [0, 200] {
                let message = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
                let signature = key.sign(message)
                #expect(Self.decision(point, message, signature) == "valid")
                for _ in 0..<2 {
                    Self.expectAgreement(point, message, Self.flipped(signature, &random))
                    Self.expectAgreement(Self.flipped(point, &random), message, signature)
                    Self.expectAgreement(point, message + [0], signature)
                }
            }
        }
    }

    @Test func pairsAtTheEndsOfTheRange() throws {
        var ends: [[UInt8]] = (0...2).map { [UInt8](repeating: 0, count: 31) + [$0] }
        for step in -2...2 {
            var end = Self.order
            end[31] = UInt8(Int(end[31]) + step)
            ends.append(end)
        }
        ends.append([UInt8](repeating: 0xFF, count: 32))
        let base = try SigningKey(
            suite: .sm2SM3, secret: [UInt8](repeating: 0, count: 31) + [1])
        var negative = base.publicKey.bytes
        let p = Self.bytes("fffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffff")
        var borrow = 0
        for index in stride(from: 31, through: 0, by: -1) {
            let part = Int(p[index]) - Int(negative[33 + index]) - borrow
            negative[33 + index] = UInt8(part & 0xFF)
            borrow = part < 0 ? 1 : 0
        }
        for point in [base.publicKey.bytes, negative] {
            for r in ends {
                for s in ends { Self.expectAgreement(point, [1], r + s) }
            }
        }
    }

    // MARK: The two

    private static func decision(
        _ point: [UInt8], _ message: [UInt8], _ signature: [UInt8]
    ) -> String {
        guard let key = SM2PublicKey(point) else { return "key refused" }
        let isValid = message.withUnsafeBytes { key.isValid(signature: signature, over: $0) }
        return isValid ? "valid" : "invalid"
    }

    private static func expectAgreement(
        _ point: [UInt8], _ message: [UInt8], _ signature: [UInt8]
    ) {
        let other: String
        if let key = try? PublicKey(suite: .sm2SM3, bytes: point) {
            other = key.isValid(signature: signature, over: message) ? "valid" : "invalid"
        } else {
            other = "key refused"
        }
        #expect(
            decision(point, message, signature) == other,
            "\(Hex.encode(point)) \(Hex.encode(message)) \(Hex.encode(signature))")
    }

    private static func flipped(
        _ bytes: [UInt8], _ random: inout SystemRandomNumberGenerator
    ) -> [UInt8] {
        var changed = bytes
        let bit = Int.random(in: 0..<8 * bytes.count, using: &random)
        changed[bit / 8] ^= 1 << UInt8(bit % 8)
        return changed
    }
}
