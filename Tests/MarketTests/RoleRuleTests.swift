import Encoding
import Ledger
import LedgerCrypto
import Records
import Testing

@testable import Market

@Suite struct RoleRuleTests {
    private func grant(_ member: MemberID, _ role: Role) -> MemberGrant {
        MemberGrant(member: member, role: role, decisionCommitment: .zero)
    }

    private func withdraw(_ member: MemberID, _ role: Role) -> MemberWithdraw {
        MemberWithdraw(member: member, role: role, decisionCommitment: .zero)
    }

    @Test func aRoleIsGrantedAndWithdrawn() throws {
        let world = try TradeWorld()
        let claim = TradeWorld.claim()
        world.refuse(.notPermitted, world.buyer, claim)
        world.accept(world.governor, grant(world.buyer, .provider))
        let from = world.height
        world.accept(world.buyer, claim)
        world.endBlock()
        world.accept(world.governor, withdraw(world.buyer, .provider))
        let until = world.height
        world.refuse(.notPermitted, world.buyer, TradeWorld.claim("second"))
        let member = try world.member(world.buyer)
        #expect(member.roles == [.buyer])
        #expect(member.rolePeriods == [RolePeriod(.provider, from: from, until: until)])
        // What it did in the role stays.
        let asset = AssetRecord.id(provider: world.buyer, code: "weather", suite: world.suite)
        world.accept(world.registrar, AssetApprove(asset: asset, reviewCommitment: .zero))
    }

    @Test func onlyAGovernorOfAnotherGroupGrants() throws {
        let world = try TradeWorld()
        world.refuse(.notPermitted, world.registrar, grant(world.buyer, .provider))
        world.refuse(.notPermitted, world.registrar, withdraw(world.buyer, .buyer))
        world.refuse(
            .mandateMissing, world.governor, grant(world.buyer, .provider), mandates: [.service])
        world.refuse(
            .mandateMissing, world.governor, withdraw(world.buyer, .buyer), mandates: [.service])
        let nobody = TradeWorld.member(99)
        world.refuse(.memberUnknown, world.governor, grant(nobody, .provider))
        world.refuse(.memberUnknown, world.governor, withdraw(nobody, .provider))
        // Nobody makes itself, or its own group, a registrar too.
        world.refuse(.conflictOfInterest, world.governor, grant(world.governor, .registrar))
        world.refuse(.conflictOfInterest, world.sister, grant(world.provider, .registrar))
        world.refuse(.wrongState, world.governor, grant(world.buyer, .buyer))
        world.refuse(.wrongState, world.governor, withdraw(world.buyer, .provider))
    }

    @Test func aGovernorAlwaysStays() throws {
        let world = try TradeWorld()
        world.refuse(.lastGovernor, world.governor, withdraw(world.governor, .governor))
        world.accept(world.sister, withdraw(world.governor, .governor))
        world.accept(world.sister, withdraw(world.cousin, .governor))
        world.refuse(.lastGovernor, world.sister, withdraw(world.sister, .governor))
        world.refuse(.notPermitted, world.governor, grant(world.buyer, .provider))
        // Any other office it may lay down.
        world.accept(world.sister, withdraw(world.sister, .assessor))
    }

    @Test func aBankKeepsItsRoleWhileItHoldsMoney() throws {
        let world = try TradeWorld()
        world.deposit(world.buyer, 100)
        world.refuse(.roleInUse, world.governor, withdraw(world.bank, .settlementBank))
        let order = world.accept(
            world.buyer,
            WithdrawalRequest(bank: world.bank, amountFen: 100, destinationCommitment: .zero))
        world.refuse(.roleInUse, world.governor, withdraw(world.bank, .settlementBank))
        world.accept(world.bank, WithdrawalConfirm(withdrawal: order, paid: true))
        world.accept(world.governor, withdraw(world.bank, .settlementBank))
        world.refuse(
            .notPermitted, world.bank,
            DepositConfirm(member: world.buyer, amountFen: 1, referenceCommitment: .zero))
    }

    @Test func aValidatorKeepsItsRoleWhileItHasASeat() throws {
        var market = TestMarket()
        market.validators = TestMarket.validatorSet([201, 202, 203, 204, 205])
        let governor = market.enrol(1, [.governor])
        let seated = market.enrol(201, [.validator])
        #expect(market.run(withdraw(seated, .validator), by: governor) == .roleInUse)
        let seat = try #require(market.validators.validators.first { $0.member == seated })
        let leave = ValidatorLeave(votingKey: seat.votingKey.keyID)
        #expect(market.run(leave, by: governor) == .accepted)
        #expect(market.run(withdraw(seated, .validator), by: governor) == .accepted)
    }

    @Test func theHistoryIsBounded() throws {
        let world = try TradeWorld()
        let full = (0..<UInt64(RecordLimits.rolePeriodsMax)).map {
            RolePeriod(.provider, from: 1_000 + $0, until: 1_000 + $0)
        }
        var member = try world.member(world.buyer)
        member.rolePeriods = full
        world.put(member)
        world.refuse(.roleHistoryFull, world.governor, grant(world.buyer, .provider))
        world.refuse(.roleHistoryFull, world.governor, withdraw(world.buyer, .buyer))
    }

    /// Whatever is granted and withdrawn, the last record knows for each height what its state said then.
    @Test(arguments: 1...6 as ClosedRange<UInt64>) func theRecordKnowsEveryPast(
        _ seed: UInt64
    ) throws {
        let world = try TradeWorld()
        var random = HistoryRandom(state: seed)
        var past: [(height: UInt64, roles: [Role])] = []
        var done = 0
        for _ in 0..<60 {
            for _ in 0..<(random.next() % 4) {
                let role = Role.allCases[Int(random.next() % 4)]
                let has = try world.member(world.otherBuyer).has(role)
                let code =
                    has
                    ? world.send(world.governor, withdraw(world.otherBuyer, role))
                    : world.send(world.governor, grant(world.otherBuyer, role))
                #expect(code == .accepted)
                done += 1
            }
            past.append((world.height, try world.member(world.otherBuyer).roles))
            world.endBlock()
        }
        #expect(done > 40)
        let member = try world.member(world.otherBuyer)
        #expect(try MemberRecord.decode(member.encoded) == member)
        for (height, roles) in past {
            for role in Role.allCases {
                #expect(member.held(role, at: height) == roles.contains(role), "\(role) \(height)")
            }
        }
    }
}
