import Ledger
import LedgerCrypto
import Policy
import Testing

@Suite struct UsagePolicyTests {
    let asset = Suite.ed25519SHA256.digest([1])
    let buyer = MemberID("91330100799655058B")!
    let other = MemberID("914403001922038216")!

    var licence: UsagePolicy {
        UsagePolicy(
            target: asset,
            rules: [
                UsageRule(
                    .permission, .compute, assignee: buyer,
                    constraints: [
                        .live, .purpose(["weather-service"]), .notBefore(100), .before(200),
                        .columns(Scope(["hour", "temp"])!), .usesFewerThan(3),
                    ], duties: [.lockPrice]),
                UsageRule(.prohibition, .readRows),
            ])
    }

    func request(
        _ member: MemberID? = nil, _ action: UsageAction = .compute, target: Digest? = nil,
        purpose: String = "weather-service", columns: [String] = ["temp"]
    ) -> UsageRequest {
        UsageRequest(
            member: member ?? buyer, action: action, target: target ?? asset, purpose: purpose,
            columns: Scope(columns))
    }

    func state(
        _ timeMs: UInt64 = 150, uses: UInt64 = 0, live: Bool = true,
        duties: [UsageDuty] = [.lockPrice]
    ) -> UsageState {
        UsageState(timeMs: timeMs, usesTaken: uses, isLive: live, dutiesDone: duties)
    }

    @Test func whatIsLicensedIsPermitted() {
        #expect(licence.decide(request(), in: state()) == .permit)
        #expect(licence.decide(request(), in: state(100, uses: 2)) == .permit)
        #expect(licence.decide(request(), in: state(199)) == .permit)
    }

    @Test func eachConstraintDeniesByItsOwnName() {
        let cases: [(UsageRequest, UsageState, UsageDenial)] = [
            (request(purpose: "marketing"), state(), .purpose),
            (request(columns: ["dewp", "temp"]), state(), .columns),
            (request(), state(99), .tooEarly),
            (request(), state(200), .ended),
            (request(), state(live: false), .ended),
            (request(), state(uses: 3), .exhausted),
            (request(), state(duties: []), .dutyOpen(.lockPrice)),
            (request(other), state(), .noPermission),
            (request(target: .zero), state(), .noPermission),
            (request(buyer, .distribute), state(), .noPermission),
            (request(buyer, .readRows), state(), .prohibited),
        ]
        for (request, state, denial) in cases {
            #expect(licence.decide(request, in: state) == .deny(denial))
        }
    }

    @Test func theFirstFailureInOrderIsTheReason() {
        #expect(
            licence.decide(request(purpose: "marketing"), in: state(500, uses: 9))
                == .deny(.purpose))
        #expect(
            licence.decide(request(purpose: "marketing"), in: state(live: false))
                == .deny(.ended))
    }

    @Test func aProhibitionWinsOverAnyPermissionAndOnlyWhereItApplies() {
        let policy = UsagePolicy(
            target: asset,
            rules: [
                UsageRule(.permission, .use),
                UsageRule(.prohibition, .use, constraints: [.purpose(["marketing"])]),
            ])
        #expect(policy.decide(request(other, .derive), in: state()) == .permit)
        #expect(
            policy.decide(request(other, .derive, purpose: "marketing"), in: state())
                == .deny(.prohibited))
    }

    @Test func aSecondPermissionMayStillPermit() {
        let policy = UsagePolicy(
            target: asset,
            rules: [
                UsageRule(.permission, .compute, constraints: [.before(10)]),
                UsageRule(.permission, .use, constraints: [.purpose(["research"])]),
            ])
        #expect(policy.decide(request(purpose: "research"), in: state()) == .permit)
        #expect(policy.decide(request(), in: state()) == .deny(.ended))
    }

    @Test func nothingIsPermittedByDefault() {
        let empty = UsagePolicy(target: asset, rules: [])
        for action in UsageAction.allCases {
            #expect(empty.decide(request(buyer, action), in: state()) == .deny(.noPermission))
        }
    }
}

@Suite struct DisclosureRulesTests {
    let rules = DisclosureRules(groupMinimum: 5, dominancePercent: 80)!

    @Test func smallGroupsStayInside() {
        #expect(
            rules.violation(in: GroupFacts(entities: 4))
                == .groupTooSmall(entities: 4, minimum: 5))
        #expect(rules.violation(in: GroupFacts(entities: 5)) == nil)
        #expect(rules.violation(in: GroupFacts(entities: 0)) != nil)
    }

    @Test func dominanceIsExact() {
        #expect(rules.violation(in: GroupFacts(entities: 9, total: 100, largest: 80)) == nil)
        #expect(
            rules.violation(in: GroupFacts(entities: 9, total: 100, largest: 81))
                == .dominated(percentMax: 80))
        let huge = GroupFacts(entities: 9, total: .max, largest: .max)
        #expect(rules.violation(in: huge) == .dominated(percentMax: 80))
        #expect(rules.violation(in: GroupFacts(entities: 9)) == nil)
        let off = DisclosureRules(groupMinimum: 5, dominancePercent: 100)!
        #expect(off.violation(in: huge) == nil)
    }

    @Test func rulesAreBoundedAndOnlyTighten() {
        #expect(DisclosureRules(groupMinimum: 1, dominancePercent: 80) == nil)
        #expect(DisclosureRules(groupMinimum: 5, dominancePercent: 0) == nil)
        #expect(DisclosureRules(groupMinimum: 5, dominancePercent: 101) == nil)
        #expect(rules.tightened(groupMinimum: 3).groupMinimum == 5)
        #expect(rules.tightened(groupMinimum: 30).groupMinimum == 30)
    }
}
