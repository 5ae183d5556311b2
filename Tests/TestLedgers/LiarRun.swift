import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records

/// A follower among honest providers and one liar, over some looks, on a ledger that goes on meanwhile.
///
/// An honest provider is always at the ledger's end, so after every look the follower must know all of the truth, unless a
/// fork was found, whatever the liar does.
package struct LiarRun {
    package enum Outcome: String, CaseIterable, Sendable {
        case provenFalse = "proven false"
        case notProven = "not proven"
        case notYet = "not yet trusted"
        case fork
        case silent
        case behind
        /// It lied, and nobody had to say so: nothing of it was used.
        case passedOver = "passed over"
        /// There was nothing to lie about.
        case honest = "nothing to lie about"
    }

    package private(set) var outcome = Outcome.honest
    /// What must not be; empty when all is well.
    package private(set) var faults: [String] = []
    /// What the follower was told, in words.
    package private(set) var transcript: [String] = []
    /// Whether a refused answer was given as evidence.
    package private(set) var hasEvidence = false
    package private(set) var looks = 0
    package private(set) var roundsMost = 0

    static let answerBytesMax = 262_144
    static let liarsName = "liar"

    private let lie: Lie
    private var dice: Dice
    private var ledger: WatchedLedger
    private var lagging: TestChain
    private var liar: LyingProvider?
    private var follower: Follower
    private let start: TrustedChain
    private var told: [(asset: Digest, event: AssetEvent)] = []
    /// Colluding validators went on from the ledger's own end before it did: nobody could see a fork.
    private var isDeceived = false
    /// The ends of the logs at the first look.
    private var first: [Digest: [UInt64]] = [:]

    package init(
        _ lie: Lie, seed: UInt64, suite: Suite = .ed25519SHA256, ticks: Int = 5
    ) throws(EvidenceProblem) {
        self.lie = lie
        dice = Dice(seed: seed)
        ledger = WatchedLedger(suite, recoveryKeys: WatchedLedger.recoveryKeys(suite))
        ledger.goOn(&dice)
        lagging = ledger.chain
        start = try Self.start(ledger.chain, &dice)
        var providers = ["honest"]
        if dice.isOne(in: 3) { providers.append("lagging") }
        providers.insert(Self.liarsName, at: dice.below(providers.count + 1))
        var limits = Follower.Limits()
        limits.answerBytesMax = Self.answerBytesMax
        follower = try Follower(
            genesis: ledger.chain.genesis, trust: start,
            watched: WatchList(chain: ledger.chain.chain).watching(ledger.watched),
            providers: providers, logs: EventLogKind.allCases, limits: limits)
        let begin = dice.below(3)
        for tick in 0..<ticks where follower.fork == nil {
            lagging = ledger.chain
            if tick == begin {
                liar = LyingProvider(
                    lie, ledger: ledger.chain, bytesMax: Self.answerBytesMax, seed: seed)
                if lie == .forkPastRecovery { ledger.recover() }
            }
            if !dice.isOne(in: 4) { ledger.goOn(&dice) }
            look()
        }
        checkEnd()
    }

    private static func start(
        _ chain: TestChain, _ dice: inout Dice
    ) throws(EvidenceProblem) -> TrustedChain {
        guard dice.isOne(in: 3) else { return TrustedChain(genesis: chain.genesis) }
        return try TrustedChain(
            accepting: chain.newest.digest(chain.suite), header: chain.newest,
            validators: chain.validators)
    }

    // MARK: Looking

    private mutating func look() {
        looks += 1
        let chain = ledger.chain
        if first.isEmpty {
            for asset in [ledger.parent, ledger.child] {
                first[asset] = EventLogKind.allCases.map {
                    chain.assetRecord(asset)?.log($0).size ?? 0
                }
            }
        }
        let nowMs = chain.newest.timeMs + 500
        var asks = follower.look()
        var rounds = 0
        while !asks.isEmpty {
            rounds += 1
            guard rounds <= 100 else { return fault("a look does not end") }
            let answers = asks.map { answer($0) }
            let step = follower.take(answers, nowMs: nowMs)
            for alert in step.alerts { hear(alert) }
            asks = step.asks
        }
        roundsMost = max(roundsMost, rounds)
        checkLook()
    }

    private mutating func answer(_ ask: Follower.Ask) -> Follower.Answer {
        switch follower.providers[ask.provider] {
        case "lagging": lagging.answer(ask.what)
        case Self.liarsName:
            liar?.answer(ask.what, truth: ledger.chain) ?? ledger.chain.answer(ask.what)
        default: ledger.chain.answer(ask.what)
        }
    }

    private mutating func fault(_ text: String) { faults.append("look \(looks): \(text)") }

    private mutating func hear(_ alert: FollowerAlert) {
        transcript.append("look \(looks): \(alert.texts.english)")
        switch alert {
        case .refused(let provider, let problem, let evidence):
            accuse(provider)
            judge(evidence, problem)
            switch problem.standing {
            case .provenFalse: outcome = .provenFalse
            case .notProven: outcome = .notProven
            case .notYet: outcome = .notYet
            }
        case .unreadable: fault("\(alert.texts.english)")
        case .silent(let provider, _):
            // A provider that lags cannot answer about the newest header.
            if provider == Self.liarsName { outcome = .silent }
            if provider == "honest" { fault("the honest provider is called silent") }
        case .behind(let provider, _, _):
            accuse(provider)
            outcome = .behind
        case .fork(let evidence, let provider, let side):
            if !isDeceived, provider != Self.liarsName, side != .provider(Self.liarsName) {
                fault("a fork without the liar: \(provider), \(side)")
            }
            judge(evidence)
            outcome = .fork
        case .oldFork: fault("no epoch of a run is over for long")
        case .event(let asset, let event): told.append((asset, event))
        case .unseen, .rewritten: fault("\(alert.texts.english)")
        case .recovery(let epoch, let height, _, _):
            let end =
                ledger.chain.epochChanges()?.first { $0.header.height == height }
                .map { $0.header } ?? ledger.chain.newest
            if lie != .forkPastRecovery || end.epoch != epoch || end.height != height {
                fault("\(alert.texts.english)")
            }
        case .record, .epoch, .well, .stale, .fresh: break
        }
    }

    private mutating func accuse(_ provider: String) {
        if provider != Self.liarsName { fault("\(provider) is accused") }
    }

    // MARK: What must hold

    /// What is given as evidence is false to whoever knows where the run began, and nothing else.
    private mutating func judge(_ evidence: [UInt8]?, _ problem: EvidenceProblem) {
        guard let evidence else { return }
        hasEvidence = true
        guard
            let verifier = try? Verifier(genesis: ledger.chain.genesis, trust: start),
            Self.isFalseBundle(evidence, verifier)
        else { return fault("the evidence of \(problem.fault) proves no lie") }
    }

    /// Whether it is a bundle, and one that is proven false; an honest answer of any kind is not.
    package static func isFalseBundle(_ file: [UInt8], _ verifier: Verifier) -> Bool {
        guard (try? EvidenceBundle.decode(file)) != nil else {
            return false
        }
        do throws(EvidenceProblem) {
            _ = try verifier.verify(file)
            return false
        } catch {
            return error.standing == .provenFalse
        }
    }

    private mutating func judge(_ evidence: ForkEvidence) {
        guard let verifier = try? Verifier(genesis: ledger.chain.genesis, trust: start),
            let fork = try? verifier.verifyFork(evidence.encoded)
        else { return fault("the fork evidence does not verify") }
        // Both quorums have seats 1 and 2 in common.
        for signer in fork.doubleSigners where signer.seat != 1 && signer.seat != 2 {
            fault("validator \(signer.seat) is accused")
        }
    }

    private mutating func checkLook() {
        let chain = ledger.chain
        if lie.isFork, let liar, liar.old.newest == chain.newest {
            isDeceived = true
            return
        }
        if isDeceived, follower.fork != nil { return }
        let trust = follower.trust
        for held in trust.headers
        where chain.block(height: held.header.height)?.header != held.header {
            fault("a false header of height \(held.header.height) is trusted")
        }
        for change in trust.epochChanges where !(chain.epochChanges() ?? []).contains(change) {
            fault("a false end of epoch \(change.header.epoch) is trusted")
        }
        guard follower.fork == nil else { return }
        if trust.newest?.header != chain.newest { fault("the newest header is not trusted") }
        for watched in follower.watched.records where watched.record != ledger.record(watched) {
            fault("a false record of type \(watched.type.name) is believed")
        }
    }

    /// Whether the true ledger has gone on since the lying began.
    private var isOpposed: Bool { liar.map { $0.old.newest != ledger.chain.newest } ?? false }

    private mutating func checkEnd() {
        if outcome == .honest, liar?.hasLied ?? false { outcome = .passedOver }
        if follower.fork != nil { return }
        let mustBeTold: [Lie] = [.forkSameHeight, .forkAhead, .forkBehind, .forkPastRecovery]
        if mustBeTold.contains(lie), liar?.hasLied ?? false, !isDeceived || isOpposed {
            fault("the fork was not found")
        }
        if isDeceived, !isOpposed { return }
        for asset in [ledger.parent, ledger.child] {
            for log in EventLogKind.allCases {
                let all = ledger.chain.events(asset: asset, log: log) ?? []
                let expected = all.dropFirst(Int(first[asset]?[Int(log.rawValue)] ?? 0))
                let found = told.filter { $0.asset == asset && $0.event.log == log }
                if found.map(\.event.encoded) != Array(expected) {
                    fault("\(log.name): \(found.count) events told of \(expected.count)")
                }
            }
        }
    }
}
