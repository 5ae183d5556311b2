import Encoding
import LedgerCrypto
import Market
import Merkle
import Records
import Testing

@Suite struct AssetRuleTests {
    @Test(arguments: Suite.allCases) func aClaimBecomesARegisteredAsset(_ suite: Suite) throws {
        let world = try TradeWorld(suite: suite)
        let id = world.assetID()
        world.accept(world.provider, TradeWorld.claim())
        #expect(try world.asset(id).status == .claimed)
        world.endBlock()
        world.accept(world.registrar, AssetApprove(asset: id, reviewCommitment: .zero))
        let record = try world.asset(id)
        #expect(record.status == .registered)
        #expect(record.registrar == world.registrar)
        #expect(record.registeredHeight == world.height)
        let log = world.log(id, .rights)
        #expect(log.map(\.actor) == [.member(world.provider), .member(world.registrar)])
        let tree = LogTree(suite: suite, leafHashes: log.map { $0.leafHash(suite) })
        #expect(record.rightsLog.size == 2 && record.rightsLog.root == tree.root(size: 2))
    }

    @Test func aCodeIsClaimedOnce() throws {
        let world = try TradeWorld()
        world.accept(world.provider, TradeWorld.claim())
        world.refuse(.alreadyExists, world.provider, TradeWorld.claim())
        let refusals = world.log(world.assetID(), .refusals)
        #expect(refusals.map(\.code) == [.alreadyExists])
        #expect(refusals.map(\.kind) == [.transaction(.assetRegister)])
        // The same code of another provider is another asset.
        world.accept(world.sister, TradeWorld.claim())
    }

    @Test func claimsAreChecked() throws {
        let world = try TradeWorld()
        world.refuse(.notPermitted, world.buyer, TradeWorld.claim())
        for code in ["", "a b", "气象", "a/b"] {
            world.refuse(.valueNotAllowed, world.provider, TradeWorld.claim(code))
        }
        let claims = [
            TradeWorld.claim(entityKey: nil), TradeWorld.claim(entityKey: "station"),
            TradeWorld.claim(columns: []),
            TradeWorld.claim(columns: TradeWorld.columns + [Column("temp", .text)]),
            TradeWorld.claim(columns: TradeWorld.columns + [Column("", .text)]),
        ]
        for claim in claims { world.refuse(.valueNotAllowed, world.provider, claim) }
        // Without columns it is only catalogued, which is allowed.
        world.accept(world.provider, TradeWorld.claim(columns: [], entityKey: nil))
    }

    @Test func registrarsAreIndependent() throws {
        let world = try TradeWorld()
        world.accept(world.provider, TradeWorld.claim())
        let approval = AssetApprove(asset: world.assetID(), reviewCommitment: .zero)
        world.refuse(.conflictOfInterest, world.sister, approval)
        world.refuse(.notPermitted, world.provider, approval)
        world.refuse(.mandateMissing, world.registrar, approval, mandates: [.service])
        world.refuse(
            .unknownAsset, world.registrar, AssetApprove(asset: .zero, reviewCommitment: .zero))
        world.accept(world.registrar, approval)
        world.refuse(.wrongState, world.registrar, approval)
    }

    @Test func attestationsAreIndependentAndBounded() throws {
        let world = try TradeWorld()
        let id = world.registerAsset()
        func attest(score: UInt64 = 9_000, expiresMs: UInt64? = nil, asset: Digest? = nil)
            -> AssetAttest
        {
            AssetAttest(
                asset: asset ?? id, assessment: .quality, score: score,
                expiresMs: expiresMs ?? world.timeMs + 100, reportCommitment: .zero)
        }
        world.refuse(.valueNotAllowed, world.assessor, attest(score: 10_001))
        world.refuse(.valueNotAllowed, world.assessor, attest(expiresMs: world.timeMs))
        world.refuse(.conflictOfInterest, world.sister, attest())
        world.refuse(.notPermitted, world.registrar, attest())
        world.refuse(.unknownAsset, world.assessor, attest(asset: .zero))
        let attestation = world.accept(world.assessor, attest(score: 10_000))
        let record = try world.attestation(attestation)
        #expect(record.score == 10_000 && record.asset == id)
        #expect(record.assessor == world.assessor)
        #expect(world.log(id, .rights).count == 3)
    }
}

@Suite struct OfferRuleTests {
    @Test func anOfferIsAdmittedByItsVenue() throws {
        let world = try TradeWorld()
        let offer = world.accept(world.provider, world.terms(world.registerAsset()))
        let admission = OfferAdmit(offer: offer)
        #expect(try world.offer(offer).venueFeeBasisPoints == nil)
        world.refuse(.notPermitted, world.cousin, admission)
        world.refuse(.unknownOffer, world.venue, OfferAdmit(offer: .zero))
        world.accept(world.venue, admission)
        world.refuse(.wrongState, world.venue, admission)
        let record = try world.offer(offer)
        #expect(record.status == .admitted && record.venueFeeBasisPoints == 500)
        // A later fee does not touch what was pinned.
        world.accept(
            world.governor,
            PolicySet(
                name: PolicyRecord.fees, version: 2, tag: .commercial,
                entries: [PolicyEntry(StandardPolicies.venueBasisPoints, .number(900))]))
        #expect(try world.offer(offer).venueFeeBasisPoints == 500)
    }

    @Test func offersStayWithinTheAsset() throws {
        let world = try TradeWorld()
        world.accept(world.provider, TradeWorld.claim("claimed"))
        world.refuse(
            .wrongState, world.provider, world.terms(world.assetID("claimed")))
        let id = world.registerAsset()
        world.refuse(.unknownAsset, world.provider, world.terms(.zero))
        world.refuse(.rightNotHeld, world.sister, world.terms(id))
        world.refuse(
            .scopeNotPermitted, world.provider, world.terms(id, columns: ["origin", "wind"]))
        world.refuse(.memberUnknown, world.provider, world.terms(id, venue: TradeWorld.member(99)))
        world.refuse(.notPermitted, world.provider, world.terms(id, venue: world.buyer))
        world.refuse(.notPermitted, world.provider, world.terms(id, sandbox: world.buyer))
        world.refuse(.valueNotAllowed, world.provider, world.terms(id, groupMinimum: 4))
        let outside: [OfferPublish] = [
            world.terms(id, purposes: ["weather-service", "research"]),
            world.terms(id, purposes: ["anything"]), world.terms(id, purposes: []),
            world.terms(id, columns: ["temp", "origin"]), world.terms(id, columns: []),
            world.terms(id, durationMs: 999), world.terms(id, usesMax: 0),
            world.terms(id, usesMax: 1_000_001), world.terms(id, groupMinimum: 1),
        ]
        for terms in outside { world.refuse(.valueNotAllowed, world.provider, terms) }
        world.refuse(
            .amountOutOfRange, world.provider,
            world.terms(id, priceFen: RecordLimits.amountFenMax + 1))
    }

    /// A mandatory rule is the one of the day of admission.
    @Test func aStricterRuleStopsOldOffers() throws {
        let world = try TradeWorld()
        let offer = world.accept(world.provider, world.terms(world.registerAsset()))
        world.accept(
            world.governor,
            PolicySet(
                name: PolicyRecord.review, version: 2, tag: .mandatory,
                entries: [
                    PolicyEntry(StandardPolicies.dominancePercent, .number(80)),
                    PolicyEntry(StandardPolicies.groupMinimum, .number(6)),
                ]))
        world.refuse(.valueNotAllowed, world.venue, OfferAdmit(offer: offer))
    }
}
