import Encoding
import Ledger
import LedgerCrypto

extension EvidenceBundle {
    /// All questions of both, which are of one ledger and one header, with each part once. What one of them withholds and
    /// the other shows is shown.
    public func merged(
        with other: EvidenceBundle, _ suite: Suite
    ) throws(BundleProblem) -> EvidenceBundle {
        guard chain == other.chain else { throw .otherLedger }
        let questions = EvidenceQuestion.sorted(questions + other.questions)
        guard questions.count <= EvidenceLimits.questionsMax else {
            throw .tooManyQuestions(questions.count)
        }
        var merged = self
        merged.questions = questions
        merged.head = try mergedHead(other, suite)
        merged.records = try Self.union(
            records, other.records, key: { $0.key }, place: { .record(index: $1, key: $0.key) },
            choose: { $0.better($1, suite) })
        merged.ancestors = try Self.union(
            ancestors, other.ancestors, key: { $0.header.height },
            place: { part, _ in .ancestor(height: part.header.height) },
            choose: { $0 == $1 ? $0 : nil })
        merged.entries = try Self.union(
            entries, other.entries, key: { Place(height: $0.height, position: $0.position) },
            place: { .entry(index: $1, height: $0.height, position: $0.position) },
            choose: { $0.better($1, suite) })
        merged.histories = try mergedHistories(other, questions: questions, in: merged.entries)
        return merged
    }

    /// The one with more in it: what is detached is attached again by what has the header.
    private func mergedHead(
        _ other: EvidenceBundle, _ suite: Suite
    ) throws(BundleProblem) -> Head {
        let digests = (head.digest(suite), other.head.digest(suite))
        guard digests.0 == digests.1 else { throw .otherHeader(digests.0, digests.1) }
        switch (head, other.head) {
        case (.trusted, let head), (let head, .trusted): return head
        case (.certified(let mine, let changes), .certified(let theirs, let others)):
            return .certified(
                CertifiedHeader(
                    header: mine.header, certificate: mine.certificate.better(theirs.certificate)),
                after: try Self.union(
                    changes, others, key: { $0.header.epoch },
                    place: { .epochChange(index: $1) }, choose: { $0.better($1) }))
        }
    }

    private struct Place: Comparable {
        let height: UInt64
        let position: UInt64

        static func < (left: Place, right: Place) -> Bool {
            (left.height, left.position) < (right.height, right.position)
        }
    }

    /// Both lists in order of the keys, each key once.
    ///
    /// - Parameter choose: of two parts with one key the better one; `nil` when they contradict each other.
    private static func union<Part, Key: Comparable>(
        _ left: [Part], _ right: [Part], key: (Part) -> Key,
        place: (Part, _ index: Int) -> EvidencePlace,
        choose: (Part, Part) -> Part?
    ) throws(BundleProblem) -> [Part] {
        var result: [Part] = []
        result.reserveCapacity(max(left.count, right.count))
        for part in (left + right).sorted(by: { key($0) < key($1) }) {
            guard let last = result.last, key(last) == key(part) else {
                result.append(part)
                continue
            }
            guard let better = choose(last, part) else {
                throw .contradiction(place(part, result.count - 1))
            }
            result[result.count - 1] = better
        }
        return result
    }

    private func mergedHistories(
        _ other: EvidenceBundle, questions: [EvidenceQuestion], in entries: [EntryEvidence]
    ) throws(BundleProblem) -> [[LogEvidence]] {
        let mine = numberedHistories(in: entries)
        let theirs = other.numberedHistories(in: entries)
        var histories: [[LogEvidence]] = []
        for (number, question) in questions.enumerated() where question.isHistory {
            let one = mine.first { $0.question == question }
            let two = theirs.first { $0.question == question }
            if let one, let two, one.logs != two.logs { throw .contradiction(.question(number)) }
            guard let logs = one?.logs ?? two?.logs else { throw .contradiction(.question(number)) }
            histories.append(logs)
        }
        return histories
    }

    /// The histories, their events referring to entries of the given list.
    private func numberedHistories(
        in merged: [EntryEvidence]
    ) -> [(question: EvidenceQuestion, logs: [LogEvidence])] {
        var places: [Int?] = []
        var next = 0
        for entry in entries {
            while next < merged.count,
                (merged[next].height, merged[next].position) < (entry.height, entry.position)
            {
                next += 1
            }
            places.append(next)
        }
        let renumbered = Self.renumbered(histories, by: places)
        return Array(zip(questions.filter { $0.isHistory }, renumbered)).map {
            (question: $0.0, logs: $0.1)
        }
    }
}

extension Certificate {
    /// That of more signatures; of as many, the one that sorts first.
    fileprivate func better(_ other: Certificate) -> Certificate {
        guard signatures.count == other.signatures.count else {
            return signatures.count > other.signatures.count ? self : other
        }
        return encoded.lexicographicallyPrecedes(other.encoded) ? self : other
    }
}

// Of two parts with one key the better one; `nil` when they contradict each other.

extension EpochChange {
    fileprivate func better(_ other: EpochChange) -> EpochChange? {
        guard header == other.header, next == other.next else { return nil }
        return EpochChange(
            header: header, certificate: certificate.better(other.certificate), next: next)
    }
}

extension StateEvidence {
    fileprivate func better(_ other: StateEvidence, _ suite: Suite) -> StateEvidence? {
        guard proof == other.proof, valueHash(suite) == other.valueHash(suite) else { return nil }
        if case .withheld = content { return other }
        return self
    }
}

extension EntryEvidence {
    fileprivate func better(_ other: EntryEvidence, _ suite: Suite) -> EntryEvidence? {
        guard content.leaf(suite) == other.content.leaf(suite), with(other.content) == other else {
            return nil
        }
        if case .withheld = content { return other }
        return self
    }
}
