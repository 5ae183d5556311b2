import Encoding
import Testing

@Suite struct TextFormTests {
    @Test func hexRoundTripsAndIsStrict() {
        let all = (0...255).map { UInt8($0) }
        #expect(Hex.decode(Hex.encode(all)) == all)
        #expect(Hex.encode([0, 9, 10, 0xFF]) == "00090aff")
        #expect(Hex.decode("") == [])
        for text in ["0", "0A", "0g", " 00", "00 ", "0x00", "００", "00\u{0}"] {
            #expect(Hex.decode(text) == nil, "\(text)")
        }
    }

    /// RFC 4648 §10, without the padding.
    @Test func base64URLVectors() {
        let vectors = [
            ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"),
            ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
        ]
        for (plain, text) in vectors {
            #expect(Base64URL.encode(Array(plain.utf8)) == text)
            #expect(Base64URL.decode(text) == Array(plain.utf8))
        }
        // RFC 7515 Appendix C.
        #expect(Base64URL.encode([3, 236, 255, 224, 193]) == "A-z_4ME")
        #expect(Base64URL.decode("A-z_4ME") == [3, 236, 255, 224, 193])
    }

    @Test func base64URLIsStrict() {
        // Padding, the other alphabet, a lone character, unused bits, white space.
        for text in ["Zg==", "Zm9v=", "A+z/4ME", "A", "Zm9vA", "Zh", "Zm9", "Zg\n", "数据"] {
            #expect(Base64URL.decode(text) == nil, "\(text)")
        }
    }

    /// Whatever text is accepted is the text that its bytes have.
    @Test func base64URLHasOneTextPerByteString() {
        var generator = SeededGenerator(seed: 6)
        let alphabet = Array("ABCZabcz0189-_")
        for _ in 0..<2_000 {
            let count = Int.random(in: 0...9, using: &generator)
            let text = String(
                (0..<count).map { _ in alphabet[Int.random(in: 0..<14, using: &generator)] })
            if let bytes = Base64URL.decode(text) { #expect(Base64URL.encode(bytes) == text) }
            let random = (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
            #expect(Base64URL.decode(Base64URL.encode(random)) == random)
        }
    }

    /// RFC 4648 §10, and what is not the one text of any bytes.
    @Test func base64() {
        let texts = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]
        for (count, text) in texts.enumerated() {
            let plain = Array("foobar".utf8.prefix(count))
            #expect(Base64.encode(plain) == text)
            #expect(Base64.decode(text) == plain)
        }
        #expect(Base64.encode([3, 236, 255, 224, 193]) == "A+z/4ME=")
        for text in ["Zg", "Zg=", "Zh==", "Zg==\n", "A-z_4ME=", "=Zg=", "Zg==Zg==", "Zg==="] {
            #expect(Base64.decode(text) == nil, "\(text)")
        }
    }
}
