import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

extension Verifier {
    /// - Parameter histories: of the bundle, one item for each question about a history.
    func findings(
        _ questions: [EvidenceQuestion], histories: [[LogEvidence]], _ parts: ProvenParts
    ) throws(EvidenceProblem) -> [ProvenAnswer.Finding] {
        var findings: [ProvenAnswer.Finding] = []
        var rest = histories[...]
        var lineage = Lineage(suite: suite)
        for (index, question) in questions.enumerated() {
            let place = EvidencePlace.question(index)
            switch question {
            case .assetHistory(let asset, let logs):
                let evidence = rest.popFirst() ?? []
                findings.append(
                    try history(of: asset, logs, evidence, parts, &lineage, at: place))
            case .transaction(let id):
                findings.append(.transaction(try transaction(id, parts, at: place)))
            case .record(let type, let id):
                findings.append(.record(try record(type, id, parts.state, at: place)))
            case .header(let height, let digest):
                findings.append(.header(try provenHeader(height: height, digest: digest, parts)))
            case .licence(let id, let moment):
                findings.append(.licence(try licence(id, at: moment, parts, place)))
            case .role(let name, let member, let moment):
                findings.append(.role(try role(name, of: member, at: moment, parts, place)))
            case .output(let job):
                findings.append(.output(try output(of: job, parts, place)))
            }
        }
        guard histories.count == questions.count(where: { $0.isHistory }) else {
            throw EvidenceProblem(.bundle, .logNotAsked)
        }
        return try lineage.linked(findings)
    }

    private func transaction(
        _ id: Digest, _ parts: ProvenParts, at place: EvidencePlace
    ) throws(EvidenceProblem) -> ProvenEntry {
        if let number = parts.index.number(of: id) { return parts.entries[number] }
        let isWithheld = parts.entries.contains { $0.content == .withheld }
        throw EvidenceProblem(place, isWithheld ? .envelopeNeeded : .entryNotIncluded)
    }

    private func record(
        _ type: RecordType, _ id: [CBORValue], _ state: ProvenState, at place: EvidencePlace
    ) throws(EvidenceProblem) -> ProvenRecord {
        guard EvidenceQuestion.isID(id, of: type) else {
            throw EvidenceProblem(place, .otherRecord(field: "id"))
        }
        let key = EvidenceQuestion.stateKey(type: type, id: id, suite: suite)
        guard let index = state.index(of: key) else {
            throw EvidenceProblem(place, .recordNotIncluded)
        }
        let content = try state.content(at: index)
        guard case .record(let record) = content else { return content }
        let place = EvidencePlace.record(index: index, key: key)
        guard record.type == type else {
            throw EvidenceProblem(place, .otherRecord(field: "type"))
        }
        guard record.stateKey(suite) == key else {
            throw EvidenceProblem(place, .otherRecord(field: "id"))
        }
        return content
    }
}

extension EvidenceQuestion {
    var isHistory: Bool {
        switch self {
        case .assetHistory: true
        case .transaction, .record, .header, .licence, .role, .output: false
        }
    }
}
