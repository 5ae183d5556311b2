import Encoding
import Ledger
import LedgerCrypto
import Records

// The rounds of a look after its heads. Each takes the answers of one round and returns what the next one asks; nothing ends the look.
extension Follower {
    /// The newest header that is trusted; `nil` while that is none but genesis.
    private var anchor: Header? { trust.newest?.header ?? trust.start.header }

    /// The watched records that are asked for.
    private var readable: [EvidenceQuestion] {
        watched.records.map { $0.question }.filter { !unreadable.contains($0) }
    }

    /// Asks the one whose turn it is; when there is nobody left who can add to what is trusted, each of those who may not show all
    /// records what it may show.
    mutating func ask(_ proof: Proof) -> [Ask] {
        var proof = proof
        guard proof.asked < proof.turns.count,
            proof.head.header.height >= anchor?.height ?? 0
        else { return proof.isProbed ? [] : probe(proof) }
        let head = proof.head
        var heights = proof.heads.map { $0.header.height }.filter { $0 <= head.header.height }
        if let anchor { heights.append(anchor.height) }
        proof.questions = EvidenceQuestion.sorted(
            (proof.shown ?? readable) + heights.map { .header(height: $0, digest: nil) })
        phase = .proof(proof)
        let epoch = proof.known.validators.epoch
        return [
            Ask(provider: head.provider, what: .bundle(proof.questions, epochsFrom: epoch))
        ]
    }

    mutating func judge(
        _ answer: Answer, _ proof: Proof, nowMs: UInt64, _ step: inout Step
    ) -> [Ask] {
        let head = proof.head
        let name = providers[head.provider]
        switch answer {
        case .forbidden where !readable.isEmpty && !proof.isProbed:
            // No fault of his, as long as nobody shows it.
            break
        case .none(let reason), .forbidden(let reason):
            note(head.provider, .silent, .silent(provider: name, reason: reason))
        case .bytes(let bytes):
            do throws(EvidenceProblem) {
                switch try prove(bytes, proof, nowMs: nowMs) {
                case .fork(let evidence, _) where trust.isByEndedKeys(evidence, nowMs: nowMs):
                    note(head.provider, .oldFork, .oldFork(evidence, provider: name))
                case .fork(let evidence, let side):
                    return tell(evidence, provider: name, against: side, &step)
                case .older(let height):
                    noteBehind(head, height: height, newest: head.header.height)
                case .proven(let next, let answer, let refuted):
                    for (provider, evidence) in refuted {
                        note(
                            provider, .oldFork,
                            .oldFork(evidence, provider: providers[provider]))
                    }
                    return accept(next, answer, proof, &step)
                }
            } catch {
                refuse(head.provider, error, bundle: bytes)
            }
        }
        var proof = proof
        if case .forbidden = answer, !proof.isProbed {
            proof.forbidders.append(Proof.Forbidder(head: proof.turns[proof.asked]))
        }
        proof.asked += 1
        return ask(proof)
    }

    /// Asks the next of those who may not show all for each record alone.
    private mutating func probe(_ proof: Proof) -> [Ask] {
        guard let next = proof.forbidders.first(where: { $0.shown == nil }) else { return [] }
        phase = .probe(proof)
        return readable.map {
            Ask(
                provider: proof.heads[next.head].provider,
                what: .bundle([$0], epochsFrom: proof.known.validators.epoch))
        }
    }

