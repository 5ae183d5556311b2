import Encoding
import Ledger
import LedgerCrypto
import Records

/// The report for programs: one JSON object (RFC 8259). Digests are lower-case hexadecimal, times Unix milliseconds.
public indirect enum ReportJSON: Equatable, Sendable {
    case text(String)
    case number(UInt64)
    case bool(Bool)
    case null
    case list([ReportJSON])
    case object([Member])

    public struct Member: Equatable, Sendable {
        let name: String
        let value: ReportJSON
    }

    static func members(_ pairs: KeyValuePairs<String, ReportJSON>) -> ReportJSON {
        .object(pairs.map { Member(name: $0.key, value: $0.value) })
    }

    static func both(_ english: String, _ chinese: String) -> ReportJSON {
        members(["en": .text(english), "zh": .text(chinese)])
    }

    static func hex(_ digest: Digest) -> ReportJSON { .text(digest.hex) }

    public var encodedText: String {
        switch self {
        case .text(let text): return Self.quoted(text)
        case .number(let number): return "\(number)"
        case .bool(let value): return value ? "true" : "false"
        case .null: return "null"
        case .list(let items): return "[" + items.map(\.encodedText).joined(separator: ",") + "]"
        case .object(let members):
            let shown = members.map { Self.quoted($0.name) + ":" + $0.value.encodedText }
            return "{" + shown.joined(separator: ",") + "}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            default:
                if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                    result += "\\u00" + Hex.encode([UInt8(scalar.value)])
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}

extension EvidenceProblem {
    public var json: ReportJSON {
        .members([
            "verdict": .text(standing.rawValue),
            "place": .both(place.english, place.chinese),
            "fault": .both(fault.english, fault.chinese),
        ])
    }
}

extension ProvenAnswer {
    public var json: ReportJSON {
        let header = checkpoint.header
        return .members([
            "verdict": .text("proven"),
            "ledger": .text(ledger),
            "chain": .hex(header.chain),
            "suite": .text(suite.name),
            "height": .number(height),
            "timeMs": .number(timeMs),
            "time": .text(ShanghaiTime.text(unixMs: timeMs)),
            "header": .hex(checkpoint.digest),
            "stateRoot": .hex(header.stateRoot),
            "logRoot": .hex(header.logRoot),
            "epoch": .number(header.epoch),
            "signatures": .number(UInt64(checkpoint.signatures)),
            "validators": .number(UInt64(checkpoint.validators.count)),
            "quorum": .number(UInt64(checkpoint.validators.quorum)),
            "finding": finding.json(question),
            "claims": .list(claims.map { .both($0.english, $0.chinese) }),
        ])
    }
}

extension ProvenAnswer.Finding {
    fileprivate func json(_ question: EvidenceQuestion) -> ReportJSON {
        switch self {
        case .assetHistory(let history):
            let asset = history.asset
            return .members([
                "type": .text("asset-history"),
                "asset": .hex(asset.id),
                "titleEn": .text(asset.titleEn),
                "titleZh": .text(asset.titleZh),
                "provider": .text(asset.provider.text),
                "status": .text(asset.status.name),
                "logs": .list(history.logs.map(\.json)),
            ])
        case .noSuchAsset(let asset):
            return .members(["type": .text("no-such-asset"), "asset": .hex(asset)])
        case .transaction(let entry):
            return .members(["type": .text("transaction"), "entry": entry.json])
        case .record(let record):
            guard case .record(let type, let id) = question else { return .null }
            let body = record.flatMap {
                try? CBORValue.decode($0.body, limits: StoredRecord.limits).diagnostic
            }
            return .members([
                "type": .text("record"),
                "recordType": .text(type.name),
                "id": .list(id.map { .text($0.diagnostic) }),
                "present": .bool(record != nil),
                "record": body.map { .text($0) } ?? .null,
            ])
        }
    }
}

extension ProvenLog {
    fileprivate var json: ReportJSON {
        .members([
            "log": .text(log.name),
            "complete": .bool(true),
            "events": .list(events.map(\.json)),
        ])
    }
}

extension ProvenEvent {
    fileprivate var json: ReportJSON {
        .members([
            "index": .number(event.index),
            "kind": .text(event.kind.name),
            "title": .both(event.kind.titleEn, event.kind.titleZh),
            "transaction": .hex(event.transactionID),
            "actor": event.actor.json,
            "detail": .text(event.detail.diagnostic),
            "entry": entry.json,
        ])
    }
}

extension EventActor {
    fileprivate var json: ReportJSON {
        switch self {
        case .member(let id): .members(["member": .text(id.text)])
        case .pseudonym(let bytes): .members(["pseudonym": .text(Hex.encode(bytes))])
        case .ledger: .null
        }
    }
}

extension ProvenEntry {
    fileprivate var json: ReportJSON {
        let code = OutcomeCode(rawValue: code)
        let signature: String
        var transactionID: ReportJSON = .null
        var kind: ReportJSON = .null
        switch content {
        case .transaction(let id, let transaction, let check):
            transactionID = .hex(id)
            kind = TransactionKind(rawValue: transaction.kind).map { .text($0.name) } ?? .null
            switch check {
            case .valid: signature = "valid"
            case .notRechecked: signature = "not-rechecked"
            }
        case .automatic(let action):
            kind = AutomaticKind(rawValue: action.kind).map { .text($0.name) } ?? .null
            signature = "none"
        case .withheld: signature = "withheld"
        }
        return .members([
            "height": .number(height),
            "position": .number(position),
            "timeMs": .number(timeMs),
            "digest": .hex(digest),
            "transaction": transactionID,
            "kind": kind,
            "code": .number(self.code),
            "codeName": code.map { .text($0.name) } ?? .null,
            "signature": .text(signature),
        ])
    }
}
