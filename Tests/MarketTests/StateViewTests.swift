import Encoding
import Ledger
import LedgerCrypto
import Records
import Testing

@testable import Market

@Suite struct StateViewTests {
    static let suite = LedgerCrypto.Suite.ed25519SHA256
    static let salt = [UInt8](repeating: 3, count: 16)

    private func view(_ state: MemoryState = MemoryState()) -> StateView {
        StateView(base: state, suite: Self.suite, height: 5)
    }

    private func bank(_ deposits: UInt64, _ serial: UInt32 = 1) -> BankRecord {
        BankRecord(member: TestMarket.id(serial), depositsFen: deposits)
    }

    @Test func rollbackRestoresWhatWasThere() {
        var view = view()
        view.begin()
        view.put(bank(1))
        view.commit()
        let before = view.changes().map { $0.value }
        view.begin()
        view.put(bank(2))
        view.put(bank(3))
        view.put(bank(4, 2))
        view.remove(StateKey.bank(TestMarket.id(1), Self.suite))
        #expect(view.bank(TestMarket.id(1)) == nil)
        view.rollback()
        #expect(view.bank(TestMarket.id(1)) == bank(1))
        #expect(view.bank(TestMarket.id(2)) == nil)
        #expect(view.changes().map { $0.value } == before)
    }

