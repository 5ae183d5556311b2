import Encoding
import Ledger
import LedgerCrypto
import Market
import Records
import Testing

@Suite struct RightRuleTests {
    private let legal: [Mandate] = [.legalRepresentative]

    private func transfer(
        _ world: TradeWorld, _ asset: Digest, to: MemberID? = nil,
        rights: [DataRight] = [.operating], afterMs: UInt64 = 1_000
    ) -> RightTransfer {
        RightTransfer(
            asset: asset, to: to ?? world.cousin, rights: rights, termsCommitment: .zero,
            expiresMs: world.timeMs + afterMs)
    }

    /// Offered, accepted and registered.
    private func handOver(
        _ world: TradeWorld, _ asset: Digest, from: MemberID, to: MemberID,
        rights: [DataRight] = [.operating]
    ) {
        let id = world.accept(
            from, transfer(world, asset, to: to, rights: rights), mandates: legal)
        world.accept(to, RightAccept(transfer: id), mandates: legal)
        world.accept(world.registrar, RightApprove(transfer: id, reviewCommitment: .zero))
    }

    private func waiveApproval(_ world: TradeWorld) {
        world.accept(
            world.governor,
            PolicySet(
                name: PolicyRecord.transfers, version: 1, tag: .mandatory,
                entries: [PolicyEntry(StandardPolicies.registrarApproval, .number(0))]))
    }

