import Encoding
import Ledger
import LedgerCrypto
import Records

// What can be done to a bundle without any node. None of it checks a proof: a bundle that was proven stays so, or the
// verifier says what is missing.

/// Why bundles cannot be taken apart or put together.
public enum BundleProblem: Error, Equatable, Sendable {
    /// None is chosen, or there is none of that number.
    case noSuchQuestion(Int?)
    case otherLedger
    /// They are of different moments, and a bundle is of one.
    case otherHeader(Digest, Digest)
    /// They say different things in this place; one at least is not proven.
    case contradiction(EvidencePlace)
    case tooManyQuestions(Int)
    /// No envelope with that digest is shown; automatic actions are never withheld.
    case noSuchEnvelope(Digest)
    /// No record is shown under that state key.
    case noSuchRecord(Digest)
}

extension EvidenceBundle {
    /// Some of the questions, with the parts alone that they need.
    ///
    /// - Parameter numbers: count from 0 in `questions`.
    public func split(
        _ numbers: Set<Int>, _ suite: Suite
    ) throws(BundleProblem) -> EvidenceBundle {
        guard !numbers.isEmpty else { throw .noSuchQuestion(nil) }
        for number in numbers.sorted() where !questions.indices.contains(number) {
            throw .noSuchQuestion(number)
        }
        var needs = Needs(self, suite)
        var kept: [EvidenceQuestion] = []
        var logs: [[LogEvidence]] = []
        var rest = histories[...]
        for (number, question) in questions.enumerated() {
            let history = question.isHistory ? rest.popFirst() : nil
            guard numbers.contains(number) else { continue }
            kept.append(question)
            needs.add(question, history ?? [])
            if let history { logs.append(history) }
        }
        needs.addHeadersAndKeys()
        return EvidenceBundle(
            chain: chain, questions: kept, head: head,
            records: records.filter { needs.keys.contains($0.key) },
            ancestors: ancestors.filter { needs.heights.contains($0.header.height) },
            entries: entries.indices.filter { needs.entries.contains($0) }.map { entries[$0] },
            histories: Self.renumbered(logs, by: needs.places))
    }

    /// - Parameter places: of each entry its new number; `nil` where it is not there any more.
    static func renumbered(_ histories: [[LogEvidence]], by places: [Int?]) -> [[LogEvidence]] {
        histories.map { logs in
            logs.map { log in
                LogEvidence(
                    log: log.log,
                    events: log.events.map { event in
                        let known = places.indices.contains(event.entry)
                        return EventEvidence(
                            leaf: event.leaf,
                            entry: known ? places[event.entry] ?? event.entry : event.entry)
                    })
            }
        }
    }

    /// The same answers with these envelopes and records withheld, each by its digest alone, and without what only they
    /// needed: the record of a key that signed nothing that is shown.
    ///
    /// - Parameters:
    ///   - envelopes: by digest.
    ///   - hidden: by state key. What a question needs must not be among them, or the verifier says that it is missing.
    public func withholding(
        envelopes: Set<Digest>, records hidden: Set<Digest>, _ suite: Suite
    ) throws(BundleProblem) -> EvidenceBundle {
        var result = self
        var unknown = envelopes
        for (index, entry) in entries.enumerated() {
            guard case .envelope = entry.content,
                let digest = unknown.remove(entry.content.digest(suite))
            else { continue }
            result.entries[index] = entry.with(.withheld(digest))
        }
        if let digest = unknown.sorted().first { throw .noSuchEnvelope(digest) }
        unknown = hidden
        for (index, record) in records.enumerated() where unknown.contains(record.key) {
            guard case .value = record.content, let digest = record.valueHash(suite) else {
                continue
            }
            unknown.remove(record.key)
            result.records[index] = StateEvidence(
                key: record.key, content: .withheld(digest), proof: record.proof)
        }
        if let key = unknown.sorted().first { throw .noSuchRecord(key) }
        return try result.split(Set(questions.indices), suite)
    }
}

extension EntryEvidence {
    func with(_ content: EntryContent) -> EntryEvidence {
        EntryEvidence(
            height: height, position: position, content: content, code: code,
            resultsPath: resultsPath, logPath: logPath)
    }
}

/// Which parts of a bundle its questions need.
private struct Needs {
    private let bundle: EvidenceBundle
    private let suite: Suite
    /// Of each entry that is shown as an envelope of this ledger.
    private let envelopes: [Envelope?]
    private let index: EntryIndex
    /// Ascending by height, of a detached bundle without the one that the reader has.
    private let headers: [Header]
    private(set) var keys: Set<Digest> = []
    private(set) var heights: Set<UInt64> = []
    private(set) var entries: Set<Int> = []

    init(_ bundle: EvidenceBundle, _ suite: Suite) {
        self.bundle = bundle
        self.suite = suite
        envelopes = bundle.entries.map { entry in
            guard case .envelope(let bytes) = entry.content else { return nil }
            return try? Envelope(bytes: bytes, chain: bundle.chain, suite: suite)
        }
        var index = EntryIndex(for: bundle.questions)
        for (number, entry) in bundle.entries.enumerated() {
            if case .automatic(let action) = entry.content {
                index.add(number, id: suite.digest(action.encoded), nil, code: entry.code)
            } else if let envelope = envelopes[number] {
                index.add(number, id: envelope.id, envelope.transaction, code: entry.code)
            }
        }
        self.index = index
        var headers = bundle.ancestors.map { $0.header }
        if case .certified(let certified, _) = bundle.head { headers.append(certified.header) }
        self.headers = headers
    }

    mutating func add(_ question: EvidenceQuestion, _ logs: [LogEvidence]) {
        if let key = question.stateKey(suite) { keys.insert(key) }
        for log in logs {
            for event in log.events { entries.insert(event.entry) }
        }
        switch question {
        case .assetHistory, .record: break
        case .licence(_, let moment):
            heights.formUnion(moment.heights(in: headers))
            entries.formUnion(index.numbers(deciding: question))
        case .role(_, _, let moment): heights.formUnion(moment.heights(in: headers))
        case .output: entries.formUnion(index.numbers(deciding: question))
        case .transaction(let id):
            if let number = index.number(of: id) { entries.insert(number) }
        case .header(let height, _): heights.insert(height)
        }
    }

    /// Of all entries that are needed by now.
    mutating func addHeadersAndKeys() {
        for index in bundle.entries.indices where entries.contains(index) {
            heights.insert(bundle.entries[index].height)
            if let envelope = envelopes[index] {
                keys.insert(StateKey.key(envelope.keyID, suite))
            }
        }
    }

    /// Of each entry its number among those that are needed.
    var places: [Int?] {
        var next = 0
        return bundle.entries.indices.map { index in
            guard entries.contains(index) else { return nil }
            next += 1
            return next - 1
        }
    }
}
