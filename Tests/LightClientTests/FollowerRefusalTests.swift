import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records
import TestLedgers
import Testing

/// What a follower makes of answers that it cannot use, and what it says of those who gave them.
@Suite struct FollowerRefusalTests {
    typealias Desk = FollowerTests.Desk

    static func silent(_ alerts: [FollowerAlert]) -> [FollowerAlert] {
        alerts.filter { [.silent, .refusedAnswer, .behind].contains($0.topic) }
    }

    // MARK: Records that may not be read

    /// Whether the account is asked for.
    static func isAboutAccount(_ ask: Follower.Ask) -> Bool {
        guard case .bundle(let questions, _) = ask.what else { return false }
        return questions.contains {
            if case .record(.account, _) = $0 { true } else { false }
        }
    }

    @Test func whatMayNotBeReadHoldsNothingUp() throws {
        var (ledger, dice) = FollowerTests.ledger()
        var desk = try Desk([ledger.chain, ledger.chain], watching: ledger.watched)
        desk.twist = { Self.isAboutAccount($0) ? .forbidden(reason: "no") : $1 }
        let first = desk.look()
        #expect(first.filter { $0.topic == .unreadableRecord }.count == 1)
        #expect(first.filter { $0.topic == .record }.count == ledger.watched.count - 1)
        #expect(Self.silent(first).isEmpty)
        #expect(desk.follower.trust.newest?.header == ledger.chain.newest)
        // Told once, while the others are followed; a look without anything new asks for heads alone.
        #expect(desk.look().isEmpty)
        for _ in 0..<2 * Follower.unreadableLooks {
            ledger.goOn(&dice)
            desk.chains = [ledger.chain, ledger.chain]
            let alerts = desk.look()
            #expect(Self.silent(alerts).isEmpty)
            #expect(!alerts.contains { $0.topic == .unreadableRecord })
            #expect(desk.follower.trust.newest?.header == ledger.chain.newest)
        }
        // Who may read it in the end is told.
        desk.twist = { $1 }
        var told = false
        for _ in 0..<Follower.unreadableLooks {
            told = told || desk.look().contains { $0.topic == .record }
        }
        #expect(told)
    }

    @Test func oneWhoShowsARecordIsEnough() throws {
        let (ledger, _) = FollowerTests.ledger()
        var desk = try Desk([ledger.chain, ledger.chain], watching: ledger.watched)
        desk.twist = {
            $0.provider == 0 && Self.isAboutAccount($0) ? .forbidden(reason: "no") : $1
        }
        let alerts = desk.look()
        #expect(alerts.count == ledger.watched.count)
        #expect(alerts.allSatisfy { $0.topic == .record })
    }

    /// A record is left out only if nobody shows it, whatever one of them says.
    @Test(arguments: [0, 1], [false, true]) func whoRefusesEverythingHidesNothing(
        liar: Int, pretends: Bool
    ) throws {
        var (ledger, dice) = FollowerTests.ledger()
        var desk = try Desk([ledger.chain, ledger.chain], watching: ledger.watched)
        desk.twist = { ask, answer in
            guard case .bundle(let questions, _) = ask.what else { return answer }
            if ask.provider == liar {
                // Or seems to show what nobody may read, so that it is asked for on and on.
                let isAlone = questions.count == 1 && Self.isAboutAccount(ask)
                return pretends && isAlone ? .bytes([1]) : .forbidden(reason: "no")
            }
            return Self.isAboutAccount(ask) ? .forbidden(reason: "no") : answer
        }
        let first = desk.look()
        #expect(first.filter { $0.topic == .record }.count == ledger.watched.count - 1)
        let unreadable = first.filter { $0.topic == .unreadableRecord }
        #expect(unreadable.count == 1)
        if case .unreadable(.account, _, _)? = unreadable.first {
        } else {
            Issue.record("\(first)")
        }
        for _ in 0..<3 {
            ledger.goOn(&dice)
            desk.chains = [ledger.chain, ledger.chain]
            #expect(!desk.look().contains { $0.topic == .unreadableRecord })
            #expect(desk.follower.trust.newest?.header == ledger.chain.newest)
        }
    }