    /// Leaves out what nobody shows and somebody says may not be read, and asks again, those who show most first. What else these
    /// answers hold is not looked at: it is of several headers.
    mutating func judge(
        alone answers: [Answer], _ proof: Proof, nowMs: UInt64, _ step: inout Step
    ) -> [Ask] {
        var proof = proof
        guard let number = proof.forbidders.firstIndex(where: { $0.shown == nil }) else {
            preconditionFailure("only those who were not probed are probed")
        }
        var shown: [EvidenceQuestion] = []
        for (question, answer) in zip(readable, answers) {
            switch answer {
            case .none: break
            case .forbidden(let reason): proof.forbidden.append((question, reason))
            case .bytes(let bytes):
                if isProof(bytes, of: question, proof, nowMs: nowMs) { shown.append(question) }
            }
        }
        proof.forbidders[number].shown = shown
        if proof.forbidders.contains(where: { $0.shown == nil }) { return probe(proof) }
        let all = proof.forbidders.flatMap { $0.shown ?? [] }
        // Who gave no answer at all, or a wrong one, may show it the next time: then it is asked for again.
        let lowest = anchor?.height ?? 0
        let isSettled =
            proof.forbidders.count == proof.heads.count(where: { $0.header.height >= lowest })
        for (question, reason) in proof.forbidden where !all.contains(question) {
            if isSettled, !unreadable.contains(question) { unreadable.append(question) }
            guard !toldUnreadable.contains(question),
                case .record(let type, let id) = question
            else { continue }
            toldUnreadable.append(question)
            step.alerts.append(.unreadable(type: type, id: id, reason: reason))
        }
        proof.isProbed = true
        proof.turns = proof.forbidders.enumerated().sorted {
            (-($0.element.shown?.count ?? 0), $0.offset) < (
                -($1.element.shown?.count ?? 0), $1.offset
            )
        }.map { $0.element.head }
        proof.asked = 0
        return ask(proof)
    }

    private func isProof(
        _ bytes: [UInt8], of question: EvidenceQuestion, _ proof: Proof, nowMs: UInt64
    ) -> Bool {
        guard let bundle = try? decode(bytes), bundle.questions == [question],
            let verifier = try? Verifier(
                genesis: genesis, trust: proof.known, limits: evidenceLimits),
            case .proven(let followed)? = try? verifier.follow(bytes, nowMs: nowMs),
            case .record(let record)? = followed.answer[question]
        else { return false }
        if case .withheld = record { return false }
        return true
    }

    private enum Verdict {
        /// With the heads that it refutes, which keys of an ended epoch certified.
        case proven(
            TrustedChain, ProvenAnswer, refuted: [(provider: Int, evidence: ForkEvidence)])
        case fork(ForkEvidence, against: ProviderComparison.Side)
        /// Below what the same provider showed before.
        case older(height: UInt64)
    }

    private func prove(
        _ bytes: [UInt8], _ proof: Proof, nowMs: UInt64
    ) throws(EvidenceProblem) -> Verdict {
        let bundle = try decode(bytes)
        guard bundle.questions == proof.questions else {
            throw EvidenceProblem(.bundle, .otherQuestion)
        }
        guard case .certified(let new, let given) = bundle.head else {
            throw EvidenceProblem(.certificate, .certificateNotIncluded)
        }
        let verifier = try Verifier(
            genesis: genesis, trust: proof.known, limits: evidenceLimits)
        let answer: ProvenAnswer
        switch try verifier.follow(bytes, nowMs: nowMs) {
        case .fork(let evidence): return .fork(evidence, against: side(of: evidence, proof))
        case .proven(let followed): answer = followed.answer
        }
        for (index, finding) in answer.findings.enumerated() {
            if case .record(.withheld) = finding {
                throw EvidenceProblem(.question(index), .recordWithheld)
            }
        }
        guard new.header.height >= proof.head.header.height else {
            return .older(height: new.header.height)
        }
        let changes =
            proof.known.epochChanges
            + given.filter { $0.header.epoch >= proof.known.validators.epoch }
        let heads = proof.heads.map { (provider: Optional($0.provider), certified: $0.certified) }
        let newest = trust.newest.map { (provider: Int?.none, certified: $0) }
        var refuted: [(provider: Int, evidence: ForkEvidence)] = []
        for (provider, held) in heads + [newest].compactMap({ $0 }) {
            guard let other = try ancestor(of: answer, at: held.header, bundle) else { continue }
            let evidence = ForkEvidence(
                held, new, ancestor: other, changes: changes, suite: suite)
            // Keys of an ended epoch say nothing against a header that goes on from the trusted one.
            guard let provider, trust.isByEndedKeys(evidence, nowMs: nowMs) else {
                return .fork(evidence, against: side(of: evidence, proof))
            }
            refuted.append((provider, evidence))
        }
        // For the start there are no votes.
        if let start = trust.start.header, try ancestor(of: answer, at: start, bundle) != nil {
            throw EvidenceProblem(.header(height: start.height), .contradictsTrusted)
        }
        // From what was trusted before, so that nothing comes along which only some other provider stated.
        let first = trust.validators.epoch
        switch try trust.advance(
            to: new,
            epochChanges: changes.filter {
                $0.header.epoch >= first && $0.header.epoch < new.header.epoch
            })
        {
        case .trusted(let next, _): return .proven(next, answer, refuted: refuted)
        case .fork(let evidence): return .fork(evidence, against: .trusted)
        }
    }

