import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records

/// What a node may do to whoever trusts it.
package enum Lie: String, CaseIterable, Sendable {
    // About the newest header and the validators.
    case forgedSignatures = "forged signatures"
    case tooFewSignatures = "too few signatures"
    case notarizedOnly = "notarized, not final"
    case otherViewsVotes = "votes of another view"
    case ownValidators = "validators of its own"
    case ownNextValidators = "next validators of its own"
    case unsignedEpoch = "epoch that no quorum ended"
    case skippedEpoch = "epoch left out"
    case repeatedEpoch = "epoch twice"
    case forgedRecovery = "recovery by too few keys"
    case otherChain = "another ledger"
    case otherSuite = "another suite"
    // f + 1 validators collude.
    case forkSameHeight = "fork at the same height"
    case forkAhead = "fork that is ahead"
    case forkBehind = "fork that is behind"
    case forkHidden = "fork without ancestors"
    case forkFalseAncestor = "fork with the true chain's ancestors"
    /// A whole quorum was taken for lost.
    case forkPastRecovery = "old keys go on past a recovery"
    // About the state.
    case hiddenParent = "hidden parent"
    case hiddenRecord = "hidden record"
    case alteredRecord = "altered record"
    case withheldRecord = "withheld record"
    case oldRecord = "old record under the new header"
    case oldState = "old state"
    case oldProof = "new header, then an old proof"
    case otherQuestion = "another question's answer"
    case fewerQuestions = "fewer questions"
    case otherAncestor = "another header as ancestor"
    // About events.
    case omittedEvent = "omitted event"
    case alteredEvent = "altered event"
    case addedEvent = "added event"
    case swappedEvents = "events in another order"
    case otherEvents = "another log's events"
    // About bytes.
    case flippedBit = "flipped bit"
    case truncated = "truncated"
    case trailingByte = "trailing byte"
    case oversized = "oversized"
    case noise = "noise"
    case silence = "silence"

    package var isFork: Bool {
        switch self {
        case .forkSameHeight, .forkAhead, .forkBehind, .forkHidden, .forkFalseAncestor,
            .forkPastRecovery:
            true
        default: false
        }
    }
}

/// A node that tells one kind of lie wherever it can, and the truth elsewhere.
package struct LyingProvider {
    package let lie: Lie
    /// Whether an answer was other than an honest node's.
    package private(set) var hasLied = false
    /// The ledger when it began to lie.
    package let old: TestChain
    /// What colluding validators certify beside the true ledger.
    private var branch: TestChain
    private let stranger: TestChain
    private let bytesMax: Int
    private var earlier: [[UInt8]] = []
    /// Otherwise it lies only when it is asked for more.
    private let liesInHeads: Bool
    private var dice: Dice

    /// - Parameters:
    ///   - ledger: as it is when the lying begins.
    ///   - bytesMax: of an answer.
    package init(_ lie: Lie, ledger: TestChain, bytesMax: Int, seed: UInt64) {
        self.lie = lie
        self.bytesMax = bytesMax
        dice = Dice(seed: seed)
        liesInHeads = dice.isOne(in: 2)
        old = ledger
        branch = ledger
        // The last quorum has f + 1 validators in common with the first.
        branch.signers = Array(
            (ledger.validators.count - ledger.validators.quorum)..<ledger.validators.count)
        let suite: Suite =
            switch (lie, ledger.suite) {
            case (.otherSuite, .ed25519SHA256): .sm2SM3
            case (.otherSuite, .sm2SM3): .ed25519SHA256
            case (_, let suite): suite
            }
        var stranger = WatchedLedger(suite, name: "stranger").chain
        stranger.grow(2)
        self.stranger = stranger
    }

    /// Blocks of the branch, so that its end is where the lie wants it beside the true ledger's end.
    private mutating func growBranch(beside truth: TestChain) {
        let newest = truth.newest.height
        let height: UInt64 =
            switch lie {
            case .forkSameHeight: newest
            case .forkBehind: max(old.newest.height + 1, newest - min(newest, 1))
            default: newest + 2
            }
        while branch.newest.height < height { branch.append([], laterMs: 1) }
    }

    package mutating func answer(
        _ what: Follower.Ask.What, truth: TestChain
    ) -> Follower.Answer {
        let honest = truth.answer(what)
        let answer = lied(what, truth, honest)
        if answer != honest { hasLied = true }
        if case .bytes(let bytes) = honest { earlier.append(bytes) }
        return answer
    }

    private mutating func lied(
        _ what: Follower.Ask.What, _ truth: TestChain, _ honest: Follower.Answer
    ) -> Follower.Answer {
        if lie.isFork {
            growBranch(beside: truth)
            return forked(what, truth)
        }
        guard case .bytes(let bytes) = honest else { return honest }
        if case .head = what, !liesInHeads { return honest }
        switch lie {
        case .silence: return .none(reason: "time-out")
        case .otherChain, .otherSuite: return stranger.answer(stripped(what))
        case .oldState: return old.answer(stripped(what))
        case .flippedBit:
            var flipped = bytes
            flipped[dice.below(bytes.count)] ^= 1 << UInt8(dice.below(8))
            return .bytes(flipped)
        case .truncated: return .bytes(Array(bytes.prefix(dice.below(bytes.count))))
        case .trailingByte: return .bytes(bytes + [UInt8(dice.below(256))])
        case .oversized: return .bytes([UInt8](repeating: 0x80, count: bytesMax + 1))
        case .noise: return .bytes((0..<dice.below(400)).map { _ in UInt8(dice.below(256)) })
        case .otherQuestion:
            return earlier.randomElement(using: &dice).map { .bytes($0) } ?? honest
        default: break
        }
        switch what {
        case .head: return .bytes(changedBundle(bytes) { falsifyHead(&$0, truth) })
        case .bundle:
            return .bytes(
                changedBundle(bytes) {
                    falsifyHead(&$0, truth)
                    falsifyState(&$0, what)
                })
        case .events(let asset, let log, _): return .bytes(events(bytes, asset, log, truth))
        }
    }

    /// A ledger that is another or older has no such ancestors.
    private func stripped(_ what: Follower.Ask.What) -> Follower.Ask.What {
        guard case .bundle(let questions, let first) = what else { return what }
        let rest = questions.filter { if case .header = $0 { false } else { true } }
        return rest.isEmpty ? .head(epochsFrom: first) : .bundle(rest, epochsFrom: first)
    }

    private func forked(_ what: Follower.Ask.What, _ truth: TestChain) -> Follower.Answer {
        let answer = branch.answer(what)
        guard case .bundle = what else { return answer }
        switch lie {
        case .forkHidden: return .none(reason: "busy")
        case .forkFalseAncestor:
            guard case .bytes(let bytes) = answer, case .bytes(let other) = truth.answer(what),
                let honest = try? EvidenceBundle.decode(other)
            else { return answer }
            return .bytes(changedBundle(bytes) { $0.ancestors = honest.ancestors })
        default: return answer
        }
    }

    private func changedBundle(
        _ bytes: [UInt8], _ change: (inout EvidenceBundle) -> Void
    ) -> [UInt8] {
        guard var bundle = try? EvidenceBundle.decode(bytes) else { return bytes }
        change(&bundle)
        return bundle.encoded
    }
}

