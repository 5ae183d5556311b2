import Encoding
import Ledger
import LedgerCrypto
import LightClient
import TestLedgers
import Testing

/// Transparent statements (RFC 9943): a signed transaction with a quorum of validators' receipts.
@Suite struct StatementTests {
    private struct World {
        let fixture: Fixture
        let receipts: BundleReceipts
        let first: BundleReceipts.Entry

        init(_ suite: LedgerCrypto.Suite) throws {
            fixture = Fixture(suite)
            receipts = try fixture.verifier.receipts(fixture.history().encoded)
            first = receipts.entry(0)
        }

        var statement: TransparentStatement {
            get throws { try #require(first.statement) }
        }

        func with(
            _ receipts: [Receipt], context: TransparentStatement.Context? = nil
        ) throws -> TransparentStatement {
            try #require(
                TransparentStatement(
                    envelope: statement.envelope, receipts: receipts,
                    context: context ?? statement.context))
        }

        func fault(_ statement: TransparentStatement) -> EvidenceFault? {
            do throws(EvidenceProblem) {
                _ = try fixture.verifier.verifyStatement(statement.encoded)
                return nil
            } catch {
                return error.fault
            }
        }
    }

    @Test(arguments: Suite.allCases)
    func aQuorumsReceiptsProveThatItWasRecorded(_ suite: LedgerCrypto.Suite) throws {
        let world = try World(suite)
        var count = 0
        for number in 0..<world.receipts.entryCount {
            let entry = world.receipts.entry(number)
            guard let statement = entry.statement else {
                #expect(entry.leaf[1] == 2 && entry.issuer == nil)
                continue
            }
            count += 1
            #expect(
                try TransparentStatement.decode(
                    statement.encoded, limits: TransparentStatement.limits) == statement)
            let proven = try world.fixture.verifier.verifyStatement(statement.encoded)
            #expect(proven.signers == [0, 1, 2])
            #expect(proven.timeMs == world.receipts.checkpoint.header.timeMs)
            #expect(LogLeaf.bytes(tag: 1, digest: proven.envelopeDigest) == entry.leaf)
            // Any tool that knows COSE checks the member's signature.
            let issuer = try #require(entry.issuer)
            #expect(proven.check == .valid(issuer.keyID))
            let message = try CoseSign1.decode(
                statement.encoded, limits: TransparentStatement.limits)
            #expect(message.isValid(key: issuer))
        }
        #expect(count > 3 && count < world.receipts.entryCount)
        #expect(decodesExactly(try world.statement, limits: TransparentStatement.limits))
    }

    @Test(arguments: Suite.allCases)
    func distinctValidatorsOfOneHeaderAreCounted(_ suite: LedgerCrypto.Suite) throws {
        let world = try World(suite)
        let all = world.first.receipts
        #expect(world.fault(try world.with(all.reversed())) == nil)
        #expect(world.fault(try world.with(all + all)) == nil)
        let below = EvidenceFault.belowQuorum(signatures: 2, quorum: 3, validators: 4)
        #expect(world.fault(try world.with(Array(all[..<2]))) == below)
        #expect(world.fault(try world.with([all[0], all[1], all[0], all[1]])) == below)
        let other = world.receipts.entry(1).receipts[2]
        #expect(
            world.fault(try world.with([all[0], all[1], other])) == .badSignature(other.keyID))
        #expect(TransparentStatement(envelope: [], receipts: all, context: nil) == nil)
        #expect(
            TransparentStatement(
                envelope: try world.statement.envelope, receipts: [], context: nil) == nil)
    }

    /// Votes for another header count for that one alone, with or without the header.
    @Test func receiptsOfTwoHeadersDoNotAddUp() throws {
        let world = try World(.ed25519SHA256)
        var longer = world.fixture
        longer.alter { chain, _ in chain.append([]) }
        let later = try longer.verifier.receipts(longer.history().encoded).entry(0).receipts
        let mixed = Array(world.first.receipts[..<2]) + [later[2]]
        let envelope = try world.statement.envelope
        let bare = try #require(
            TransparentStatement(envelope: envelope, receipts: mixed, context: nil))
        #expect(world.fault(bare) == .otherHeaderCertified)
        #expect(world.fault(try world.with(mixed)) == .otherHeaderCertified)
        #expect(world.fault(try world.with(later)) == .otherHeaderCertified)
        let good = try #require(
            TransparentStatement(envelope: envelope, receipts: later, context: nil))
        #expect(world.fault(good) == nil)
    }

    /// As other tools put it together: `scitt-cose` attaches receipts and knows no context.
    /// Keys of an epoch that is over make receipts for any height; those beyond its end are not of this ledger.
    @Test func receiptsBeyondTheEndOfTheirEpochProveNothing() throws {
        let suite = LedgerCrypto.Suite.ed25519SHA256
        var fork = Fork(suite)
        let step = fork.right.step(
            .evidenceRecord, by: TestChain.members(suite)[0], touching: [])
        fork.right.append([step])
        fork.left.changeEpoch(to: (0..<4).map { TestChain.key(suite, 200 + $0) })
        let receipts = try fork.verifier.receipts(
            EvidenceBundle.transaction(id: step.transactionID, from: fork.right).encoded)
        let whole = try #require(receipts.entry(0).statement)
        let bare = try #require(
            TransparentStatement(
                envelope: whole.envelope, receipts: whole.receipts, context: nil))
        _ = try fork.verifier.verifyStatement(bare.encoded)
        let end = fork.left.changes[0]
        let trust = try #require(
            try fork.trust.advance(to: end.certified, epochChanges: [end]).chain)
        let reader = try Verifier(genesis: fork.common.genesis, trust: trust)
        for statement in [whole, bare] {
            #expect(throws: EvidenceProblem.self) {
                try reader.verifyStatement(statement.encoded)
            }
        }
        #expect(throws: EvidenceProblem(.receipt(index: 0), .contradictsTrusted)) {
            try reader.verifyStatement(bare.encoded)
        }
        // What nobody signed contradicts nothing: it is false.
        var forged = bare.encoded
        let place = try #require(forged.firstRange(of: bare.receipts[0].signature)?.lowerBound)
        forged[place] ^= 1
        let found = #expect(throws: EvidenceProblem.self) { try reader.verifyStatement(forged) }
        #expect(found?.standing == .provenFalse)
    }

    /// Receipts of a quorum for another header of a height that is trusted already.
    @Test func receiptsBesideATrustedHeaderProveNothing() throws {
        let suite = LedgerCrypto.Suite.ed25519SHA256
        var fork = Fork(suite)
        let step = fork.right.step(
            .evidenceRecord, by: TestChain.members(suite)[0], touching: [])
        fork.right.append([step])
        fork.left.append([])
        let receipts = try fork.verifier.receipts(
            EvidenceBundle.transaction(id: step.transactionID, from: fork.right).encoded)
        let whole = try #require(receipts.entry(0).statement)
        let bare = try #require(
            TransparentStatement(
                envelope: whole.envelope, receipts: whole.receipts, context: nil))
        for (side, problem) in [
            (fork.right, nil), (fork.left, EvidenceFault.contradictsTrusted),
        ] {
            let trust = try #require(try fork.trust.advance(to: side.certified(5)).chain)
            let reader = try Verifier(genesis: fork.common.genesis, trust: trust)
            do throws(EvidenceProblem) {
                #expect(try reader.verifyStatement(bare.encoded).height == 5 && problem == nil)
            } catch {
                #expect(error.fault == problem)
            }
        }
    }

    @Test func withoutContextTheValidatorsMustBeKnown() throws {
        let world = try World(.ed25519SHA256)
        let bare = try #require(
            TransparentStatement(
                envelope: world.statement.envelope, receipts: world.first.receipts, context: nil))
        let proven = try world.fixture.verifier.verifyStatement(bare.encoded)
        #expect(proven.timeMs == nil && proven.height == world.receipts.checkpoint.header.height)
        guard case .notRechecked = proven.check else {
            Issue.record("the key is not proven")
            return
        }
        let (ledger, asset) = try ExecutedHistoryTests.life(.ed25519SHA256, changesEpoch: true)
        let verifier = Verifier(genesis: ledger.genesis)
        let history = try EvidenceBundle.assetHistory(asset: asset, from: ledger)
        let receipts = try verifier.receipts(history.encoded)
        // Some of this ledger's transactions were signed as a batch: of those there is no statement.
        let statements = (0..<receipts.entryCount).compactMap { receipts.entry($0).statement }
        #expect(!statements.isEmpty && statements.count < receipts.entryCount)
        let whole = statements[0]
        #expect(try verifier.verifyStatement(whole.encoded).validators.epoch == 2)
        let later = try #require(
            TransparentStatement(
                envelope: whole.envelope, receipts: whole.receipts, context: nil))
        #expect(
            throws: EvidenceProblem(.receipt(index: 0), .unknownEpoch(epoch: 2, known: 0))
        ) { try verifier.verifyStatement(later.encoded) }
    }

    /// It may be proven by its own genesis: of this one it is not proven, whichever suite its ledger has.
    @Test func aStatementOfAnotherLedgerIsNotFalse() throws {
        let world = try World(.ed25519SHA256)
        let reader = world.fixture.verifier
        let other = try World(.sm2SM3)
        let (ledger, asset) = try ExecutedHistoryTests.life(.ed25519SHA256, changesEpoch: false)
        let history = try EvidenceBundle.assetHistory(asset: asset, from: ledger)
        let receipts = try Verifier(genesis: ledger.genesis).receipts(history.encoded)
        let foreign = try #require(
            (0..<receipts.entryCount).lazy.compactMap { receipts.entry($0).statement }.first)
        for (statement, chain) in try [
            (foreign, ledger.genesis.chain), (other.statement, other.fixture.verifier.chain),
        ] {
            let found = EvidenceFault.otherLedger(found: chain, expected: reader.chain)
            #expect(throws: EvidenceProblem(.receipt(index: 0), found)) {
                try reader.verifyStatement(statement.encoded)
            }
            #expect(found.standing == .notProven)
        }
        // With this ledger's receipts, which are for something else.
        let mixed = try #require(
            TransparentStatement(
                envelope: foreign.envelope, receipts: world.first.receipts, context: nil))
        #expect(
            world.fault(mixed)
                == .otherLedger(found: ledger.genesis.chain, expected: reader.chain))
    }

    @Test(arguments: Suite.allCases)
    func nothingAlteredIsProven(_ suite: LedgerCrypto.Suite) throws {
        let world = try World(suite)
        let good = try world.statement.encoded
        // SM2 costs too much to alter every byte.
        for offset in stride(from: 0, to: good.count, by: suite == .sm2SM3 ? 61 : 3) {
            var altered = good
            altered[offset] ^= 1 << UInt8(offset % 8)
            #expect(throws: EvidenceProblem.self, "byte \(offset)") {
                try world.fixture.verifier.verifyStatement(altered)
            }
        }
    }
}
