import Ledger
import LedgerCrypto
import Records
import Testing

@testable import Market

@Suite struct ValidatorRuleTests {
    private var market = TestMarket()
    private let governor: MemberID

    init() {
        governor = market.enrol(1, [.governor])
    }

    private func join(_ serial: UInt32, key: UInt32? = nil) -> ValidatorJoin {
        ValidatorJoin(
            member: TestMarket.id(serial), votingKey: TestMarket.publicKey(1_000 + (key ?? serial)),
            transportKey: TestMarket.transportKey(key ?? serial))
    }

    private func keyID(_ serial: UInt32) -> KeyID { TestMarket.publicKey(1_000 + serial).keyID }

    private func replace(_ serial: UInt32, with key: UInt32) -> ValidatorReplace {
        ValidatorReplace(
            replacedKey: keyID(serial), votingKey: TestMarket.publicKey(1_000 + key),
            transportKey: TestMarket.transportKey(key))
    }

    @Test mutating func aGovernorSeatsAnEnrolledValidator() throws {
        let buyer = market.enrol(2, [.buyer])
        #expect(market.run(join(5), by: governor) == .memberUnknown)
        market.enrol(5, [.validator])
        #expect(market.run(join(5), by: buyer) == .notPermitted)
        #expect(market.run(join(2), by: governor) == .notPermitted, "not in the role")
        #expect(market.run(join(5), by: governor) == .accepted)
        #expect(market.validators.epoch == 1)
        #expect(market.validators.validators.last?.votingKey == join(5).votingKey)
        let key = try #require(market.read { $0.votingKey(self.keyID(5)) })
        #expect(key.fromEpoch == 1 && key.untilEpoch == nil)
        #expect(market.run(join(5, key: 6), by: governor) == .alreadyExists, "has a seat")
    }

