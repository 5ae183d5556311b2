import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Records
import Testing

@testable import Market

/// What every kind must have, by table: whoever adds one is told here what is missing.
@Suite struct KindTableTests {
    @Test(arguments: TransactionKind.allCases)
    func bodyBelongsToItsKind(_ kind: TransactionKind) throws {
        #expect(kind.body.kind == kind)
    }

    @Test(arguments: TransactionKind.allCases)
    func exampleIsGoodAndSurvives(_ kind: TransactionKind) throws {
        try Self.checkWire(kind.body)
    }

    private static func checkWire<Body: TransactionBody>(_: Body.Type) throws {
        let example = Body.example
        try example.check()
        let bytes = example.encoded
        #expect(try Body.decode(bytes, limits: LedgerLimits.envelope) == example)
        for count in 0..<bytes.count {
            #expect(throws: CBORError.self) { try Body.decode(Array(bytes.prefix(count))) }
        }
        #expect(throws: CBORError.self) { try Body.decode(bytes + [0]) }
    }

    @Test(arguments: TransactionKind.allCases)
    func fieldsSayWhatTheWireHolds(_ kind: TransactionKind) throws {
        let fields = kind.body.fields
        #expect(!fields.isEmpty)
        #expect(fields.map(\.key) == fields.map(\.key).sorted())
        #expect(Set(fields.map(\.key)).count == fields.count)
        #expect(Set(fields.map(\.name)).count == fields.count)
        for field in fields {
            #expect(!field.docEn.isEmpty && !field.docZh.isEmpty, "\(kind.name) \(field.name)")
            #expect((field.type == .commitment) == (field.opening != nil), "\(field.name)")
        }
        guard case .map(let pairs) = try CBORValue.decode(kind.body.example.encoded) else {
            Issue.record("a body is a map")
            return
        }
        let keys = pairs.map(\.0)
        for field in fields where !field.isOptional {
            #expect(keys.contains(.unsigned(field.key)), "\(kind.name) \(field.name)")
        }
        for key in keys {
            #expect(fields.contains { .unsigned($0.key) == key }, "\(kind.name) \(key)")
        }
        for (index, pair) in pairs.enumerated() {
            let field = fields.first { .unsigned($0.key) == pair.0 }
            var rest = pairs
            rest.remove(at: index)
            let decodes = Self.decodes(kind.body, CBORValue.map(rest).encoded)
            #expect(decodes == (field?.isOptional ?? false), "\(kind.name) \(field?.name ?? "?")")
        }
        let extra = CBORValue.canonicalMap(pairs + [(.unsigned(4_000), .null)])
        let decodesExtra = Self.decodes(kind.body, extra.encoded)
        #expect(!decodesExtra)
    }

    private static func decodes<Body: TransactionBody>(_: Body.Type, _ bytes: [UInt8]) -> Bool {
        (try? Body.decode(bytes)) != nil
    }

    /// A text field that is longer than its field says is refused, and one of just that length is not.
    @Test(arguments: TransactionKind.allCases)
    func textLimitsAreTheDeclaredOnes(_ kind: TransactionKind) throws {
        guard case .map(let pairs) = try CBORValue.decode(kind.body.example.encoded) else { return }
        for field in kind.body.fields {
            guard case .text(let max) = field.type else { continue }
            for (length, isAccepted) in [(max, true), (max + 1, false)] {
                let text = CBORValue.text(String(repeating: "a", count: length))
                var changed = pairs.filter { $0.0 != .unsigned(field.key) }
                changed.append((.unsigned(field.key), text))
                let bytes = CBORValue.canonicalMap(changed).encoded
                let decodes = Self.decodes(kind.body, bytes)
                #expect(
                    decodes == isAccepted, "\(kind.name) \(field.name) of \(length) bytes")
            }
        }
    }

    /// The bytes of each kind stay what they are: they are signed. `HUIJIN_WRITE_VECTORS=1 swift test --filter
    /// KindTableTests` writes the vectors of new kinds.
    @Test func goldenVectors() throws {
        let lines = TransactionKind.allCases.map { kind in
            "\(kind.name) \(Hex.encode(kind.body.example.encoded))"
        }
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/transactions.hex")
        let pinned = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(
            String.init)
        // What is pinned stays; only kinds that have no line yet get one.
        let names = Set(pinned.compactMap { $0.split(separator: " ").first })
        let new = lines.filter { !names.contains($0.prefix { $0 != " " }) }
        if ProcessInfo.processInfo.environment["HUIJIN_WRITE_VECTORS"] == "1" {
            try Data(((pinned + new).joined(separator: "\n") + "\n").utf8).write(to: file)
        } else {
            #expect(new == [])
        }
        #expect(Set(pinned).isSubset(of: lines))
    }
}
