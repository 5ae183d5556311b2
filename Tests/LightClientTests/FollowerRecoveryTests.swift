import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records
import TestLedgers
import Testing

/// Whoever follows a ledger goes on through a recovery, is told of it, and is shown who went on beside it.
@Suite struct FollowerRecoveryTests {
    typealias Desk = FollowerTests.Desk

    static func ledger() -> (WatchedLedger, Dice) {
        var dice = Dice(seed: 7)
        let suite = LedgerCrypto.Suite.ed25519SHA256
        var ledger = WatchedLedger(suite, recoveryKeys: WatchedLedger.recoveryKeys(suite))
        ledger.goOn(&dice)
        return (ledger, dice)
    }

    static func trustTopics(_ alerts: [FollowerAlert]) -> [AlertTopic] {
        alerts.map(\.topic).filter { [.epoch, .recovery, .fork, .refusedAnswer].contains($0) }
    }

    /// What is kept says it, whether it was seen at the block itself or from above.
    @Test(arguments: [false, true]) func itGoesOnAndIsTold(isSeenAtTheBlock: Bool) throws {
        var (ledger, dice) = Self.ledger()
        var desk = try Desk([ledger.chain, ledger.chain], watching: ledger.watched)
        _ = desk.look()
        let size = ledger.chain.assetRecord(ledger.parent)?.rightsLog.size ?? 0
        let epoch = ledger.chain.validators.epoch
        ledger.recover()
        let end = ledger.chain.newest
        let rule = try #require(ledger.chain.genesis.recovery)
        let told = FollowerAlert.recovery(
            epoch: epoch, height: end.height, signatures: 2, rule)
        if isSeenAtTheBlock {
            desk.chains = [ledger.chain, ledger.chain]
            #expect(desk.look() == [told])
            #expect(desk.follower.trust.newest?.header == end)
            #expect(desk.follower.trust.newest?.certificate.kind == .recover)
        }
        while (ledger.chain.assetRecord(ledger.parent)?.rightsLog.size ?? 0) == size {
            ledger.goOn(&dice)
        }
        desk.chains = [ledger.chain, ledger.chain]
        let alerts = desk.look()
        #expect(alerts.filter { $0.topic == .recovery } == (isSeenAtTheBlock ? [] : [told]))
        let first = try #require(alerts.first { $0.topic == .epoch })
        guard case .epoch(let begun) = first else { return }
        #expect(begun.epoch == epoch + 1)
        #expect(begun.basis == .recovered(height: end.height, signatures: 2, rule: rule))
        #expect(first.texts.english.contains("not by a quorum of the epoch before"))
        // Nothing is missed across it.
        let events = FollowerTests.events(alerts).filter { $0.log == .rights }.map(\.encoded)
        let parent = ledger.chain.events(asset: ledger.parent, log: .rights) ?? []
        #expect(events.filter { parent.contains($0) } == Array(parent.dropFirst(Int(size))))
        #expect(told.texts.english.hasPrefix("NOT HANDED OVER: epoch \(epoch) was ended"))
        #expect(told.texts.english.contains("2 of the 3 recovery keys"))
        #expect(told.texts.chinese.contains("3 个恢复密钥中的 2 个"))
        let json = told.json().encodedText
        #expect(json.hasPrefix(#"{"alert":"recovery""#))
        #expect(json.hasSuffix(#""signatures":2,"keys":3,"threshold":2}"#))

        // The file that is kept, and what is verified with it: the answer itself has no ends of epochs any more.
        let kept = try TrustedChain.decode(
            desk.follower.trust.encoded, limits: TrustedChain.limits)
        #expect(kept.end(of: epoch)?.certificate.kind == .recover)
        let verifier = try Verifier(genesis: ledger.chain.genesis, trust: kept)
        var bundle = try EvidenceBundle.answering(
            [.header(height: 1, digest: nil)], from: ledger.chain)
        bundle.epochChanges = []
        let report = EvidenceReport(try verifier.verify(bundle.encoded))
        #expect(report.text.contains("NOT HANDED OVER: 1 of these"))
        #expect(
            report.text.contains("begun after height \(end.height) by 2 of the 3 recovery keys"))

