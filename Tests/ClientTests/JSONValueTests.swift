import Client
import Testing

@Suite struct JSONValueTests {
    private func parse(_ text: String) throws -> JSONValue {
        try JSONValue.parse(Array(text.utf8))
    }

    @Test(arguments: [
        "null", "true", "false", "0", "18446744073709551615", "-9223372036854775808", "\"\"",
        "[]", "{}", "[1,[2,[3]],{\"a\":null}]", "{\"汇津\":\"数据\",\"b\":[true,false]}",
        "\"\\\"\\\\\\n\\u0000\\u007f\"",
        // What could turn a line around, begin another, or be seen by nobody.
        "\"\\u202e\\u2066\\u2028\\u200b\\u00ad\\udb40\\udc01中 é\"",
    ])
    func writesBackWhatItRead(_ text: String) throws {
        #expect(try parse(text).encodedText == text)
    }

    @Test(arguments: [
        (" \t\r\n[ 1 , 2 ] ", "[1,2]"), ("\"\\u6c47\\u6D25\"", "\"汇津\""),
        ("\"\\ud83d\\ude00\"", "\"😀\""), ("\"\\/\\b\\f\\t\"", "\"/\\u0008\\u000c\\u0009\""),
        ("1.5e3", "1500.0"), ("-0.25", "-0.25"), ("18446744073709551616", "1.8446744073709552e+19"),
        ("\u{FEFF}{\"a\":1}", "{\"a\":1}"), ("-0", "0"),
    ])
    func readsEveryForm(_ text: String, _ written: String) throws {
        #expect(try parse(text).encodedText == written)
    }

    @Test(arguments: [
        "", " ", "nul", "True", "01", "-", "1.", ".5", "1e", "+1", "\"", "\"\\x\"", "\"\\u12g4\"",
        "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\n\"", "[1,]", "[1 2]", "[", "{",
        "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "{\"a\":1,\"a\":2}", "1 2", "[]]", "NaN",
        "Infinity", "'a'", "/**/1", "1e999", "\"\\u+123\"",
    ])
    func refusesWhatIsNotJSON(_ text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test func refusesBytesThatAreNotUTF8() {
        #expect(throws: JSONError.self) { try JSONValue.parse([0x22, 0xC3, 0x28, 0x22]) }
    }

    @Test func boundsNesting() throws {
        let deep = { (count: Int) in
            String(repeating: "[", count: count) + String(repeating: "]", count: count)
        }
        _ = try parse(deep(JSONValue.depthMax))
        #expect(throws: JSONError.self) { try parse(deep(JSONValue.depthMax + 2)) }
        #expect(throws: JSONError.self) { try parse(String(repeating: "[", count: 1_000_000)) }
    }

    @Test func everyTruncationIsRefused() throws {
        let text = "{\"a\":[1,-2,\"x\\u6c47\",{\"b\":null}],\"c\":true}"
        _ = try parse(text)
        let bytes = Array(text.utf8)
        for count in 0..<bytes.count {
            #expect(throws: JSONError.self) { try JSONValue.parse(Array(bytes.prefix(count))) }
        }
    }

    @Test func replacesMembersInPlaceAndAppendsNewOnes() {
        let value: JSONValue = ["a": 1.json, "b": 2.json]
        let changed = value.adding([.init("a", 3.json), .init("c", 4.json)])
        #expect(changed.encodedText == "{\"a\":3,\"b\":2,\"c\":4}")
    }
}

extension Int {
    fileprivate var json: JSONValue { .integer(Int64(self)) }
}
