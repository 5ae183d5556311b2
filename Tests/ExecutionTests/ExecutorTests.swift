import Encoding
import Ledger
import LedgerCrypto
import Market
import Merkle
import Records
import Testing

@testable import Execution

@Suite struct ExecutorTests {
    /// A mixed load: accepted, refused for each of several reasons, of several members.
    static func candidates(
        _ ledger: inout TestLedger, _ round: UInt64
    ) throws -> [Verified<SignedTransaction>] {
        [
            try ledger.sign(ledger.evidence(round), by: 2),
            try ledger.sign(
                DepositConfirm(
                    member: TestLedger.member(2), amountFen: 100 + round,
                    referenceCommitment: .zero), by: 1),
            try ledger.sign(
                WithdrawalRequest(
                    bank: TestLedger.member(1), amountFen: 30, destinationCommitment: .zero),
                by: 2),
            try ledger.sign(
                WithdrawalRequest(
                    bank: TestLedger.member(1), amountFen: 1, destinationCommitment: .zero), by: 3),
            try ledger.sign(MemberEnrol.example, by: 3),
            try ledger.sign(kind: 60, body: [0xA0], by: 3),
        ]
    }

    static let expected: [OutcomeCode] = [
        .accepted, .accepted, .accepted, .insufficientFunds, .notPermitted, .malformedBody,
    ]

    @Test(arguments: Suite.allCases)
    func followersGetTheLeadersResult(_ suite: LedgerCrypto.Suite) throws {
        var ledger = try TestLedger(suite: suite)
        for round in 0..<UInt64(5) {
            let candidates = try Self.candidates(&ledger, round)
            let built = ledger.build(candidates)
            let followed = try ledger.follow(built.block, candidates)
            #expect(followed.block == built.block)
            #expect(followed.outcomes == built.outcomes)
            #expect(followed.headerDigest == built.headerDigest)
            #expect(followed.delta.changes.map(\.key) == built.delta.changes.map(\.key))
            #expect(built.leftOut.isEmpty)
            #expect(built.outcomes.map(\.code) == Self.expected.map(\.rawValue))
            ledger.extend(built)
            if round == 3 { ledger.finalize() }
        }
        ledger.finalize()
        #expect(ledger.base.isWhole)
        #expect(ledger.base.top.root == ledger.parent.header.stateRoot)
    }

    /// However many blocks are unfinalized, the headers are the same.
    @Test func finalizationDoesNotShow() throws {
        var headers: [[Header]] = []
        for finalizeEvery in [1, 3, 100] {
            var ledger = try TestLedger()
            var chain: [Header] = []
            for round in 0..<UInt64(8) {
                let block = ledger.build(try Self.candidates(&ledger, round))
                chain.append(block.header)
                ledger.extend(block)
                if (round + 1) % UInt64(finalizeEvery) == 0 { ledger.finalize() }
            }
            headers.append(chain)
        }
        #expect(headers[0] == headers[1])
        #expect(headers[0] == headers[2])
    }

    /// A layer that the base has absorbed may still be given: nothing changes.
    @Test func absorbedLayersAreHarmless() throws {
        var ledger = try TestLedger()
        var plain = try TestLedger()
        for round in 0..<UInt64(6) {
            let block = ledger.build(try Self.candidates(&ledger, round))
            let other = plain.build(try Self.candidates(&plain, round))
            #expect(block.header == other.header)
            ledger.extend(block)
            plain.extend(other)
            plain.finalize()
            if round == 2 {
                for layer in ledger.parent.layers {
                    ledger.base.commit(layer)
                    ledger.replay.insert(layer)
                }
            }
        }
    }

    @Test func headerFollowsFromItsParts() throws {
        var ledger = try TestLedger()
        let first = ledger.build(try Self.candidates(&ledger, 0))
        ledger.extend(first)
        let second = ledger.build(try Self.candidates(&ledger, 1))
        var leaves: [Digest] = []
        for block in [first, second] {
            leaves.append(LogLeaf.header(block.header.parent, suite: ledger.suite))
            leaves += block.block.entries.map { LogLeaf.entry($0, suite: ledger.suite) }
        }
        let log = LogTree(suite: ledger.suite, leafHashes: leaves)
        #expect(second.header.logRoot == log.root && second.header.logSize == log.size)
        #expect(second.header.parent == first.headerDigest)
        #expect(second.header.height == 2 && second.header.entryCount == 6)
        #expect(
            second.header.resultsRoot
                == LogTree(
                    suite: ledger.suite,
                    leafHashes: second.outcomes.map { ledger.suite.leafDigest($0.encoded) }
                ).root)
        #expect(second.subject == VoteSubject(second.header, suite: ledger.suite))
    }

    @Test func anEmptyBlockChangesNoState() throws {
        let ledger = try TestLedger()
        let block = ledger.build([])
        #expect(block.header.stateRoot == ledger.parent.header.stateRoot)
        #expect(block.header.logSize == 1 && block.header.entryCount == 0)
        #expect(try ledger.follow(block.block, []).block == block.block)
    }

    @Test func refusedEntriesLeaveNothingButTheirRecord() throws {
        var ledger = try TestLedger()
        let refused = try ledger.sign(MemberEnrol.example, by: 3)
        let block = ledger.build([refused])
        #expect(block.outcomes.map(\.code) == [OutcomeCode.notPermitted.rawValue])
        // Salts come from its nonce as well.
        #expect(block.delta.changes.map(\.key) == [StateKey.saltSeed(ledger.suite)])
    }

    @Test func keysAreFoundWhileTheyLive() throws {
        var ledger = try TestLedger()
        let old = ledger.keys[2].publicKey
        let new = try SigningKey(suite: ledger.suite, secret: ledger.suite.digest([99]).bytes)
        func key(_ key: PublicKey, _ member: Int) -> PublicKey? {
            ledger.executor.publicKey(
                for: key.keyID, member: TestLedger.member(member), on: ledger.parent)
        }
        #expect(key(old, 2) == old)
        #expect(key(old, 3) == nil)
        #expect(key(new.publicKey, 2) == nil)
        let register = KeyRegister(
            publicKey: new.publicKey, person: "p", mandates: [.legalRepresentative])
        let signed = try ledger.sign(register, by: 2)
        ledger.extend(ledger.build([signed]))
        #expect(key(new.publicKey, 2) == new.publicKey)
        let revoke = try ledger.sign(KeyRevoke(keyID: old.keyID), by: 2, key: new)
        ledger.extend(ledger.build([revoke]))
        #expect(key(old, 2) == nil)
    }
}
