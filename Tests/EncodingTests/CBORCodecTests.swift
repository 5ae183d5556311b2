import Encoding
import Testing

/// A codec as the ledger writes them: optional fields have keys, unknown keys are refused.
private struct Sample: Equatable, CBORCodable {
    var count: UInt64
    var delta: Int64
    var name: String?
    var parts: [ByteString]
    var children: [Sample] = []

    func encode(into encoder: inout CBOREncoder) {
        encoder.map(4 + (name == nil ? 0 : 1))
        encoder.integerKey(0)
        encoder.unsigned(count)
        encoder.integerKey(1)
        encoder.integer(delta)
        if let name {
            encoder.integerKey(2)
            encoder.text(name)
        }
        encoder.integerKey(3)
        encoder.list(parts)
        encoder.integerKey(-1)
        encoder.list(children)
    }

    init(count: UInt64, delta: Int64, name: String?, parts: [ByteString]) {
        self.count = count
        self.delta = delta
        self.name = name
        self.parts = parts
    }

    init(from decoder: inout CBORDecoder) throws(CBORError) {
        var (count, delta): (UInt64?, Int64?) = (nil, nil)
        var (parts, children): ([ByteString]?, [Sample]?) = (nil, nil)
        var name: String?
        try decoder.integerMap(max: 5) { (key, decoder) throws(CBORError) in
            switch key {
            case 0: count = try decoder.unsigned()
            case 1: delta = try decoder.integer()
            case 2: name = try decoder.text(max: 16)
            case 3: parts = try decoder.list(max: 4)
            case -1: children = try decoder.list(max: 4)
            default: throw decoder.invalid("unknown key")
            }
        }
        guard let count, let delta, let parts, let children else {
            throw decoder.invalid("a field is missing")
        }
        self.init(count: count, delta: delta, name: name, parts: parts)
        self.children = children
    }
}

@Suite struct CBORCodecTests {
    private func sample() -> Sample {
        var sample = Sample(
            count: 300, delta: -70_000, name: "数据", parts: [ByteString([1, 2]), ByteString([])])
        sample.children = [Sample(count: 0, delta: 1, name: nil, parts: [])]
        return sample
    }

    @Test func structureRoundTrips() throws {
        let encoded = sample().encoded
        let golden = "a50019012c013a0001116f0266e695b0e68dae0382420102402081a40000010103802080"
        #expect(Hex.encode(encoded) == golden)
        #expect(try Sample.decode(encoded) == sample())
    }