    /// While somebody gives no answer, what is refused is told and asked for again; one that lags is not waited for.
    @Test(arguments: [false, true]) func whatIsRefusedIsTold(isDeaf: Bool) throws {
        var (ledger, dice) = FollowerTests.ledger()
        let lagging = ledger.chain
        ledger.goOn(&dice)
        let others = isDeaf ? ledger.chain : lagging
        var desk = try Desk([ledger.chain, others], watching: ledger.watched)
        var asked = 0
        desk.twist = { ask, answer in
            guard case .bundle = ask.what else { return answer }
            if ask.provider == 1, isDeaf { return .none(reason: "503") }
            guard Self.isAboutAccount(ask) else { return answer }
            asked += 1
            return .forbidden(reason: "no")
        }
        // A first look, after which what lags is below what is trusted.
        _ = desk.look()
        ledger.goOn(&dice)
        desk.chains = [ledger.chain, isDeaf ? ledger.chain : lagging]
        let second = desk.look()
        #expect(second.allSatisfy { $0.topic != .unreadableRecord })
        #expect(desk.follower.trust.newest?.header == ledger.chain.newest)
        asked = 0
        ledger.goOn(&dice)
        desk.chains = [ledger.chain, isDeaf ? ledger.chain : lagging]
        _ = desk.look()
        #expect(asked == (isDeaf ? 2 : 0))
    }

    // MARK: Evidence

    @Test func anHonestAnswerIsNoEvidence() throws {
        let (ledger, _) = FollowerTests.ledger()
        let verifier = Verifier(genesis: ledger.chain.genesis)
        let size = ledger.chain.assetRecord(ledger.parent)?.rightsLog.size ?? 0
        let asks: [Follower.Ask.What] = [
            .head(epochsFrom: 0), .bundle(ledger.watched.map(\.question), epochsFrom: 0),
            .events(asset: ledger.parent, log: .rights, range: 0..<size),
        ]
        for ask in asks {
            guard case .bytes(let bytes) = ledger.chain.answer(ask) else {
                Issue.record("\(ask) has an answer")
                continue
            }
            #expect(!LiarRun.isFalseBundle(bytes, verifier), "\(ask)")
        }
    }

