import Encoding
import Ledger
import LedgerCrypto
import Records

// The report for programs: one JSON object. Digests are lower-case hexadecimal, times Unix milliseconds.
extension EvidenceProblem {
    public var json: JSONNode {
        .members([
            "verdict": .text(standing.rawValue),
            "place": .both(place.english, place.chinese),
            "fault": .both(fault.english, fault.chinese),
        ])
    }
}

extension ProvenAnswer {
    public var json: JSONNode {
        let node = answerJSON
        guard let witnessed, case .object(let members) = node else { return node }
        return .object(members + [JSONNode.Member("witnessed", witnessed.json)])
    }

    private var answerJSON: JSONNode {
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
            "recovery": .bool(checkpoint.recovery != nil),
            "finalizedBy": .both(checkpoint.finalizedBy.english, checkpoint.finalizedBy.chinese),
            "epochs": .list(checkpoint.epochs.map { $0.json }),
            "findings": .list(zip(questions, findings).map { $1.json($0, suite) }),
            "claims": .list(claims.map { .both($0.english, $0.chinese) }),
        ])
    }
}

extension EpochTrust {
    var json: JSONNode {
        let basis: JSONNode =
            switch basis {
            case .genesis: .text("genesis")
            case .checkpoint(let height, let header):
                .members(["checkpoint": .number(height), "header": .hex(header)])
            case .handedOver(let height): .members(["handedOver": .number(height)])
            case .recovered(let height, let signatures, let rule):
                .members([
                    "recovered": .number(height),
                    "signatures": .number(UInt64(signatures)),
                    "keys": .number(UInt64(rule.keys.count)),
                    "threshold": .number(UInt64(rule.threshold)),
                ])
            }
        return .members([
            "epoch": .number(epoch),
            "validators": .hex(validators),
            "count": .number(UInt64(count)),
            "quorum": .number(UInt64(quorum)),
            "basis": basis,
        ])
    }
}

extension ProvenAnswer.Finding {
    fileprivate func json(_ question: EvidenceQuestion, _ suite: Suite) -> JSONNode {
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
                "logs": .list(history.logs.map { $0.json }),
                "parents": .list(history.parents.map { $0.json }),
            ])
        case .noSuchAsset(let asset):
            return .members(["type": .text("no-such-asset"), "asset": .hex(asset)])
        case .transaction(let entry):
            return .members(["type": .text("transaction"), "entry": entry.json])
        case .licence(let licence): return licence.json
        case .role(let role): return role.json
        case .output(let output): return output.json
        case .record(let record):
            guard case .record(let type, let id) = question else { return .null }
            var present = true
            var body: JSONNode = .null
            var withheld: JSONNode = .null
            switch record {
            case .nothing: present = false
            case .withheld(let digest): withheld = .hex(digest)
            case .record(let record):
                body = record.json
            }
            return .members([
                "type": .text("record"),
                "recordType": .text(type.name),
                "id": .list(id.map { $0.json }),
                "key": .hex(EvidenceQuestion.stateKey(type: type, id: id, suite: suite)),
                "present": .bool(present),
                "record": body,
                "withheld": withheld,
            ])
        case .header(let older):
            return .members([
                "type": .text("header"),
                "height": .number(older.header.height),
                "header": .hex(older.digest),
                "timeMs": .number(older.header.timeMs),
                "logSize": .number(older.header.logSize),
                "logRoot": .hex(older.header.logRoot),
                "stateRoot": .hex(older.header.stateRoot),
            ])
        }
    }
}

extension ProvenParent {
    fileprivate var json: JSONNode {
        .members([
            "asset": .hex(asset),
            "included": .bool(isIncluded),
            "rightsSize": pin.map { .number($0.rightsSize) } ?? .null,
            "rightsRoot": pin.map { .hex($0.rightsRoot) } ?? .null,
            "basis": pin?.basis.map { .hex($0) } ?? .null,
        ])
    }
}

extension ProvenLog {
    fileprivate var json: JSONNode {
        .members([
            "log": .text(log.name),
            "complete": .bool(true),
            "events": .list(events.map { $0.json }),
        ])
    }
}

extension ProvenEvent {
    fileprivate var json: JSONNode {
        .members([
            "index": .number(event.index),
            "kind": .text(event.kind.name),
            "title": .both(event.kind.titleEn, event.kind.titleZh),
            "transaction": .hex(event.transactionID),
            "actor": event.actor.json,
            "detail": event.detail.json,
            "entry": entry.json,
        ])
    }
}

extension EventActor {
    fileprivate var json: JSONNode {
        switch self {
        case .member(let id): .members(["member": .text(id.text)])
        case .pseudonym(let bytes): .members(["pseudonym": .text(Hex.encode(bytes))])
        case .ledger: .null
        }
    }
}

extension ProvenEntry {
    var json: JSONNode {
        let code = OutcomeCode(rawValue: code)
        let signature: String
        var transactionID: JSONNode = .null
        var kind: JSONNode = .null
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
