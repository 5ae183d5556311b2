import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records
import TestLedgers
import Testing

/// Single transactions, single records, the codec of questions, limits and sources.
@Suite struct QuestionTests {
    @Test(arguments: Suite.allCases) func everyTransactionIsProven(
        suite: LedgerCrypto.Suite
    ) throws {
        let fixture = Fixture(suite)
        for block in fixture.chain.blocks {
            for entry in block.entries {
                let id: Digest =
                    switch entry {
                    case .envelope(let bytes):
                        try Envelope(bytes: bytes, chain: fixture.chain.chain, suite: suite).id
                    case .automatic: entry.digest(suite)
                    }
                let bundle = try EvidenceBundle.transaction(id: id, from: fixture.chain)
                let answer = try fixture.verifier.verify(bundle, asked: [.transaction(id)])
                guard case .transaction(let proven) = answer.findings[0] else {
                    Issue.record("a transaction is asked for and given")
                    continue
                }
                #expect(proven.height == block.header.height)
                #expect(proven.digest == entry.digest(suite))
                var lie = bundle
                lie.questions = [.transaction(suite.digest([8]))]
                #expect(problem(lie, fixture.verifier)?.fault == .entryNotIncluded)
                lie.entries = []
                #expect(problem(lie, fixture.verifier)?.fault == .entryNotIncluded)
            }
        }
    }

    @Test func aWithheldEnvelopeProvesNoTransaction() throws {
        let fixture = Fixture(.ed25519SHA256)
        let entry = try #require(fixture.chain.block(height: 1)?.entries[0])
        guard case .envelope(let bytes) = entry else { return }
        let id = try Envelope(bytes: bytes, chain: fixture.chain.chain, suite: fixture.suite).id
        let bundle = try EvidenceBundle.transaction(
            id: id, from: fixture.chain, disclosing: { _ in false })
        let found = try #require(problem(bundle, fixture.verifier))
        #expect(found.fault == .envelopeNeeded)
        #expect(found.standing == .notProven)
    }

