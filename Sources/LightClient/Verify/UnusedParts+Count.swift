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
                guard let number = parts.entries.number(of: entry) else { return }
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

extension [ProvenEntry] {
    /// They ascend by height and position.
    fileprivate func number(of entry: ProvenEntry) -> Int? {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if (self[middle].height, self[middle].position) < (entry.height, entry.position) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low < count ? low : nil
    }
}