    /// Whose header it is that the proven one contradicts.
    private func side(of evidence: ForkEvidence, _ proof: Proof) -> ProviderComparison.Side {
        let sides = [evidence.lower.header, evidence.higher.header]
        let other = proof.heads.first { head in
            head.provider != proof.head.provider && sides.contains(head.header)
                && !trust.headers.contains { $0.header == head.header }
        }
        return other.map { .provider(providers[$0.provider]) } ?? .trusted
    }

    /// The proven header's ancestor at that height if it is another than this one; `nil` if it is this one, or the height was not
    /// asked for.
    private func ancestor(
        of answer: ProvenAnswer, at header: Header, _ bundle: EvidenceBundle
    ) throws(EvidenceProblem) -> HeaderEvidence? {
        guard
            case .header(let proven)? = answer[.header(height: header.height, digest: nil)],
            proven.header != header
        else { return nil }
        guard let found = bundle.ancestors.first(where: { $0.header == proven.header }) else {
            // It is the certified header itself, which `follow` has found to contradict nothing.
            throw EvidenceProblem(.header(height: header.height), .contradictsTrusted)
        }
        return found
    }

    private mutating func accept(
        _ next: TrustedChain, _ answer: ProvenAnswer, _ proof: Proof, _ step: inout Step
    ) -> [Ask] {
        tellRecoveries(in: next, &step)
        let epochs = next.epochs(through: answer.checkpoint.header.epoch)
        for epoch in epochs where epoch.epoch > trust.validators.epoch {
            step.alerts.append(.epoch(epoch))
        }
        trust = next
        isAnswered = true
        for (index, item) in watched.records.enumerated() {
            guard case .record(let found)? = answer[item.question] else { continue }
            toldUnreadable.removeAll { $0 == item.question }
            let record: AnyRecord? = if case .record(let value) = found { value } else { nil }
            let facts = RecordFact.between(item.known, record)
            watched.records[index].know(record, suite)
            guard !facts.isEmpty else { continue }
            step.alerts.append(
                .record(type: item.type, id: item.id, facts, height: answer.height))
        }
        step.hasChanged = true
        return askEvents(
            of: proof.turns[proof.asked...].map { proof.heads[$0].provider }, &step)
    }

    /// Once for each, as soon as anything that is told rests on it: at the block itself, or at the first that is seen above it.
    private func tellRecoveries(in next: TrustedChain, _ step: inout Step) {
        guard let rule = genesis.recovery else { return }
        let newest = next.newest.map { [$0] } ?? []
        for end in next.epochChanges.map({ $0.certified }) + newest
        where end.certificate.kind == .recover && !trust.holds(end.header) {
            step.alerts.append(
                .recovery(
                    epoch: end.header.epoch, height: end.header.height,
                    signatures: end.certificate.signatures.count, rule))
        }
    }

    mutating func tell(
        _ evidence: ForkEvidence, provider: String, against side: ProviderComparison.Side,
        _ step: inout Step
    ) -> [Ask] {
        fork = evidence
        step.alerts.append(.fork(evidence, provider: provider, against: side))
        return []
    }
}
