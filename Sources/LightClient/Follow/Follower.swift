import Encoding
import Ledger
import LedgerCrypto
import Records

/// Follows a ledger by its headers and says what happens to the records that somebody watches, and who lies.
///
/// A state machine without input or output. Its driver repeats a **look**: `look` says what to ask of whom; the driver asks all of
/// that at once, gives the answers to `take` together, and goes on while that asks for more.
///
/// 1. *Heads*: every provider's newest final header with the ends of the epochs that are not known yet. They are
///    compared with one another and with what is trusted (`ProviderComparison`); if there are more new epochs than fit in one answer,
///    this is repeated. Whose header is by other validators than are known is asked for the ends of all epochs once: where one of
///    them is certified and not the trusted one, that is a fork.
/// 2. *Proof*: the provider of the highest head proves at one header how each watched record stands, and which headers were at the
///    heights of the newest trusted one and of the other heads. A header is trusted only if its history holds
///    that newest trusted one; if it holds another one than some provider's certified head, that is a fork. Whoever
///    proves nothing is passed over for the next highest. If nobody shows all because some record may not be read,
///    each of those who say so is asked for each record alone, and then for all that he shows, whoever shows most first.
/// 3. *Events*: where an asset's certified logs have grown, the new events. The ends of the logs before and
///    after are certified, so nothing can be left out, added or changed.
///
/// Nobody's word is believed: what is told of the ledger was certified by a quorum of validators whose set was
/// led to from where trust starts. What is between two looks is not missed: logs are read without a gap, and what a record
/// does not log (a balance) is told as it is at each look.
///
/// After a fork there is nothing more to follow: which history is the right one, no machine can say.
///
/// Memory: the watched records, the newest headers (`TrustedChain.headersMax`) and the ends of the epochs, whatever
/// the ledger's length; while looking, the answers of one round, each bounded by `Limits.answerBytesMax`, and what was shown so far of
/// `logsPerRound` logs, `answersPerLogMax` answers each (`EventLeaves.bytesMax`).
public struct Follower: Sendable {
    public struct Limits: Sendable, Equatable {
        /// Bytes of one answer.
        public var answerBytesMax = 8_388_608
        /// Events of one log in one look; of more only their number is told.
        public var eventsMax = EventLeaves.countMax
        /// Age of the newest header, in milliseconds, from which on it is told to be stale.
        public var staleMs: UInt64 = 60_000
        /// How much older than the newest header, in milliseconds, a provider's may be before that is told.
        public var behindMs: UInt64 = 30_000

        public init() {}
    }

    public static let providersMax = 16
    /// Ends of epochs in one answer about heads; a provider with more to tell stops at the end of an epoch.
    public static let epochsPerAnswer = 1_024
    /// Answers of one provider about one log in one look.
    public static let answersPerLogMax = 8
    /// Looks after which a record is asked for again that could not be read.
    public static let unreadableLooks = 60
    /// Rounds of one look; it ends there, and the next one asks for what is left. No less than it takes: heads for all epochs that
    /// can be followed and one for all ends, each provider's proof twice and its records alone, each provider's events.
    public static let roundsMax =
        TrustedChain.epochsMax / epochsPerAnswer + 2 + 3 * providersMax + providersMax
        * (answersPerLogMax * WatchList.recordsMax * EventLogKind.allCases.count / logsPerRound)

    /// What is asked of one provider.
    public struct Ask: Equatable, Sendable {
        /// Position in `providers`.
        public let provider: Int
        public let what: What

        public enum What: Equatable, Sendable {
            /// `EvidenceBundle.head`: the newest final header.
            case head(epochsFrom: UInt64)
            /// A bundle that answers just these.
            case bundle([EvidenceQuestion], epochsFrom: UInt64)
            /// `EventLeaves`.
            case events(asset: Digest, log: EventLogKind, range: Range<UInt64>)
        }
    }

    public enum Answer: Equatable, Sendable {
        case bytes([UInt8])
        /// Whoever asks may not read all that he asks for; in words.
        case forbidden(reason: String)
        /// There is none; why, in words.
        case none(reason: String)
    }

    /// What the driver does next: tell the alerts, keep `trust` and `watched` where they changed, ask.
    ///
    /// `trust` is to be on disk before the alerts are told, `watched` afterwards: a crash in between tells some alerts twice and
    /// loses none.
    public struct Step: Equatable, Sendable {
        public internal(set) var alerts: [FollowerAlert] = []
        public internal(set) var hasChanged = false
        /// Empty when the look is over.
        public internal(set) var asks: [Ask] = []
    }