// MARK: What is falsified
extension LyingProvider {
    private func impostor(of truth: TestChain) -> TestChain {
        var impostor = truth
        impostor.usurp((0..<truth.validators.count).map { TestChain.key(truth.suite, 900 + $0) })
        return impostor
    }

    private func falsifyHead(_ bundle: inout EvidenceBundle, _ truth: TestChain) {
        let header = bundle.header
        switch lie {
        case .forgedSignatures:
            bundle.certificate = impostor(of: truth).certificate(for: header)
        case .tooFewSignatures:
            bundle.certificate = truth.certificate(for: header, signers: [0, 1])
        case .notarizedOnly: bundle.certificate = truth.certificate(for: header, kind: .notarize)
        case .otherViewsVotes:
            bundle.certificate = Certificate(
                statement: .finalize(
                    epoch: header.epoch, view: header.height + 1,
                    VoteSubject(header, suite: truth.suite)),
                signatures: bundle.certificate.signatures)
        case .ownValidators:
            let own = ownSet(truth, epoch: header.epoch)
            bundle.header = Self.header(header, validators: own.digest(truth.suite))
            bundle.certificate = impostor(of: truth).certificate(for: bundle.header)
        case .ownNextValidators:
            guard let last = bundle.epochChanges.popLast() else { return }
            bundle.epochChanges.append(
                EpochChange(
                    header: last.header, certificate: last.certificate,
                    next: ownSet(truth, epoch: last.next.epoch)))
        case .unsignedEpoch:
            let impostor = impostor(of: truth)
            let own = ownSet(truth, epoch: header.epoch + 1)
            let end = Self.header(
                header, validators: header.validators, next: own.digest(truth.suite))
            bundle.epochChanges.append(
                EpochChange(header: end, certificate: impostor.certificate(for: end), next: own))
            bundle.header = Self.header(
                header, height: header.height + 1, epoch: own.epoch,
                validators: own.digest(truth.suite))
            bundle.questions = [.header(height: bundle.header.height, digest: nil)]
            bundle.certificate = impostor.certificate(for: bundle.header)
        case .forgedRecovery:
            let impostor = impostor(of: truth)
            let own = ownSet(truth, epoch: header.epoch + 1)
            let end = Self.header(
                header, validators: header.validators, next: own.digest(truth.suite))
            let statement = VoteStatement.recover(
                epoch: end.epoch, VoteSubject(end, suite: truth.suite))
            // One of the rule's keys, in two places.
            let signatures = [0, 1].map {
                RecoveryRule.sign(
                    statement, at: $0, with: WatchedLedger.recoveryKeys(truth.suite)[0],
                    chain: truth.chain)
            }
            bundle.epochChanges.append(
                EpochChange(
                    header: end,
                    certificate: Certificate(statement: statement, signatures: signatures),
                    next: own))
            bundle.header = Self.header(
                header, height: header.height + 1, epoch: own.epoch,
                validators: own.digest(truth.suite))
            bundle.questions = [.header(height: bundle.header.height, digest: nil)]
            bundle.certificate = impostor.certificate(for: bundle.header)
        case .skippedEpoch: bundle.epochChanges = Array(bundle.epochChanges.dropFirst())
        case .repeatedEpoch: bundle.epochChanges += bundle.epochChanges.suffix(1)
        default: return
        }
    }