        // A later run goes on from the files without telling it again.
        desk.follower = try Follower(
            genesis: ledger.chain.genesis, trust: kept, watched: desk.follower.watched,
            providers: ["p0", "p1"], logs: EventLogKind.allCases)
        #expect(desk.look().isEmpty)
        ledger.changeEpoch()
        ledger.chain.append([])
        desk.chains = [ledger.chain, ledger.chain]
        #expect(Self.trustTopics(desk.look()) == [.epoch])
        #expect(desk.follower.trust.newest?.header == ledger.chain.newest)
    }

    /// Who starts at genesis after it is told as well.
    @Test func itIsToldToWhoComesLater() throws {
        var (ledger, dice) = Self.ledger()
        ledger.recover()
        ledger.goOn(&dice)
        ledger.recover()
        ledger.goOn(&dice)
        var desk = try Desk([ledger.chain], watching: ledger.watched)
        let topics = Self.trustTopics(desk.look())
        #expect(topics.filter { $0 == .recovery }.count == 2 && topics.contains(.epoch))
        #expect(Self.trustTopics(desk.look()).isEmpty)
    }

    /// How the old epoch's validators go on beside the recovery.
    enum Usurpers: CaseIterable {
        /// Above the block that ended their epoch.
        case beyond
        /// At its height.
        case beside
        /// Below: one of the blocks under it is another.
        case below
        /// Far, under validators of their own: they have changed the set since.
        case handedOn

        func chains() -> (recovered: TestChain, old: TestChain) {
            let suite = LedgerCrypto.Suite.ed25519SHA256
            let keys = RecoveryTests.keys(suite)
            var recovered = TestChain(
                suite, members: TestChain.members(suite), recoveryKeys: keys)
            recovered.grow(3)
            var old = recovered
            switch self {
            case .beyond: old.grow(4)
            case .beside: old.grow(1)
            case .below:
                old.grow(1)
                recovered.append([], laterMs: 1)
            case .handedOn:
                old.grow(1)
                old.changeEpoch(to: (0..<4).map { TestChain.key(suite, 300 + $0) })
                old.grow(5)
            }
            recovered.recover(
                to: RecoveryTests.newcomers(suite), signers: [(1, keys[1]), (2, keys[2])])
            recovered.grow(2)
            return (recovered, old)
        }
    }

    /// What was trusted before the two sides are seen together.
    enum Before: CaseIterable { case nothing, common, recovered, old }

    /// However late it shows, and whatever was seen first: two certified histories, not a provider that lags.
    @Test(arguments: Usurpers.allCases, Before.allCases)
    func whoWentOnBesideItIsAFork(_ usurpers: Usurpers, before: Before) throws {
        let (recovered, old) = usurpers.chains()
        var common = TestChain(
            .ed25519SHA256, members: TestChain.members(.ed25519SHA256),
            recoveryKeys: RecoveryTests.keys(.ed25519SHA256))
        common.grow(3)
        for providers in [[recovered, old], [old, recovered]] {
            var desk = try Desk(providers)
            let first: TestChain? =
                switch before {
                case .nothing: nil
                case .common: common
                case .recovered: recovered
                case .old: old
                }
            if let first {
                desk.chains = [first, first]
                #expect(!desk.look().contains { $0.topic == .fork })
            }
            let trust = desk.follower.trust
            desk.chains = providers
            // To whom its validators ended the epoch it is over after a day, and no recovery of it counts any more.
            let isEnded = usurpers == .handedOn && before == .old
            let alerts = desk.look(laterMs: isEnded ? 100 : 3 * TrustedChain.keyLifeMs)
            let forks = alerts.compactMap { alert in
                if case .fork(let evidence, _, _) = alert { evidence } else { nil }
            }
            #expect(forks.count == 1)
            #expect(!alerts.contains { [.oldFork, .refusedAnswer].contains($0.topic) })
            let evidence = try #require(forks.first)
            #expect(desk.follower.fork == evidence && desk.follower.look().isEmpty)
            #expect(desk.follower.trust == trust)
            let proven = try Verifier(genesis: recovered.genesis).verifyFork(evidence.encoded)
            #expect(proven.missing == .recovery(epoch: 0) && proven.doubleSigners.isEmpty)
            let text = EvidenceReport(proven).text
            #expect(
                text.contains(
                    usurpers == .below
                        ? "epoch 0 was recovered from another history" : "epoch 0 has two ends"))
            #expect(!text.contains("validators of epoch 0 broke the rules"))
        }
    }

    /// Old keys that show nothing new are behind, as any node that lags.
    @Test func whoOnlyLagsIsBehind() throws {
        var (ledger, _) = Self.ledger()
        let lost = ledger.chain
        ledger.recover()
        ledger.chain.append([], laterMs: 60_000)
        var desk = try Desk([ledger.chain, lost])
        let alerts = desk.look()
        #expect(
            alerts.filter { $0.topic == .behind } == [
                .behind(
                    provider: "p1", height: lost.newest.height,
                    newest: ledger.chain.newest.height)
            ])
        #expect(desk.follower.fork == nil)
        #expect(desk.follower.trust.newest?.header == ledger.chain.newest)
    }

    /// A recovery that the rule does not make is refused, with a file where that is false by itself, and the others are followed.
    @Test func aForgedRecoveryIsRefused() throws {
        let suite = LedgerCrypto.Suite.ed25519SHA256
        let keys = RecoveryTests.keys(suite)
        let voting = (0..<3).map { TestChain.key(suite, 100 + $0) }
        let forgeries: [(signers: [(index: Int, key: SigningKey)], fault: EvidenceFault)] = [
            ([(0, keys[0])], .belowThreshold(signatures: 1, threshold: 2, keys: 3)),
            ([(0, keys[0]), (1, keys[0])], .badRecoverySignature(key: 1)),
            (voting.enumerated().map { ($0, $1) }, .badRecoverySignature(key: 0)),
        ]
        for (index, forgery) in forgeries.enumerated() {
            let isFalse = index > 0
            var (ledger, dice) = Self.ledger()
            var liar = ledger.chain
            var desk = try Desk([ledger.chain, ledger.chain], watching: ledger.watched)
            _ = desk.look()
            liar.recover(to: RecoveryTests.newcomers(suite), signers: forgery.signers)
            liar.grow(9)
            ledger.goOn(&dice)
            desk.chains = [ledger.chain, liar]
            let refusals = desk.look().compactMap { alert in
                if case .refused("p1", let problem, let file) = alert {
                    (problem, file)
                } else {
                    nil
                }
            }
            #expect(refusals.map(\.0.fault) == [forgery.fault])
            // Too few signatures may become more.
            let file = refusals.first?.1
            let verifier = Verifier(genesis: ledger.chain.genesis)
            #expect(file.map { LiarRun.isFalseBundle($0, verifier) } ?? !isFalse)
            #expect(desk.follower.fork == nil)
            #expect(desk.follower.trust.newest?.header == ledger.chain.newest)
        }
    }
}
