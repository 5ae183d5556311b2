import Encoding
import Ledger
import LedgerCrypto
import Market
import Merkle
import Records
import Testing

/// Random histories of a small market, most of whose steps make sense and many of which do not.
@Suite struct TradeHistoryTests {
    @Test(arguments: 1...8 as ClosedRange<UInt64>) func invariantsHold(_ seed: UInt64) throws {
        var history = try TradeHistory(seed: seed, stepsPerBlock: 1 + Int(seed % 7))
        for _ in 0..<90 {
            try history.step()
            try history.checkInvariants()
        }
        // Everything that is agreed expires by then.
        history.world.endBlock(afterMs: 120_000)
        try history.checkInvariants()
        try history.checkLogs()
        #expect(history.accepted > 45 && history.settledUses > 0, "a history is real trade")
    }

    /// What the other histories say holds for all of these kinds.
    @Test func everyKindOfTradeHappens() throws {
        var history = try TradeHistory(seed: 99, stepsPerBlock: 4)
        for _ in 0..<200 { try history.step() }
        try history.checkInvariants()
        let missing = Set<TransactionKind>([
            .licenceRequest, .licenceAgree, .licenceClose, .licenceRevoke, .jobSubmit, .jobHold,
            .jobRefuse, .outputRelease, .outputReject, .assetFreeze, .assetUnfreeze, .assetDerive,
            .rightTransfer, .rightAccept, .rightApprove, .offerPublish, .offerAdmit,
        ]).subtracting(history.kinds)
        #expect(missing.isEmpty)
    }

    /// However the same transactions are packed into blocks, everybody ends with the same money.
    @Test(arguments: 21...24 as ClosedRange<UInt64>) func anyBatchingEndsAlike(
        _ seed: UInt64
    ) throws {
        var totals: [[UInt64]] = []
        for stepsPerBlock in [1, 3, 80] {
            var history = try TradeHistory(
                seed: seed, stepsPerBlock: stepsPerBlock, timeMoves: false)
            for _ in 0..<80 { try history.step() }
            try history.checkInvariants()
            totals.append(history.money())
        }
        #expect(totals[0] == totals[1] && totals[1] == totals[2])
        #expect(totals[0].contains { $0 > 0 })
    }
}

struct TradeHistory {
    let world: TradeWorld
    private let stepsPerBlock: Int
    private let timeMoves: Bool
    private var random: HistoryRandom
    private var offers: [Digest] = []
    private var agreements: [Digest] = []
    private var jobs: [Digest] = []
    private var steps = 0
    private(set) var accepted = 0
    /// Of accepted transactions.
    private(set) var kinds: Set<TransactionKind> = []
    /// What was ever locked for an agreement, by the model.
    private var locked: [Digest: UInt64] = [:]

    init(seed: UInt64, stepsPerBlock: Int, timeMoves: Bool = true) throws {
        world = try TradeWorld()
        random = HistoryRandom(state: seed)
        self.stepsPerBlock = stepsPerBlock
        self.timeMoves = timeMoves
        let asset = world.registerAsset()
        for price in [0, 1, 37, 1_001] as [UInt64] {
            let terms = world.terms(asset, priceFen: price, durationMs: 60_000)
            let offer = world.accept(world.provider, terms)
            world.accept(world.venue, OfferAdmit(offer: offer))
            offers.append(offer)
        }
        world.deposit(world.buyer, 20_000)
        world.deposit(world.otherBuyer, 50)
        world.endBlock()
    }

    mutating func step() throws {
        steps += 1
        for _ in 0..<3 { try act(random.next() % 22) }
        if steps % stepsPerBlock == 0 {
            let moves = timeMoves && random.next() % 8 == 0
            world.endBlock(afterMs: timeMoves ? (moves ? 30_000 : 10) : 0)
        }
    }

