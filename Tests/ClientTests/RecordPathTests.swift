import Client
import Encoding
import LightClient
import Records
import Testing

@Suite struct RecordPathTests {
    /// An id of each type.
    private func id(_ type: RecordType) -> [CBORValue] {
        let code: CBORValue = .text("DUNS:123-4")
        switch type {
        case .member, .bank: return [code]
        case .policy: return [.text("review.a-b")]
        case .account: return [code, .text("91110000600037341L")]
        case .key, .votingKey: return [.bytes([UInt8](repeating: 0xAB, count: 16))]
        case .asset, .attestation, .offer, .agreement, .withdrawal, .job, .evidence, .transfer:
            return [.bytes([UInt8](0..<32))]
        case .timerIndex, .validators, .saltSeed: return [.unsigned(0)]
        case .timerDay, .timerHour: return [.unsigned(20_000)]
        }
    }

    /// All that can be asked for: what salts come from is shown to nobody.
    private static let types = RecordType.allCases.filter { $0 != .saltSeed }

    @Test(arguments: types)
    func pathAndIDAreEachOthersInverse(_ type: RecordType) throws {
        let path = RecordPath.path(type, id(type))
        let prefix = RecordPath.prefix + type.name + "/"
        #expect(path.hasPrefix(prefix))
        let parts = path.dropFirst(prefix.count).split(separator: "/")
        let decoded = try parts.map { try #require(URLText.decode($0)) }
        #expect(RecordPath.id(type, decoded) == id(type))
        #expect(EvidenceQuestion.isID(id(type), of: type))
    }

    @Test func whatWouldBeRightIsSaid() {
        #expect(RecordType.readable == Self.types)
        #expect(RecordType.account.idForm.english.contains("two parts"))
        #expect(RecordType.asset.idForm.chinese.contains("64"))
        #expect(RecordType.key.idForm.chinese.contains("32"))
    }

    @Test(arguments: RecordType.allCases)
    func refusesIDsOfAnotherShape(_ type: RecordType) {
        if type == .saltSeed { #expect(RecordPath.id(type, ["0"]) == nil) }
        #expect(RecordPath.id(type, []) == nil)
        #expect(RecordPath.id(type, [""]) == nil)
        #expect(RecordPath.id(type, ["a", "b", "c"]) == nil)
        if type != .policy { #expect(RecordPath.id(type, ["nosuch id"]) == nil) }
    }

    @Test func percentEncodingRoundTrips() {
        for text in ["", "a b", "汇津/数据?x=1&y=2#z%", "~-._", "\u{0}\u{7F}"] {
            #expect(URLText.decode(URLText.encode(text)) == text)
        }
        #expect(URLText.encode("a/汇") == "a%2F%E6%B1%87")
        #expect(URLText.decode("a+b") == "a+b")
        #expect(URLText.decode("a+b", plusIsSpace: true) == "a b")
        for bad in ["%", "%1", "%zz", "%+1", "%ff", "a%2"] { #expect(URLText.decode(bad) == nil) }
    }
}
