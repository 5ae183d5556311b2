import Encoding
import LedgerCrypto
import Market
import Policy
import Records
import Testing

@Suite struct LicenceRuleTests {
    @Test func requestsStayWithinTheOffer() throws {
        let world = try TradeWorld()
        let offer = world.accept(world.provider, world.terms(world.registerAsset()))
        world.deposit(world.buyer, 10)
        world.refuse(.wrongState, world.buyer, world.order(offer))
        world.accept(world.venue, OfferAdmit(offer: offer))
        world.refuse(.unknownOffer, world.buyer, world.order(.zero))
        world.refuse(.notPermitted, world.provider, world.order(offer))
        world.refuse(.purposeNotPermitted, world.buyer, world.order(offer, purpose: "research"))
        world.refuse(.purposeNotPermitted, world.buyer, world.order(offer, purpose: "anything"))
        world.refuse(
            .scopeNotPermitted, world.buyer, world.order(offer, columns: ["hour", "temp"]))
        world.refuse(.scopeNotPermitted, world.buyer, world.order(offer, columns: []))
        world.refuse(.usesNotPermitted, world.buyer, world.order(offer, uses: 11))
        world.refuse(.usesNotPermitted, world.buyer, world.order(offer, uses: 0))
        world.refuse(.bankUnknown, world.buyer, world.order(offer, bank: world.venue))
        world.refuse(.mandateMissing, world.buyer, world.order(offer), mandates: [.service])
        world.accept(world.buyer, world.order(offer, uses: 10))
    }

    @Test func nobodyBuysFromItself() throws {
        let world = try TradeWorld()
        world.accept(world.sister, TradeWorld.claim())
        let asset = AssetRecord.id(provider: world.sister, code: "weather", suite: world.suite)
        world.accept(world.registrar, AssetApprove(asset: asset, reviewCommitment: .zero))
        let offer = world.accept(world.sister, world.terms(asset))
        world.accept(world.venue, OfferAdmit(offer: offer))
        world.deposit(world.sister, 10)
        world.refuse(.conflictOfInterest, world.sister, world.order(offer))
    }

    @Test func hugeTotalsAreRefusedNotWrapped() throws {
        let world = try TradeWorld()
        let offer = world.admitOffer(priceFen: RecordLimits.amountFenMax / 2)
        world.deposit(world.buyer, 10)
        world.refuse(.amountOutOfRange, world.buyer, world.order(offer, uses: 3))
        world.accept(world.buyer, world.order(offer, uses: 2))
    }

    @Test func agreeingLocksThePrice() throws {
        let world = try TradeWorld()
        let offer = world.admitOffer()
        world.deposit(world.buyer, 3_002)
        let id = world.accept(world.buyer, world.order(offer))
        world.refuse(.insufficientFunds, world.provider, LicenceAgree(agreement: id))
        #expect(world.account(world.buyer).availableFen == 3_002)
        world.deposit(world.buyer, 1)
        world.refuse(.unknownAgreement, world.provider, LicenceAgree(agreement: .zero))
        world.refuse(.notPermitted, world.sister, LicenceAgree(agreement: id))
        world.accept(world.provider, LicenceAgree(agreement: id))
        let licence = try world.agreement(id)
        #expect(licence.status == .agreed && licence.escrowFen == 3_003)
        #expect(licence.startsMs == world.timeMs)
        #expect(licence.expiresMs == world.timeMs + 3_600_000)
        #expect(world.account(world.buyer).availableFen == 0)
        #expect(world.account(world.buyer).lockedFen == 3_003)
        world.refuse(.wrongState, world.provider, LicenceAgree(agreement: id))
    }

    @Test func closingPaysWhatWasUsedAndRefundsTheRest() throws {
        let world = try TradeWorld()
        let id = world.license()
        world.use(id)
        world.use(id)
        world.refuse(.notPermitted, world.otherBuyer, LicenceClose(agreement: id))
        world.refuse(.notPermitted, world.provider, LicenceClose(agreement: id))
        world.refuse(.notPermitted, world.venue, LicenceClose(agreement: id))
        world.accept(world.buyer, LicenceClose(agreement: id))
        let licence = try world.agreement(id)
        // 5 % of 2002 fen, rounded down, is the venue's.
        #expect(licence.paidVenueFen == 100 && licence.paidProviderFen == 1_902)
        #expect(licence.refundedFen == 1_001 && licence.escrowFen == 0)
        #expect(licence.status == .closed)
        #expect(world.account(world.provider).availableFen == 1_902)
        #expect(world.account(world.venue).availableFen == 100)
        #expect(world.account(world.buyer).availableFen == 7_998)
        #expect(world.account(world.buyer).lockedFen == 0)
        world.refuse(.licenceEnded, world.buyer, LicenceClose(agreement: id))
        // Its deadline is gone: nothing happens when the time comes.
        world.endBlock(afterMs: 4_000_000)
        #expect(try world.agreement(id).status == .closed)
    }