    @Test func structureTruncatedOrExtendedIsRefused() {
        let encoded = sample().encoded
        for count in 0..<encoded.count {
            #expect(throws: CBORError.self) { try Sample.decode(Array(encoded[..<count])) }
        }
        #expect(throws: CBORError.trailingBytes(offset: encoded.count, count: 2)) {
            try Sample.decode(encoded + [0, 0])
        }
    }

    @Test func everyAlteredBitIsRefusedOrAnotherValue() throws {
        let encoded = sample().encoded
        for index in encoded.indices {
            for bit in UInt8(0)..<8 {
                var altered = encoded
                altered[index] ^= 1 << bit
                if let value = try? Sample.decode(altered) {
                    #expect(value.encoded == altered)
                }
            }
        }
    }

    @Test func integerMapRefusesDisorderDuplicatesAndUnknownKeys() {
        func read(_ hex: String) -> CBORError? {
            refusal(of: bytes(hex)) { (decoder) throws(CBORError) in
                try decoder.integerMap(max: 3) { (key, decoder) throws(CBORError) in
                    guard key < 10 else { throw decoder.invalid("unknown key") }
                    try decoder.null()
                }
            }
        }
        #expect(read("a300f601f620f6") == nil)
        #expect(read("a220f621f6") == nil)
        #expect(read("a201f600f6") == .keysOutOfOrder(offset: 3))
        #expect(read("a220f600f6") == .keysOutOfOrder(offset: 3))
        #expect(read("a221f620f6") == .keysOutOfOrder(offset: 3))
        #expect(read("a201f601f6") == .duplicateKey(offset: 3))
        #expect(read("a220f620f6") == .duplicateKey(offset: 3))
        #expect(read("a10af6") == .invalid(offset: 1, what: "unknown key"))
        #expect(read("a400f601f602f603f6") == .tooMany(offset: 0, max: 3, found: 4))
        #expect(read("a11bfffffffffffffffff6") == .outOfRange(offset: 1, bits: 64))
    }

    @Test func integersCoverExactlyTheirRange() throws {
        for number in [Int64.min, .min + 1, -256, -25, -24, -1, 0, 23, .max - 1, .max] {
            #expect(try Int64.decode(number.encoded) == number)
        }
        #expect(throws: CBORError.outOfRange(offset: 0, bits: 64)) {
            try Int64.decode(bytes("1b8000000000000000"))
        }
        #expect(throws: CBORError.outOfRange(offset: 0, bits: 64)) {
            try Int64.decode(bytes("3b8000000000000000"))
        }
        #expect(try UInt32.decode(bytes("1affffffff")) == .max)
        #expect(throws: CBORError.outOfRange(offset: 0, bits: 32)) {
            try UInt32.decode(bytes("1b0000000100000000"))
        }
        #expect(try UInt16.decode(bytes("19ffff")) == .max)
        #expect(throws: CBORError.outOfRange(offset: 0, bits: 16)) {
            try UInt16.decode(bytes("1a00010000"))
        }
        let tooWide = refusal(of: bytes("190100")) { (decoder) throws(CBORError) in
            _ = try decoder.uint8()
        }
        #expect(tooWide == .outOfRange(offset: 0, bits: 8))
    }

    @Test func fixedByteStringsMatchTheGeneralForm() throws {
        var generator = SeededGenerator(seed: 5)
        for _ in 0..<50 {
            let words = (0..<4).map { _ in generator.next() }
            let body = words.flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> (56 - 8 * $0)) }
            }
            var fixed = CBOREncoder()
            fixed.bytes32(words[0], words[1], words[2], words[3])
            fixed.bytes16(words[1], words[2])
            var general = CBOREncoder()
            general.bytes(body)
            general.bytes(body[8..<24])
            #expect(fixed.bytes == general.bytes)
            var decoder = CBORDecoder(fixed.bytes.span.bytes, limits: .standard)
            let long = try decoder.bytes32()
            let short = try decoder.bytes16()
            try decoder.finish()
            #expect([long.0, long.1, long.2, long.3] == words)
            #expect([short.0, short.1] == Array(words[1...2]))
        }
        let wrongLength = refusal(of: bytes("43010203")) { (decoder) throws(CBORError) in
            _ = try decoder.bytes32()
        }
        #expect(wrongLength == .wrongCount(offset: 0, expected: 32, found: 3))
        let cut = refusal(of: bytes("500102")) { (decoder) throws(CBORError) in
            _ = try decoder.bytes16()
        }
        #expect(cut == .truncated(offset: 0))
    }

    @Test func wrongTypesNameWhatWasExpected() {
        func expected(
            _ type: CBORItemType, _ read: (inout CBORDecoder) throws(CBORError) -> Void
        ) {
            let inputs: [(CBORItemType, String)] = [
                (.unsigned, "01"), (.negative, "21"), (.bytes, "4100"), (.text, "6161"),
                (.array, "8100"), (.map, "a10000"), (.tag, "c100"), (.bool, "f5"), (.null, "f6"),
            ]
            for (found, hex) in inputs {
                let same =
                    found == type || type == .integer && (found == .unsigned || found == .negative)
                let error = refusal(of: bytes(hex), read)
                if same {
                    if case .wrongType = error { Issue.record("\(hex) is \(type)") }
                } else {
                    let initial = bytes(hex)[0]
                    #expect(
                        error == .wrongType(offset: 0, expected: type, initialByte: initial))
                }
            }
        }
        expected(.unsigned) { (decoder) throws(CBORError) in _ = try decoder.unsigned() }
        expected(.integer) { (decoder) throws(CBORError) in _ = try decoder.integer() }
        expected(.bytes) { (decoder) throws(CBORError) in _ = try decoder.bytes() }
        expected(.bytes) { (decoder) throws(CBORError) in _ = try decoder.bytes(exactly: 1) }
        expected(.text) { (decoder) throws(CBORError) in _ = try decoder.text() }
        expected(.array) { (decoder) throws(CBORError) in _ = try decoder.array() }
        expected(.map) { (decoder) throws(CBORError) in _ = try decoder.map() }
        expected(.tag) { (decoder) throws(CBORError) in _ = try decoder.tag() }
        expected(.bool) { (decoder) throws(CBORError) in _ = try decoder.bool() }
        expected(.null) { (decoder) throws(CBORError) in try decoder.null() }
    }

    @Test func optionalsAndRawItems() throws {
        var encoder = CBOREncoder(reserving: 16)
        encoder.optional(UInt64?.none)
        encoder.optional(UInt64(7))
        encoder.raw(bytes("8201f5"))
        encoder.bool(true)
        var decoder = CBORDecoder(encoder.bytes.span.bytes, limits: .standard)
        let absent = try decoder.optional(UInt64.self)
        let present = try decoder.optional(UInt64.self)
        let raw = try decoder.rawItem()
        let wasAtEnd = decoder.isAtEnd
        let skipped = try decoder.skip()
        try decoder.finish()
        #expect(absent == nil && present == 7)
        #expect(raw == bytes("8201f5"))
        #expect(!wasAtEnd)
        #expect(skipped == 5..<6)
    }

    @Test func exactCountsAndTags() {
        let count = refusal(of: bytes("820102")) { (decoder) throws(CBORError) in
            try decoder.array(exactly: 3)
        }
        #expect(count == .wrongCount(offset: 0, expected: 3, found: 2))
        let tag = refusal(of: bytes("d2f6")) { (decoder) throws(CBORError) in
            try decoder.tag(exactly: 17)
        }
        #expect(tag == .wrongTag(offset: 0, expected: 17, found: 18))
    }
}