    @Test func recordsAreProvenPresentAndAbsent() throws {
        let fixture = Fixture(.ed25519SHA256)
        let keyID = fixture.provider.key.publicKey.keyID
        let present = try EvidenceBundle.record(
            type: .key, id: [.bytes(keyID.bytes)], from: fixture.chain)
        #expect(
            try fixture.verifier.verify(present).findings[0]
                == .record(.record(.key(fixture.provider.keyRecord))))
        let nobody = [UInt8](repeating: 3, count: 16)
        let absent = try EvidenceBundle.record(
            type: .key, id: [.bytes(nobody)], from: fixture.chain)
        #expect(try fixture.verifier.verify(absent).findings[0] == .record(.nothing))
        var lie = absent
        lie.questions = present.questions
        #expect(problem(lie, fixture.verifier)?.fault == .recordNotIncluded)
        // An id that no record can have would always be "absent".
        lie = try EvidenceBundle.record(
            type: .key, id: [.text("\(keyID.hex)")], from: fixture.chain)
        #expect(problem(lie, fixture.verifier)?.fault == .otherRecord(field: "id"))
    }

    @Test func aRecordUnderAForeignKeyIsNotBelieved() throws {
        var fixture = Fixture(.ed25519SHA256)
        let foreign = StateKey.key(fixture.buyer.key.publicKey.keyID, fixture.suite)
        fixture.alter { chain, before in
            chain.putRaw(foreign, TestChain.stored(before.provider.keyRecord))
            chain.append([])
        }
        let bundle = try EvidenceBundle.record(
            type: .key, id: [.bytes(fixture.buyer.key.publicKey.keyID.bytes)],
            from: fixture.chain)
        #expect(problem(bundle, fixture.verifier)?.fault == .otherRecord(field: "id"))
    }

    @Test(arguments: Suite.allCases) func stateKeysAreThoseOfRecords(
        suite: LedgerCrypto.Suite
    ) throws {
        let member = try #require(MemberID("91310000MA1FL00001"))
        let bank = try #require(MemberID("BANK-1"))
        let digest = suite.digest([1])
        let keyID = KeyID(digest)
        let pairs: [(RecordType, [CBORValue], Digest)] = [
            (.member, [.text(member.text)], StateKey.member(member, suite)),
            (.key, [.bytes(keyID.bytes)], StateKey.key(keyID, suite)),
            (.policy, [.text("review")], StateKey.policy("review", suite)),
            (
                .account, [.text(member.text), .text(bank.text)],
                StateKey.account(member: member, bank: bank, suite)
            ),
            (.bank, [.text(bank.text)], StateKey.bank(bank, suite)),
            (.asset, [.bytes(digest.bytes)], StateKey.digest(.asset, digest, suite: suite)),
            (.job, [.bytes(digest.bytes)], StateKey.digest(.job, digest, suite: suite)),
        ]
        for (type, id, key) in pairs {
            #expect(EvidenceQuestion.isID(id, of: type))
            #expect(EvidenceQuestion.stateKey(type: type, id: id, suite: suite) == key)
            #expect(!EvidenceQuestion.isID(id + [.null], of: type))
            #expect(!EvidenceQuestion.isID([.bool(true)], of: type))
        }
    }

    /// Under a name that nothing can have, or one of another alphabet, absence says nothing.
    @Test func aNameThatNothingCanHaveIsNoID() {
        for name in ["", "licenсes", "a b", String(repeating: "a", count: 65)] {
            #expect(!EvidenceQuestion.isID([.text(name)], of: .policy), "\(name)")
        }
    }

    /// What no id can be is refused where it begins, before anything is held of it.
    @Test func idsAreReadNoFurtherThanIDsGo() {
        let nested = [UInt8](repeating: 0x81, count: 12) + [0x80]
        for part in [
            nested, [0xA0], [0xF6], [0x20], [0xC0, 0x80],
            [0x58, 33] + [UInt8](repeating: 0, count: 33),
            [0x78, 65] + [UInt8](repeating: 0x41, count: 65),
        ] {
            do throws(CBORError) {
                _ = try EvidenceQuestion.decode([0x83, 2, 3, 0x81] + part)
                Issue.record("\(part.prefix(2)) is no id")
            } catch {
                // Nothing that a larger limit would let in.
                guard case .invalid = error else {
                    Issue.record("\(error)")
                    continue
                }
            }
        }
        #expect(
            throws: CBORError.invalid(
                offset: 4, what: "a part of an id is a number, bytes or a text")
        ) {
            try EvidenceQuestion.decode([0x83, 2, 3, 0x81] + nested)
        }
    }

    @Test func questionsHaveOneForm() throws {
        let digest = LedgerCrypto.Suite.sm2SM3.digest([1])
        let questions: [EvidenceQuestion] = [
            .assetHistory(asset: digest, logs: [.rights]),
            .assetHistory(asset: digest, logs: EventLogKind.allCases), .transaction(digest),
            .record(type: .account, id: [.text("A"), .text("B")]),
        ]
        for question in questions {
            let bytes = question.encoded
            #expect(try EvidenceQuestion.decode(bytes) == question)
            for count in 0..<bytes.count {
                #expect(throws: CBORError.self) {
                    try EvidenceQuestion.decode(Array(bytes.prefix(count)))
                }
            }
            #expect(throws: CBORError.self) { try EvidenceQuestion.decode(bytes + [0]) }
        }
        for logs: [EventLogKind] in [[], [.trades, .rights], [.rights, .rights]] {
            let bytes = EvidenceQuestion.assetHistory(asset: digest, logs: logs).encoded
            #expect(throws: CBORError.self) { try EvidenceQuestion.decode(bytes) }
        }
    }

    @Test func limitsAreKept() throws {
        let fixture = Fixture(.ed25519SHA256)
        let bytes = try fixture.history().encoded
        func fault(_ limits: EvidenceLimits) -> EvidenceFault? {
            do throws(EvidenceProblem) {
                _ = try Verifier(genesis: fixture.chain.genesis, limits: limits).verify(bytes)
                return nil
            } catch {
                return error.fault
            }
        }
        let size = bytes.count
        #expect(fault(EvidenceLimits(bundleBytesMax: size, eventsMax: 4, entriesMax: 7)) == nil)
        #expect(
            fault(EvidenceLimits(bundleBytesMax: size - 1, eventsMax: 4, entriesMax: 7))
                == .undecodable(.inputTooLong(bytes: size, max: size - 1)))
        #expect(
            fault(EvidenceLimits(bundleBytesMax: size, eventsMax: 3, entriesMax: 7))
                == .tooMany(what: "events", found: 4, max: 3))
        #expect(
            fault(EvidenceLimits(bundleBytesMax: size, eventsMax: 4, entriesMax: 6))
                == .tooMany(what: "entries", found: 7, max: 6))
        // What is larger than is read may be genuine; what is cut off is not.
        let small = fault(EvidenceLimits(bundleBytesMax: size - 1, eventsMax: 4, entriesMax: 7))
        #expect(small?.standing == .notProven)
        let cut = EvidenceFault.undecodable(.truncated(offset: size))
        #expect(cut.standing == .provenFalse)
    }

    @Test func sourcesThatCannotAnswerSaySo() throws {
        var fixture = Fixture(.ed25519SHA256)
        #expect(throws: EvidenceSourceError.unknownTransaction) {
            try EvidenceBundle.transaction(id: .zero, from: fixture.chain)
        }
        let empty = TestChain(.ed25519SHA256, members: [])
        #expect(throws: EvidenceSourceError.nothingFinal) {
            try EvidenceBundle.record(type: .policy, id: [.text("fees")], from: empty)
        }
        fixture.alter { chain, _ in chain.missingEvents = 1 }
        #expect(throws: EvidenceSourceError.indexBehind) { try fixture.history() }
        // Events beyond the checkpoint's record belong to a later bundle.
        fixture.alter { chain, _ in chain.missingEvents = 0 }
        let before = try fixture.history()
        fixture.alter { chain, before in chain.addEarlyEvent(before.asset) }
        #expect(try fixture.history() == before)
    }
}
