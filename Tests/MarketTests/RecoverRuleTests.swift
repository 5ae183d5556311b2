import Ledger
import LedgerCrypto
import Records
import Testing

@testable import Market

/// What `validator.recover` may seat, in the block that a recovery makes final and in no other.
@Suite struct RecoverRuleTests {
    private var market = TestMarket()
    private let anybody: MemberID

    init() {
        anybody = market.enrol(2, [.buyer], mandates: [.maker])
        market.isRecovery = true
    }

    private func seat(_ serial: UInt32, key: UInt32? = nil, transport: UInt32? = nil) -> Validator {
        Validator(
            member: TestMarket.id(serial), votingKey: TestMarket.publicKey(key ?? 1_000 + serial),
            transportKey: TestMarket.transportKey(transport ?? serial))
    }

    private mutating func run(_ seats: [Validator]) -> OutcomeCode {
        market.run(ValidatorRecover(seats: seats), by: anybody)
    }

    @Test mutating func allSeatsChangeAtOnce() throws {
        let present = market.validators
        // Two seats stay, one gets another key, one goes, and a new validator comes in.
        _ = market.enrol(301, [.validator])
        let seats = [seat(201), seat(202), seat(203, key: 2_203), seat(301)]
        #expect(run(seats) == .accepted)
        #expect(market.validators.epoch == 1 && market.validators.validators == seats)
        for (serial, isLeft) in [(201, false), (203, true), (204, true)] as [(UInt32, Bool)] {
            let key = TestMarket.publicKey(1_000 + serial).keyID
            let record = market.read { $0.votingKey(key) }
            #expect(record?.untilEpoch == (isLeft ? 1 : nil), "\(serial)")
        }
        let new = try #require(market.read { $0.votingKey(TestMarket.publicKey(2_203).keyID) })
        #expect(new.fromEpoch == 1 && new.member == present.validators[2].member)
        // A key that has left never comes back, not by another recovery either.
        _ = market.enrol(204, [.validator])
        #expect(run([seat(201), seat(204)]) == .alreadyExists)
    }

    @Test mutating func onlyInARecovery() {
        market.isRecovery = false
        #expect(run([seat(201), seat(202)]) == .notPermitted)
        #expect(market.validators.epoch == 0)
    }

    @Test mutating func seatsAreWellFormed() {
        _ = market.enrol(302, [.buyer])
        #expect(run([]) == .validatorCount)
        #expect(run(market.validators.validators) == .wrongState)
        #expect(run([seat(201), seat(201, key: 9, transport: 9)]) == .alreadyExists)
        #expect(run([seat(201), seat(202, transport: 201)]) == .alreadyExists)
        // A present key under another member's name; a member's key; a newcomer without the role, or unknown.
        #expect(run([seat(202, key: 1_201)]) == .alreadyExists)
        #expect(run([seat(201, key: 2)]) == .keyPurpose)
        #expect(run([seat(302)]) == .notPermitted)
        #expect(run([seat(999)]) == .memberUnknown)
        let odd = Validator(
            member: TestMarket.id(201), votingKey: TestMarket.publicKey(1_201), transportKey: [1])
        #expect(run([odd]) == .valueNotAllowed)
        #expect(market.validators.epoch == 0)
    }
}
