import Encoding
import Foundation
import Testing

@testable import Records

@Suite struct VocabularyTests {
    /// Lower case words, joined by hyphens, with one dot in names of kinds.
    static func isName(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x2D || $0 == 0x2E }
            && !name.hasPrefix("-") && !name.hasSuffix("-")
    }

    static func check<Case: NumberedCase>(_: Case.Type) {
        #expect(Set(Case.allCases.map(\.name)).count == Case.allCases.count)
        for known in Case.allCases {
            #expect(isName(known.name))
            #expect(!known.titleZh.isEmpty)
            #expect(Case(name: known.name) == known)
            #expect((try? Case.decode(known.encoded)) == known)
        }
        #expect(throws: CBORError.self) { try Case.decode(UInt64(9_999).encoded) }
    }

    @Test func closedLists() {
        Self.check(Role.self)
        Self.check(Mandate.self)
        Self.check(MemberStatus.self)
        Self.check(PolicyTag.self)
        Self.check(DataRight.self)
        Self.check(OwnerClass.self)
        Self.check(DataLevel.self)
        Self.check(DataGrade.self)
        Self.check(AssetStatus.self)
        Self.check(ColumnType.self)
        Self.check(AttestationKind.self)
        Self.check(Office.self)
        Self.check(FreezeReason.self)
        Self.check(RevocationGround.self)
        Self.check(TransferStatus.self)
        Self.check(OfferStatus.self)
        Self.check(AgreementStatus.self)
        Self.check(JobStatus.self)
        Self.check(WithdrawalStatus.self)
        Self.check(EventLogKind.self)
        Self.check(RecordType.self)
        Self.check(TransactionKind.self)
        Self.check(AutomaticKind.self)
    }

    @Test func outcomesHaveDistinctNamesAndBothMessages() {
        #expect(Set(OutcomeCode.allCases.map(\.name)).count == OutcomeCode.allCases.count)
        for code in OutcomeCode.allCases {
            #expect(Self.isName(code.name))
            #expect(!code.messageEn.isEmpty && !code.messageZh.isEmpty)
            #expect(OutcomeCode(name: code.name) == code)
            #expect(code.isRecorded == (code == .accepted || code.rawValue >= 100))
        }
    }

    /// Numbers are in blocks for ever: this table only ever grows.
    @Test func numbersStayWhatTheyAre() throws {
        var lines = OutcomeCode.allCases.map { "outcome \($0.rawValue) \($0.name)" }
        lines += TransactionKind.allCases.map { "transaction \($0.rawValue) \($0.name)" }
        lines += AutomaticKind.allCases.map { "automatic \($0.rawValue) \($0.name)" }
        lines += RecordType.allCases.map { "record \($0.rawValue) \($0.name)" }
        lines += Role.allCases.map { "role \($0.rawValue) \($0.name)" }
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/record-numbers.txt")
        let pinned = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(
            String.init)
        let new = lines.filter { !pinned.contains($0) }
        if ProcessInfo.processInfo.environment["HUIJIN_WRITE_VECTORS"] == "1" {
            try Data(((pinned + new).joined(separator: "\n") + "\n").utf8).write(to: file)
        } else {
            #expect(new == [])
        }
        #expect(Set(pinned).isSubset(of: lines))
    }
}
