import Encoding
import Ledger
import LedgerCrypto
import Market
import Records
import Testing

@testable import Execution

/// A block whose entries change the validator set ends its epoch; its children are of the next one.
@Suite struct EpochTests {
    private func joining(_ ledger: inout TestLedger) throws -> [Verified<SignedTransaction>] {
        let newcomer = TestLedger.member(50)
        let keys = try (0..<2).map {
            try SigningKey(suite: ledger.suite, secret: ledger.suite.digest([90, UInt8($0)]).bytes)
        }
        return [
            try ledger.sign(ledger.evidence(1), by: 2),
            try ledger.sign(
                MemberEnrol(
                    member: newcomer, nameZh: "记账", nameEn: "Validator", group: "",
                    roles: [.validator], publicKey: keys[0].publicKey, person: "p",
                    mandates: [.legalRepresentative]), by: 0),
            try ledger.sign(
                ValidatorJoin(
                    member: newcomer, votingKey: keys[1].publicKey,
                    transportKey: ValidatorJoin.example.transportKey), by: 0),
            try ledger.sign(ledger.evidence(2), by: 2),
        ]
    }

    @Test(arguments: Suite.allCases)
    func aChangeEndsTheEpoch(_ suite: LedgerCrypto.Suite) throws {
        var ledger = try TestLedger(suite: suite)
        let before = ledger.build([try ledger.sign(ledger.evidence(), by: 2)])
        #expect(before.nextValidators == nil && before.header.nextValidators == nil)
        ledger.extend(before)
        let candidates = try joining(&ledger)
        let last = ledger.build(candidates)
        #expect(last.outcomes.allSatisfy { $0.code == OutcomeCode.accepted.rawValue })
        let next = try #require(last.nextValidators)
        #expect(last.header.epoch == 0 && next.epoch == 1 && next.count == 2)
        #expect(last.header.nextValidators == next.digest(suite))
        #expect(last.header.validators == ledger.genesis.validators.digest(suite))
        let followed = try ledger.follow(last.block, candidates)
        #expect(followed.headerDigest == last.headerDigest && followed.nextValidators == next)
        ledger.extend(last)
        #expect(ledger.executor.validatorSet(after: ledger.parent) == next)
        // Over an unfinalized parent and over a final one alike.
        for isFinal in [false, true] {
            if isFinal { ledger.finalize() }
            let evidence = try ledger.sign(ledger.evidence(3), by: 2)
            let child = ledger.build([evidence])
            #expect(child.header.epoch == 1 && child.header.nextValidators == nil)
            #expect(child.header.validators == next.digest(suite))
            #expect(try ledger.follow(child.block, [evidence]).headerDigest == child.headerDigest)
        }
        #expect(ledger.base.isWhole)
    }

    @Test func aWrongNextSetIsNotVotedFor() throws {
        var ledger = try TestLedger()
        let candidates = try joining(&ledger)
        let good = ledger.build(candidates).block
        #expect(throws: BlockFault.result("next validator set")) {
            try ledger.follow(
                Block(header: good.header.with(nextValidators: .zero), entries: good.entries),
                candidates)
        }
        // A refused change ends nothing.
        let refused = ledger.build([try ledger.sign(ValidatorJoin.example, by: 2)])
        #expect(refused.nextValidators == nil)
        #expect(refused.outcomes.map(\.code) == [OutcomeCode.notPermitted.rawValue])
    }
}
