import Policy
import Testing

@Suite struct PurposeAndScopeTests {
    @Test func purposesAreDistinctAndNamed() {
        let all = Purpose.allCases
        #expect(Set(all.map(\.code)).count == all.count)
        #expect(Set(all.map(\.nameZh)).count == all.count)
        #expect(Set(all.map(\.nameEn)).count == all.count)
        for purpose in all {
            #expect(Purpose(code: purpose.code) == purpose)
            #expect(purpose.code.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x2D })
        }
        #expect(Purpose(code: "anything") == nil)
    }

    @Test func aPurposeListHasOneForm() {
        #expect(PurposeList.isCanonical(["credit-risk", "research"]))
        #expect(!PurposeList.isCanonical(["research", "credit-risk"]))
        #expect(!PurposeList.isCanonical(["research", "research"]))
        #expect(!PurposeList.isCanonical(["research", "unheard-of"]))
        #expect(!PurposeList.isCanonical([]))
        #expect(PurposeList.isCanonical(Purpose.allCases.map(\.code).sorted()))
    }

    @Test func aScopeIsASet() throws {
        let scope = try #require(Scope(["temp", "origin", "气温", "temp", "hour"]))
        #expect(scope.columns == ["hour", "origin", "temp", "气温"])
        #expect(Scope.isCanonical(scope.columns))
        #expect(!Scope.isCanonical(["temp", "hour"]))
        #expect(scope.contains("气温") && !scope.contains("dewp") && !scope.contains(""))
        #expect(try #require(Scope(["hour", "气温"])).isSubset(of: scope))
        #expect(!(try #require(Scope(["hour", "dewp"])).isSubset(of: scope)))
    }

    @Test func scopesAreBounded() {
        #expect(Scope([]) == nil)
        #expect(Scope([""]) == nil)
        #expect(Scope(["a\u{0}b"]) == nil)
        #expect(Scope([String(repeating: "a", count: Scope.columnNameBytesMax)]) != nil)
        #expect(Scope([String(repeating: "a", count: Scope.columnNameBytesMax + 1)]) == nil)
        #expect(Scope((0..<Scope.columnsMax).map { "c\($0)" }) != nil)
        #expect(Scope((0...Scope.columnsMax).map { "c\($0)" }) == nil)
    }

    /// é in one scalar and in two are the same to Swift's `==`, and two columns to everybody else.
    @Test func equivalentSpellingsAreDifferentColumns() throws {
        let scope = try #require(Scope(["\u{E9}", "e\u{301}"]))
        #expect(scope.columns.count == 2)
        #expect(!(try #require(Scope(["\u{E9}"])).contains("e\u{301}")))
    }
}
