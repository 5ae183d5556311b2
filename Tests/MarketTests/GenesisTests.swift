import Ledger
import LedgerCrypto
import Records
import Testing

@testable import Market

@Suite struct GenesisTests {
    static let suite = LedgerCrypto.Suite.ed25519SHA256

    private func validators() throws -> ValidatorSet {
        let seat = Validator(
            member: TestMarket.id(1), votingKey: TestMarket.publicKey(200), transportKey: [1])
        return try #require(ValidatorSet(epoch: 0, validators: [seat]))
    }

    private func genesis(_ builder: GenesisBuilder) throws -> Genesis {
        builder.genesis(
            name: "test", timeMs: 1, parameters: Parameters(), validators: try validators())
    }

    private func founded(key: UInt32 = 1, roles: [Role] = [.governor]) throws -> GenesisBuilder {
        var builder = GenesisBuilder(suite: Self.suite)
        try builder.add(
            member: TestMarket.id(1), nameZh: "甲", nameEn: "A", roles: roles,
            keys: [.init(TestMarket.publicKey(key), person: "p")])
        return builder
    }

    @Test func aBuiltGenesisIsSound() throws {
        let genesis = try genesis(founded())
        #expect(GenesisCheck.problem(in: genesis) == nil)
        #expect(genesis.records.count == 2 + StandardPolicies.all.count)
        #expect(try Genesis.decode(genesis.encoded, limits: LedgerLimits.genesis) == genesis)
    }

    @Test func nothingIsFoundedTwice() throws {
        var builder = try founded()
        #expect(throws: OutcomeCode.alreadyExists) {
            try builder.add(
                member: TestMarket.id(1), nameZh: "甲", nameEn: "A", roles: [],
                keys: [.init(TestMarket.publicKey(2), person: "p")])
        }
        #expect(throws: OutcomeCode.alreadyExists) {
            try builder.add(
                member: TestMarket.id(2), nameZh: "乙", nameEn: "B", roles: [],
                keys: [.init(TestMarket.publicKey(1), person: "p")])
        }
    }

    @Test func whatCannotRunIsNamed() throws {
        func problem(_ change: (inout [GenesisRecord]) throws -> Void) throws -> String {
            let good = try genesis(founded())
            var records = good.records
            try change(&records)
            let changed = Genesis(
                name: good.name, suite: good.suite, timeMs: good.timeMs,
                parameters: good.parameters, validators: good.validators, records: records)
            return GenesisCheck.problem(in: changed) ?? ""
        }
        #expect(
            try problem { $0[0] = GenesisRecord(key: $0[0].key, value: [0]) }
                .contains("does not decode"))
        #expect(
            try problem { $0[0] = GenesisRecord(key: .zero, value: $0[0].value) }
                .contains("another record's key"))
        #expect(
            try problem { records in
                let bank = AnyRecord.bank(BankRecord(member: TestMarket.id(1), depositsFen: 5))
                records.append(
                    GenesisRecord(
                        key: bank.stateKey(Self.suite),
                        value: StoredRecord.encode(bank, salt: [UInt8](repeating: 0, count: 16))))
            }.contains("of type bank"))
        // Without the member its key is nobody's; without the key the member counts one too many.
        func drop(_ type: RecordType, _ records: inout [GenesisRecord]) throws {
            try records.removeAll { try StoredRecord.decode(value: $0.value).type == type }
        }
        #expect(try problem { try drop(.member, &$0) }.contains("no proper key"))
        #expect(try problem { try drop(.key, &$0) }.contains("must have the live keys"))
        // A period that has ended, of a role that is held.
        #expect(
            try problem { records in
                for index in records.indices {
                    guard
                        case .member(var member) = try StoredRecord.decode(
                            value: records[index].value)
                    else { continue }
                    member.rolePeriods = [RolePeriod(.governor, from: 0, until: 1)]
                    records[index] = GenesisRecord(
                        key: records[index].key,
                        value: StoredRecord.encode(
                            member.wrapped, salt: [UInt8](repeating: 0, count: 16)))
                }
            }.contains("periods of roles"))
        #expect(
            GenesisCheck.problem(in: try genesis(founded(roles: [.buyer])))?
                .contains("no active governor") == true)
        #expect(
            GenesisCheck.problem(in: try genesis(founded(key: 200)))?
                .contains("no proper key") == true)
    }
}
