import Ledger
import LedgerCrypto
import Records

extension UnusedParts {
    init(
        of parts: ProvenParts, _ questions: [EvidenceQuestion], _ findings: [ProvenAnswer.Finding],
        _ suite: Suite
    ) {
        var isUsed = [Bool](repeating: false, count: parts.entries.count)
        var signers: Set<KeyID> = []
        for finding in findings {
            finding.forEachEntry { entry in
                let place = (entry.height, entry.position)
                let number = parts.entries.partitioningIndex { ($0.height, $0.position) >= place }
                isUsed[number] = true
                switch entry.content {
                case .transaction(_, _, .valid(let key)),
                    .transaction(_, _, .notRechecked(let key)):
                    signers.insert(key)
                case .automatic, .withheld: break
                }
            }
        }
        var keys = Set(questions.compactMap { $0.stateKey(suite) })
        keys.formUnion(signers.map { StateKey.key($0, suite) })
        entries = isUsed.count(where: { !$0 })
        records = parts.state.records.count(where: { !keys.contains($0.key) })
    }
}

extension ProvenAnswer.Finding {
    /// Those that it is made of; some of them more than once.
    fileprivate func forEachEntry(_ body: (ProvenEntry) -> Void) {
        switch self {
        case .assetHistory(let history):
            for log in history.logs {
                for event in log.events { body(event.entry) }
            }
        case .transaction(let entry): body(entry)
        case .licence(let licence): if let closing = licence.closing { body(closing) }
        case .output(let output): for step in output.steps { body(step) }
        case .noSuchAsset, .record, .header, .role: break
        }
    }
}
