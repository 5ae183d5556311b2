import Foundation
import Records
import Testing

@testable import Market

/// docs/transactions.md and docs/visibility.md say what the code says. `HUIJIN_WRITE_DOCS=1 swift test --filter
/// DocumentTests` writes them.
@Suite struct DocumentTests {
    @Test func transactionsPage() throws { try Self.compare("transactions.md", Self.transactions) }
    @Test func visibilityPage() throws { try Self.compare("visibility.md", Self.visibility) }

    private static func compare(_ name: String, _ text: String) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/\(name)")
        if ProcessInfo.processInfo.environment["HUIJIN_WRITE_DOCS"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        #expect(
            try String(contentsOf: file, encoding: .utf8) == text,
            "docs/\(name) is out of date: HUIJIN_WRITE_DOCS=1 swift test --filter DocumentTests")
    }

    private static let transactions: String = {
        var page = """
            # Transactions 交易种类

            <!-- Written by Tests/MarketTests/DocumentTests.swift from the code; do not edit by hand. -->

            The signed payload is `[kind, nonce, last valid height, member, body]` (docs/wire-format.md); the
            body is one deterministic CBOR map from the keys below. Each kind is one file in `Sources/Market`.
            `roles`: the sender has at least one of them. `mandates`: the signing key has at least one of them.

            """
        for kind in TransactionKind.allCases {
            let body = kind.body
            page += "\n## \(kind.rawValue) `\(kind.name)` \(kind.titleEn) \(kind.titleZh)\n\n"
            page +=
                "Roles: \(list(body.requiredRoles)). Mandates: \(list(body.requiredMandates)).\n\n"
            page += "| key | field | type | meaning | 含义 |\n|---|---|---|---|---|\n"
            for field in body.fields {
                let type = field.type.description + (field.isOptional ? " (optional)" : "")
                page +=
                    "| \(field.key) | \(field.name) | \(type) | \(field.docEn) | \(field.docZh) |\n"
            }
        }
        page += "\n## Automatic actions 自动处理\n\n"
        page += "Logged like transactions, signed by nobody, recomputed by every validator.\n\n"
        page += "| number | name | what | 说明 |\n|---|---|---|---|\n"
        for kind in AutomaticKind.allCases {
            page += "| \(kind.rawValue) | `\(kind.name)` | \(kind.titleEn) | \(kind.titleZh) |\n"
        }
        page += "\n## Outcome codes 结果代码\n\n"
        page += "0 is accepted. 1 to 99 never enter a block; from 100 on a refusal is recorded.\n\n"
        page += "| code | name | meaning | 含义 |\n|---|---|---|---|\n"
        for code in OutcomeCode.allCases {
            page +=
                "| \(code.rawValue) | `\(code.name)` | \(code.messageEn) | \(code.messageZh) |\n"
        }
        return page
    }()

    private static func list<Case: NumberedCase>(_ cases: [Case]) -> String {
        cases.isEmpty ? "any" : cases.map(\.name).joined(separator: ", ")
    }

    private static let visibility: String = {
        var page = """
            # Who sees which field 字段可见范围

            <!-- Written by Tests/MarketTests/DocumentTests.swift from the code; do not edit by hand. -->

            `sees`: the widest audience that the node serves the field to, so the table is an upper bound. A
            whole envelope goes only to the narrowest audience among its sender and fields
            (`Sources/API/AccessPolicy.swift`); wider ones see the field in the record that keeps it.
            `opening`: for a salted digest, who is given the value behind it, off chain and sealed; erasing the
            salt erases the value. Validators order and execute transactions, so they see every field that a
            transaction carries, in the clear; the regulator sees, under mandate, whatever parties see. Bulk and
            personal data are never on chain: `person` is an office, such as legal representative, since key
            records are public, for anybody to verify signatures with.

            | audience | 范围 |
            |---|---|

            """
        for audience in Visibility.allCases {
            page += "| \(audience.name) | \(audience.titleZh) |\n"
        }
        page += "\n| kind | field | sees | opening |\n|---|---|---|---|\n"
        for kind in TransactionKind.allCases {
            for field in kind.body.fields {
                page +=
                    "| `\(kind.name)` | \(field.name) | \(field.visibility.name) "
                    + "| \(field.opening?.name ?? "") |\n"
            }
        }
        return page
    }()
}
