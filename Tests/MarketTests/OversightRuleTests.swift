import Encoding
import Ledger
import LedgerCrypto
import Market
import Records
import Testing

@Suite struct FreezeRuleTests {
    private func freeze(_ asset: Digest, _ office: Office = .regulator) -> AssetFreeze {
        AssetFreeze(
            asset: asset, office: office, reason: .investigation, referenceCommitment: .zero)
    }

    private func lift(_ asset: Digest, _ office: Office = .regulator) -> AssetUnfreeze {
        AssetUnfreeze(asset: asset, office: office, referenceCommitment: .zero)
    }

    @Test func officesFreezeAndLiftEachItsOwn() throws {
        let world = try TradeWorld()
        let id = world.registerAsset()
        world.refuse(.notPermitted, world.provider, freeze(id))
        world.refuse(.notPermitted, world.arbitrator, freeze(id))
        world.refuse(.notPermitted, world.regulator, freeze(id, .arbitrator))
        world.refuse(.conflictOfInterest, world.sister, freeze(id))
        world.refuse(.unknownAsset, world.regulator, freeze(.zero))
        world.refuse(.mandateMissing, world.regulator, freeze(id), mandates: [.service])
        world.refuse(.wrongState, world.regulator, lift(id))
        world.accept(world.regulator, freeze(id))
        world.refuse(.wrongState, world.regulator, freeze(id))
        world.accept(world.arbitrator, freeze(id, .arbitrator))
        #expect(try world.asset(id).freezes.map(\.office) == [.regulator, .arbitrator])
        world.refuse(.notPermitted, world.arbitrator, lift(id))
        world.refuse(.conflictOfInterest, world.sister, lift(id))
        world.refuse(.unknownAsset, world.regulator, lift(.zero))
        world.accept(world.regulator, lift(id))
        #expect(try world.asset(id).status == .frozen)
        // Any other holder of the office may lift it too.
        world.accept(world.cousin, lift(id, .arbitrator))
        let record = try world.asset(id)
        #expect(record.status == .registered && record.freezes.isEmpty)
        let log = world.log(id, .rights).map(\.kind)
        #expect(
            log.suffix(4) == [
                .transaction(.assetFreeze), .transaction(.assetFreeze),
                .transaction(.assetUnfreeze), .transaction(.assetUnfreeze),
            ])
    }

    @Test func aClaimStaysAClaim() throws {
        let world = try TradeWorld()
        let id = world.assetID()
        world.accept(world.provider, TradeWorld.claim())
        world.accept(world.regulator, freeze(id))
        let approval = AssetApprove(asset: id, reviewCommitment: .zero)
        world.refuse(.assetFrozen, world.registrar, approval)
        world.accept(world.regulator, lift(id))
        #expect(try world.asset(id).status == .claimed)
        world.accept(world.registrar, approval)
        // What is revoked for good is not frozen any more.
        var record = try world.asset(id)
        record.status = .revoked
        world.put(record)
        world.refuse(.wrongState, world.regulator, freeze(id))
    }

    @Test func nothingNewWhileFrozen() throws {
        let world = try TradeWorld()
        let licence = world.license()
        let id = world.assetID()
        let offer = try world.agreement(licence).offer
        let unadmitted = world.accept(world.provider, world.terms(id))
        let request = world.accept(world.buyer, world.order(offer))
        let held = world.accept(world.buyer, world.submit(licence))
        world.accept(world.sandbox, world.hold(held))
        let running = world.accept(world.buyer, world.submit(licence))
        world.accept(world.regulator, freeze(id))
        let attest = AssetAttest(
            asset: id, assessment: .quality, score: 1, expiresMs: world.timeMs + 100_000,
            reportCommitment: .zero)
        world.refuse(.assetFrozen, world.assessor, attest)
        world.refuse(.assetFrozen, world.provider, world.terms(id))
        world.refuse(.assetFrozen, world.venue, OfferAdmit(offer: unadmitted))
        world.refuse(.assetFrozen, world.buyer, world.order(offer))
        world.refuse(.assetFrozen, world.provider, LicenceAgree(agreement: request))
        world.refuse(.assetFrozen, world.buyer, world.submit(licence))
        let release = OutputRelease(job: held, outputCommitment: .zero)
        world.refuse(.assetFrozen, world.reviewer, release)
        // What runs may come to its hold, a reviewer may still say no, and the buyer may walk away.
        world.accept(world.sandbox, world.hold(running))
        let rejection = OutputReject(
            job: running, outputCommitment: .zero, reason: .groupTooSmall)
        world.accept(world.reviewer, rejection)
        world.accept(world.buyer, LicenceClose(agreement: request))
        world.accept(world.regulator, lift(id))
        world.accept(world.reviewer, release)
        #expect(try world.agreement(licence).usesMetered == 1)
    }

    @Test func aLicenceEndsDuringAFreezeAndIsRefunded() throws {
        let world = try TradeWorld()
        let licence = world.license()
        world.use(licence)
        let held = world.accept(world.buyer, world.submit(licence))
        world.accept(world.sandbox, world.hold(held))
        world.accept(world.regulator, freeze(world.assetID()))
        world.endBlock(afterMs: 4_000_000)
        let record = try world.agreement(licence)
        #expect(record.status == .expired && record.refundedFen == 2_002)
        world.accept(world.regulator, lift(world.assetID()))
        world.refuse(
            .licenceEnded, world.reviewer, OutputRelease(job: held, outputCommitment: .zero))
    }
}

