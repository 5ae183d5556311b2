import Encoding
import Ledger
import LedgerCrypto
import Records

/// A record that somebody who follows a ledger is told about, and what he knows of it: how it was at the newest header that
/// was proven to him, and how far he has seen the event logs of an asset.
///
/// Wire: `[record type, id, known]`; known is null, `[]` for a record that is not there, or `[type, body, [*3 event-log]]`.
public struct WatchedRecord: Equatable, Sendable {
    public let type: RecordType
    /// As in `EvidenceQuestion.record`.
    public let id: [CBORValue]
    public internal(set) var known: Known

    public enum Known: Equatable, Sendable {
        /// Nothing was proven yet.
        case nothing
        case absent
        /// `seen`: of an asset the ends of its logs, in order, up to which the events were told; of others empty.
        case present(AnyRecord, seen: [EventLog])
    }

    /// What has words for its changes, and is never taken away.
    public static let types: Set<RecordType> = [.asset, .agreement, .member, .account]

    /// - Returns: `nil` where records of that type are not watched, or none can have such an id.
    public init?(type: RecordType, id: [CBORValue]) {
        guard WatchedRecord.types.contains(type), EvidenceQuestion.isID(id, of: type) else {
            return nil
        }
        self.type = type
        self.id = id
        known = .nothing
    }

    public var question: EvidenceQuestion { .record(type: type, id: id) }

    public var record: AnyRecord? {
        if case .present(let record, _) = known { record } else { nil }
    }

    /// Of an asset that is known.
    func seen(_ log: EventLogKind) -> EventLog? {
        guard case .present(_, let seen) = known, !seen.isEmpty else { return nil }
        return seen[Int(log.rawValue)]
    }

    mutating func see(_ log: EventLogKind, upTo end: EventLog) {
        guard case .present(let record, var seen) = known, !seen.isEmpty else { return }
        seen[Int(log.rawValue)] = end
        known = .present(record, seen: seen)
    }

    mutating func know(_ record: AnyRecord?, _ suite: Suite) {
        guard let record else {
            known = .absent
            return
        }
        guard case .asset(let asset) = record else {
            known = .present(record, seen: [])
            return
        }
        let seen: [EventLog] =
            switch known {
            // What was before somebody began to watch is not told, what was before the record was there is.
            case .nothing: EventLogKind.allCases.map(asset.log)
            case .absent: EventLogKind.allCases.map { _ in EventLog(suite) }
            case .present(_, let seen): seen
            }
        known = .present(record, seen: seen)
    }
}

extension WatchedRecord: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.value(type)
        encoder.list(id)
        switch known {
        case .nothing: encoder.null()
        case .absent: encoder.array(0)
        case .present(let record, let seen):
            encoder.array(3)
            encoder.value(record.type)
            encoder.bytes(record.body)
            encoder.list(seen)
        }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        type = try decoder.value()
        id = try decoder.list(max: EvidenceQuestion.idPartsMax)
        guard WatchedRecord.types.contains(type), EvidenceQuestion.isID(id, of: type) else {
            throw decoder.invalid(
                "an asset, agreement, member or account is watched, by an id of that type")
        }
        if try decoder.peekIsNull() {
            try decoder.null()
            known = .nothing
            return
        }
        switch try decoder.array(max: 3) {
        case 0: known = .absent
        case 3:
            let type: RecordType = try decoder.value()
            let body = try decoder.bytes(max: EvidenceLimits.recordBytesMax)
            let seen: [EventLog] = try decoder.list(max: EventLogKind.allCases.count)
            let record = try AnyRecord(type: type, body: body)
            guard type == self.type,
                seen.count == (type == .asset ? EventLogKind.allCases.count : 0)
            else { throw decoder.invalid("an asset has three logs, other records none") }
            known = .present(record, seen: seen)
        default: throw decoder.invalid("what is known is null, [] or [type, body, logs]")
        }
    }
}

/// What a follower knows of the records that it watches; kept beside the trusted chain, so that nothing is missed between two runs.
///
/// Wire: `["huijin/watch/1", chain, [*128 watched-record]]`.
public struct WatchList: Equatable, Sendable, CBORCodable {
    public static let context = "huijin/watch/1"
    public static let recordsMax = 128
    public static let limits = CBORLimits(
        bytesMax: 67_108_864, depthMax: 8, itemsMax: recordsMax,
        stringBytesMax: EvidenceLimits.recordBytesMax)

    public let chain: ChainID
    public internal(set) var records: [WatchedRecord]

    public init(chain: ChainID) {
        self.chain = chain
        records = []
    }

    /// What this list knows of those; the others are new. Repetitions are left out.
    ///
    /// - Precondition: at most `recordsMax`.
    public func watching(_ wanted: [WatchedRecord]) -> WatchList {
        precondition(wanted.count <= WatchList.recordsMax)
        var list = WatchList(chain: chain)
        for record in wanted where !list.records.contains(where: { $0.question == record.question })
        {
            list.records.append(records.first { $0.question == record.question } ?? record)
        }
        return list
    }

    /// This list, and what `older` knows of other records: somebody may ask for those again.
    ///
    /// - Precondition: `recordsMax` at most in all.
    public func keeping(_ older: WatchList) -> WatchList {
        var list = self
        for record in older.records
        where !records.contains(where: { $0.question == record.question }) {
            list.records.append(record)
        }
        precondition(list.records.count <= WatchList.recordsMax)
        return list
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.text(WatchList.context)
        encoder.value(chain)
        encoder.list(records)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        guard try decoder.text(max: 32) == WatchList.context else {
            throw decoder.invalid("a list of watched records begins with huijin/watch/1")
        }
        chain = try decoder.value()
        records = try decoder.list(max: WatchList.recordsMax)
    }
}