    @Test(arguments: [true, false]) func aUsedUpLicenceMayBeClosedByTheOthers(
        _ byVenue: Bool
    ) throws {
        let world = try TradeWorld()
        let id = world.license(uses: 1)
        let closer = byVenue ? world.venue : world.provider
        world.use(id)
        world.accept(closer, LicenceClose(agreement: id))
        #expect(try world.agreement(id).refundedFen == 0)
    }

    @Test func aLicenceWithAnOpenJobStaysOpen() throws {
        let world = try TradeWorld()
        let id = world.license()
        let job = world.accept(world.buyer, world.submit(id))
        world.refuse(.jobOpen, world.buyer, LicenceClose(agreement: id))
        world.accept(world.sandbox, world.hold(job))
        world.refuse(.jobOpen, world.buyer, LicenceClose(agreement: id))
        world.accept(
            world.reviewer,
            OutputReject(job: job, outputCommitment: .zero, reason: .groupTooSmall))
        world.accept(world.buyer, LicenceClose(agreement: id))
        #expect(try world.agreement(id).refundedFen == 3_003)
    }

    @Test(arguments: [true, false]) func aRequestCanBeWithdrawnOrDeclined(_ byBuyer: Bool) throws {
        let world = try TradeWorld()
        let offer = world.admitOffer()
        world.deposit(world.buyer, 10_000)
        let id = world.accept(world.buyer, world.order(offer))
        world.refuse(.notPermitted, world.venue, LicenceClose(agreement: id))
        world.accept(byBuyer ? world.buyer : world.provider, LicenceClose(agreement: id))
        world.refuse(.wrongState, world.provider, LicenceAgree(agreement: id))
        #expect(world.account(world.buyer).availableFen == 10_000)
    }

    @Test func anExpiredLicenceSettlesItself() throws {
        let world = try TradeWorld()
        let id = world.license()
        world.use(id)
        let held = world.accept(world.buyer, world.submit(id))
        world.accept(world.sandbox, world.hold(held))
        let submitted = world.accept(world.buyer, world.submit(id))
        let expiresMs = try world.agreement(id).expiresMs
        world.endBlock(afterMs: expiresMs - world.timeMs - 1)
        #expect(try world.agreement(id).status == .agreed)
        world.endBlock()
        #expect(world.timeMs == expiresMs)
        let licence = try world.agreement(id)
        #expect(licence.status == .expired && licence.escrowFen == 0)
        #expect(licence.usesMetered == 1 && licence.usesReserved == 0)
        #expect(licence.paidProviderFen == 951 && licence.paidVenueFen == 50)
        #expect(licence.refundedFen == 2_002)
        let event = try #require(world.log(licence.asset, .trades).last)
        #expect(event.actor == .ledger && event.kind == .automatic(.licenceExpire))
        // What was under way lapses, unpaid.
        let release = OutputRelease(job: held, outputCommitment: .zero)
        world.refuse(.licenceEnded, world.reviewer, release)
        world.refuse(.licenceEnded, world.sandbox, world.hold(submitted))
        world.accept(world.sandbox, JobRefuse(job: submitted, reason: .licenceEnded))
        #expect(try world.job(submitted).status == .lapsed)
        #expect(try world.agreement(id) == licence)
        world.refuse(.licenceEnded, world.buyer, world.submit(id))
        world.refuse(.licenceEnded, world.buyer, LicenceClose(agreement: id))
    }

    @Test func tradesAreUnderPseudonymsThatDifferByAgreement() throws {
        let world = try TradeWorld()
        let id = world.license()
        world.use(id)
        let licence = try world.agreement(id)
        let log = world.log(licence.asset, .trades)
        #expect(log.count == 5)
        let names = [world.provider, world.buyer, world.sandbox, world.reviewer].map {
            EventActor.pseudonym(licence.pseudonym(of: $0, suite: world.suite))
        }
        #expect(log.map(\.actor) == [names[1], names[0], names[1], names[2], names[3]])
        let parties = [world.provider, world.buyer, world.sandbox, world.reviewer, world.venue]
        for event in log {
            let text = String(decoding: event.encoded, as: UTF8.self)
            #expect(parties.allSatisfy { !text.contains($0.text) })
        }
    }

    @Test func aFreeLicenceMovesNoMoney() throws {
        let world = try TradeWorld()
        let id = world.license(priceFen: 0)
        world.use(id)
        world.accept(world.buyer, LicenceClose(agreement: id))
        #expect(world.account(world.buyer).availableFen == 10_000)
        #expect(world.account(world.provider).availableFen == 0)
    }
}
