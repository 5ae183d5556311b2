import Encoding
import Ledger
import LedgerCrypto
import Market
import Policy
import Records
import Testing

@Suite struct DeriveRuleTests {
    private static let rights: [DataRight] = [.holding, .processing, .operating]
    private let development = Purpose.productDevelopment.code

    private func register(_ world: TradeWorld, _ code: String = "weather") throws -> Digest {
        world.accept(world.provider, TradeWorld.claim(code, rights: Self.rights))
        let id = world.assetID(code)
        world.accept(world.registrar, AssetApprove(asset: id, reviewCommitment: .zero))
        return id
    }

    private func derive(
        _ world: TradeWorld, _ parents: [Digest], basis: Digest? = nil, code: String = "index",
        level: DataLevel = .derived
    ) throws -> AssetDerive {
        let pins = try parents.sorted().map { ParentPin(try world.asset($0), basis: basis) }
        return AssetDerive(claim: TradeWorld.claim(code, level: level), parents: pins)
    }

    /// A licence of the cousin's, who is a provider as well as a buyer.
    private func license(
        _ world: TradeWorld, _ asset: Digest, purpose: String? = nil
    ) -> Digest {
        let purpose = purpose ?? development
        let offer = world.accept(world.provider, world.terms(asset, purposes: [purpose]))
        world.accept(world.venue, OfferAdmit(offer: offer))
        world.deposit(world.cousin, 10_000)
        let id = world.accept(world.cousin, world.order(offer, purpose: purpose))
        world.accept(world.provider, LicenceAgree(agreement: id))
        return id
    }

    private func use(_ world: TradeWorld, _ licence: Digest, purpose: String? = nil) {
        let job = world.accept(
            world.cousin, world.submit(licence, purpose: purpose ?? development))
        world.accept(world.sandbox, world.hold(job))
        world.accept(world.reviewer, OutputRelease(job: job, outputCommitment: .zero))
    }

    @Test(arguments: Suite.allCases) func childAndParentsTellOfEachOther(_ suite: Suite) throws {
        let world = try TradeWorld(suite: suite)
        let parents = [try register(world, "rain"), try register(world, "wind")].sorted()
        world.endBlock()
        let body = try derive(world, parents)
        world.accept(world.provider, body)
        let child = world.assetID("index")
        let record = try world.asset(child)
        #expect(record.status == .claimed && record.parents == parents)
        let event = try #require(world.log(child, .rights).first)
        guard case .map(let pairs) = event.detail else { return }
        let pins = pairs.first { $0.0 == .text("parents") }?.1
        #expect(pins == .array(body.parents.map(\.shown)))
        for (pin, parent) in zip(body.parents, parents) {
            let log = world.log(parent, .rights)
            // The derivation is the very next event after what was pinned.
            let told = try #require(log.last)
            #expect(told.index == pin.rightsSize && told.transactionID == event.transactionID)
            guard case .map(let pairs) = told.detail else { return }
            #expect(pairs.contains { $0.0 == .text("child") && $0.1 == .bytes(child.bytes) })
        }
        // From here on it is an asset like any other.
        world.refuse(.wrongState, world.provider, try derive(world, [child], code: "third"))
        world.accept(world.registrar, AssetApprove(asset: child, reviewCommitment: .zero))
        world.accept(world.provider, try derive(world, [child], code: "third"))
        #expect(try world.asset(world.assetID("third")).parents == [child])
    }

    @Test func theBodyIsChecked() throws {
        let world = try TradeWorld()
        let parent = try register(world)
        world.refuse(.valueNotAllowed, world.provider, try derive(world, []))
        for level in [DataLevel.raw, .cleaned] {
            world.refuse(
                .valueNotAllowed, world.provider, try derive(world, [parent], level: level))
        }
        world.refuse(.valueNotAllowed, world.provider, try derive(world, [parent], code: "a b"))
        world.refuse(.notPermitted, world.buyer, try derive(world, [parent]))
        let good = try derive(world, [parent])
        world.refuse(.mandateMissing, world.provider, good, mandates: [.service])
        // Its own id as a parent: there is no such asset yet, nor ever will be before it.
        let child = world.assetID("index")
        let own = AssetDerive(
            claim: good.claim,
            parents: [ParentPin(asset: child, rightsSize: 0, rightsRoot: .zero)])
        world.refuse(.unknownAsset, world.provider, own)
        world.accept(world.provider, good)
        world.refuse(.wrongState, world.provider, own)
        world.refuse(.alreadyExists, world.provider, try derive(world, [parent]))
    }

