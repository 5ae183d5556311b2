import Encoding
import LedgerCrypto
import Market
import Policy
import Records
import Testing

@Suite struct JobRuleTests {
    @Test func aReleasedOutputMetersOneUse() throws {
        let world = try TradeWorld()
        let id = world.license()
        let job = world.accept(world.buyer, world.submit(id))
        #expect(try world.agreement(id).usesReserved == 1)
        let output = world.suite.digest([7])
        world.accept(world.sandbox, world.hold(job, output: output))
        #expect(try world.job(job).outputCommitment == output)
        world.accept(world.reviewer, OutputRelease(job: job, outputCommitment: output))
        let licence = try world.agreement(id)
        #expect(licence.usesReserved == 0 && licence.usesMetered == 1 && licence.usesLeft == 2)
        #expect(try world.job(job).reviewer == world.reviewer)
        // Metering moves no money; settling does.
        #expect(licence.escrowFen == 3_003)
    }

    @Test func jobsKeepToTheLicence() throws {
        let world = try TradeWorld()
        let offer = world.admitOffer()
        world.deposit(world.buyer, 10_000)
        let id = world.accept(world.buyer, world.order(offer))
        world.refuse(.wrongState, world.buyer, world.submit(id))
        world.accept(world.provider, LicenceAgree(agreement: id))
        world.refuse(.purposeNotPermitted, world.buyer, world.submit(id, purpose: "marketing"))
        world.refuse(.notPermitted, world.otherBuyer, world.submit(id))
        world.refuse(.notPermitted, world.provider, world.submit(id))
        world.refuse(.unknownAgreement, world.buyer, world.submit(.zero))
        let refusals = world.log(world.assetID(), .refusals)
        #expect(
            refusals.map(\.code)
                == [.wrongState, .purposeNotPermitted, .notPermitted, .notPermitted])
    }

    @Test func usesRunOutAndReservedOnesCount() throws {
        let world = try TradeWorld()
        let id = world.license(uses: 2)
        world.use(id)
        let job = world.accept(world.buyer, world.submit(id))
        world.refuse(.licenceExhausted, world.buyer, world.submit(id))
        world.accept(world.sandbox, JobRefuse(job: job, reason: .rowLevelOutput))
        world.use(id)
        world.refuse(.licenceExhausted, world.buyer, world.submit(id))
    }

    @Test func aUseAfterTheEndIsRefusedAndOnRecord() throws {
        let world = try TradeWorld()
        let id = world.license()
        world.accept(world.buyer, LicenceClose(agreement: id))
        world.refuse(.licenceEnded, world.buyer, world.submit(id))
        let refusal = try #require(world.log(world.assetID(), .refusals).last)
        #expect(refusal.code == .licenceEnded && refusal.kind == .transaction(.jobSubmit))
        let pseudonym = try world.agreement(id).pseudonym(of: world.buyer, suite: world.suite)
        #expect(refusal.actor == .pseudonym(pseudonym))
    }

    @Test func onlyTheLicencesSandboxHoldsAndRefuses() throws {
        let world = try TradeWorld()
        let job = world.accept(world.buyer, world.submit(world.license()))
        let refusal = JobRefuse(job: job, reason: .sqlRefused)
        world.refuse(.notPermitted, world.cousin, world.hold(job))
        world.refuse(.notPermitted, world.cousin, refusal)
        world.refuse(.notPermitted, world.buyer, refusal)
        world.refuse(.unknownJob, world.sandbox, world.hold(.zero))
        world.refuse(.unknownJob, world.sandbox, JobRefuse(job: .zero, reason: .sqlRefused))
        world.accept(world.sandbox, world.hold(job))
        world.refuse(.wrongState, world.sandbox, world.hold(job))
        world.accept(world.sandbox, refusal)
        world.refuse(.wrongState, world.sandbox, refusal)
    }

    @Test func reviewersAreIndependentAndSignWhatTheySaw() throws {
        let world = try TradeWorld()
        let id = world.license()
        let job = world.accept(world.buyer, world.submit(id))
        let release = OutputRelease(job: job, outputCommitment: .zero)
        let reject = OutputReject(job: job, outputCommitment: .zero, reason: .groupTooSmall)
        world.refuse(.wrongState, world.reviewer, release)
        world.refuse(.wrongState, world.reviewer, reject)
        world.accept(world.sandbox, world.hold(job))
        for member in [world.sister, world.cousin] {
            world.refuse(.conflictOfInterest, member, release)
            world.refuse(.conflictOfInterest, member, reject)
        }
        for member in [world.provider, world.buyer, world.sandbox] {
            world.refuse(.notPermitted, member, release)
            world.refuse(.notPermitted, member, reject)
        }
        let other = OutputRelease(job: job, outputCommitment: world.suite.digest([1]))
        world.refuse(.valueNotAllowed, world.reviewer, other)
        world.refuse(.mandateMissing, world.reviewer, release, mandates: [.service])
        world.refuse(
            .unknownJob, world.reviewer, OutputRelease(job: .zero, outputCommitment: .zero))
        world.accept(world.reviewer, release)
        world.refuse(.wrongState, world.reviewer, release)
        world.refuse(.wrongState, world.reviewer, reject)
        #expect(try world.agreement(id).usesMetered == 1)
    }

    @Test func whatSandboxAndReviewerRefuseIsInTheRefusalsLog() throws {
        let world = try TradeWorld()
        let id = world.license()
        let first = world.accept(world.buyer, world.submit(id))
        world.accept(world.sandbox, JobRefuse(job: first, reason: .rowLevelOutput))
        let second = world.accept(world.buyer, world.submit(id))
        world.accept(world.sandbox, world.hold(second))
        world.accept(
            world.reviewer,
            OutputReject(job: second, outputCommitment: .zero, reason: .dominantContributor))
        let log = world.log(world.assetID(), .refusals)
        #expect(log.map(\.kind) == [.transaction(.jobRefuse), .transaction(.outputReject)])
        #expect(log.map(\.code) == [.accepted, .accepted])
        #expect(log[0].detail.diagnostic.contains("row-level-output"))
        #expect(log[1].detail.diagnostic.contains("dominant-contributor"))
        #expect(try world.job(first).refusal == OutcomeCode.rowLevelOutput.rawValue)
        #expect(try world.job(second).status == .rejected)
        let licence = try world.agreement(id)
        #expect(licence.usesReserved == 0 && licence.usesMetered == 0)
    }

    @Test func onlyReasonsForRefusingAJobAreReasons() throws {
        for code in OutcomeCode.allCases {
            let bytes = JobRefuse(job: .zero, reason: code).encoded
            let decoded = try? JobRefuse.decode(bytes)
            #expect((decoded?.reason == code) == RefusalReason.codes.contains(code))
        }
    }

    /// The sandbox asks the same policy, and knows the columns.
    @Test func theSandboxSeesTheScope() throws {
        let world = try TradeWorld()
        let licence = try world.agreement(world.license())
        func outcome(_ columns: [String], _ timeMs: UInt64) -> OutcomeCode {
            do throws(OutcomeCode) {
                try licence.checkUse(
                    by: world.buyer, purpose: "weather-service", columns: Scope(columns),
                    timeMs: timeMs)
                return .accepted
            } catch { return error }
        }
        #expect(outcome(["temp"], world.timeMs) == .accepted)
        #expect(outcome(["origin"], world.timeMs) == .scopeNotPermitted)
        #expect(outcome(["temp"], licence.expiresMs) == .licenceEnded)
        #expect(outcome(["temp"], licence.startsMs - 1) == .wrongState)
    }
}