    private func ownSet(_ truth: TestChain, epoch: UInt64) -> ValidatorSet {
        TestChain.set((0..<4).map { TestChain.key(truth.suite, 900 + $0) }, epoch: epoch)
    }

    private static func header(
        _ header: Header, height: UInt64? = nil, epoch: UInt64? = nil, validators: Digest,
        next: Digest? = nil
    ) -> Header {
        Header(
            chain: header.chain, height: height ?? header.height, epoch: epoch ?? header.epoch,
            parent: header.parent, timeMs: header.timeMs + 1, logSize: header.logSize + 1,
            logRoot: header.logRoot, stateRoot: header.stateRoot,
            resultsRoot: header.resultsRoot, entryCount: header.entryCount,
            validators: validators, nextValidators: next)
    }

    private mutating func falsifyState(
        _ bundle: inout EvidenceBundle, _ what: Follower.Ask.What
    ) {
        switch lie {
        case .hiddenParent:
            alter(&bundle) { record in
                guard case .asset(var asset) = record, !asset.parents.isEmpty else { return nil }
                asset.parents = []
                return .value(TestChain.stored(asset))
            }
        case .hiddenRecord: alter(&bundle) { _ in .nothing }
        case .alteredRecord:
            alter(&bundle) { record in
                guard case .account(var account) = record else { return nil }
                account.availableFen += 1
                return .value(TestChain.stored(account))
            }
        case .withheldRecord:
            let suite = old.suite
            bundle.records = bundle.records.map {
                guard case .value(let value) = $0.content else { return $0 }
                return StateEvidence(
                    key: $0.key, content: .withheld(suite.digest(value)), proof: $0.proof)
            }
        case .oldRecord, .oldProof:
            guard case .bytes(let bytes) = old.answer(stripped(what)),
                var older = try? EvidenceBundle.decode(bytes)
            else { return }
            older.questions = bundle.questions
            if lie == .oldProof { bundle = older } else { bundle.records = older.records }
        case .fewerQuestions: bundle.questions = Array(bundle.questions.dropFirst())
        case .otherAncestor:
            bundle.ancestors = bundle.ancestors.map {
                HeaderEvidence(
                    header: Self.header($0.header, validators: $0.header.validators), path: $0.path)
            }
        default: return
        }
    }

    /// - Parameter change: `nil` leaves the record as it is.
    private func alter(
        _ bundle: inout EvidenceBundle, _ change: (AnyRecord) -> StateEvidence.Content?
    ) {
        bundle.records = bundle.records.map {
            guard case .value(let value) = $0.content,
                let record = try? StoredRecord.decode(value: value), let changed = change(record)
            else { return $0 }
            return StateEvidence(key: $0.key, content: changed, proof: $0.proof)
        }
    }

    private mutating func events(
        _ bytes: [UInt8], _ asset: Digest, _ log: EventLogKind, _ truth: TestChain
    ) -> [UInt8] {
        guard var leaves = try? EventLeaves.decode(bytes).leaves, !leaves.isEmpty else {
            return bytes
        }
        let place = dice.below(leaves.count)
        switch lie {
        case .omittedEvent: leaves.remove(at: place)
        case .alteredEvent: leaves[place][dice.below(leaves[place].count)] ^= 1
        case .addedEvent: leaves.insert(leaves[place], at: place)
        case .swappedEvents: leaves.reverse()
        case .otherEvents:
            let other: EventLogKind = log == .rights ? .trades : .rights
            leaves = Array((truth.events(asset: asset, log: other) ?? []).prefix(leaves.count))
        default: return bytes
        }
        return EventLeaves(leaves).encoded
    }
}