    /// Answers that are true, or are no bundles, are refused without a file.
    @Test func onlyWhatIsFalseByItselfIsEvidence() throws {
        var (ledger, dice) = FollowerTests.ledger()
        for _ in 0..<8 { ledger.goOn(&dice) }
        let chain = ledger.chain
        func evidence(
            _ twist: @escaping (Follower.Ask, Follower.Answer) -> Follower.Answer
        ) throws -> [[UInt8]?] {
            var desk = try Desk([chain], watching: ledger.watched)
            desk.twist = twist
            return desk.look().compactMap {
                if case .refused(_, _, let evidence) = $0 { .some(evidence) } else { nil }
            }
        }
        // Another question's answer, a withheld record, noise.
        #expect(
            try evidence { ask, answer in
                if case .head = ask.what { answer } else { chain.answer(.head(epochsFrom: 0)) }
            } == [nil])
        #expect(
            try evidence { ask, answer in
                guard case .bytes(let bytes) = answer,
                    var bundle = try? EvidenceBundle.decode(bytes)
                else { return answer }
                bundle.records = bundle.records.map {
                    guard case .value(let value) = $0.content else { return $0 }
                    return StateEvidence(
                        key: $0.key, content: .withheld(chain.suite.digest(value)),
                        proof: $0.proof)
                }
                return .bytes(bundle.encoded)
            } == [nil])
        #expect(try evidence { _, _ in .bytes([0xFF, 1]) } == [nil])
        // Votes of nobody.
        let forged = try evidence { _, answer in
            guard case .bytes(let bytes) = answer, var bundle = try? EvidenceBundle.decode(bytes)
            else { return answer }
            bundle.certificate = Certificate(
                statement: bundle.certificate.statement,
                signatures: bundle.certificate.signatures.map {
                    CertificateSignature(
                        validator: $0.validator, signature: $0.signature.reversed())
                })
            return .bytes(bundle.encoded)
        }
        let file = try #require(forged.first ?? nil)
        #expect(LiarRun.isFalseBundle(file, Verifier(genesis: chain.genesis)))
    }

    /// Events stand between two certified ends that a file of them alone does not have.
    @Test(arguments: [Lie.omittedEvent, .alteredEvent, .addedEvent, .otherEvents])
    func eventsAreNoEvidence(lie: Lie) throws {
        let runs = try (UInt64(0)..<6).map { try LiarRun(lie, seed: $0) }
        #expect(runs.contains { $0.outcome == .provenFalse })
        #expect(!runs.contains { $0.hasEvidence })
        #expect(runs.allSatisfy { $0.faults.isEmpty })
    }

    // MARK: Logs in parts

    static func growing() throws -> (Desk, new: Int) {
        var (ledger, dice) = FollowerTests.ledger()
        let record = try #require(
            WatchedRecord(type: .asset, id: [.bytes(ledger.parent.bytes)]))
        var desk = try Desk([ledger.chain], watching: [record])
        _ = desk.look()
        func size() -> UInt64 { ledger.chain.assetRecord(ledger.parent)?.rightsLog.size ?? 0 }
        let before = size()
        while size() - before < 12 { ledger.goOn(&dice) }
        desk.chains = [ledger.chain]
        return (desk, Int(size() - before))
    }

    static func shortened(to count: Int) -> (Follower.Ask, Follower.Answer) -> Follower.Answer {
        { ask, answer in
            guard case .events = ask.what, case .bytes(let bytes) = answer,
                let leaves = try? EventLeaves.decode(bytes).leaves
            else { return answer }
            return .bytes(EventLeaves(Array(leaves.prefix(count))).encoded)
        }
    }

    @Test func aLogMayTakeSeveralAnswers() throws {
        var (desk, new) = try Self.growing()
        desk.twist = Self.shortened(to: 3)
        let alerts = desk.look()
        #expect(FollowerTests.events(alerts).filter { $0.log == .rights }.count == new)
        #expect(Self.silent(alerts).isEmpty)
        // But not any number of them, nor one with nothing.
        for count in [0, 1] {
            var (desk, _) = try Self.growing()
            desk.twist = Self.shortened(to: count)
            let alerts = desk.look()
            #expect(!FollowerTests.events(alerts).contains { $0.log == .rights })
            #expect(alerts.contains { $0.topic == .unseenEvents })
            #expect(Self.silent(alerts).map(\.topic) == [.refusedAnswer])
            // They are told as soon as somebody shows them.
            desk.twist = { $1 }
            #expect(!FollowerTests.events(desk.look()).isEmpty)
        }
    }

    @Test func anAnswerHasAsManyEventsAsFit() {
        let large = [UInt8](repeating: 7, count: EvidenceLimits.eventBytesMax)
        let all = [[UInt8]](repeating: large, count: 80)
        let leaves = EventLeaves(fitting: all)
        let one = large.count + 5
        #expect(leaves.encoded.count <= EventLeaves.bytesMax)
        #expect(leaves.encoded.count > EventLeaves.bytesMax - 2 * one)
        let many = [[UInt8]](repeating: [1], count: EventLeaves.countMax + 1)
        #expect(EventLeaves(fitting: many).leaves.count == EventLeaves.countMax)
        #expect(EventLeaves(fitting: [large]).leaves == [large])
    }

    // MARK: What is told of a record

    @Test func anotherChangeOfAnAssetIsTold() throws {
        let (ledger, _) = FollowerTests.ledger()
        var desk = try Desk([ledger.chain], watching: ledger.watched)
        _ = desk.look()
        var chain = ledger.chain
        var asset = try #require(chain.assetRecord(ledger.parent))
        asset.titleEn = "Another title"
        chain.put(asset)
        chain.append([])
        desk.chains = [chain]
        let alerts = desk.look()
        guard case .record(.asset, _, [.other], _)? = alerts.first, alerts.count == 1 else {
            Issue.record("\(alerts)")
            return
        }
    }

    @Test func theGravestFactIsTheTopic() {
        let freeze = Freeze(
            office: .regulator, member: MemberID("91310000MA1FL00001")!, reason: .investigation,
            referenceCommitment: .zero, height: 1)
        // Keys are asked for by a member's record.
        #expect(WatchedRecord(type: .key, id: [.bytes([UInt8](repeating: 0, count: 16))]) == nil)
        let facts: [(RecordFact, AlertTopic)] = [
            (.vanished, .vanishedRecord),
            (.frozen(freeze), .freeze), (.roleWithdrawn(.assessor, atHeight: 1), .roleWithdrawn),
            (.unfrozen(freeze), .unfreeze), (.other, .record),
        ]
        func topic(_ facts: [RecordFact]) -> AlertTopic {
            FollowerAlert.record(type: .asset, id: [], facts, height: 1).topic
        }
        for (index, grave) in facts.enumerated() {
            for lesser in facts[index...] {
                #expect(topic([grave.0, lesser.0]) == grave.1)
                #expect(topic([lesser.0, grave.0]) == grave.1)
            }
        }
    }
}