    public let genesis: Genesis
    /// How the driver calls those whom it asks.
    public let providers: [String]
    /// Whose events are asked for, ascending. Not everyone may read trades and refusals.
    public let logs: [EventLogKind]
    public let limits: Limits
    public internal(set) var trust: TrustedChain
    public internal(set) var watched: WatchList
    /// Two certified histories were seen.
    public internal(set) var fork: ForkEvidence?
    /// Whether this look, or between two the last one, proved something, or there was nothing newer to prove.
    public internal(set) var isAnswered = false

    enum Phase: Sendable {
        case idle
        case heads(known: TrustedChain, round: Int)
        /// All ends of epochs, of those whose newest header is by validators that nothing known leads to.
        case origins(Heads)
        case proof(Proof)
        /// Each record alone, of the next one who said that he may not show all.
        case probe(Proof)
        case events(Events)
    }

    /// A provider's newest final header, certified.
    struct Head: Sendable {
        let provider: Int
        let certified: CertifiedHeader
        var header: Header { certified.header }
    }

    /// What a first round found.
    struct Heads: Sendable {
        let found: [Head]
        /// What is trusted, and these heads on their quorums alone.
        let known: TrustedChain
    }

    /// The second round of a look.
    struct Proof: Sendable {
        /// What is trusted, and the heads on their quorums alone.
        let known: TrustedChain
        /// Highest first.
        let heads: [Head]
        /// Who is asked after whom: positions in `heads`.
        var turns: [Int]
        /// Whose turn it is: position in `turns`.
        var asked = 0
        var questions: [EvidenceQuestion] = []
        /// Those who said that they may not show all, in the order of their turns.
        var forbidders: [Forbidder] = []
        /// What somebody said may not be read, alone, and why.
        var forbidden: [(question: EvidenceQuestion, reason: String)] = []
        var isProbed = false

        struct Forbidder: Sendable {
            /// Position in `heads`.
            let head: Int
            /// What it proved of the records when it was asked for each alone; nil before.
            var shown: [EvidenceQuestion]?
        }

        init(known: TrustedChain, heads: [Head]) {
            self.known = known
            self.heads = heads
            turns = Array(heads.indices)
        }

        /// Of the one whose turn it is.
        var head: Head { heads[turns[asked]] }
        /// What the one whose turn it is may show, as far as it was found out.
        var shown: [EvidenceQuestion]? { forbidders.first { $0.head == turns[asked] }?.shown }
    }

    /// A watched asset's log that is certified to have grown.
    struct GrownLog: Equatable, Sendable {
        let asset: Digest
        let log: EventLogKind
        let from: EventLog
        let to: EventLog
        /// What the provider whose turn it is has shown of it, and in how many answers.
        var leaves: [[UInt8]] = []
        var answers = 0
    }

    var phase = Phase.idle
    private var asked: [Ask] = []
    private var rounds = 0
    private var looks = 0
    /// Records that are left out of what is asked, and those of which that was told.
    var unreadable: [EvidenceQuestion] = []
    var toldUnreadable: [EvidenceQuestion] = []
    /// The worst that was found of each provider in this look, and what was told of it last.
    var noted: [ProviderNote?]
    private var told: [ProviderState]
    private var isStale = false
    /// Logs whose events nobody showed, each as it then was certified.
    var unseen: [GrownLog] = []

    /// - Parameters:
    ///   - providers: 1 to `providersMax`, each once.
    ///   - watched: of this chain.
    /// - Throws: when what is trusted or known is of another ledger.
    public init(
        genesis: Genesis, trust: TrustedChain, watched: WatchList, providers: [String],
        logs: [EventLogKind] = [.rights], limits: Limits = Limits()
    ) throws(EvidenceProblem) {
        precondition((1...Follower.providersMax).contains(providers.count))
        _ = try Verifier(genesis: genesis, trust: trust)
        guard watched.chain == trust.chain else {
            throw EvidenceProblem(
                .start, .otherLedger(found: watched.chain, expected: trust.chain))
        }
        self.genesis = genesis
        self.trust = trust
        self.trust.recovery = genesis.recovery
        self.watched = watched
        self.providers = providers
        self.logs = logs
        self.limits = limits
        noted = providers.map { _ in nil }
        told = providers.map { _ in .well }
    }

    public var suite: Suite { trust.suite }

    // MARK: A look

