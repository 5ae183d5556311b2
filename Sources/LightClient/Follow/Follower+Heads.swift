import Encoding
import Ledger

// The first rounds of a look: everybody's newest header, against one another and what is trusted.
extension Follower {
    mutating func askHeads(knowing known: TrustedChain, round: Int) -> [Ask] {
        phase = .heads(known: known, round: round)
        return providers.indices.map {
            Ask(provider: $0, what: .head(epochsFrom: known.validators.epoch))
        }
    }

    mutating func weighHeads(
        _ answers: some Sequence<(Ask, Answer)>, known: TrustedChain, round: Int, nowMs: UInt64,
        _ step: inout Step
    ) -> [Ask] {
        var given: [(provider: Int, bytes: [UInt8], answer: ProviderAnswer)] = []
        for (ask, answer) in answers {
            let name = providers[ask.provider]
            switch answer {
            case .none(let reason), .forbidden(let reason):
                note(ask.provider, .silent, .silent(provider: name, reason: reason))
            case .bytes(let bytes):
                do throws(EvidenceProblem) {
                    given.append((ask.provider, bytes, try head(bytes, of: name)))
                } catch {
                    refuse(ask.provider, error, bundle: bytes)
                }
            }
        }
        let comparison = ProviderComparison(given.map { $0.answer }, trust: known, nowMs: nowMs)
        var heads: [Head] = []
        var doubted: [Int] = []
        for (item, found) in zip(given, comparison.standings) {
            switch found.standing {
            case .newest, .behind:
                heads.append(Head(provider: item.provider, certified: item.answer.certified))
            case .lies(let problem), .unproven(let problem):
                refuse(item.provider, problem, bundle: item.bytes)
                if problem.fault == .otherValidators { doubted.append(item.provider) }
            case .forked(let evidence, _) where trust.isByEndedKeys(evidence, nowMs: nowMs):
                note(item.provider, .oldFork, .oldFork(evidence, provider: found.provider))
            case .forked(let evidence, let side):
                return tell(evidence, provider: found.provider, against: side, &step)
            }
        }
        // What they left out, since it was not asked for, may be where they part from what is trusted.
        if round == 0, !doubted.isEmpty, !trust.epochChanges.isEmpty {
            phase = .origins(Heads(found: heads, known: comparison.trust))
            return doubted.map {
                Ask(provider: $0, what: .head(epochsFrom: trust.start.validators.epoch))
            }
        }
        return next(after: heads, known: comparison.trust, before: known, round: round)
    }

    /// Those who were refused stay refused, unless two histories show.
    mutating func weighOrigins(
        _ answers: some Sequence<(Ask, Answer)>, _ heads: Heads, nowMs: UInt64,
        _ step: inout Step
    ) -> [Ask] {
        for (ask, answer) in answers {
            let name = providers[ask.provider]
            guard case .bytes(let bytes) = answer, let given = try? head(bytes, of: name),
                case .fork(let evidence)? = try? trust.advance(
                    to: given.certified, epochChanges: given.epochChanges, nowMs: nowMs)
            else { continue }
            guard trust.isByEndedKeys(evidence, nowMs: nowMs) else {
                noted[ask.provider] = nil
                return tell(evidence, provider: name, against: .trusted, &step)
            }
            note(ask.provider, .oldFork, .oldFork(evidence, provider: name))
        }
        return next(after: heads.found, known: heads.known, before: trust, round: 0)
    }

    private func head(
        _ bytes: [UInt8], of name: String
    ) throws(EvidenceProblem) -> ProviderAnswer {
        let bundle = try decode(bytes)
        guard case .certified(let certified, let changes) = bundle.head,
            bundle.questions == [.header(height: certified.header.height, digest: nil)]
        else { throw EvidenceProblem(.bundle, .otherQuestion) }
        return ProviderAnswer(name: name, certified: certified, epochChanges: changes)
    }

    func decode(_ bytes: [UInt8]) throws(EvidenceProblem) -> EvidenceBundle {
        guard bytes.count <= limits.answerBytesMax else {
            throw EvidenceProblem(
                .bundle,
                .tooMany(what: "bytes", found: bytes.count, max: limits.answerBytesMax))
        }
        let bundle: EvidenceBundle
        do throws(CBORError) {
            bundle = try EvidenceBundle.decode(bytes, limits: evidenceLimits.decoding)
        } catch {
            throw EvidenceProblem(.bundle, .undecodable(error))
        }
        guard bundle.chain == trust.chain else {
            throw EvidenceProblem(
                .bundle, .otherLedger(found: bundle.chain, expected: trust.chain))
        }
        return bundle
    }

    /// Nothing that is asked for has entries or events.
    var evidenceLimits: EvidenceLimits {
        EvidenceLimits(bundleBytesMax: limits.answerBytesMax, eventsMax: 0, entriesMax: 0)
    }

    private mutating func next(
        after found: [Head], known: TrustedChain, before: TrustedChain, round: Int
    ) -> [Ask] {
        let heads = found.enumerated().sorted {
            ($1.element.header.height, $0.offset) < ($0.element.header.height, $1.offset)
        }.map { $0.element }
        guard let best = heads.first?.header else { return [] }
        if best.nextValidators != nil, known.epochChanges.count > before.epochChanges.count,
            round < TrustedChain.epochsMax / Follower.epochsPerAnswer
        {
            return askHeads(knowing: known, round: round + 1)
        }
        let newest = known.newest?.header ?? best
        for head in heads where head.header.timeMs + limits.behindMs < newest.timeMs {
            noteBehind(head, height: head.header.height, newest: newest.height)
        }
        let trusted = trust.newest?.header.height ?? 0
        let isNew =
            best.height > trusted
            || watched.records.contains {
                $0.known == .nothing && !unreadable.contains($0.question)
            }
        let isOther = heads.contains { head in
            !trust.headers.contains { $0.header == head.header }
        }
        guard best.height >= trusted, isNew || isOther || !grownLogs.isEmpty else {
            isAnswered = true
            return []
        }
        return ask(Proof(known: known, heads: heads))
    }

    mutating func noteBehind(_ head: Head, height: UInt64, newest: UInt64) {
        note(
            head.provider, .behind,
            .behind(provider: providers[head.provider], height: height, newest: newest))
    }
}
