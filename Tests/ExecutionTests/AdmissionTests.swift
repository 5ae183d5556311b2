import Encoding
import Ledger
import LedgerCrypto
import Market
import Records
import Testing

@testable import Execution

/// What may never stand in a block: the leader leaves it out, and a follower refuses a block that holds it.
@Suite struct AdmissionTests {
    private func expect(
        _ code: OutcomeCode, _ signed: Verified<SignedTransaction>, in ledger: TestLedger,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let built = ledger.build([signed])
        #expect(built.block.entries.isEmpty, sourceLocation: sourceLocation)
        #expect(
            built.leftOut == [LeftOut(digest: signed.value.digest, code: code)],
            sourceLocation: sourceLocation)
        let block = built.block.holding([.envelope(signed.value.envelope.bytes)])
        #expect(
            throws: BlockFault.inadmissible(index: 0, code), sourceLocation: sourceLocation
        ) { try ledger.follow(block, [signed]) }
    }

    @Test func theWindowHasTwoEnds() throws {
        var parameters = Parameters()
        parameters.replayWindowBlocksMax = 16
        var ledger = try TestLedger(parameters: parameters)
        for height: UInt64 in [1, 17] {
            let good = try ledger.sign(ledger.evidence(), by: 2, lastValidHeight: height)
            #expect(ledger.build([good]).leftOut.isEmpty)
        }
        expect(
            .expired, try ledger.sign(ledger.evidence(), by: 2, lastValidHeight: 0), in: ledger)
        expect(
            .tooFarAhead, try ledger.sign(ledger.evidence(), by: 2, lastValidHeight: 18),
            in: ledger)
    }

    @Test func eachTransactionHappensOnce() throws {
        var ledger = try TestLedger()
        let signed = try ledger.sign(ledger.evidence(), by: 2)
        let twice = ledger.build([signed, signed])
        #expect(twice.block.entries.count == 1)
        #expect(twice.leftOut.map(\.code) == [.duplicate])
        let entry = Entry.envelope(signed.value.envelope.bytes)
        #expect(throws: BlockFault.inadmissible(index: 1, .duplicate)) {
            try ledger.follow(twice.block.holding([entry, entry]), [signed])
        }
        ledger.extend(twice)
        expect(.replayed, signed, in: ledger)
        ledger.extend(ledger.build([]))
        expect(.replayed, signed, in: ledger)
        ledger.finalize()
        expect(.replayed, signed, in: ledger)
    }

    /// SM2 signatures are randomised, so one payload has many envelopes.
    @Test func anotherEnvelopeIsTheSameTransaction() throws {
        var ledger = try TestLedger(suite: .sm2SM3)
        let signed = try ledger.sign(ledger.evidence(), by: 2)
        let again = try ledger.sign(signed.value.transaction, with: ledger.keys[2])
        #expect(signed.value.digest != again.value.digest)
        #expect(signed.value.id == again.value.id)
        #expect(ledger.build([signed, again]).leftOut.map(\.code) == [.duplicate])
        ledger.extend(ledger.build([signed]))
        expect(.replayed, again, in: ledger)
        ledger.finalize()
        expect(.replayed, again, in: ledger)
    }

    @Test func underABatchItIsTheSameTransaction() throws {
        var ledger = try TestLedger()
        let signed = try ledger.sign(ledger.evidence(), by: 2)
        let other = try ledger.sign(ledger.evidence(1), by: 2)
        let key = ledger.keys[2]
        let batch = try Envelope.signBatch(
            [signed, other].map(\.value.transaction), chain: ledger.executor.chain, with: key
        ).map {
            let envelope = try Envelope(
                bytes: $0, chain: ledger.executor.chain, suite: ledger.suite)
            return try #require(envelope.verified(by: key.publicKey))
        }
        #expect(ledger.build([signed, batch[0]]).leftOut.map(\.code) == [.duplicate])
        let built = ledger.build(batch)
        #expect(built.leftOut.isEmpty)
        #expect(try ledger.follow(built.block, batch).headerDigest == built.headerDigest)
        #expect(built.headerDigest != ledger.build([signed, other]).headerDigest)
        ledger.extend(built)
        expect(.replayed, signed, in: ledger)
        ledger.finalize()
        expect(.replayed, other, in: ledger)
    }

    @Test func onlyLiveKeysOfThatMemberSign() throws {
        var ledger = try TestLedger()
        expect(.unknownKey, try ledger.sign(ledger.evidence(), by: 2, as: 3), in: ledger)
        let stranger = try SigningKey(
            suite: ledger.suite, secret: ledger.suite.digest([77]).bytes)
        expect(
            .unknownKey, try ledger.sign(ledger.evidence(), by: 2, key: stranger), in: ledger)
        // A key that is revoked earlier in the same block.
        let second = KeyRegister(
            publicKey: stranger.publicKey, person: "p", mandates: [.legalRepresentative])
        let register = try ledger.sign(second, by: 2)
        #expect(ledger.run([register]) == [.accepted])
        let revoke = try ledger.sign(
            KeyRevoke(keyID: ledger.keys[2].publicKey.keyID), by: 2, key: stranger)
        let late = try ledger.sign(ledger.evidence(), by: 2)
        let built = ledger.build([revoke, late])
        #expect(built.leftOut == [LeftOut(digest: late.value.digest, code: .unknownKey)])
        #expect(ledger.build([late, revoke]).leftOut.isEmpty)
    }

    @Test func unknownKindsNeverEnter() throws {
        var ledger = try TestLedger()
        expect(.unknownKind, try ledger.sign(kind: 9_999, body: [0xA0], by: 2), in: ledger)
        expect(.unknownKind, try ledger.sign(kind: 0, body: [0xA0], by: 2), in: ledger)
    }

    @Test func quotaAndRoomLeaveTheRestForLater() throws {
        var parameters = Parameters()
        parameters.entriesPerMemberPerBlockMax = 3
        parameters.entriesPerBlockMax = 5
        var ledger = try TestLedger(parameters: parameters)
        var candidates: [Verified<SignedTransaction>] = []
        for number in 0..<UInt64(5) {
            candidates.append(try ledger.sign(ledger.evidence(number), by: 2))
        }
        for number in 0..<UInt64(3) {
            candidates.append(try ledger.sign(ledger.evidence(number), by: 3))
        }
        let block = ledger.build(candidates)
        #expect(block.leftOut.map(\.code) == [.overQuota, .overQuota, .busy])
        #expect(!block.leftOut.contains { !$0.mayComeLater })
        #expect(block.block.entries.count == 5)
        ledger.extend(block)
        let rest = candidates.filter { signed in
            block.leftOut.contains { $0.digest == signed.value.digest }
        }
        #expect(ledger.build(rest).leftOut.isEmpty)
        // Refused entries count as well.
        let refused = try (0..<4).map { _ in try ledger.sign(MemberEnrol.example, by: 4) }
        #expect(ledger.build(refused).leftOut.map(\.code) == [.overQuota])
    }

    @Test func blocksStayWithinTheirBytes() throws {
        var parameters = Parameters()
        parameters.blockBytesMax = 4_096
        parameters.transactionBytesMax = 2_048
        var ledger = try TestLedger(parameters: parameters)
        let candidates = try (0..<UInt64(40)).map {
            try ledger.sign(ledger.evidence($0), by: 2)
        }
        let block = ledger.build(candidates)
        #expect(!block.block.entries.isEmpty && !block.leftOut.isEmpty)
        #expect(block.leftOut.allSatisfy { $0.code == .busy })
        let body = block.block.entries.reduce(0) { $0 + $1.encoded.count }
        #expect(body <= 4_096)
        #expect(body > 3_000)
    }
}

extension Block {
    /// The same header, but for the entry count, over other entries.
    func holding(_ entries: [Entry]) -> Block {
        Block(header: header.with(entryCount: UInt64(entries.count)), entries: entries)
    }
}

extension Header {
    func with(
        chain: ChainID? = nil, height: UInt64? = nil, epoch: UInt64? = nil, parent: Digest? = nil,
        timeMs: UInt64? = nil, logSize: UInt64? = nil, logRoot: Digest? = nil,
        stateRoot: Digest? = nil, resultsRoot: Digest? = nil, entryCount: UInt64? = nil,
        validators: Digest? = nil, nextValidators: Digest? = nil
    ) -> Header {
        Header(
            chain: chain ?? self.chain, height: height ?? self.height, epoch: epoch ?? self.epoch,
            parent: parent ?? self.parent, timeMs: timeMs ?? self.timeMs,
            logSize: logSize ?? self.logSize, logRoot: logRoot ?? self.logRoot,
            stateRoot: stateRoot ?? self.stateRoot, resultsRoot: resultsRoot ?? self.resultsRoot,
            entryCount: entryCount ?? self.entryCount, validators: validators ?? self.validators,
            nextValidators: nextValidators ?? self.nextValidators)
    }
}