    @Test mutating func keysHaveOneUseForEver() {
        market.enrol(5, [.validator])
        market.enrol(6, [.validator])
        // A member's key, a seated key of genesis, and a transport key that is another seat's.
        let members = ValidatorJoin(
            member: TestMarket.id(5), votingKey: TestMarket.publicKey(6),
            transportKey: TestMarket.transportKey(5))
        #expect(market.run(members, by: governor) == .keyPurpose)
        #expect(market.run(join(5, key: 201), by: governor) == .alreadyExists)
        let shared = ValidatorJoin(
            member: TestMarket.id(5), votingKey: join(5).votingKey,
            transportKey: TestMarket.transportKey(201))
        #expect(market.run(shared, by: governor) == .alreadyExists)
        #expect(market.run(join(5), by: governor) == .accepted)
        #expect(market.run(ValidatorLeave(votingKey: keyID(201)), by: governor) == .accepted)
        #expect(
            market.run(ValidatorLeave(votingKey: keyID(201)), by: governor) == .unknownValidator)
        // What left stays out, whether it was of genesis or joined later.
        #expect(market.run(join(6, key: 201), by: governor) == .alreadyExists)
        #expect(market.run(join(6), by: governor) == .accepted)
        #expect(market.run(replace(5, with: 7), by: governor) == .accepted)
        #expect(market.run(replace(7, with: 5), by: governor) == .alreadyExists)
        let register = KeyRegister(
            publicKey: TestMarket.publicKey(1_000 + 201), person: "p", mandates: [.maker])
        #expect(market.run(register, by: governor) == .keyPurpose)
        let foreign = ValidatorReplace(
            replacedKey: keyID(7), votingKey: TestMarket.publicKey(8, suite: .sm2SM3),
            transportKey: TestMarket.transportKey(8))
        #expect(market.run(foreign, by: governor) == .valueNotAllowed)
        #expect(market.validators.epoch == 4)
    }

    @Test mutating func toleranceIsNotLost() {
        market.enrol(5, [.validator])
        #expect(market.run(ValidatorLeave(votingKey: keyID(201)), by: governor) == .validatorCount)
        #expect(market.run(join(5), by: governor) == .accepted)
        #expect(market.run(ValidatorLeave(votingKey: keyID(201)), by: governor) == .accepted)
        #expect(market.run(ValidatorLeave(votingKey: keyID(202)), by: governor) == .validatorCount)
        #expect(market.validators.count == 4)
        // Below four there is none to lose; one seat always stays.
        market = TestMarket()
        _ = market.enrol(1, [.governor])
        market.validators = TestMarket.validatorSet([201, 202])
        #expect(market.run(ValidatorLeave(votingKey: keyID(201)), by: governor) == .accepted)
        #expect(market.run(ValidatorLeave(votingKey: keyID(202)), by: governor) == .validatorCount)
    }

    @Test mutating func whoMayReplaceAndLeave() {
        let seated = market.enrol(201, [.validator])
        let other = market.enrol(202, [.validator])
        #expect(market.run(ValidatorLeave(votingKey: keyID(201)), by: other) == .notPermitted)
        #expect(market.run(replace(201, with: 9), by: other) == .notPermitted)
        #expect(market.run(replace(201, with: 201), by: seated) == .wrongState, "nothing new")
        #expect(market.run(replace(201, with: 9), by: seated) == .tooEarly)
        market.height = ValidatorRules.ownReplacementBlocksMin
        #expect(market.run(replace(201, with: 9), by: seated) == .accepted)
        #expect(market.run(replace(202, with: 10), by: other) == .tooEarly, "the set just changed")
        #expect(market.run(replace(202, with: 10), by: governor) == .accepted)
        #expect(
            market.validators.validators.map(\.votingKey.keyID).prefix(2) == [keyID(9), keyID(10)])
        // The transport key alone.
        let transport = ValidatorReplace(
            replacedKey: keyID(9), votingKey: TestMarket.publicKey(1_009),
            transportKey: TestMarket.transportKey(77))
        #expect(market.run(transport, by: governor) == .accepted)
        market.enrol(5, [.validator])
        #expect(market.run(join(5), by: governor) == .accepted)
        #expect(market.run(ValidatorLeave(votingKey: keyID(9)), by: seated) == .accepted)
    }

    /// Several entries of one block make one set, as far as enough of the old one stays.
    @Test mutating func changesOfOneBlockAreMerged() throws {
        market.validators = TestMarket.validatorSet(Array(201...207))
        for serial in [5, 6, 7] as [UInt32] { market.enrol(serial, [.validator]) }
        var view = StateView(base: market.state, suite: market.suite, height: market.height)
        let block = market.block()
        let sender = view.member(governor)
        let member = try #require(sender)
        let record = view.key(TestMarket.publicKey(1).keyID)
        let key = try #require(record)
        func run<Body: TransactionBody>(_ body: Body, _ number: UInt8) -> OutcomeCode {
            let nonce = [UInt8](repeating: number, count: LedgerLimits.nonceBytes)
            let transaction = Transaction(
                kind: Body.kind.rawValue, nonce: nonce, lastValidHeight: 10, member: governor,
                body: body.encoded)
            return MarketRules.apply(
                transaction, kind: Body.kind, to: &view,
                in: ApplyContext(
                    block: block, member: member, key: key,
                    transactionID: market.suite.digest([number]),
                    entryDigest: market.suite.digest([number, 1]), nonce: nonce))
        }
        let before = view.nextValidators(block)
        #expect(before == nil)
        #expect(run(join(5), 1) == .accepted)
        #expect(run(replace(201, with: 8), 2) == .accepted)
        #expect(run(join(6), 3) == .epochFull)
        #expect(run(ValidatorLeave(votingKey: keyID(202)), 4) == .accepted)
        #expect(run(ValidatorLeave(votingKey: keyID(203)), 5) == .epochFull)
        let made = view.nextValidators(block)
        let next = try #require(made)
        #expect(next.epoch == 1 && next.count == 7)
        #expect(next.index(ofKey: keyID(8)) == 0 && next.index(ofKey: keyID(6)) == nil)
        let refused = view.votingKey(keyID(6))
        #expect(refused == nil, "a refusal leaves nothing behind")
    }

    @Test func transportKeysHaveTheirForm() {
        var key = TestMarket.transportKey(1)
        key[26] = 0x02
        let join = ValidatorJoin(
            member: TestMarket.id(1), votingKey: TestMarket.publicKey(2), transportKey: key)
        #expect(throws: OutcomeCode.valueNotAllowed) { try join.check() }
    }
}
