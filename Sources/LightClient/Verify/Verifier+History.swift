import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

extension Verifier {
    /// All events of these logs of the asset, or that there is no such asset.
    func history(
        of asset: Digest, _ logs: [EventLogKind], _ evidence: [LogEvidence], _ parts: ProvenParts,
        _ lineage: inout Lineage, at place: EvidencePlace
    ) throws(EvidenceProblem) -> ProvenAnswer.Finding {
        let key = StateKey.digest(.asset, asset, suite: suite)
        let record = try parts.state.record(AssetRecord.self, key: key, neededAt: place)
        guard let record else {
            try check(evidence.map { $0.log }, asked: [], of: asset)
            return .noSuchAsset(asset)
        }
        guard record.id == asset else { throw EvidenceProblem(place, .otherRecord(field: "id")) }
        try check(evidence.map { $0.log }, asked: logs.map { $0.rawValue }, of: asset)
        var proven: [ProvenLog] = []
        for (evidence, log) in zip(evidence, logs) {
            let (events, tree) = try provenLog(evidence, log, of: record, parts.entries)
            if log == .rights { lineage.add(asset, events, tree) }
            proven.append(events)
        }
        return .assetHistory(AssetHistory(asset: record, logs: proven))
    }

    private func check(
        _ given: [UInt64], asked: [UInt64], of asset: Digest
    ) throws(EvidenceProblem) {
        for log in asked where !given.contains(log) {
            throw EvidenceProblem(.log(log, of: asset), .logNotIncluded)
        }
        for log in given where !asked.contains(log) {
            throw EvidenceProblem(.log(log, of: asset), .logNotAsked)
        }
        guard given == asked else { throw EvidenceProblem(.bundle, .outOfOrder) }
    }

    /// Every event fits its evidence, and together they are exactly what the certified record commits to.
    private func provenLog(
        _ evidence: LogEvidence, _ log: EventLogKind, of asset: AssetRecord,
        _ entries: [ProvenEntry]
    ) throws(EvidenceProblem) -> (ProvenLog, LogTree) {
        let record = asset.log(log)
        let place = EvidencePlace.log(log.rawValue, of: asset.id)
        guard evidence.events.count <= limits.eventsMax else {
            throw EvidenceProblem(
                place,
                .tooMany(what: "events", found: evidence.events.count, max: limits.eventsMax))
        }
        var events: [AssetEvent] = []
        events.reserveCapacity(evidence.events.count)
        for (index, item) in evidence.events.enumerated() {
            do throws(CBORError) {
                events.append(try AssetEvent.decode(item.leaf, limits: AssetEvent.limits))
            } catch {
                throw EvidenceProblem(
                    .event(index: index, log: log.rawValue, of: asset.id),
                    .eventUndecodable(error))
            }
        }
        try checkCount(events, certified: record.size, at: place)
        var proven: [ProvenEvent] = []
        proven.reserveCapacity(events.count)
        for (index, event) in events.enumerated() {
            let entry = evidence.events[index].entry
            let place = EvidencePlace.event(index: index, log: log.rawValue, of: asset.id)
            guard entries.indices.contains(entry) else {
                throw EvidenceProblem(place, .noSuchEntry(entry))
            }
            try EventCheck(event: event, entry: entries[entry], place: place)
                .check(log: log, index: UInt64(index))
            proven.append(ProvenEvent(event: event, entry: entries[entry]))
        }
        let tree = LogTree(
            suite: suite, leafHashes: evidence.events.map { suite.leafDigest($0.leaf) })
        try checkRoot(tree, record: record, at: place)
        return (ProvenLog(log: log, events: proven), tree)
    }

    private func checkCount(
        _ events: [AssetEvent], certified: UInt64, at place: EvidencePlace
    ) throws(EvidenceProblem) {
        let found = events.count
        guard UInt64(found) != certified else { return }
        if UInt64(found) > certified {
            throw EvidenceProblem(place, .eventsAdded(found: found, certified: certified))
        }
        // Each event carries its number, so the first gap names the event that is not there.
        let gap = events.enumerated().first { $0.element.index != UInt64($0.offset) }
        throw EvidenceProblem(
            place,
            .eventsMissing(
                found: found, certified: certified, first: UInt64(gap?.offset ?? found)))
    }

    /// The record's peaks are roots of parts of the log, so a wrong root can be narrowed down to one of them.
    private func checkRoot(
        _ tree: LogTree, record: EventLog, at place: EvidencePlace
    ) throws(EvidenceProblem) {
        guard tree.root != record.root else { return }
        var first: UInt64 = 0
        for (mine, certified) in zip(tree.frontier.peaks, record.peaks) {
            let leaves = (record.size - first).isolatedHighBit
            if mine != certified {
                throw EvidenceProblem(
                    place, .otherLogRoot(first: first, last: first + leaves - 1))
            }
            first += leaves
        }
        throw EvidenceProblem(
            place, .otherLogRoot(first: 0, last: record.size == 0 ? 0 : record.size - 1))
    }
}

extension UInt64 {
    /// The largest power of two in it, for numbers above 0.
    fileprivate var isolatedHighBit: UInt64 { 1 << UInt64(63 - leadingZeroBitCount) }
}

/// An event beside the entry that it refers to: what both say must be the same.
private struct EventCheck {
    let event: AssetEvent
    let entry: ProvenEntry
    let place: EvidencePlace

    private typealias Field = EvidenceFault.EventField

    func check(log: EventLogKind, index: UInt64) throws(EvidenceProblem) {
        try equal(.log, event.log.name, log.name)
        try equal(.index, event.index, index)
        try equal(.height, event.height, entry.height)
        try equal(.timeMs, event.timeMs, entry.timeMs)
        try equal(.entryDigest, event.entryDigest, entry.digest)
        try equal(.code, event.code.rawValue, entry.code)
        switch entry.content {
        case .transaction(let id, let transaction, _):
            try equal(.kind, event.kind.number, transaction.kind)
            try equal(.transaction, event.transactionID, id)
            switch event.actor {
            case .member(let member): try equal(.actor, member, transaction.member)
            case .ledger: try equal(.actor, "ledger", transaction.member.text)
            // Whose pseudonym it is, only the parties of the agreement can tell.
            case .pseudonym: break
            }
        case .automatic(let action):
            guard case .automatic(let kind) = event.kind else {
                return try equal(.kind, event.kind.name, "automatic \(action.kind)")
            }
            try equal(.kind, kind.rawValue, action.kind)
            try equal(.transaction, event.transactionID, entry.digest)
        case .withheld: break
        }
    }

    private func equal<Value: Equatable & CustomStringConvertible>(
        _ field: Field, _ found: Value, _ expected: Value
    ) throws(EvidenceProblem) {
        guard found == expected else {
            throw EvidenceProblem(
                place, .eventField(field, found: "\(found)", expected: "\(expected)"))
        }
    }
}
