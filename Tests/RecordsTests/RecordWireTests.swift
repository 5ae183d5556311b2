import Encoding
import Foundation
import LedgerCrypto
import Testing

@testable import Records

@Suite struct RecordWireTests {
    @Test func everyTypeHasASample() {
        #expect(Set(Samples.records.map(\.type)) == Set(RecordType.allCases))
    }

    @Test(arguments: Samples.records)
    func roundTripAndDamage(_ record: AnyRecord) throws {
        let body = record.body
        #expect(try AnyRecord(type: record.type, body: body) == record)
        for count in 0..<body.count {
            #expect(throws: CBORError.self) {
                try AnyRecord(type: record.type, body: Array(body.prefix(count)))
            }
        }
        #expect(throws: CBORError.self) { try AnyRecord(type: record.type, body: body + [0]) }
    }

    @Test(arguments: Samples.records)
    func noOtherFieldIsAccepted(_ record: AnyRecord) throws {
        guard case .map(let pairs) = try CBORValue.decode(record.body) else {
            Issue.record("a record is a map")
            return
        }
        let extra = CBORValue.canonicalMap(pairs + [(.unsigned(4_000), .unsigned(1))])
        #expect(throws: CBORError.self) {
            try AnyRecord(type: record.type, body: extra.encoded)
        }
        for index in pairs.indices {
            var fewer = pairs
            let left = fewer.remove(at: index)
            // Without an optional field it may decode, but then to another record.
            let decoded = try? AnyRecord(type: record.type, body: CBORValue.map(fewer).encoded)
            #expect(decoded != record, "field \(left.0.diagnostic) does not matter")
        }
    }

    @Test(arguments: Samples.records)
    func storedFormKeepsTheRecord(_ record: AnyRecord) throws {
        let salt = [UInt8](repeating: 7, count: StoredRecord.saltBytes)
        let value = StoredRecord.encode(record, salt: salt)
        #expect(try StoredRecord.decode(value: value) == record)
        #expect(try StoredRecord.decode(value, limits: StoredRecord.limits).salt == salt)
        for count in 0..<value.count {
            #expect(throws: CBORError.self) {
                try StoredRecord.decode(value: Array(value.prefix(count)))
            }
        }
        #expect(throws: CBORError.self) { try StoredRecord.decode(value: value + [0]) }
    }

    /// What is left of a licence's uses is never less than none.
    @Test func noLicenceHasMoreUsesThanItsMost() throws {
        let sample = Samples.records.compactMap { AgreementRecord($0) }.first
        var agreement = try #require(sample)
        for (reserved, metered) in [
            (agreement.usesMax + 1, 0), (1, agreement.usesMax), (.max, .max),
        ] {
            agreement.usesReserved = reserved
            agreement.usesMetered = metered
            let body = AnyRecord.agreement(agreement).body
            #expect(throws: CBORError.self) { try AnyRecord(type: .agreement, body: body) }
        }
    }

    /// The writer of a block's records writes each as it stands alone, whatever it has written before.
    @Test(arguments: LedgerCrypto.Suite.allCases)
    func aBlocksRecordsAreWrittenAsEachIs(suite: LedgerCrypto.Suite) {
        for (seed, height) in [(nil, 0), (suite.digest([1]), 1), (suite.digest([2]), .max)]
            as [(Digest?, UInt64)]
        {
            var writer = StoredRecordWriter(seed: seed, height: height, suite: suite)
            for record in Samples.records {
                let key = record.stateKey(suite)
                let salted = CBORValue.array([
                    .text("huijin/salt/2"), .bytes(seed?.bytes ?? []), .unsigned(height),
                    .bytes(key.bytes),
                ])
                let salt = Array(suite.digest(salted.encoded).bytes.prefix(16))
                #expect(writer.value(record, at: key) == StoredRecord.encode(record, salt: salt))
            }
        }
    }

    @Test func keysAreDistinct() {
        var seen: [Digest: RecordType] = [:]
        for record in Samples.records {
            let key = record.stateKey(Samples.suite)
            if let other = seen[key] { #expect(other == record.type) }
            seen[key] = record.type
        }
        #expect(
            StateKey.account(member: Samples.buyer, bank: Samples.bank, Samples.suite)
                != StateKey.account(member: Samples.bank, bank: Samples.buyer, Samples.suite))
    }

    /// The bytes of each record stay what they are: they are in every node's state root.
    @Test func goldenVectors() throws {
        var lines: [String] = []
        for record in Samples.records {
            lines.append("\(record.type.name) \(Hex.encode(record.body))")
        }
        lines.append("event \(Hex.encode(Samples.event.encoded))")
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/records.hex")
        let text = lines.joined(separator: "\n") + "\n"
        if ProcessInfo.processInfo.environment["HUIJIN_WRITE_VECTORS"] == "1" {
            try Data(text.utf8).write(to: file)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }
}
