import Ledger
import LedgerCrypto
import Records
import Testing

@testable import Market

/// Two contradicting votes convict their key, once, whoever brings them; the seat goes if the set can spare it.
@Suite struct EquivocationTests {
    private var market: TestMarket
    private let anybody: MemberID
    private let governor: MemberID

    init() {
        self.init(suite: .ed25519SHA256)
    }

    private init(suite: LedgerCrypto.Suite) {
        market = TestMarket(suite: suite)
        market.validators = TestMarket.validatorSet(Array(201...205), suite: suite)
        anybody = market.enrol(2, [.buyer], mandates: [.maker])
        governor = market.enrol(1, [.governor])
    }

    private func key(_ serial: UInt32) -> SigningKey {
        let secret = market.suite.digest((1_000 + serial).encoded).bytes
        guard let key = try? SigningKey(suite: market.suite, secret: secret) else {
            preconditionFailure("a digest is a secret key")
        }
        return key
    }

    private func vote(_ statement: VoteStatement, _ serial: UInt32) -> Vote {
        let key = key(serial)
        let message = statement.signedBytes(
            chain: market.block().chain, suite: market.suite, keyID: key.publicKey.keyID)
        return Vote(statement: statement, validator: 1, signature: key.sign(message))
    }

    private var subject: VoteSubject {
        VoteSubject(
            height: 3, header: market.suite.digest([1]), logRoot: market.suite.digest([2]))
    }

    private func proof(
        _ serial: UInt32, epoch: UInt64 = 0, by other: UInt32? = nil
    ) throws -> ValidatorEquivocation {
        let first = vote(.nullify(epoch: epoch, view: 8), serial)
        let second = vote(.finalize(epoch: epoch, view: 8, subject), other ?? serial)
        return ValidatorEquivocation(
            votingKey: key(serial).publicKey.keyID,
            proof: try #require(Equivocation(first, second)))
    }

    @Test(arguments: [LedgerCrypto.Suite.ed25519SHA256, .sm2SM3])
    func aProvenContradictionTakesTheSeat(_ suite: LedgerCrypto.Suite) throws {
        var test = EquivocationTests(suite: suite)
        let proof = try test.proof(202)
        #expect(test.market.run(proof, by: test.anybody) == .accepted)
        #expect(test.market.validators.epoch == 1 && test.market.validators.count == 4)
        #expect(test.market.validators.index(ofKey: proof.votingKey) == nil)
        let record = try #require(test.market.read { $0.votingKey(proof.votingKey) })
        #expect(record.convictedHeight == test.market.height - 1 && record.untilEpoch == 1)
        #expect(record.conviction == test.market.lastID)
        #expect(test.market.run(proof, by: test.governor) == .alreadyConvicted)
    }

    @Test mutating func whatProvesNothingIsRefused() throws {
        // One of the two is another's, or is of a time in which the key had no seat, or nobody knows the key.
        #expect(market.run(try proof(202, by: 203), by: anybody) == .notEquivocation)
        #expect(market.run(try proof(9), by: anybody) == .unknownValidator)
        var forged = try proof(202)
        let second = forged.proof.second
        var signature = second.signature
        signature[0] ^= 1
        forged = ValidatorEquivocation(
            votingKey: forged.votingKey,
            proof: try #require(
                Equivocation(
                    forged.proof.first,
                    Vote(statement: second.statement, validator: 1, signature: signature))))
        #expect(market.run(forged, by: anybody) == .notEquivocation)
        let leave = ValidatorLeave(votingKey: key(201).publicKey.keyID)
        #expect(market.run(leave, by: governor) == .accepted)
        #expect(market.run(try proof(201, epoch: 1), by: anybody) == .notEquivocation)
        #expect(market.validators.count == 4)
        // What it signed while it had its seat convicts it still.
        #expect(market.run(try proof(201), by: anybody) == .accepted)
        let record = try #require(market.read { $0.votingKey(leave.votingKey) })
        #expect(record.convictedHeight != nil && record.untilEpoch == 1)
        #expect(market.validators.epoch == 1, "nothing more to take")
    }

    /// Two notarize votes for different blocks are one kind of proof, the same vote twice is none.
    @Test func formOfAProof() throws {
        let other = VoteSubject(
            height: 3, header: market.suite.digest([9]), logRoot: subject.logRoot)
        let one = vote(.notarize(epoch: 0, view: 8, subject), 202)
        #expect(Equivocation(one, vote(.notarize(epoch: 0, view: 8, other), 202)) != nil)
        #expect(Equivocation(one, one) == nil)
        #expect(Equivocation(one, vote(.nullify(epoch: 0, view: 8), 202)) == nil)
        #expect(Equivocation(one, vote(.notarize(epoch: 0, view: 9, other), 202)) == nil)
    }

    @Test mutating func fourNeverBecomeThree() throws {
        market.validators = TestMarket.validatorSet(Array(201...204))
        #expect(market.run(try proof(202), by: anybody) == .accepted)
        #expect(market.validators.count == 4 && market.validators.epoch == 0)
        let record = try #require(market.read { $0.votingKey(self.key(202).publicKey.keyID) })
        #expect(record.convictedHeight != nil && record.untilEpoch == nil, "convicted, and seated")
        // Later the governor replaces it; the conviction stays on record.
        let replace = ValidatorReplace(
            replacedKey: record.keyID, votingKey: TestMarket.publicKey(1_009),
            transportKey: TestMarket.transportKey(9))
        #expect(market.run(replace, by: governor) == .accepted)
        let later = try #require(market.read { $0.votingKey(record.keyID) })
        #expect(later.convictedHeight == record.convictedHeight && later.untilEpoch == 1)
    }

    @Test mutating func policyMayKeepTheSeat() throws {
        let policy = PolicySet(
            name: PolicyRecord.validators, version: 1, tag: .mandatory,
            entries: [PolicyEntry(StandardPolicies.unseatEquivocators, .number(0))])
        #expect(market.run(policy, by: governor) == .accepted)
        #expect(market.run(try proof(202), by: anybody) == .accepted)
        #expect(market.validators.count == 5)
        let record = try #require(market.read { $0.votingKey(self.key(202).publicKey.keyID) })
        #expect(record.convictedHeight != nil && record.untilEpoch == nil)
    }

    /// Signatures are checked for so many proofs in a block, valid or not.
    @Test mutating func aBlockChecksSoManyProofs() throws {
        var view = StateView(base: market.state, suite: market.suite, height: market.height)
        let member = try #require(market.read { $0.member(self.anybody) })
        let key = try #require(market.read { $0.key(TestMarket.publicKey(2).keyID) })
        let bad = try proof(202, by: 203)
        var codes: [OutcomeCode] = []
        for number in 0...ValidatorRules.proofsPerBlockMax {
            let nonce = [UInt8](repeating: UInt8(number), count: LedgerLimits.nonceBytes)
            codes.append(
                MarketRules.apply(
                    Transaction(
                        kind: ValidatorEquivocation.kind.rawValue, nonce: nonce,
                        lastValidHeight: 10, member: anybody, body: bad.encoded),
                    kind: .validatorEquivocation, to: &view,
                    in: ApplyContext(
                        block: market.block(), member: member, key: key,
                        transactionID: market.suite.digest(nonce),
                        entryDigest: market.suite.digest(nonce), nonce: nonce)))
        }
        #expect(codes.dropLast().allSatisfy { $0 == .notEquivocation })
        #expect(codes.last == .proofsFull)
    }
}
