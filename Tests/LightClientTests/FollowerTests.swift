import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records
import TestLedgers
import Testing

/// Whoever follows a ledger believes what is certified, misses nothing, and says who lies.
@Suite struct FollowerTests {
    /// A follower with ledgers behind its providers.
    struct Desk {
        var follower: Follower
        var chains: [TestChain?]
        /// What becomes of an answer on its way.
        var twist: (Follower.Ask, Follower.Answer) -> Follower.Answer = { $1 }

        init(
            _ chains: [TestChain?], watching records: [WatchedRecord] = [],
            limits: Follower.Limits = Follower.Limits()
        ) throws {
            let genesis = try #require(chains.compactMap { $0 }.first).genesis
            self.chains = chains
            follower = try Follower(
                genesis: genesis, trust: TrustedChain(genesis: genesis),
                watched: WatchList(chain: genesis.chain).watching(records),
                providers: chains.indices.map { "p\($0)" }, logs: EventLogKind.allCases,
                limits: limits)
        }

        /// One whole look.
        mutating func look(laterMs: UInt64 = 100) -> [FollowerAlert] {
            let times = chains.compactMap { $0?.newest.timeMs }
            let nowMs = (times.max() ?? 0) + laterMs
            var alerts: [FollowerAlert] = []
            var asks = follower.look()
            while !asks.isEmpty {
                let answers = asks.map {
                    twist($0, chains[$0.provider]?.answer($0.what) ?? .none(reason: "off"))
                }
                let step = follower.take(answers, nowMs: nowMs)
                alerts += step.alerts
                asks = step.asks
            }
            return alerts
        }
    }

    static func ledger(seed: UInt64 = 1) -> (WatchedLedger, Dice) {
        var dice = Dice(seed: seed)
        var ledger = WatchedLedger(.ed25519SHA256)
        ledger.goOn(&dice)
        return (ledger, dice)
    }

    static func events(_ alerts: [FollowerAlert]) -> [AssetEvent] {
        alerts.compactMap { if case .event(_, let event) = $0 { event } else { nil } }
    }

    @Test(arguments: Lie.allCases) func noLieIsBelieved(lie: Lie) throws {
        for seed in UInt64(0)..<3 {
            let run = try LiarRun(lie, seed: seed)
            #expect(run.faults.isEmpty, "seed \(seed): \(run.transcript)")
        }
    }

    @Test func nothingIsMissedBetweenTwoRuns() throws {
        var (ledger, dice) = Self.ledger()
        var desk = try Desk([ledger.chain], watching: ledger.watched)
        let first = desk.look()
        // How each record stands, and not what happened before.
        #expect(first.count == ledger.watched.count && Self.events(first).isEmpty)
        #expect(desk.look().isEmpty)
        let sizes = ledger.chain.assetRecord(ledger.parent)?.rightsLog.size
        let trust = try TrustedChain.decode(
            desk.follower.trust.encoded, limits: TrustedChain.limits)
        let watched = try WatchList.decode(
            desk.follower.watched.encoded, limits: WatchList.limits)
        for _ in 0..<12 { ledger.goOn(&dice) }
        desk.follower = try Follower(
            genesis: ledger.chain.genesis, trust: trust, watched: watched, providers: ["again"])
        desk.chains = [ledger.chain]
        let found = Self.events(desk.look()).filter { $0.log == .rights }
        let parent = ledger.chain.events(asset: ledger.parent, log: .rights) ?? []
        let expected = Array(parent.dropFirst(Int(sizes ?? 0)))
        #expect(!expected.isEmpty)
        #expect(found.map(\.encoded).filter { expected.contains($0) } == expected)
        // A freeze that was lifted before anyone looked again is told all the same.
        let topics = found.map { FollowerAlert.event(asset: ledger.parent, $0).topic }
        #expect(topics.contains(.freeze) && topics.contains(.unfreeze))
    }

