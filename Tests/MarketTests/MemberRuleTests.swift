import Encoding
import Ledger
import LedgerCrypto
import Records
import Testing

@testable import Market

@Suite struct MemberRuleTests {
    private func enrolment(_ serial: UInt32, member: MemberID? = nil) -> MemberEnrol {
        MemberEnrol(
            member: member ?? TestMarket.id(serial), nameZh: "甲", nameEn: "A", group: "",
            roles: [.buyer], publicKey: TestMarket.publicKey(serial), person: "p",
            mandates: [.legalRepresentative])
    }

    @Test func enrolment() throws {
        var market = TestMarket()
        let governor = market.enrol(1, [.governor])
        let buyer = market.enrol(2, [.buyer])
        #expect(market.run(enrolment(3), by: buyer) == .notPermitted)
        #expect(market.run(enrolment(3), by: governor) == .accepted)
        let member = try #require(market.read { $0.member(TestMarket.id(3)) })
        #expect(member.liveKeys == 1 && member.status == .active && member.roles == [.buyer])
        #expect(market.run(enrolment(3), by: governor) == .alreadyExists)
        // Another member with a key that is somebody's already.
        let stolen = MemberEnrol(
            member: TestMarket.id(4), nameZh: "乙", nameEn: "B", group: "", roles: [.buyer],
            publicKey: TestMarket.publicKey(3), person: "p", mandates: [.maker])
        #expect(market.run(stolen, by: governor) == .alreadyExists)
        #expect(market.read { $0.member(TestMarket.id(4)) } == nil)
    }

    @Test func memberIDsAreChecked() throws {
        var market = TestMarket()
        let governor = market.enrol(1, [.governor])
        var text = TestMarket.id(5).text
        let last = text.removeLast()
        text.append(last == "0" ? "1" : "0")
        let wrong = try #require(MemberID(text))
        #expect(market.run(enrolment(5, member: wrong), by: governor) == .badChecksum)
        for (id, code) in [
            ("LEI:5493001KJTIIGC8Y1R12", OutcomeCode.accepted), (":X", .valueNotAllowed),
            ("X:", .valueNotAllowed), ("A:B:C", .valueNotAllowed), ("123", .valueNotAllowed),
        ] {
            let member = try #require(MemberID(id))
            #expect(market.run(enrolment(6, member: member), by: governor) == code, "\(id)")
        }
    }

    @Test func keysOfAnotherSuiteOrPurposeAreRefused() {
        var market = TestMarket()
        let member = market.enrol(1, [.buyer])
        let foreign = KeyRegister(
            publicKey: TestMarket.publicKey(2, suite: .sm2SM3), person: "p", mandates: [.maker])
        #expect(market.run(foreign, by: member) == .valueNotAllowed)
        let key = TestMarket.publicKey(2)
        let register = KeyRegister(publicKey: key, person: "p", mandates: [.maker])
        let voting = KeyRegister(
            publicKey: market.validators.validators[0].votingKey, person: "p", mandates: [.maker])
        #expect(market.run(voting, by: member) == .keyPurpose)
        #expect(market.run(register, by: member) == .accepted)
        #expect(market.run(register, by: member) == .alreadyExists)
        // The new key is a maker's, who may not register keys.
        let third = KeyRegister(
            publicKey: TestMarket.publicKey(3), person: "p", mandates: [.maker])
        #expect(market.run(third, by: member, key: key.keyID) == .mandateMissing)
    }

    @Test func revocation() throws {
        var market = TestMarket()
        let member = market.enrol(1, [.buyer])
        let other = market.enrol(2, [.buyer])
        let governor = market.enrol(3, [.governor])
        let first = TestMarket.publicKey(1)
        let second = TestMarket.publicKey(4)
        #expect(market.run(KeyRevoke(keyID: second.keyID), by: member) == .unknownKeyRecord)
        #expect(market.run(KeyRevoke(keyID: first.keyID), by: member) == .lastKey)
        let register = KeyRegister(publicKey: second, person: "p", mandates: [.maker])
        #expect(market.run(register, by: member) == .accepted)
        #expect(market.run(KeyRevoke(keyID: second.keyID), by: other) == .notPermitted)
        #expect(market.run(KeyRevoke(keyID: second.keyID), by: governor) == .accepted)
        #expect(market.run(KeyRevoke(keyID: second.keyID), by: member) == .wrongState)
        let key = try #require(market.read { $0.key(second.keyID) })
        #expect(!key.isLive)
        // A revoked key stays known, and so can never come back.
        #expect(market.run(register, by: member) == .alreadyExists)
        #expect(market.run(KeyRevoke(keyID: first.keyID), by: member) == .lastKey)
    }

    @Test func suspendedMembersAndBrokenBodiesAreRefused() {
        var market = TestMarket()
        let member = market.enrol(1, [.buyer])
        let body = RecordEvidence.example
        #expect(market.run(body, by: member) == .accepted)
        #expect(market.runEncoded(.evidenceRecord, [0xA0], by: member) == .malformedBody)
        #expect(
            market.runEncoded(.evidenceRecord, body.encoded + [0], by: member) == .malformedBody)
        market.change { view in
            guard var record = view.member(member) else { return }
            record.status = .suspended
            view.put(record)
        }
        #expect(market.run(body, by: member) == .memberSuspended)
    }

    @Test func evidenceIsKeptUnderItsTransaction() throws {
        var market = TestMarket()
        let member = market.enrol(1, [])
        #expect(market.run(RecordEvidence.example, by: member) == .accepted)
        let key = StateKey.digest(.evidence, market.lastID, suite: market.suite)
        let record: EvidenceRecord = try #require(market.read { $0.record(at: key) })
        #expect(record.member == member && record.commitment == RecordEvidence.example.commitment)
    }

    @Test func policiesCountTheirVersions() {
        var market = TestMarket()
        let governor = market.enrol(1, [.governor])
        let buyer = market.enrol(2, [.buyer])
        func policy(_ version: UInt64, name: String = PolicyRecord.review) -> PolicySet {
            PolicySet(
                name: name, version: version, tag: .mandatory,
                entries: [PolicyEntry("group-minimum", .number(7))])
        }
        #expect(market.run(policy(2), by: buyer) == .notPermitted)
        #expect(market.run(policy(1), by: governor) == .wrongState)
        #expect(market.run(policy(3), by: governor) == .wrongState)
        #expect(market.run(policy(0), by: governor) == .valueNotAllowed)
        #expect(market.run(policy(2), by: governor) == .accepted)
        #expect(
            market.read { $0.policy(PolicyRecord.review)?.number("group-minimum") } == 7)
        #expect(market.run(policy(1, name: "new one"), by: governor) == .valueNotAllowed)
        #expect(market.run(policy(1, name: "new-one"), by: governor) == .accepted)
    }
}
