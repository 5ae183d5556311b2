import Encoding
import Foundation
import Testing

@testable import Records

/// docs/records.md lists exactly the keys that records have on the wire, and which of them may be absent.
@Suite struct RecordDocumentTests {
    /// Keys by record name, with whether they are optional.
    private static func documented() throws -> [String: [UInt64: Bool]] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/records.md")
        var rules: [String: [UInt64: Bool]] = [:]
        var name: String?
        for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
            if line.hasSuffix(" = {") {
                name = String(line.dropLast(4))
            } else if line == "}" {
                name = nil
            } else if let name {
                let isOptional = line.hasPrefix("  ? ")
                let rest = line.dropFirst(isOptional ? 4 : 2)
                let key = try #require(UInt64(rest.prefix { $0 != ":" }), "\(line)")
                rules[name, default: [:]][key] = isOptional
            }
        }
        return rules
    }

    @Test func rulesAndRecordsAgree() throws {
        let rules = try Self.documented()
        #expect(Set(rules.keys) == Set(RecordType.allCases.map(\.name)))
        for type in RecordType.allCases {
            let samples =
                try Samples.records.filter { $0.type == type }.map { record in
                    guard case .map(let pairs) = try CBORValue.decode(record.body) else {
                        return []
                    }
                    return pairs.map(\.0)
                } as [[CBORValue]]
            for (key, isOptional) in rules[type.name] ?? [:] {
                let present = samples.count { $0.contains(.unsigned(key)) }
                #expect(present > 0, "\(type.name) \(key)")
                #expect((present < samples.count) == isOptional, "\(type.name) \(key)")
            }
            let keys = Set((rules[type.name] ?? [:]).keys.map { CBORValue.unsigned($0).diagnostic })
            #expect(Set(samples.joined().map(\.diagnostic)) == keys, "\(type.name)")
        }
    }
}
