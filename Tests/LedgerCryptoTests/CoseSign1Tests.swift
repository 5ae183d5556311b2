import Encoding
import LedgerCrypto
import Testing

@Suite struct CoseSign1Tests {
    // COSE working group example `eddsa-sig-01` (EdDSA on Ed25519, key of RFC 8032 §7.1 test 1).
    static let example = hex(
        """
        D28445A201270300A10442313154546869732069732074686520636F6E74656E742E58407142FD2FF96D56DB85
        BEE905A76BA1D0B7321A95C8C4D3607C5781932B7AFB8711497DFA751BF40B58B3BCC32300B1487F3DB34085EE
        F013BF08F4A44D6FEF0D
        """)

    @Test func theWorkingGroupsExample() throws {
        let key = try SigningKey(
            suite: .ed25519SHA256,
            secret: hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
        let message = try CoseSign1.decode(CoseSign1Tests.example)
        #expect(message.payload == Array("This is the content.".utf8))
        #expect(message.isValid(key: key.publicKey))
        #expect(message.encoded == CoseSign1Tests.example)
        let again = CoseSign1.sign(
            protected: hex("a201270300"), payload: Array("This is the content.".utf8), with: key)
        #expect(again.signature == message.signature)
        expectSoundWire(message)
    }

    static func protected(_ suite: LedgerCrypto.Suite) -> [UInt8] {
        var encoder = CBOREncoder()
        encoder.map(2)
        encoder.integerKey(1)
        encoder.integer(suite.coseAlgorithm)
        encoder.integerKey(4)
        encoder.bytes([9, 9])
        return encoder.bytes
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func attachedAndDetached(suite: LedgerCrypto.Suite) throws {
        let key = SigningKey.generate(suite)
        let protected = CoseSign1Tests.protected(suite)
        let payload: [UInt8] = [1, 2, 3]
        let attached = CoseSign1.sign(protected: protected, payload: payload, with: key)
        #expect(attached.isValid(key: key.publicKey))
        // Which payload is meant must never be a question.
        #expect(!attached.isValid(key: key.publicKey, detachedPayload: payload))
        let detached = CoseSign1.sign(
            protected: protected, payload: payload, detached: true, with: key)
        #expect(detached.payload == nil)
        #expect(detached.isValid(key: key.publicKey, detachedPayload: payload))
        #expect(!detached.isValid(key: key.publicKey, detachedPayload: [1, 2]))
        #expect(!detached.isValid(key: key.publicKey))
        expectSoundWire(attached)
        expectSoundWire(detached)

        // Unprotected headers are outside the signature; protected ones are inside.
        var carrying = attached
        carrying.unprotected = .map([(.unsigned(396), .bytes([1]))])
        #expect(carrying.isValid(key: key.publicKey))
        expectSoundWire(carrying)
        for bit in 0..<(protected.count * 8) {
            var changed = attached
            changed.protected = flippingBit(bit, of: protected)
            #expect(!changed.isValid(key: key.publicKey))
        }
        #expect(!attached.isValid(key: SigningKey.generate(suite).publicKey))
    }

    @Test func theAlgorithmMustBeTheKeys() throws {
        let key = SigningKey.generate(.ed25519SHA256)
        for protected in [
            [], hex("a0"), hex("a10126"), hex("a1044101"), hex("a1012700"), hex("a20401 0127"),
        ] {
            let signature = key.sign(
                CoseSign1.signedBytes(protected: protected, payload: [1]))
            let message = CoseSign1(protected: protected, payload: [1], signature: signature)
            #expect(message.isValid(key: key.publicKey) == false)
        }
        #expect(CoseSign1.algorithm(protected: hex("a10127")) == -8)
        #expect(CoseSign1.algorithm(protected: CoseSign1Tests.protected(.sm2SM3)) == -65_601)
    }

    @Test func signedBytesAreTheSigStructure() {
        // RFC 9052 §4.4: ["Signature1", protected, external_aad, payload].
        #expect(
            CoseSign1.signedBytes(protected: hex("a10127"), payload: [5])
                == hex("84 6a 5369676e617475726531 43 a10127 40 41 05"))
    }

    @Test func onlyProperMessagesDecode() {
        let signature = "5840" + String(repeating: "00", count: 64)
        #expect(throws: Never.self) { try CoseSign1.decode(hex("d28440a0f6" + signature)) }
        let wrong = [
            "8440a0f6" + signature,  // no tag
            "d18440a0f6" + signature,  // another tag
            "d28340a0f6",  // three items
            "d28440f6f6" + signature,  // unprotected is no map
            "d28440a000" + signature,  // payload is no byte string
            "d28440a0f6" + "583f" + String(repeating: "00", count: 63),  // short signature
        ]
        for message in wrong {
            #expect(throws: CBORError.self) { try CoseSign1.decode(hex(message)) }
        }
    }
}
