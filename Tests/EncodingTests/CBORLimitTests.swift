import Encoding
import Testing

@Suite struct CBORLimitTests {
    private let small = CBORLimits(bytesMax: 12, depthMax: 3, itemsMax: 4, stringBytesMax: 5)

    @Test func eachLimitHoldsExactly() {
        for check in [refusal(_:limits:), skipRefusal(_:limits:)] {
            #expect(check(bytes("450102030405"), small) == nil)
            #expect(check(bytes("46010203040506"), small) == .tooMany(offset: 0, max: 5, found: 6))
            #expect(check(bytes("656162636465"), small) == nil)
            #expect(check(bytes("66616263646566"), small) == .tooMany(offset: 0, max: 5, found: 6))
            #expect(check(bytes("8400000000"), small) == nil)
            #expect(check(bytes("850000000000"), small) == .tooMany(offset: 0, max: 4, found: 5))
            #expect(check(bytes("a40000010002000300"), small) == nil)
            #expect(
                check(bytes("a500000100020003000400"), small)
                    == .tooMany(offset: 0, max: 4, found: 5))
            #expect(check(bytes("81818100"), small) == nil)
            #expect(check(bytes("8181818100"), small) == .tooDeep(offset: 4, max: 3))
            #expect(check(bytes("c1c1c100"), small) == nil)
            #expect(check(bytes("c1c1c1c100"), small) == .tooDeep(offset: 4, max: 3))
            #expect(check(bytes("82440102030445" + "0102030405"), small) == nil)
            #expect(
                check(bytes("82450102030405450102030405"), small)
                    == .inputTooLong(bytes: 13, max: 12))
        }
    }

    @Test func oversizedInputIsRefusedByEveryWayIn() {
        let input = [UInt8](repeating: 0, count: 13)
        let atOnce = refusal(of: input, limits: small) { (decoder) throws(CBORError) in
            _ = try decoder.unsigned()
        }
        #expect(atOnce == .inputTooLong(bytes: 13, max: 12))
        let peeked = refusal(of: input, limits: small) { (decoder) throws(CBORError) in
            _ = try decoder.peekIsNull()
        }
        #expect(peeked == .inputTooLong(bytes: 13, max: 12))
        #expect(refusal(of: input, limits: small) { _ in } == .inputTooLong(bytes: 13, max: 12))
    }

    /// A few bytes that announce a great deal must cost nothing.
    @Test func lyingCountsAreRefusedBeforeAnythingIsReserved() {
        let generous = CBORLimits(
            bytesMax: .max, depthMax: 16, itemsMax: .max, stringBytesMax: .max)
        for head in ["5b", "7b", "9b", "bb"] {
            for count in ["7fffffffffffffff", "4000000000000000", "0000000100000000"] {
                #expect(refusal(bytes(head + count), limits: generous) == .truncated(offset: 0))
                #expect(skipRefusal(bytes(head + count), limits: generous) == .truncated(offset: 0))
            }
            guard case .tooMany = refusal(bytes(head + "ffffffffffffffff"), limits: generous) else {
                Issue.record("\(head) with 2^64 - 1 was not refused as too many")
                continue
            }
        }
        // A map needs two bytes a pair: three bytes cannot hold two pairs.
        #expect(refusal(bytes("a2000001")) == .truncated(offset: 0))
    }

    @Test func codecsCountDepthToo() {
        struct Nest: CBORCodable {
            var inner: [Nest]
            func encode(into encoder: inout CBOREncoder) { encoder.list(inner) }
            init(from decoder: inout CBORDecoder) throws(CBORError) { inner = try decoder.list() }
        }
        let deep = [UInt8](repeating: 0x81, count: 15) + [0x80]
        #expect((try? Nest.decode(deep)) != nil)
        let deeper = [UInt8](repeating: 0x81, count: 16) + [0x80]
        #expect(throws: CBORError.tooDeep(offset: 17, max: 16)) { try Nest.decode(deeper) }
    }

    @Test func callersLimitsAreTighterThanTheDecoders() {
        let text = refusal(of: bytes("63616263")) { (decoder) throws(CBORError) in
            _ = try decoder.text(max: 2)
        }
        #expect(text == .tooMany(offset: 0, max: 2, found: 3))
        let list = refusal(of: bytes("83010203")) { (decoder) throws(CBORError) in
            _ = try decoder.list(max: 2, of: UInt64.self)
        }
        #expect(list == .tooMany(offset: 0, max: 2, found: 3))
    }

    @Test func everyErrorSaysWhereInBothLanguages() {
        let errors: [CBORError] = [
            .truncated(offset: 7), .trailingBytes(offset: 7, count: 1), .notShortest(offset: 7),
            .indefiniteLength(offset: 7), .reservedHeader(offset: 7), .unsupportedSimple(offset: 7),
            .wrongType(offset: 7, expected: .map, initialByte: 0), .outOfRange(offset: 7, bits: 8),
            .wrongCount(offset: 7, expected: 1, found: 2), .tooMany(offset: 7, max: 1, found: 2),
            .wrongTag(offset: 7, expected: 1, found: 2), .tooDeep(offset: 7, max: 1),
            .invalidUTF8(offset: 7), .keysOutOfOrder(offset: 7), .duplicateKey(offset: 7),
            .invalid(offset: 7, what: "x"),
        ]
        for error in errors {
            #expect(error.description.contains("byte 7:"))
            #expect(error.description.contains("第 7 字节"))
        }
    }
}
