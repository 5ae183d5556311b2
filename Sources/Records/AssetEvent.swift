import Encoding
import Ledger
import LedgerCrypto

/// What happened: a transaction or an automatic action. On the wire automatic kinds start at 1001.
public enum EventKind: Hashable, Sendable, CBORCodable {
    case transaction(TransactionKind)
    case automatic(AutomaticKind)

    private static let automaticBase: UInt64 = 1_000

    public init?(number: UInt64) {
        if let kind = TransactionKind(rawValue: number) {
            self = .transaction(kind)
        } else if number > EventKind.automaticBase,
            let kind = AutomaticKind(rawValue: number - EventKind.automaticBase)
        {
            self = .automatic(kind)
        } else {
            return nil
        }
    }

    public var number: UInt64 {
        switch self {
        case .transaction(let kind): kind.rawValue
        case .automatic(let kind): EventKind.automaticBase + kind.rawValue
        }
    }

    public var name: String {
        switch self {
        case .transaction(let kind): kind.name
        case .automatic(let kind): kind.name
        }
    }

    public var titleZh: String {
        switch self {
        case .transaction(let kind): kind.titleZh
        case .automatic(let kind): kind.titleZh
        }
    }

    public func encode(into encoder: inout CBOREncoder) { encoder.unsigned(number) }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        guard let kind = EventKind(number: try decoder.unsigned()) else {
            throw decoder.invalid("unknown kind of event")
        }
        self = kind
    }
}

/// Who acted. Wire: a member id as text, a pseudonym as 16 bytes, or null for the ledger itself.
public enum EventActor: Hashable, Sendable, CBORCodable {
    case member(MemberID)
    case pseudonym([UInt8])
    case ledger

    public func encode(into encoder: inout CBOREncoder) {
        switch self {
        case .member(let id): encoder.value(id)
        case .pseudonym(let bytes): encoder.bytes(bytes)
        case .ledger: encoder.null()
        }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        switch try CBORValue(from: &decoder) {
        case .text(let text):
            guard let id = MemberID(text) else {
                throw decoder.invalid("an actor's text is a member id")
            }
            self = .member(id)
        case .bytes(let bytes) where bytes.count == Pseudonym.byteCount: self = .pseudonym(bytes)
        case .null: self = .ledger
        case .bytes, .unsigned, .negative, .array, .map, .tag, .bool:
            throw decoder.invalid("an actor is a member id, a pseudonym of 16 bytes or null")
        }
    }
}

/// One leaf of an asset's log.
///
/// Wire: `["huijin/event/1", log, index, kind, transaction id, entry digest, height, time, actor, code, detail]`.
public struct AssetEvent: Equatable, Sendable, CBORCodable {
    public let log: EventLogKind
    /// Position in that log, from 0.
    public let index: UInt64
    public let kind: EventKind
    /// For automatic actions the entry digest.
    public let transactionID: Digest
    public let entryDigest: Digest
    public let height: UInt64
    /// The block's time, Unix milliseconds.
    public let timeMs: UInt64
    public let actor: EventActor
    public let code: OutcomeCode
    /// A map from field names to the fields that are public.
    public let detail: CBORValue

    public static let context = "huijin/event/1"
    public static let limits = CBORLimits(
        bytesMax: LedgerLimits.transactionBytesMax * 2, depthMax: 12, itemsMax: 4_096,
        stringBytesMax: LedgerLimits.transactionBytesMax)

    public init(
        log: EventLogKind, index: UInt64, kind: EventKind, transactionID: Digest,
        entryDigest: Digest, height: UInt64, timeMs: UInt64, actor: EventActor,
        code: OutcomeCode, detail: CBORValue = .map([])
    ) {
        self.log = log
        self.index = index
        self.kind = kind
        self.transactionID = transactionID
        self.entryDigest = entryDigest
        self.height = height
        self.timeMs = timeMs
        self.actor = actor
        self.code = code
        self.detail = detail
    }

    /// The leaf hash in the asset's log (RFC 9162 §2.1.1).
    public func leafHash(_ suite: Suite) -> Digest { suite.leafDigest(encoded) }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(11)
        encoder.text(AssetEvent.context)
        encoder.value(log)
        encoder.unsigned(index)
        encoder.value(kind)
        encoder.value(transactionID)
        encoder.value(entryDigest)
        encoder.unsigned(height)
        encoder.unsigned(timeMs)
        encoder.value(actor)
        encoder.unsigned(code.rawValue)
        encoder.value(detail)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 11)
        guard try decoder.text(max: 32) == AssetEvent.context else {
            throw decoder.invalid("an event begins with huijin/event/1")
        }
        log = try decoder.value()
        index = try decoder.unsigned()
        kind = try decoder.value()
        transactionID = try decoder.value()
        entryDigest = try decoder.value()
        height = try decoder.unsigned()
        timeMs = try decoder.unsigned()
        actor = try decoder.value()
        guard let code = OutcomeCode(rawValue: try decoder.unsigned()), code.isRecorded else {
            throw decoder.invalid("an event's code is 0 or a recorded refusal")
        }
        self.code = code
        detail = try decoder.value()
        guard case .map = detail else { throw decoder.invalid("an event's detail is a map") }
    }
}

extension CBORValue {
    /// An event's detail: a map from names to values in canonical order.
    public static func detail(_ pairs: [(String, CBORValue)]) -> CBORValue {
        canonicalMap(pairs.map { (.text($0.0), $0.1) })
    }
}