    @Test func changesAscend() throws {
        var view = view()
        for serial in UInt32(1)...20 {
            view.mix(nonce: serial.encoded)
            view.begin()
            view.put(bank(UInt64(serial), serial))
            view.commit()
        }
        let changes = view.changes()
        // And what the salts come from.
        #expect(changes.count == 21)
        for (left, right) in zip(changes, changes.dropFirst()) { #expect(left.key < right.key) }
        let nonces = (UInt32(1)...20).map(\.encoded)
        let seed = SaltSeedRecord(after: nil, nonces: nonces, suite: Self.suite)
        for (key, value) in changes {
            let value = try #require(value)
            let record = try StoredRecord.decode(value: value)
            var writer = StoredRecordWriter(seed: seed.seed, height: 5, suite: Self.suite)
            #expect(writer.value(record, at: key) == value)
            if key == StateKey.saltSeed(Self.suite) { #expect(record == .saltSeed(seed)) }
        }
    }

    /// One transaction that somebody was not shown, before or in the block, hides all salts from him: also those that the ledger writes
    /// by itself, and those of other records that a transaction writes whose envelope he has.
    @Test func saltsComeFromAllTransactions() throws {
        var salts: Set<[UInt8]> = []
        for earlier in [[1], [2]] as [[UInt8]] {
            var first = view()
            first.mix(nonce: earlier)
            first.begin()
            first.put(bank(1))
            first.commit()
            var state = MemoryState()
            state.absorb(first)
            for nonces in [[], [[3]], [[3], [4]], [[4], [3]], [[5], [3]]] as [[[UInt8]]] {
                var second = view(state)
                for nonce in nonces { second.mix(nonce: nonce) }
                second.begin()
                second.put(bank(2))
                second.commit()
                let key = StateKey.bank(TestMarket.id(1), Self.suite)
                let value = try #require(second.changes().first { $0.key == key }?.value)
                salts.insert(try StoredRecord.decode(value, limits: StoredRecord.limits).salt)
                // Without a transaction the seed stays.
                #expect(second.changes().count == (nonces.isEmpty ? 1 : 2))
            }
        }
        #expect(salts.count == 10)
    }

    @Test func removalOfWhatIsNotThereChangesNothing() {
        var view = view()
        view.begin()
        view.put(bank(1))
        view.remove(StateKey.bank(TestMarket.id(1), Self.suite))
        view.commit()
        #expect(view.changes().isEmpty)
        var state = MemoryState()
        state.values[StateKey.bank(TestMarket.id(1), Self.suite)] = StoredRecord.encode(
            .bank(bank(1)), salt: Self.salt)
        var other = StateView(base: state, suite: Self.suite, height: 5)
        other.begin()
        other.remove(StateKey.bank(TestMarket.id(1), Self.suite))
        other.commit()
        #expect(other.changes().map { $0.value } == [nil])
    }

    /// What is only written is not read from the base, and whatever the order of reading, writing and undoing, the block changes what
    /// an account of every step says.
    @Test func unreadRecordsChangeNothingElse() {
        var random = SplitMix(state: 5)
        for _ in 0..<300 {
            var state = MemoryState()
            let serials = UInt32(1)...6
            func key(_ serial: UInt32) -> Digest {
                StateKey.bank(TestMarket.id(serial), Self.suite)
            }
            for serial in serials where Bool.random(using: &random) {
                state.values[key(serial)] = StoredRecord.encode(
                    .bank(bank(7, serial)), salt: Self.salt)
            }
            func inBase(_ serial: UInt32) -> BankRecord? {
                state.values[key(serial)] == nil ? nil : bank(7, serial)
            }
            var view = view(state)
            /// Of what was written; nil for what was removed.
            var written: [UInt32: BankRecord?] = [:]
            for _ in 0..<4 {
                view.begin()
                let before = written
                for _ in 0..<4 {
                    let serial = UInt32.random(in: serials, using: &random)
                    let now = written[serial] ?? inBase(serial)
                    switch Int.random(in: 0..<4, using: &random) {
                    case 0:
                        let record = bank(.random(in: 0..<9, using: &random), serial)
                        view.put(record)
                        written[serial] = record
                    case 1:
                        view.remove(key(serial))
                        written[serial] = .some(nil)
                    case 2: #expect(view.bank(TestMarket.id(serial)) == now)
                    default:
                        let holds = view.holds(key(serial))
                        #expect(holds == (now != nil))
                    }
                }
                if Bool.random(using: &random) {
                    view.commit()
                } else {
                    view.rollback()
                    written = before
                }
            }
            var expected: [Digest: BankRecord?] = [:]
            for (serial, record) in written where record != nil || inBase(serial) != nil {
                expected[key(serial)] = record
            }
            var found: [Digest: BankRecord?] = [:]
            for (key, value) in view.changes() {
                found[key] = .some(value.flatMap { BankRecord(DecodedValue($0).record) })
            }
            #expect(found == expected)
        }
    }

    @Test func aRecordOfAnotherTypeIsNotRead() {
        var view = view()
        view.begin()
        view.put(bank(1))
        view.commit()
        let key = StateKey.bank(TestMarket.id(1), Self.suite)
        let record: MemberRecord? = view.record(at: key)
        #expect(record == nil)
        let holds = view.holds(key)
        #expect(holds)
    }

    @Test func imbalanceNamesTheBank() {
        var view = view()
        view.begin()
        view.put(bank(100))
        view.put(
            AccountRecord(
                member: TestMarket.id(7), bank: TestMarket.id(1), availableFen: 60, lockedFen: 30,
                pendingWithdrawalFen: 10))
        #expect(view.bankOutOfBalance() == nil)
        view.put(
            AccountRecord(member: TestMarket.id(8), bank: TestMarket.id(2), availableFen: 1))
        #expect(view.bankOutOfBalance() == TestMarket.id(2))
        view.commit()
    }

    @Test func cacheGivesOnlyWhatTheBytesSay() {
        var market = TestMarket()
        let member = market.enrol(1, [.buyer])
        let cache = RecordCache()
        let key = StateKey.member(member, Self.suite)
        for _ in 0..<2 {
            var view = StateView(base: market.state, suite: Self.suite, height: 5, cache: cache)
            #expect(view.member(member)?.roles == [.buyer])
        }
        market.change { view in
            guard var record = view.member(member) else { return }
            record.roles = [.provider]
            view.put(record)
        }
        var view = StateView(base: market.state, suite: Self.suite, height: 5, cache: cache)
        #expect(view.member(member)?.roles == [.provider])
        #expect(market.state.values[key] != nil)
    }
}
