import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

/// Events of one of an asset's logs, without a proof: whoever asks knows the certified ends of the log before and after.
/// One answer has as many as were asked for, or as fit: then the next is asked for from there.
///
/// Wire: `[* bstr]`, each one encoded event, oldest first.
public struct EventLeaves: Equatable, Sendable, CBORCodable {
    /// Events that are asked for at once, and bytes of an answer.
    public static let countMax = 4_096
    public static let bytesMax = 4_194_304

    public let leaves: [[UInt8]]

    public init(_ leaves: [[UInt8]]) { self.leaves = leaves }

    /// The first of these, as many as an answer has room for; one at least, because none is longer than
    /// `EvidenceLimits.eventBytesMax`.
    public init(fitting leaves: [[UInt8]]) {
        // The longest heads of an array and of a byte string.
        var bytes = 5
        self.leaves = Array(
            leaves.prefix(EventLeaves.countMax).prefix {
                bytes += 5 + $0.count
                return bytes <= EventLeaves.bytesMax
            })
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(leaves.count)
        for leaf in leaves { encoder.bytes(leaf) }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        let count = try decoder.array()
        var leaves: [[UInt8]] = []
        for _ in 0..<count {
            leaves.append(try decoder.bytes(max: EvidenceLimits.eventBytesMax))
        }
        self.leaves = leaves
    }

    /// The events, if these are all that the log has between two certified ends of it.
    func events(
        of asset: Digest, _ log: EventLogKind, from: EventLog, to: EventLog, suite: Suite
    ) throws(EvidenceProblem) -> [AssetEvent] {
        let place = EvidencePlace.log(log.rawValue, of: asset)
        guard from.size <= to.size, var frontier = LogFrontier(size: from.size, peaks: from.peaks)
        else { throw EvidenceProblem(place, .outOfOrder) }
        let certified = to.size - from.size
        guard UInt64(leaves.count) >= certified else {
            throw EvidenceProblem(
                place,
                .eventsMissing(
                    found: leaves.count, certified: certified,
                    first: from.size + UInt64(leaves.count)))
        }
        guard UInt64(leaves.count) == certified else {
            throw EvidenceProblem(
                place, .eventsAdded(found: leaves.count, certified: certified))
        }
        for leaf in leaves { frontier.append(leafHash: suite.leafDigest(leaf), suite: suite) }
        guard frontier.root(suite) == to.root else {
            throw EvidenceProblem(place, .otherLogRoot(first: from.size, last: to.size - 1))
        }
        var events: [AssetEvent] = []
        for (index, leaf) in leaves.enumerated() {
            do throws(CBORError) {
                events.append(try AssetEvent.decode(leaf, limits: AssetEvent.limits))
            } catch {
                throw EvidenceProblem(
                    .event(index: index, log: log.rawValue, of: asset), .eventUndecodable(error))
            }
        }
        return events
    }
}

/// Whether nothing was told of some of a log's events, and why.
public enum UnseenReason: Equatable, Sendable {
    /// More than `Follower.Limits.eventsMax` since the last look.
    case tooMany
    /// Nobody showed them; they are asked for again.
    case notShown
}

extension Follower.GrownLog {
    var missing: Range<UInt64> { from.size + UInt64(leaves.count)..<to.size }
    var isWhole: Bool { UInt64(leaves.count) >= to.size - from.size }

    /// With none of the events that somebody showed.
    var anew: Self { Self(asset: asset, log: log, from: from, to: to) }

    /// Throws where an answer has nothing, or the last that is waited for leaves something out.
    func adding(_ more: [[UInt8]]) throws(EvidenceProblem) -> Self {
        var grown = self
        grown.leaves += more
        grown.answers += 1
        guard grown.isWhole || (!more.isEmpty && grown.answers < Follower.answersPerLogMax) else {
            throw EvidenceProblem(
                .log(log.rawValue, of: asset),
                .eventsMissing(
                    found: grown.leaves.count, certified: to.size - from.size,
                    first: grown.missing.lowerBound))
        }
        return grown
    }
}

extension Follower {
    /// Logs asked for in one round.
    static let logsPerRound = 8

    /// The third part of a look.
    struct Events: Sendable {
        /// To be asked of the first of the providers, `logsPerRound` at a time.
        var pending: [GrownLog]
        /// What he did not show.
        var refused: [GrownLog] = []
        var providers: [Int]
    }