    private mutating func act(_ choice: UInt64) throws {
        let someone = pick([world.buyer, world.otherBuyer, world.buyer, world.cousin])
        switch choice {
        case 0, 1:
            let offer = try pickOffer()
            if send(someone, world.order(offer, uses: random.next() % 5)) {
                agreements.append(world.lastID)
            }
        case 2, 3, 4:
            let id = pick(Array(agreements.suffix(3)))
            let provider = id == .zero ? world.provider : try world.agreement(id).provider
            if send(provider, LicenceAgree(agreement: id)) {
                locked[id] = try world.agreement(id).escrowFen
            }
        case 5:
            _ = send(
                pick([someone, world.provider, world.venue]),
                LicenceClose(agreement: pick(agreements)))
        case 6, 7, 8, 9:
            let id = pick(Array(agreements.suffix(4)))
            let owner = id == .zero ? someone : try world.agreement(id).buyer
            if send(pick([owner, owner, owner, someone]), world.submit(id)) {
                jobs.append(world.lastID)
            }
        case 10, 11, 12: _ = send(world.sandbox, world.hold(recentJob()))
        case 13, 14, 15:
            _ = send(world.reviewer, OutputRelease(job: recentJob(), outputCommitment: .zero))
        case 16:
            let rejection = OutputReject(
                job: recentJob(), outputCommitment: .zero, reason: .groupTooSmall)
            _ = send(world.reviewer, rejection)
        case 17: _ = send(world.sandbox, JobRefuse(job: recentJob(), reason: .sqlRefused))
        case 18:
            let amount = random.next() % 500
            _ = send(
                world.bank,
                DepositConfirm(member: someone, amountFen: amount, referenceCommitment: .zero))
        case 19: interfere()
        case 20: try handOver()
        default:
            let order = WithdrawalRequest(
                bank: world.bank, amountFen: random.next() % 300, destinationCommitment: .zero)
            if send(someone, order) {
                let paid = random.next() % 2 == 0
                _ = send(world.bank, WithdrawalConfirm(withdrawal: world.lastID, paid: paid))
            }
        }
    }

    /// The operating right goes to and fro between two members of one group, and its holder makes offers.
    private mutating func handOver() throws {
        let asset = try world.asset(world.assetID())
        let holder = asset.holder(of: .operating)
        let other = holder == world.provider ? world.sister : world.provider
        let offer = RightTransfer(
            asset: asset.id, to: other, rights: [.operating], termsCommitment: .zero,
            expiresMs: world.timeMs + 1_000)
        if random.next() % 3 == 0, send(holder, offer) {
            let id = world.lastID
            _ = send(other, RightAccept(transfer: id))
            _ = send(world.registrar, RightApprove(transfer: id, reviewCommitment: .zero))
        }
        let terms = world.terms(asset.id, priceFen: random.next() % 50, durationMs: 60_000)
        let present = try world.asset(asset.id).holder(of: .operating)
        if send(pick([present, present, present, holder, other]), terms) {
            offers.append(world.lastID)
            _ = send(world.venue, OfferAdmit(offer: world.lastID))
        }
    }

    /// Mostly one of the present holder's; the others are refused.
    private mutating func pickOffer() throws -> Digest {
        let holder = try world.asset(world.assetID()).holder(of: .operating)
        let own = try offers.filter { try world.offer($0).provider == holder }
        return pick(random.next() % 8 == 0 ? offers : own)
    }

    /// An authority freezes, lifts or revokes; a freeze is soon lifted again.
    private mutating func interfere() {
        let asset = world.assetID()
        if random.next() % 4 == 0, let parent = try? world.asset(asset) {
            let claim = TradeWorld.claim("child-\(random.next() % 4)", level: .derived)
            _ = send(world.provider, AssetDerive(claim: claim, parents: [ParentPin(parent)]))
        }
        let office = Office.allCases[Int(random.next() % 2)]
        let sender = pick([world.regulator, world.arbitrator, world.cousin])
        if random.next() % 2 == 0 {
            let freeze = AssetFreeze(
                asset: asset, office: office, reason: .investigation, referenceCommitment: .zero)
            _ = send(sender, freeze)
        } else {
            let id = pick(Array(agreements.suffix(4)))
            let revocation = LicenceRevoke(
                agreement: id, ground: .breach, referenceCommitment: .zero)
            _ = send(pick([sender, world.provider]), revocation)
        }
        for (sender, office) in [
            (world.regulator, Office.regulator), (world.arbitrator, .arbitrator),
        ] where random.next() % 8 != 0 {
            let lift = AssetUnfreeze(asset: asset, office: office, referenceCommitment: .zero)
            _ = send(sender, lift)
        }
    }