    @Test(arguments: Suite.allCases) func rightsChangeHandsInThreeSteps(_ suite: Suite) throws {
        let world = try TradeWorld(suite: suite)
        let asset = world.registerAsset()
        let id = world.accept(world.provider, transfer(world, asset), mandates: legal)
        world.accept(world.cousin, RightAccept(transfer: id), mandates: legal)
        #expect(try world.transfer(id).status == .accepted)
        #expect(try world.asset(asset).holder(of: .operating) == world.provider)
        world.endBlock()
        world.accept(world.registrar, RightApprove(transfer: id, reviewCommitment: .zero))
        let record = try world.transfer(id)
        #expect(record.status == .completed && record.registrar == world.registrar)
        #expect(record.completedHeight == world.height)
        let holders = try world.asset(asset).holders
        #expect(holders == [RightHolder(.operating, world.cousin, since: world.height)])
        #expect(try world.asset(asset).holder(of: .holding) == world.provider)
        let log = world.log(asset, .rights).suffix(3)
        #expect(
            log.map(\.kind) == [
                .transaction(.rightTransfer), .transaction(.rightAccept),
                .transaction(.rightApprove),
            ])
        // And back again.
        handOver(world, asset, from: world.cousin, to: world.provider)
        #expect(try world.asset(asset).holder(of: .operating) == world.provider)
    }

    @Test func offersAreChecked() throws {
        let world = try TradeWorld()
        let asset = world.registerAsset()
        func refuse(_ code: OutcomeCode, _ member: MemberID, _ body: RightTransfer) {
            world.refuse(code, member, body, mandates: legal)
        }
        world.refuse(.mandateMissing, world.provider, transfer(world, asset))
        refuse(.notPermitted, world.buyer, transfer(world, asset))
        refuse(.rightNotHeld, world.sister, transfer(world, asset))
        refuse(.unknownAsset, world.provider, transfer(world, .zero))
        refuse(.valueNotAllowed, world.provider, transfer(world, asset, to: world.provider))
        refuse(.valueNotAllowed, world.provider, transfer(world, asset, rights: []))
        refuse(.valueNotAllowed, world.provider, transfer(world, asset, rights: [.processing]))
        refuse(.valueNotAllowed, world.provider, transfer(world, asset, afterMs: 0))
        refuse(.notPermitted, world.provider, transfer(world, asset, to: world.buyer))
        let nobody = TradeWorld.member(99)
        refuse(.memberUnknown, world.provider, transfer(world, asset, to: nobody))
        world.accept(world.provider, TradeWorld.claim("claimed"))
        refuse(.wrongState, world.provider, transfer(world, world.assetID("claimed")))
    }

    @Test func onlyTheTransfereeAcceptsAndInTime() throws {
        let world = try TradeWorld()
        let asset = world.registerAsset()
        let id = world.accept(
            world.provider, transfer(world, asset, afterMs: 100), mandates: legal)
        let acceptance = RightAccept(transfer: id)
        world.refuse(.unknownTransfer, world.cousin, RightAccept(transfer: .zero), mandates: legal)
        world.refuse(.notPermitted, world.sister, acceptance, mandates: legal)
        world.refuse(.mandateMissing, world.cousin, acceptance)
        let approval = RightApprove(transfer: id, reviewCommitment: .zero)
        world.refuse(.wrongState, world.registrar, approval)
        world.endBlock(afterMs: 100)
        world.refuse(.transferExpired, world.cousin, acceptance, mandates: legal)
        let other = world.accept(world.provider, transfer(world, asset), mandates: legal)
        world.accept(world.cousin, RightAccept(transfer: other), mandates: legal)
        world.refuse(
            .wrongState, world.cousin, RightAccept(transfer: other), mandates: legal)
    }

    @Test func registrarsAreIndependentAndLookAgain() throws {
        let world = try TradeWorld()
        let asset = world.registerAsset()
        let id = world.accept(world.provider, transfer(world, asset), mandates: legal)
        world.accept(world.cousin, RightAccept(transfer: id), mandates: legal)
        let approval = RightApprove(transfer: id, reviewCommitment: .zero)
        for member in [world.sister, world.cousin] {
            world.refuse(.conflictOfInterest, member, approval)
        }
        world.refuse(.notPermitted, world.provider, approval)
        world.refuse(.mandateMissing, world.registrar, approval, mandates: [.service])
        world.refuse(
            .unknownTransfer, world.registrar,
            RightApprove(transfer: .zero, reviewCommitment: .zero))
        // Whoever accepted is no provider any more.
        let withdrawal = MemberWithdraw(
            member: world.cousin, role: .provider, decisionCommitment: .zero)
        world.accept(world.governor, withdrawal)
        world.refuse(.notPermitted, world.registrar, approval)
        let grant = MemberGrant(member: world.cousin, role: .provider, decisionCommitment: .zero)
        world.accept(world.governor, grant)
        // What was sold twice goes to whom it is registered for first.
        let second = world.accept(
            world.provider, transfer(world, asset, to: world.sister), mandates: legal)
        let third = world.accept(
            world.provider, transfer(world, asset, to: world.sister), mandates: legal)
        world.accept(world.sister, RightAccept(transfer: second), mandates: legal)
        world.accept(
            world.registrar, RightApprove(transfer: second, reviewCommitment: .zero))
        world.refuse(.rightNotHeld, world.registrar, approval)
        world.refuse(
            .rightNotHeld, world.sister, RightAccept(transfer: third), mandates: legal)
    }

    @Test func policyMayWaiveTheApproval() throws {
        let world = try TradeWorld()
        waiveApproval(world)
        let asset = world.registerAsset()
        let id = world.accept(
            world.provider, transfer(world, asset, rights: [.holding, .operating]),
            mandates: legal)
        world.accept(world.cousin, RightAccept(transfer: id), mandates: legal)
        let record = try world.transfer(id)
        #expect(record.status == .completed && record.registrar == nil)
        #expect(try world.asset(asset).holder(of: .holding) == world.cousin)
        world.refuse(
            .wrongState, world.registrar, RightApprove(transfer: id, reviewCommitment: .zero))
    }

    @Test func transfersAreCancelled() throws {
        let world = try TradeWorld()
        let asset = world.registerAsset()
        func offer() -> Digest {
            world.accept(world.provider, transfer(world, asset), mandates: legal)
        }
        for member in [world.provider, world.cousin] {
            let cancel = RightCancel(transfer: offer())
            world.refuse(.notPermitted, world.buyer, cancel)
            world.refuse(.conflictOfInterest, world.sister, cancel)
            world.refuse(.notPermitted, world.registrar, cancel)
            world.accept(member, cancel)
            world.refuse(.wrongState, member, cancel)
            world.refuse(
                .wrongState, world.cousin, RightAccept(transfer: cancel.transfer),
                mandates: legal)
        }
        let id = offer()
        world.accept(world.cousin, RightAccept(transfer: id), mandates: legal)
        world.refuse(.unknownTransfer, world.registrar, RightCancel(transfer: .zero))
        world.refuse(
            .mandateMissing, world.registrar, RightCancel(transfer: id), mandates: [.service])
        world.accept(world.registrar, RightCancel(transfer: id))
        world.refuse(
            .wrongState, world.registrar, RightApprove(transfer: id, reviewCommitment: .zero))
    }

    @Test func frozenRightsStayWhereTheyAre() throws {
        let world = try TradeWorld()
        let asset = world.registerAsset()
        let offered = world.accept(world.provider, transfer(world, asset), mandates: legal)
        let accepted = world.accept(world.provider, transfer(world, asset), mandates: legal)
        world.accept(world.cousin, RightAccept(transfer: accepted), mandates: legal)
        world.accept(
            world.regulator,
            AssetFreeze(
                asset: asset, office: .regulator, reason: .rightsDispute,
                referenceCommitment: .zero))
        world.refuse(.assetFrozen, world.provider, transfer(world, asset), mandates: legal)
        world.refuse(
            .assetFrozen, world.cousin, RightAccept(transfer: offered), mandates: legal)
        world.refuse(
            .assetFrozen, world.registrar,
            RightApprove(transfer: accepted, reviewCommitment: .zero))
        world.accept(world.provider, RightCancel(transfer: accepted))
    }

    /// What was agreed stays with whoever agreed; all that is new goes to the new holder.
    @Test func runningLicencesAreHonoured() throws {
        let world = try TradeWorld()
        let licence = world.license()
        let asset = world.assetID()
        let offer = try world.agreement(licence).offer
        let published = world.accept(world.provider, world.terms(asset))
        let request = world.accept(world.buyer, world.order(offer))
        world.use(licence)
        handOver(world, asset, from: world.provider, to: world.sister)
        // The old holder's offers and requests have nobody behind them any more.
        world.refuse(.rightNotHeld, world.buyer, world.order(offer))
        world.refuse(.rightNotHeld, world.venue, OfferAdmit(offer: published))
        world.refuse(.rightNotHeld, world.provider, LicenceAgree(agreement: request))
        world.refuse(.rightNotHeld, world.provider, world.terms(asset))
        world.accept(world.buyer, LicenceClose(agreement: request))
        // The running licence is used on, and paid to whom the buyer agreed with.
        world.use(licence)
        world.accept(world.buyer, LicenceClose(agreement: licence))
        #expect(world.account(world.provider).availableFen == 1_902)
        #expect(world.account(world.sister).availableFen == 0)
        // What is new is the new holder's, and paid to it.
        let next = world.accept(world.sister, world.terms(asset))
        world.accept(world.venue, OfferAdmit(offer: next))
        let id = world.accept(world.buyer, world.order(next, uses: 1))
        world.accept(world.sister, LicenceAgree(agreement: id))
        world.use(id)
        world.accept(world.buyer, LicenceClose(agreement: id))
        #expect(world.account(world.sister).availableFen == 951)
    }

    @Test func whoHoldsTheProcessingRightDerives() throws {
        let world = try TradeWorld()
        let claim = TradeWorld.claim(rights: [.holding, .processing, .operating])
        world.accept(world.provider, claim)
        let asset = world.assetID()
        world.accept(world.registrar, AssetApprove(asset: asset, reviewCommitment: .zero))
        handOver(world, asset, from: world.provider, to: world.cousin, rights: [.processing])
        func derive() throws -> AssetDerive {
            AssetDerive(
                claim: TradeWorld.claim("index", level: .derived),
                parents: [ParentPin(try world.asset(asset))])
        }
        world.refuse(.derivationNotPermitted, world.provider, try derive())
        world.accept(world.cousin, try derive())
        // An authority of the holder's group is no more independent than one of the provider's.
        world.refuse(
            .conflictOfInterest, world.cousin,
            AssetFreeze(
                asset: asset, office: .regulator, reason: .rightsDispute,
                referenceCommitment: .zero))
        let attest = AssetAttest(
            asset: asset, assessment: .quality, score: 1, expiresMs: world.timeMs + 100_000,
            reportCommitment: .zero)
        world.refuse(.conflictOfInterest, world.cousin, attest)
    }
}