@Suite struct RevocationRuleTests {
    private func revoke(_ id: Digest, _ ground: RevocationGround = .breach) -> LicenceRevoke {
        LicenceRevoke(agreement: id, ground: ground, referenceCommitment: .zero)
    }

    private func allowProviders(_ world: TradeWorld, _ value: Int64, version: UInt64) {
        world.accept(
            world.governor,
            PolicySet(
                name: PolicyRecord.licences, version: version, tag: .mandatory,
                entries: [PolicyEntry(StandardPolicies.providerRevokesBreach, .number(value))]))
    }

    @Test(arguments: [true, false]) func anAuthorityRevokesAndTheRestIsReturned(
        _ byArbitrator: Bool
    ) throws {
        let world = try TradeWorld()
        let id = world.license()
        world.use(id)
        let job = world.accept(world.buyer, world.submit(id))
        let authority = byArbitrator ? world.arbitrator : world.regulator
        world.refuse(.unknownAgreement, authority, revoke(.zero))
        world.refuse(.mandateMissing, authority, revoke(id), mandates: [.service])
        world.refuse(.conflictOfInterest, world.sister, revoke(id))
        world.refuse(.conflictOfInterest, world.cousin, revoke(id))
        world.accept(authority, revoke(id, .ruling))
        let licence = try world.agreement(id)
        #expect(licence.status == .revoked && licence.escrowFen == 0)
        #expect(licence.paidProviderFen == 951 && licence.paidVenueFen == 50)
        #expect(licence.refundedFen == 2_002 && licence.usesReserved == 0)
        #expect(
            licence.revocation
                == Revocation(
                    member: authority, ground: .ruling, referenceCommitment: .zero,
                    height: world.height))
        #expect(world.account(world.buyer).lockedFen == 0)
        let event = try #require(world.log(licence.asset, .trades).last)
        #expect(event.actor == .member(authority))
        world.refuse(.licenceEnded, authority, revoke(id))
        world.refuse(.licenceEnded, world.buyer, world.submit(id))
        world.refuse(.licenceEnded, world.buyer, LicenceClose(agreement: id))
        world.refuse(.licenceEnded, world.sandbox, world.hold(job))
        world.accept(world.sandbox, JobRefuse(job: job, reason: .licenceEnded))
        #expect(try world.job(job).status == .lapsed)
        // Its deadline is gone.
        world.endBlock(afterMs: 4_000_000)
        #expect(try world.agreement(id) == licence)
    }

    @Test func aProviderRevokesForABreachWherePolicySaysSo() throws {
        let world = try TradeWorld()
        let id = world.license()
        world.refuse(.notPermitted, world.provider, revoke(id))
        allowProviders(world, 0, version: 1)
        world.refuse(.notPermitted, world.provider, revoke(id))
        allowProviders(world, 1, version: 2)
        world.refuse(.notPermitted, world.provider, revoke(id, .unlawfulSource))
        world.refuse(.notPermitted, world.buyer, revoke(id))
        world.accept(world.provider, revoke(id))
        #expect(try world.agreement(id).refundedFen == 3_003)
        let log = world.log(world.assetID(), .trades)
        let salt = try world.agreement(id).pseudonym(of: world.provider, suite: world.suite)
        #expect(log.last?.actor == .pseudonym(salt))
    }

    @Test func aRequestIsRevokedWithoutMoney() throws {
        let world = try TradeWorld()
        allowProviders(world, 1, version: 1)
        let offer = world.admitOffer()
        world.deposit(world.buyer, 10_000)
        let id = world.accept(world.buyer, world.order(offer))
        world.refuse(.wrongState, world.provider, revoke(id))
        world.accept(world.regulator, revoke(id))
        world.refuse(.wrongState, world.provider, LicenceAgree(agreement: id))
        #expect(world.account(world.buyer).availableFen == 10_000)
    }

    /// A buyer that tries is refused, and stays behind its pseudonym.
    @Test func refusalsDoNotNameTheBuyer() throws {
        let world = try TradeWorld()
        let id = world.license()
        world.refuse(.notPermitted, world.buyer, revoke(id))
        let event = try #require(world.log(world.assetID(), .refusals).last)
        let pseudonym = try world.agreement(id).pseudonym(of: world.buyer, suite: world.suite)
        #expect(event.actor == .pseudonym(pseudonym) && event.kind == .transaction(.licenceRevoke))
    }
}
