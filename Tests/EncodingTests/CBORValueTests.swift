import Encoding
import Testing

@Suite struct CBORValueTests {
    @Test func appendixAIsAcceptedAndWrittenBack() throws {
        for vector in acceptedVectors {
            let value = try CBORValue.decode(bytes(vector.hex))
            #expect(value.diagnostic == vector.diagnostic)
            #expect(Hex.encode(value.encoded) == vector.hex)
            #expect(skipRefusal(bytes(vector.hex)) == nil)
        }
    }

    @Test func appendixAIsRefusedWhereNotDeterministic() {
        for vector in refusedVectors + malformedVectors {
            let input = bytes(vector.hex)
            let error = refusal(input)
            switch (vector.refusal, error) {
            case (.simple, .unsupportedSimple), (.indefinite, .indefiniteLength),
                (.truncated, .truncated), (.reserved, .reservedHeader), (.tooDeep, .tooDeep):
                break
            default:
                Issue.record(
                    "\(vector.hex): expected \(vector.refusal), got \(String(describing: error))")
            }
            #expect(skipRefusal(input) == error, "\(vector.hex)")
        }
    }

    @Test func everyLongerHeadThanNeededIsRefused() {
        let largest: [(information: UInt8, width: Int, value: UInt64)] = [
            (24, 1, 23), (25, 2, 0xFF), (26, 4, 0xFFFF), (27, 8, 0xFFFF_FFFF),
        ]
        for major in UInt8(0)...6 {
            for form in largest {
                for value in [0, form.value] {
                    var input = [major << 5 | form.information]
                    for byte in (0..<form.width).reversed() {
                        input.append(UInt8(truncatingIfNeeded: value >> UInt64(byte * 8)))
                    }
                    #expect(refusal(input) == .notShortest(offset: 0))
                    #expect(skipRefusal(input) == .notShortest(offset: 0))
                }
            }
        }
    }

    @Test func numbersUseTheShortestHead() throws {
        let edges: [(UInt64, Int)] = [
            (0, 1), (23, 1), (24, 2), (0xFF, 2), (0x100, 3), (0xFFFF, 3), (0x1_0000, 5),
            (0xFFFF_FFFF, 5), (0x1_0000_0000, 9), (.max, 9),
        ]
        for (number, size) in edges {
            #expect(number.encoded.count == size)
            #expect(try UInt64.decode(number.encoded) == number)
        }
    }

    @Test func randomValuesRoundTrip() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<2_000 {
            let value = generator.value(depth: 4)
            let encoded = value.encoded
            #expect(try CBORValue.decode(encoded) == value)
            #expect(skipRefusal(encoded) == nil)
        }
    }

    @Test func everyTruncationAndTrailingByteIsRefused() {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<300 {
            let encoded = generator.value(depth: 3).encoded
            for count in 0..<encoded.count {
                guard case .truncated = refusal(Array(encoded[..<count])) else {
                    Issue.record("\(Hex.encode(encoded)) cut to \(count) bytes was not refused")
                    continue
                }
            }
            for extra in [UInt8(0), 0x80, 0xFF] {
                #expect(
                    refusal(encoded + [extra]) == .trailingBytes(offset: encoded.count, count: 1))
            }
        }
    }

    /// Whatever is accepted is written back as the same bytes: no two inputs mean the same.
    @Test func alteredBytesAreRefusedOrCanonical() throws {
        var generator = SeededGenerator(seed: 3)
        var accepted = 0
        for _ in 0..<6_000 {
            var input = generator.value(depth: 3).encoded
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let index = Int.random(in: 0..<input.count, using: &generator)
                input[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            }
            let error = refusal(input)
            #expect(skipRefusal(input) == error)
            if error == nil {
                accepted += 1
                #expect(try CBORValue.decode(input).encoded == input)
            }
        }
        #expect(accepted > 500, "the mutations are too wild to show anything")
    }

    @Test func shortInputsAreRefusedOrCanonical() throws {
        for first in UInt8.min...UInt8.max {
            for second in UInt8.min...UInt8.max {
                let inputs: [[UInt8]] = [
                    [first, second], [0x82, first, second], [0xA1, first, second],
                ]
                for input in inputs where refusal(input) == nil {
                    #expect(try CBORValue.decode(input).encoded == input)
                }
            }
        }
    }

    @Test func mapKeysAscendInBytewiseOrder() {
        // The example of RFC 8949 §4.2.1: 10, 100, -1, "z", "aa", [100], [-1], false.
        #expect(refusal(bytes("a80a001864002000617a006261610081186400812000f400")) == nil)
        #expect(refusal(bytes("a2616100617a00")) == nil)
        #expect(refusal(bytes("a2617a00616100")) == .keysOutOfOrder(offset: 4))
        #expect(refusal(bytes("a262616100617a00")) == .keysOutOfOrder(offset: 5))
        #expect(refusal(bytes("a220000a00")) == .keysOutOfOrder(offset: 3))
        #expect(refusal(bytes("a20a000a01")) == .duplicateKey(offset: 3))
        #expect(refusal(bytes("a2810200810200")) == .duplicateKey(offset: 4))
    }

    @Test func canonicalMapSortsItsPairs() throws {
        var generator = SeededGenerator(seed: 4)
        let pairs = (0..<40).map { (CBORValue(Int64($0 * 7) - 140), CBORValue.null) }
        let expected = CBORValue.canonicalMap(pairs).encoded
        for _ in 0..<20 {
            #expect(CBORValue.canonicalMap(pairs.shuffled(using: &generator)).encoded == expected)
        }
        #expect(refusal(expected) == nil)
    }

    @Test func canonicallyEquivalentTextsDiffer() {
        #expect(CBORValue.text("é") != CBORValue.text("e\u{301}"))
        #expect(
            CBORValue.canonicalMap([(.text("é"), .null), (.text("e\u{301}"), .null)]).encoded.count
                == 10)
    }

    @Test func textMustBeUTF8() {
        // Overlong, surrogate, beyond U+10FFFF, lone continuation, cut sequence.
        for text in ["c0af", "eda080", "f4908080", "80", "e6b0"] {
            let body = bytes(text)
            let input = [0x60 | UInt8(body.count)] + body
            #expect(refusal(input) == .invalidUTF8(offset: 0))
            #expect(skipRefusal(input) == .invalidUTF8(offset: 0))
        }
    }

    @Test func diagnosticEscapesControlCharacters() {
        #expect(CBORValue.text("a\u{1}\t\u{7F}").diagnostic == "\"a\\u0001\\t\\u007f\"")
    }
}
