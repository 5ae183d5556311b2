import Policy
import Testing

@Suite struct SocialCreditCodeTests {
    /// The example of GB 32100-2015 and published codes of companies.
    @Test(arguments: [
        "91350100M000100Y43", "91330100799655058B", "914403001922038216", "9144030071526726XG",
        "91110000600037341L",
    ])
    func published(_ text: String) throws {
        #expect(try SocialCreditCode(text).text == text)
    }

    /// 31 is prime and no weight is 0 modulo 31, so every single substitution must be found.
    @Test func everySubstitutionIsFound() {
        let text = Array("91350100M000100Y43".utf8)
        for position in text.indices {
            for byte in UInt8(0x20)...0x7E where byte != text[position] {
                var altered = text
                altered[position] = byte
                #expect(throws: SocialCreditCodeError.self) {
                    try SocialCreditCode(String(decoding: altered, as: UTF8.self))
                }
            }
        }
    }

    /// Weights of neighbours differ, so swapping two different neighbours must be found.
    @Test func everySwapOfNeighboursIsFound() {
        let text = Array("91330100799655058B".utf8)
        for position in 0..<17 where text[position] != text[position + 1] {
            var swapped = text
            swapped.swapAt(position, position + 1)
            #expect(throws: SocialCreditCodeError.self) {
                try SocialCreditCode(String(decoding: swapped, as: UTF8.self))
            }
        }
    }

    @Test func errorsNameWhatIsWrong() {
        #expect(throws: SocialCreditCodeError.length(found: 17)) {
            try SocialCreditCode("91350100M000100Y4")
        }
        #expect(throws: SocialCreditCodeError.character(position: 1)) {
            try SocialCreditCode("I1350100M000100Y43")
        }
        #expect(throws: SocialCreditCodeError.character(position: 3)) {
            try SocialCreditCode("91A50100M000100Y43")
        }
        #expect(throws: SocialCreditCodeError.checkCharacter(expected: "3", found: "4")) {
            try SocialCreditCode("91350100M000100Y44")
        }
    }

    @Test func generatedCodesAreValidAndDistinct() throws {
        var seen: Set<SocialCreditCode> = []
        for serial in [0, 1, 2, 9, 10, 11, 12_345_678, 99_999_998, 99_999_999] as [UInt32] {
            for division in ["310000", "520100", "440300"] {
                let code = try #require(
                    SocialCreditCode.generate(division: division, serial: serial))
                #expect(try SocialCreditCode(code.text) == code)
                #expect(seen.insert(code).inserted)
            }
        }
        #expect(SocialCreditCode.generate(serial: 100_000_000) == nil)
        #expect(SocialCreditCode.generate(authority: "9I", serial: 1) == nil)
        #expect(SocialCreditCode.generate(division: "31000A", serial: 1) == nil)
    }

    /// A published code carries its organisation code, 79965505-8, in positions 9 to 17.
    @Test func theInnerCheckFollowsGB11714() throws {
        let code = try #require(
            SocialCreditCode.generate(authority: "91", division: "330100", serial: 79_965_505))
        #expect(code.text == "91330100799655058B")
    }
}