    /// Begins a look. Empty after a fork.
    public mutating func look() -> [Ask] {
        guard case .idle = phase else { preconditionFailure("a look ends before the next begins") }
        guard fork == nil else { return [] }
        noted = providers.map { _ in nil }
        isAnswered = false
        rounds = 0
        looks += 1
        if looks.isMultiple(of: Follower.unreadableLooks) { unreadable = [] }
        asked = askHeads(knowing: trust, round: 0)
        return asked
    }

    /// - Parameters:
    ///   - answers: one for each of the asks, in their order.
    ///   - nowMs: the driver's clock, milliseconds of Unix time.
    public mutating func take(_ answers: [Answer], nowMs: UInt64) -> Step {
        precondition(answers.count == asked.count, "there is an answer to each ask")
        var step = Step()
        switch phase {
        case .idle: preconditionFailure("answers come after asks")
        case .heads(let known, let round):
            step.asks = weighHeads(
                zip(asked, answers), known: known, round: round, nowMs: nowMs, &step)
        case .origins(let heads):
            step.asks = weighOrigins(zip(asked, answers), heads, nowMs: nowMs, &step)
        case .proof(let proof):
            step.asks = judge(answers[0], proof, nowMs: nowMs, &step)
        case .probe(let proof):
            step.asks = judge(alone: answers, proof, nowMs: nowMs, &step)
        case .events(let events): step.asks = judge(answers, events, &step)
        }
        rounds += 1
        if rounds == Follower.roundsMax { step.asks = [] }
        asked = step.asks
        if asked.isEmpty { end(nowMs: nowMs, &step) }
        return step
    }

    private mutating func end(nowMs: UInt64, _ step: inout Step) {
        phase = .idle
        for (index, note) in noted.enumerated() {
            let state = note?.state ?? .well
            guard state != told[index] else { continue }
            told[index] = state
            step.alerts.append(note?.alert ?? .well(provider: providers[index]))
        }
        let newest = trust.newest?.header ?? trust.start.header
        let timeMs = newest?.timeMs ?? genesis.timeMs
        let ageMs = nowMs > timeMs ? nowMs - timeMs : 0
        guard (ageMs > limits.staleMs) != isStale else { return }
        isStale.toggle()
        let height = newest?.height ?? 0
        step.alerts.append(
            isStale ? .stale(height: height, ageMs: ageMs) : .fresh(height: height))
    }

    // MARK: Providers

    mutating func note(_ provider: Int, _ state: ProviderState, _ alert: FollowerAlert) {
        if let worse = noted[provider], worse.state.rank >= state.rank { return }
        noted[provider] = ProviderNote(state: state, alert: alert)
    }

    /// - Parameter bundle: the answer, where that was to be one.
    mutating func refuse(
        _ provider: Int, _ problem: EvidenceProblem, bundle answer: [UInt8]? = nil
    ) {
        var evidence: [UInt8]?
        if problem.standing == .provenFalse, let answer { evidence = provenFalse(answer) }
        note(
            provider, .refused(problem.standing),
            .refused(provider: providers[provider], problem, evidence: evidence))
    }

    /// An answer as a file that shows to whoever starts where this follower started that it is false: with the ends of the epochs
    /// that were not asked for because they were known. `nil` where it shows no such thing.
    private func provenFalse(_ answer: [UInt8]) -> [UInt8]? {
        guard
            var bundle = try? EvidenceBundle.decode(
                answer, limits: EvidenceLimits.standard.decoding),
            bundle.chain == trust.chain, case .certified(let certified, let changes) = bundle.head
        else { return nil }
        let first = changes.first?.header.epoch ?? certified.header.epoch
        bundle.head = .certified(
            certified, after: trust.epochChanges.prefix { $0.header.epoch < first } + changes)
        var start = trust
        start.epochChanges = []
        start.headers = []
        let file = bundle.encoded
        do throws(EvidenceProblem) {
            _ = try Verifier(genesis: genesis, trust: start).verify(file)
            return nil
        } catch {
            return error.standing == .provenFalse ? file : nil
        }
    }
}

/// What a provider's answers are like.
enum ProviderState: Equatable, Sendable {
    case well
    case behind
    case silent
    case refused(EvidenceStanding)
    /// It shows another history that keys of an ended epoch certified.
    case oldFork

    /// The worse, the higher.
    var rank: Int {
        switch self {
        case .well: 0
        case .behind: 1
        case .silent: 2
        case .refused(.notYet): 3
        case .refused(.notProven): 4
        case .refused(.provenFalse): 5
        case .oldFork: 6
        }
    }
}

struct ProviderNote: Sendable {
    let state: ProviderState
    let alert: FollowerAlert
}