    /// The followed logs of watched assets that are certified to be other than told.
    var grownLogs: [GrownLog] {
        var grown: [GrownLog] = []
        for item in watched.records {
            guard case .asset(let asset)? = item.record else { continue }
            for log in logs {
                guard let seen = item.seen(log), seen != asset.log(log) else { continue }
                grown.append(GrownLog(asset: asset.id, log: log, from: seen, to: asset.log(log)))
            }
        }
        return grown
    }

    mutating func askEvents(of providers: [Int], _ step: inout Step) -> [Ask] {
        var pending: [GrownLog] = []
        for log in grownLogs {
            if log.to.size <= log.from.size {
                step.alerts.append(
                    .rewritten(asset: log.asset, log.log, from: log.from, to: log.to))
                see(log)
            } else if log.to.size - log.from.size > UInt64(limits.eventsMax) {
                step.alerts.append(
                    .unseen(asset: log.asset, log.log, log.from.size..<log.to.size, .tooMany))
                see(log)
            } else {
                pending.append(log)
            }
        }
        return ask(Events(pending: pending, providers: providers), &step)
    }

    private mutating func ask(_ events: Events, _ step: inout Step) -> [Ask] {
        var events = events
        if events.pending.isEmpty {
            (events.pending, events.refused) = (events.refused, [])
            events.providers.removeFirst()
        }
        guard !events.pending.isEmpty else { return [] }
        guard let provider = events.providers.first else {
            tellUnseen(events.pending, &step)
            return []
        }
        phase = .events(events)
        return events.pending.prefix(Follower.logsPerRound).map {
            Ask(
                provider: provider,
                what: .events(asset: $0.asset, log: $0.log, range: $0.missing))
        }
    }

    mutating func judge(_ answers: [Answer], _ events: Events, _ step: inout Step) -> [Ask] {
        var events = events
        var unfinished: [GrownLog] = []
        let provider = events.providers[0]
        for (log, answer) in zip(events.pending, answers) {
            switch answer {
            case .forbidden: events.refused.append(log.anew)
            case .none(let reason):
                note(provider, .silent, .silent(provider: providers[provider], reason: reason))
                events.refused.append(log.anew)
            case .bytes(let bytes):
                do throws(EvidenceProblem) {
                    let grown = try log.adding(try leaves(in: bytes, log))
                    guard grown.isWhole else {
                        unfinished.append(grown)
                        continue
                    }
                    let all = EventLeaves(grown.leaves)
                    for event in try all.events(
                        of: log.asset, log.log, from: log.from, to: log.to, suite: suite)
                    {
                        step.alerts.append(.event(asset: log.asset, event))
                    }
                    see(log)
                    step.hasChanged = true
                } catch {
                    refuse(provider, error)
                    events.refused.append(log.anew)
                }
            }
        }
        // Before all others, so that no more logs are half here than are asked for in one round.
        events.pending.replaceSubrange(0..<answers.count, with: unfinished)
        return ask(events, &step)
    }

    private func leaves(
        in bytes: [UInt8], _ log: GrownLog
    ) throws(EvidenceProblem) -> [[UInt8]] {
        let place = EvidencePlace.log(log.log.rawValue, of: log.asset)
        let bytesMax = min(limits.answerBytesMax, EventLeaves.bytesMax)
        guard bytes.count <= bytesMax else {
            throw EvidenceProblem(
                place, .tooMany(what: "bytes", found: bytes.count, max: bytesMax))
        }
        do throws(CBORError) {
            let limits = CBORLimits(
                bytesMax: bytesMax, depthMax: 2, itemsMax: limits.eventsMax,
                stringBytesMax: EvidenceLimits.eventBytesMax)
            return try EventLeaves.decode(bytes, limits: limits).leaves
        } catch {
            throw EvidenceProblem(place, .undecodable(error))
        }
    }

    private mutating func see(_ log: GrownLog) {
        for (index, item) in watched.records.enumerated() {
            guard case .asset(let asset)? = item.record, asset.id == log.asset else { continue }
            watched.records[index].see(log.log, upTo: log.to)
        }
    }

    /// Once for each end of a log.
    private mutating func tellUnseen(_ logs: [GrownLog], _ step: inout Step) {
        for log in logs where !unseen.contains(log) {
            step.alerts.append(
                .unseen(asset: log.asset, log.log, log.from.size..<log.to.size, .notShown))
        }
        unseen = logs
    }
}
