import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import TestLedgers
import Testing

@Suite struct HistoryTests {
    @Test(arguments: Suite.allCases) func completeHistoryIsProven(suite: LedgerCrypto.Suite) throws
    {
        let fixture = Fixture(suite)
        let bytes = try fixture.history().encoded
        let answer = try fixture.verifier.verify(
            bytes, asked: [.assetHistory(asset: fixture.asset, logs: EventLogKind.allCases)])
        #expect(answer.height == 5)
        #expect(answer.timeMs == fixture.chain.newest.timeMs)
        #expect(answer.checkpoint.signatures == 3)
        guard case .assetHistory(let history) = answer.findings[0] else {
            Issue.record("a history is asked for and given")
            return
        }
        #expect(history.asset.id == fixture.asset)
        #expect(history.logs.map(\.log) == [.rights, .trades, .refusals])
        #expect(history.logs.map(\.events.count) == [4, 2, 1])
        let heights = history.logs.map { $0.events.map(\.event.height) }
        #expect(heights == [[1, 3, 4, 5], [3, 4], [3]])
        #expect(history.logs[2].events[0].entry.code == OutcomeCode.purposeNotPermitted.rawValue)
        for event in history.logs.flatMap(\.events) {
            switch event.entry.content {
            case .transaction(let id, let transaction, let check):
                #expect(id == event.event.transactionID)
                #expect(event.event.kind.number == transaction.kind)
                guard case .valid = check else {
                    Issue.record("the keys are in the bundle")
                    return
                }
            case .automatic: #expect(event.event.kind == .automatic(.licenceExpire))
            case .withheld: Issue.record("nothing is withheld")
            }
        }
        #expect(answer.claims == [.statements, .nothingLater(height: 5)])
        let again = try EvidenceBundle.decode(bytes, limits: .standard)
        #expect(again.encoded == bytes)
        // Block 2 is empty, and block 5's header is the certified one.
        #expect(again.ancestors.map(\.header.height) == [1, 3, 4])
    }

    @Test func aLogAloneNamesWhatIsNotShown() throws {
        let fixture = Fixture(.ed25519SHA256)
        let answer = try fixture.verifier.verify(try fixture.history([.rights]))
        #expect(
            answer.claims == [
                .statements, .nothingLater(height: 5),
                .logNotShown(asset: fixture.asset, .trades, events: 2),
                .logNotShown(asset: fixture.asset, .refusals, events: 1),
            ])
    }

    @Test func aWithheldEnvelopeIsSaidToBe() throws {
        let fixture = Fixture(.ed25519SHA256)
        let bundle = try EvidenceBundle.assetHistory(
            asset: fixture.asset, from: fixture.chain,
            disclosing: { $0.member != fixture.buyer.id })
        let answer = try fixture.verifier.verify(bundle)
        #expect(answer.claims.contains(.withheld(count: 2)))
        #expect(answer.claims.contains(.pseudonyms(count: 2)))
        #expect(bundle.records.count == 3)
        // Nothing of the buyer's envelopes is in the file.
        let submitted = try #require(fixture.chain.block(height: 3)?.entries[1])
        guard case .envelope(let envelope) = submitted else { return }
        #expect(!bundle.encoded.contains(envelope.suffix(64)))
    }

    @Test func withoutTheKeysSignaturesAreNotRechecked() throws {
        let fixture = Fixture(.ed25519SHA256)
        var bundle = try fixture.history()
        let key = StateKey.key(fixture.provider.key.publicKey.keyID, fixture.suite)
        bundle.records.removeAll { $0.key == key }
        let answer = try fixture.verifier.verify(bundle)
        #expect(answer.claims.contains(.signaturesNotRechecked(count: 2)))
    }

    @Test(arguments: EventLogKind.allCases) func anAssetWithoutEventsIsComplete(
        log: EventLogKind
    ) throws {
        let fixture = Fixture(.ed25519SHA256)
        let bundle = try EvidenceBundle.assetHistory(
            asset: fixture.other, logs: [log], from: fixture.chain)
        guard case .assetHistory(let history) = try fixture.verifier.verify(bundle).findings[0]
        else {
            Issue.record("a history is asked for and given")
            return
        }
        #expect(history.logs[0].events.count == (log == .rights ? 1 : 0))
    }

    @Test func anUnknownAssetIsProvenAbsent() throws {
        let fixture = Fixture(.ed25519SHA256)
        let nobody = fixture.suite.digest([9])
        let bundle = try EvidenceBundle.assetHistory(asset: nobody, from: fixture.chain)
        #expect(try fixture.verifier.verify(bundle).findings[0] == .noSuchAsset(nobody))
        // The absence of another asset says nothing about this one.
        var lie = bundle
        lie.questions = [.assetHistory(asset: fixture.asset, logs: [.rights])]
        #expect(problem(lie, fixture.verifier)?.fault == .recordNotIncluded)
        let key = StateKey.digest(.asset, fixture.asset, suite: fixture.suite)
        lie.records = [StateEvidence(key: key, value: nil, proof: bundle.records[0].proof)]
        #expect(problem(lie, fixture.verifier)?.fault == .wrongStateProof)
    }

    @Test(arguments: 1...7) func everySizeOfSetNeedsItsQuorum(count: Int) throws {
        let fixture = Fixture(.ed25519SHA256, validators: count)
        let good = try fixture.history([.rights])
        #expect(problem(good, fixture.verifier) == nil)
        var forged = good
        forged.certificate = fixture.chain.certificate(
            for: fixture.chain.newest, signers: Array(0..<Quorum.size(count) - 1))
        #expect(
            problem(forged, fixture.verifier)
                == EvidenceProblem(
                    .certificate,
                    .belowQuorum(
                        signatures: Quorum.size(count) - 1, quorum: Quorum.size(count),
                        validators: count)))
    }

    @Test func validatorsAreFollowedThroughTheEpochs() throws {
        var fixture = Fixture(.ed25519SHA256)
        let second = (0..<4).map { TestChain.key(.ed25519SHA256, 200 + $0) }
        fixture.alter { chain, _ in
            chain.changeEpoch(to: second)
            chain.append([])
            chain.changeEpoch(to: (0..<7).map { TestChain.key(.ed25519SHA256, 300 + $0) })
            chain.append([])
        }
        let good = try fixture.history()
        let answer = try fixture.verifier.verify(good)
        #expect(answer.checkpoint.validators.count == 7)
        #expect(answer.checkpoint.signatures == 5)
        var short = good
        short.epochChanges.removeLast()
        #expect(problem(short, fixture.verifier)?.fault == .unknownEpoch(epoch: 2, known: 1))
        #expect(problem(short, fixture.verifier)?.standing == .notYet)
        var skipped = good
        skipped.epochChanges.removeFirst()
        #expect(problem(skipped, fixture.verifier)?.fault == .unknownEpoch(epoch: 1, known: 0))
        var usurped = good
        let change = good.epochChanges[0]
        usurped.epochChanges[0] = EpochChange(
            header: change.header, certificate: change.certificate,
            next: TestChain.set(
                (0..<4).map { TestChain.key(.ed25519SHA256, 400 + $0) }, epoch: 1))
        #expect(problem(usurped, fixture.verifier)?.fault == .otherNextValidators)
        #expect(problem(usurped, fixture.verifier)?.place == .epochChange(index: 0))
        // The old validators cannot speak for the new epoch, nor again for their own.
        var old = good
        old.header = change.header
        old.certificate = change.certificate
        #expect(problem(old, fixture.verifier)?.fault == .endNotNeeded(epoch: 1))
    }
}