    @Test func whatIsWatchedHasOneForm() throws {
        let (ledger, _) = Self.ledger()
        var desk = try Desk([ledger.chain], watching: ledger.watched)
        #expect(decodesExactly(desk.follower.watched, limits: WatchList.limits))
        _ = desk.look()
        #expect(decodesExactly(desk.follower.watched, limits: WatchList.limits))
        #expect(
            Suite.ed25519SHA256.digest(desk.follower.watched.encoded).hex
                == "cdb114479eb23317df8211a0e4f7f673eaf5a3413ca61c80a9c7a6c2b64a5817")
        let leaves = EventLeaves(ledger.chain.events(asset: ledger.parent, log: .rights) ?? [])
        #expect(decodesExactly(leaves, limits: AssetEvent.limits))
        #expect(EventLeaves([[1], []]).encoded == [0x82, 0x41, 0x01, 0x40])
        // What was known is kept for those still wanted, and for the others beside them.
        let list = desk.follower.watched
        let fewer = list.watching(Array(ledger.watched.prefix(2) + ledger.watched.prefix(1)))
        #expect(fewer.records == Array(list.records.prefix(2)))
        #expect(fewer.keeping(list) == list)
        let new = WatchList(chain: list.chain).watching(Array(ledger.watched.prefix(1)))
        #expect(new.keeping(list).records == new.records + list.records.dropFirst())
        #expect(WatchedRecord(type: .asset, id: [.text("x")]) == nil)
    }

    @Test func aProviderIsToldOfWhenItChanges() throws {
        let old = Self.ledger().0.chain
        var chain = old
        chain.append([], laterMs: 40_000)
        var desk = try Desk([old, chain, nil])
        let newest = chain.newest.height
        #expect(
            desk.look() == [
                .behind(provider: "p0", height: newest - 1, newest: newest),
                .silent(provider: "p2", reason: "off"),
            ])
        #expect(desk.look().isEmpty)
        desk.chains = [chain, chain, chain]
        #expect(desk.look() == [.well(provider: "p0"), .well(provider: "p2")])
        // Nobody has anything newer for a minute.
        let height = chain.newest.height
        #expect(desk.look(laterMs: 60_001) == [.stale(height: height, ageMs: 60_001)])
        #expect(desk.look(laterMs: 61_000).isEmpty)
        #expect(desk.look() == [.fresh(height: height)])
        // All of them are behind what is trusted: nothing goes back.
        desk.chains = [old, old, old]
        _ = desk.look()
        #expect(desk.follower.trust.newest?.header == chain.newest)
        // That somebody answered is of this look, not of an earlier one.
        #expect(desk.follower.isAnswered)
        desk.chains = [nil, nil, nil]
        _ = desk.look()
        #expect(!desk.follower.isAnswered)
    }

    @Test func headersAreKeptInBoundsOverManyLooks() throws {
        var (ledger, dice) = Self.ledger()
        var desk = try Desk([ledger.chain], watching: ledger.watched)
        for _ in 0..<24 {
            ledger.goOn(&dice)
            desk.chains = [ledger.chain]
            _ = desk.look()
        }
        #expect(desk.follower.trust.headers.count == TrustedChain.headersMax)
        #expect(desk.follower.trust.epochChanges == ledger.chain.epochChanges())
    }

    /// More epochs than go into one answer, after which the newest header is linked all the same.
    @Test func manyEpochsTakeSeveralAnswers() throws {
        let suite = LedgerCrypto.Suite.ed25519SHA256
        var chain = TestChain(suite, validators: 1, members: TestChain.members(suite))
        let keys = [TestChain.key(suite, 300), TestChain.key(suite, 301)]
        for epoch in 0...Follower.epochsPerAnswer + 5 { chain.changeEpoch(to: [keys[epoch % 2]]) }
        chain.append([])
        var desk = try Desk([chain])
        let alerts = desk.look()
        #expect(desk.follower.trust.newest?.header == chain.newest)
        #expect(alerts.count == Follower.epochsPerAnswer + 6)
        #expect(alerts.allSatisfy { $0.topic == .epoch })
    }

    @Test func moreEventsThanALookShowsAreCounted() throws {
        var (ledger, dice) = Self.ledger()
        var limits = Follower.Limits()
        limits.eventsMax = 2
        var desk = try Desk([ledger.chain], watching: ledger.watched, limits: limits)
        _ = desk.look()
        for _ in 0..<20 { ledger.goOn(&dice) }
        desk.chains = [ledger.chain]
        let unseen = desk.look().filter { $0.topic == .unseenEvents }
        #expect(!unseen.isEmpty)
        #expect(desk.look().isEmpty)
    }

    /// Leaked keys of an epoch that is over stop nobody who has seen its end.
    @Test(arguments: [1, 12], [0, 1]) func keysOfAnEndedEpochStopNobody(
        more: Int, liar: Int
    ) throws {
        var fork = Fork(.ed25519SHA256)
        fork.left.grow(3)
        fork.left.changeEpoch(to: (0..<4).map { TestChain.key(.ed25519SHA256, 200 + $0) })
        fork.left.grow(2)
        fork.right.grow(more)
        var desk = try Desk([fork.left, fork.left])
        desk.chains[liar] = nil
        _ = desk.look()
        desk.chains[liar] = fork.right
        for number in 0..<3 {
            fork.left.grow(1)
            desk.chains[1 - liar] = fork.left
            let alerts = desk.look(laterMs: TrustedChain.keyLifeMs).filter {
                ![.well, .stale].contains($0.topic)
            }
            #expect(desk.follower.fork == nil)
            #expect(desk.follower.trust.newest?.header == fork.left.newest)
            guard number == 0 else {
                #expect(alerts.isEmpty, "it is told once")
                continue
            }
            guard alerts.count == 1, case .oldFork(let evidence, let provider) = alerts[0] else {
                Issue.record("\(alerts)")
                return
            }
            #expect(provider == "p\(liar)")
            _ = try fork.verifier.verifyFork(evidence.encoded)
            #expect(alerts[0].evidence?.bytes == evidence.encoded)
            #expect(alerts[0].evidence?.mark == .oldFork)
            #expect(alerts[0].json().encodedText.hasPrefix(#"{"alert":"old-fork""#))
        }
    }

    /// A second history whose validators were changed in it shows by the end of the epoch in which it began.
    @Test(arguments: [0, 1], [false, true]) func whoseEpochEndedOtherwiseIsAFork(
        liar: Int, isLate: Bool
    ) throws {
        var fork = Fork(.ed25519SHA256)
        fork.left.changeEpoch(to: (0..<4).map { TestChain.key(.ed25519SHA256, 200 + $0) })
        fork.left.grow(2)
        for epoch in 1...2 {
            fork.right.changeEpoch(
                to: (0..<4).map { TestChain.key(.ed25519SHA256, 200 + 20 * epoch + $0) })
        }
        fork.right.grow(1)
        var desk = try Desk([fork.left, fork.left])
        _ = desk.look()
        desk.chains[liar] = fork.right
        let laterMs = isLate ? TrustedChain.keyLifeMs : 100
        let alerts = desk.look(laterMs: laterMs).filter { $0.topic != .stale }
        let told = try #require(alerts.first)
        #expect(alerts.count == 1 && told.topic == (isLate ? .oldFork : .fork))
        let proven = try fork.verifier.verifyFork(try #require(told.evidence?.bytes))
        #expect(proven.lower.header.epoch == 0 && proven.higher.header.epoch == 0)
        #expect((desk.follower.fork == nil) == isLate)
        #expect(desk.follower.trust.newest?.header == fork.left.newest)
        guard isLate else { return }
        #expect(desk.look(laterMs: laterMs).isEmpty)
        fork.left.grow(1)
        desk.chains[1 - liar] = fork.left
        #expect(desk.look(laterMs: laterMs).isEmpty)
        #expect(desk.follower.trust.newest?.header == fork.left.newest)
    }

    @Test func aForkEndsTheFollowing() throws {
        var fork = Fork(.ed25519SHA256)
        fork.left.grow(1)
        fork.right.grow(3)
        var desk = try Desk([fork.left, fork.right])
        let alerts = desk.look()
        guard case .fork(let evidence, "p1", against: .provider("p0"))? = alerts.first else {
            Issue.record("\(alerts)")
            return
        }
        #expect(evidence.ancestor != nil)
        #expect(try fork.verifier.verifyFork(evidence.encoded).contradiction == .otherAncestor)
        #expect(desk.follower.fork == evidence && desk.follower.look().isEmpty)
        #expect(desk.follower.trust == fork.trust)
        let text = try #require(alerts.first).json(evidence: "file").encodedText
        #expect(text.hasPrefix(#"{"alert":"fork","text":{"en":"FORK: p1 and p0"#))
        #expect(text.hasSuffix(#""evidence":"file"}"#))
    }

    @Test func rolesAreToldAsTheyWereHeld() throws {
        let (ledger, _) = Self.ledger()
        var desk = try Desk([ledger.chain], watching: ledger.watched)
        _ = desk.look()
        guard
            case .member(var member)? = ledger.watched.compactMap(ledger.record).first(where: {
                $0.type == .member
            })
        else {
            Issue.record("another finding")
            return
        }
        // Withdrawn and granted again between two looks.
        member.rolePeriods = [
            RolePeriod(.assessor, from: 0, until: 9), RolePeriod(.assessor, from: 11),
        ]
        var chain = ledger.chain
        chain.put(member)
        chain.append([])
        desk.chains = [chain]
        let alerts = desk.look()
        #expect(alerts.count == 1 && alerts.first?.topic == .roleWithdrawn)
        guard case .record(.member, _, let facts, _)? = alerts.first else {
            Issue.record("another finding")
            return
        }
        #expect(
            facts == [
                .roleWithdrawn(.assessor, atHeight: 9), .roleGranted(.assessor, fromHeight: 11),
            ])
    }
}