    @Test func parentsAreSortedDistinctAndFew() throws {
        let world = try TradeWorld()
        let pin = ParentPin(try world.asset(try register(world)))
        let claim = TradeWorld.claim("index", level: .derived)
        let twice = AssetDerive(claim: claim, parents: [pin, pin])
        #expect(throws: CBORError.self) { try AssetDerive.decode(twice.encoded) }
        for (count, isAccepted) in [(16, true), (17, false)] {
            let pins = (0..<count).map { number in
                ParentPin(
                    asset: world.suite.digest([UInt8(number)]), rightsSize: 1, rightsRoot: .zero)
            }
            let body = AssetDerive(claim: claim, parents: pins.sorted())
            #expect(((try? AssetDerive.decode(body.encoded)) != nil) == isAccepted)
        }
    }

    @Test func pinsAreThePresentState() throws {
        let world = try TradeWorld()
        let parent = try register(world)
        let before = try derive(world, [parent])
        world.accept(world.provider, world.terms(parent))
        world.refuse(.parentChanged, world.provider, before)
        let present = ParentPin(try world.asset(parent))
        for pin in [
            ParentPin(asset: parent, rightsSize: present.rightsSize, rightsRoot: .zero),
            ParentPin(
                asset: parent, rightsSize: present.rightsSize + 1, rightsRoot: present.rightsRoot),
        ] {
            world.refuse(
                .parentChanged, world.provider, AssetDerive(claim: before.claim, parents: [pin]))
        }
        world.accept(world.provider, try derive(world, [parent]))
    }

    @Test func aLicenceForProductDevelopmentIsABasis() throws {
        let world = try TradeWorld()
        let parent = try register(world)
        world.refuse(.derivationNotPermitted, world.cousin, try derive(world, [parent]))
        world.refuse(
            .unknownAgreement, world.cousin, try derive(world, [parent], basis: .zero))
        let licence = license(world, parent)
        // Nothing was released to it yet, so there is nothing that it could have derived from.
        world.refuse(
            .derivationNotPermitted, world.cousin, try derive(world, [parent], basis: licence))
        use(world, licence)
        // Not another member's licence, nor one on another asset.
        world.refuse(
            .derivationNotPermitted, world.sister, try derive(world, [parent], basis: licence))
        let other = try register(world, "rain")
        world.refuse(
            .derivationNotPermitted, world.cousin, try derive(world, [other], basis: licence))
        world.accept(world.cousin, try derive(world, [parent], basis: licence))
        world.accept(world.cousin, LicenceClose(agreement: licence))
        world.refuse(
            .licenceEnded, world.cousin,
            try derive(world, [parent], basis: licence, code: "second"))
    }

    @Test func otherPurposesAndUnregisteredRightsAreNone() throws {
        let world = try TradeWorld()
        let parent = try register(world)
        let weather = license(world, parent, purpose: "weather-service")
        use(world, weather, purpose: "weather-service")
        world.refuse(
            .derivationNotPermitted, world.cousin, try derive(world, [parent], basis: weather))
        // An asset whose processing right was not registered.
        let plain = world.registerAsset("plain")
        let licence = license(world, plain)
        use(world, licence)
        world.refuse(
            .derivationNotPermitted, world.cousin, try derive(world, [plain], basis: licence))
    }

    @Test func frozenParentsBearNoChildren() throws {
        let world = try TradeWorld()
        let parents = [try register(world, "rain"), try register(world, "wind")]
        let freeze = AssetFreeze(
            asset: parents[1], office: .regulator, reason: .unlawfulSource,
            referenceCommitment: .zero)
        world.accept(world.regulator, freeze)
        world.endBlock()
        #expect(world.send(world.provider, try derive(world, parents)) == .assetFrozen)
        // Each parent's refusals log has it.
        for parent in parents { #expect(world.log(parent, .refusals).count == 1) }
    }
}
