import Foundation
import Policy
import Testing

/// docs/purposes.md says what the code says. `HUIJIN_WRITE_DOCS=1 swift test --filter PurposePageTests` writes it.
@Suite struct PurposePageTests {
    @Test func purposesPage() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/purposes.md")
        if ProcessInfo.processInfo.environment["HUIJIN_WRITE_DOCS"] == "1" {
            try Data(Self.page.utf8).write(to: file)
        }
        #expect(
            try String(contentsOf: file, encoding: .utf8) == Self.page,
            "docs/purposes.md is out of date: HUIJIN_WRITE_DOCS=1 swift test --filter PurposePageTests"
        )
    }

    private static let page: String = {
        var page = """
            # Purposes 用途

            <!-- Written by Tests/PolicyTests/PurposePageTests.swift from the code; do not edit by hand. -->

            What data may be licensed for: a closed list (`Sources/Policy/Purpose.swift`), because a purpose binds only
            where both sides mean the same by it. An offer names some of them, a licence exactly one, and each job states
            its own; a job for another purpose is refused with `purpose-not-permitted`. Codes are never reused.

            | code | 用途 | purpose |
            |---|---|---|

            """
        for purpose in Purpose.allCases {
            page += "| `\(purpose.code)` | \(purpose.nameZh) | \(purpose.nameEn) |\n"
        }
        return page
    }()
}
