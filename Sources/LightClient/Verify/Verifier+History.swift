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
        let found = evidence.events.count
        guard UInt64(found) <= record.size else {
            throw EvidenceProblem(place, .eventsAdded(found: found, certified: record.size))
        }
        // A decoded event may take fifty times its bytes, so those alone are kept that the record commits to.
        guard UInt64(found) == record.size else {
            // Each event carries its number, so the first gap names the event that is not there.
            var gap = found
            for index in (0..<found).reversed()
            where try event(index, in: evidence, log, of: asset).index != UInt64(index) {
                gap = index
            }
            throw EvidenceProblem(
                place,
                .eventsMissing(found: found, certified: record.size, first: UInt64(gap)))
        }
        let tree = LogTree(
            suite: suite, leafHashes: evidence.events.map { suite.leafDigest($0.leaf) })
        guard tree.root == record.root else {
            // What is wrong with one says more than that the whole is.
            for index in 0..<found {
                _ = try proven(index, in: evidence, log, of: asset, entries)
            }
            throw otherRoot(tree, record: record, at: place)
        }
        var events: [ProvenEvent] = []
        events.reserveCapacity(found)
        for index in 0..<found {
            events.append(try proven(index, in: evidence, log, of: asset, entries))
        }
        return (ProvenLog(log: log, events: events), tree)
    }

    private func event(
        _ index: Int, in evidence: LogEvidence, _ log: EventLogKind, of asset: AssetRecord
    ) throws(EvidenceProblem) -> AssetEvent {
        do throws(CBORError) {
            return try AssetEvent.decode(
                evidence.events[index].leaf, limits: AssetEvent.limits)
        } catch {
            throw EvidenceProblem(
                .event(index: index, log: log.rawValue, of: asset.id), .eventUndecodable(error))
        }
    }

    /// With its entry, which it fits.
    private func proven(
        _ index: Int, in evidence: LogEvidence, _ log: EventLogKind, of asset: AssetRecord,
        _ entries: [ProvenEntry]
    ) throws(EvidenceProblem) -> ProvenEvent {
        let event = try event(index, in: evidence, log, of: asset)
        let entry = evidence.events[index].entry
        let place = EvidencePlace.event(index: index, log: log.rawValue, of: asset.id)
        guard entries.indices.contains(entry) else {
            throw EvidenceProblem(place, .noSuchEntry(entry))
        }
        try EventCheck(event: event, entry: entries[entry], place: place)
            .check(log: log, index: UInt64(index))
        return ProvenEvent(event: event, entry: entries[entry])
    }

    /// The record's peaks are roots of parts of the log, so a wrong root can be narrowed down to one of them.
    private func otherRoot(
        _ tree: LogTree, record: EventLog, at place: EvidencePlace
    ) -> EvidenceProblem {
        var first: UInt64 = 0
        for (mine, certified) in zip(tree.frontier.peaks, record.peaks) {
            let leaves = (record.size - first).isolatedHighBit
            if mine != certified {
                return EvidenceProblem(
                    place, .otherLogRoot(first: first, last: first + leaves - 1))
            }
            first += leaves
        }
        return EvidenceProblem(
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