    private mutating func send<Body: TransactionBody>(_ member: MemberID, _ body: Body) -> Bool {
        let mandates: [Mandate] = [.maker, .legalRepresentative]
        let isAccepted = world.send(member, body, mandates: mandates) == .accepted
        if isAccepted {
            accepted += 1
            kinds.insert(Body.kind)
        }
        return isAccepted
    }

    private mutating func pick(_ members: [MemberID]) -> MemberID {
        members[Int(random.next() % UInt64(members.count))]
    }

    private mutating func pick(_ ids: [Digest]) -> Digest {
        ids.isEmpty ? .zero : ids[Int(random.next() % UInt64(ids.count))]
    }

    private mutating func recentJob() -> Digest { pick(Array(jobs.suffix(3))) }

    // MARK: Invariants

    func checkInvariants() throws {
        var escrow: [MemberID: UInt64] = [:]
        for id in agreements {
            let licence = try world.agreement(id)
            #expect(licence.usesMetered + licence.usesReserved <= licence.usesMax)
            escrow[licence.buyer, default: 0] += licence.escrowFen
            let paidFen = licence.paidProviderFen + licence.paidVenueFen
            let total = licence.escrowFen + paidFen + licence.refundedFen
            #expect(total == locked[id] ?? 0)
            let open = try jobs.map(world.job).filter { $0.agreement == id && $0.status.isOpen }
            switch licence.status {
            case .requested: #expect(total == 0 && open.isEmpty)
            case .agreed:
                #expect(licence.escrowFen == licence.priceFen * licence.usesMax)
                #expect(UInt64(open.count) == licence.usesReserved)
            case .closed:
                #expect(open.isEmpty)
                fallthrough
            case .expired, .revoked:
                #expect(licence.escrowFen == 0 && licence.usesReserved == 0)
                #expect(paidFen == (locked[id] == nil ? 0 : licence.priceFen * licence.usesMetered))
            }
        }
        var held: UInt64 = 0
        for member in members {
            let account = world.account(member)
            #expect(account.lockedFen == escrow[member] ?? 0)
            held += account.availableFen + account.lockedFen + account.pendingWithdrawalFen
        }
        let bank = try world.bankRecord()
        #expect(held == bank.depositsFen - bank.withdrawalsFen)
    }

    /// Each log is the RFC 9162 tree over just the events that were announced.
    func checkLogs() throws {
        let asset = try world.asset(world.assetID())
        for kind in EventLogKind.allCases {
            let events = world.log(asset.id, kind)
            let log = asset.log(kind)
            #expect(events.map(\.index) == Array(0..<log.size))
            let leaves = events.map { $0.leafHash(world.suite) }
            let tree = LogTree(suite: world.suite, leafHashes: leaves)
            #expect(log.root == tree.root(size: UInt64(leaves.count)))
        }
    }

    /// Metered uses of licences that have ended.
    var settledUses: UInt64 {
        agreements.compactMap { try? world.agreement($0) }
            .filter { $0.status != .requested && $0.status != .agreed }
            .reduce(0) { $0 + $1.usesMetered }
    }

    /// What everybody has, in one order.
    func money() -> [UInt64] {
        members.flatMap { member -> [UInt64] in
            let account = world.account(member)
            return [account.availableFen, account.lockedFen, account.pendingWithdrawalFen]
        }
    }

    private var members: [MemberID] {
        [
            world.buyer, world.otherBuyer, world.cousin, world.provider, world.sister, world.venue,
            world.sandbox,
        ]
    }
}

struct HistoryRandom {
    var state: UInt64

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
