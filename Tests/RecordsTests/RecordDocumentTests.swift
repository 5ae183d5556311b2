import Encoding
import Foundation
import Testing

@testable import Records

/// docs/records.md lists exactly the keys that records have on the wire, and which of them may be absent.
@Suite struct RecordDocumentTests {
    private struct Field {
        let name: String
        let isOptional: Bool
    }

    /// Fields by record name and key.
    private static func documented() throws -> [String: [UInt64: Field]] {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/records.md")
        var rules: [String: [UInt64: Field]] = [:]
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
                let comment = try #require(line.range(of: "; "), "\(line)")
                let title = line[comment.upperBound...].prefix { $0.isLetter }
                rules[name, default: [:]][key] = Field(name: String(title), isOptional: isOptional)
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
            let fields = rules[type.name] ?? [:]
            for (key, field) in fields {
                let present = samples.count { $0.contains(.unsigned(key)) }
                #expect(present > 0, "\(type.name) \(key)")
                #expect((present < samples.count) == field.isOptional, "\(type.name) \(key)")
            }
            // Reports name them as the page does.
            let names = fields.sorted { $0.key < $1.key }.map(\.value.name)
            #expect(names == type.fieldNames)
            #expect(fields.keys.max() == UInt64(names.count))
            let keys = Set(fields.keys.map { CBORValue.unsigned($0).diagnostic })
            #expect(Set(samples.joined().map(\.diagnostic)) == keys, "\(type.name)")
        }
    }
}
