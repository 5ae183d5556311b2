import Consensus
import Encoding
import Ledger
import LedgerCrypto
import Records
import Testing

@testable import Replica
@testable import Simulator

/// Each bad transaction has its own answer, and a good one is passed on once.
struct AdmissionTests {
    let workload = ReplicaTests.workload

    private func answer(_ bench: Bench, _ envelopes: [Envelope]) throws -> [OutcomeCode] {
        let effects = bench.give(.submitted(RequestID(1), envelopes))
        let answers = effects.compactMap { effect -> [OutcomeCode]? in
            if case .answer(_, let codes) = effect { codes } else { nil }
        }
        #expect(answers.count == 1, "each request is answered once")
        return try #require(answers.first)
    }

    /// An envelope by a key that nobody enrolled, or of another sort.
    private func stranger(kind: UInt64 = 60, lastValid: UInt64 = 100) throws -> Envelope {
        let key = try SigningKey(suite: .ed25519SHA256, secret: [UInt8](repeating: 99, count: 32))
        let known = workload.items[0].envelope.transaction
        let transaction = Transaction(
            kind: kind, nonce: known.nonce, lastValidHeight: lastValid, member: known.member,
            body: known.body)
        return try Envelope(
            bytes: Envelope.sign(transaction, chain: workload.chain, with: key),
            chain: workload.chain, suite: .ed25519SHA256)
    }

    @Test func everyRefusalHasItsCode() throws {
        let bench = Bench(workload: workload)
        bench.give(.start)
        let good = try #require(workload.items.first { $0.verified != nil })
        let bad = try #require(workload.items.first { $0.verified == nil })
        let ahead = workload.genesis.parameters.replayWindowBlocksMax + 1
        let codes = try answer(
            bench,
            [
                good.envelope, good.envelope, bad.envelope, try stranger(),
                try stranger(kind: 9_999), try stranger(lastValid: ahead),
                try stranger(lastValid: 0),
            ])
        #expect(
            codes == [
                .accepted, .duplicate, .badSignature, .unknownKey, .unknownKind, .tooFarAhead,
                .expired,
            ])
        // Again: the first waits in the pool, the second is remembered.
        #expect(
            try answer(bench, [good.envelope, bad.envelope]) == [.duplicate, .badSignature])
    }

    @Test func theSameOrderUnderAnotherEnvelopeIsADuplicate() throws {
        let bench = Bench(workload: workload)
        bench.give(.start)
        var pair: (Envelope, Envelope)?
        for (index, item) in workload.items.enumerated() where item.verified != nil {
            if let twin = workload.items[(index + 1)...].first(where: {
                $0.envelope.id == item.envelope.id && $0.envelope.digest != item.envelope.digest
                    && $0.verified != nil
            }) {
                pair = (item.envelope, twin.envelope)
                break
            }
        }
        let (first, second) = try #require(pair)
        #expect(try answer(bench, [first]) == [.accepted])
        #expect(try answer(bench, [second]) == [.duplicate])
    }

    @Test func whatIsFinalIsReplayed() throws {
        let bench = Bench(workload: ReplicaTests.alone)
        bench.give(.start)
        let item = try #require(ReplicaTests.alone.items.first { $0.verified != nil })
        #expect(try answer(bench, [item.envelope]) == [.accepted])
        #expect(bench.disk.height >= 1)
        #expect(try answer(bench, [item.envelope]) == [.replayed])
        // And after a restart too.
        let again = Bench(workload: ReplicaTests.alone, disk: bench.disk)
        again.give(.start)
        #expect(try answer(again, [item.envelope]) == [.replayed])
    }

    @Test func goodOnesArePassedOnOnceAndOnlyByTheirFirstReplica() throws {
        let bench = Bench(workload: workload)
        bench.give(.start)
        let items = workload.items.filter { $0.verified != nil }.prefix(2)
        let own = bench.give(.submitted(RequestID(1), [items[0].envelope])).broadcasts
        #expect(own == [.transactions([items[0].bytes])])
        let gossiped = bench.give(.gossiped(from: PeerID(2), items.map(\.envelope)))
        #expect(gossiped.broadcasts.isEmpty)
        #expect(bench.replica.mempool.count == 2)
    }

    /// Waiting work makes the leader propose at once, without a timer.
    @Test func theLeaderProposesAtOnce() throws {
        let bench = Bench(seat: 1, workload: workload)
        bench.give(.start)
        let item = try #require(workload.items.first { $0.verified != nil })
        let proposals = proposals(bench.give(.submitted(RequestID(1), [item.envelope])))
        #expect(proposals.count == 1)
        #expect(proposals.first?.outline.items == [.envelope(item.envelope.digest)])
    }

    private func proposals(_ effects: [Effect]) -> [Proposal] {
        effects.broadcasts.compactMap {
            if case .proposal(let proposal) = $0 { proposal } else { nil }
        }
    }

    /// Little work waits for the block before it to be final, or for the timer, whichever comes first.
    @Test(arguments: [true, false]) func aSmallBlockWaitsForItsParent(_ parentIsFinal: Bool) throws
    {
        let bench = Bench(seat: 2, workload: workload)
        bench.give(.start)
        let valid = workload.items.filter { $0.verified != nil }
        let parent = bench.block([valid[0]])
        bench.give(.message(from: PeerID(1), bench.proposal(parent, view: 1)))
        bench.give(.submitted(RequestID(1), [valid[1].envelope]))
        let subject = bench.subject(parent)
        let notarized = bench.votes(.notarize(epoch: 0, view: 1, subject), from: [3])
        #expect(bench.replica.view == 2 && proposals(notarized).isEmpty)
        #expect(
            notarized.contains { if case .setTimer(.propose, _) = $0 { true } else { false } })
        let next =
            parentIsFinal
            ? bench.votes(.finalize(epoch: 0, view: 1, subject), from: [1, 3])
            : bench.give(.timer(.propose))
        #expect(proposals(next).map(\.outline.items) == [[.envelope(valid[1].envelope.digest)]])
        #expect(bench.replica.finalHeight == (parentIsFinal ? 1 : 0))
    }

    /// Its state is too old to judge anybody's transactions by, until it has the blocks that it lacks.
    @Test(arguments: [true, false]) func aReplicaThatCatchesUpTakesNothing(isFar: Bool) throws {
        let bench = Bench(workload: workload)
        bench.give(.start)
        let valid = workload.items.filter { $0.verified != nil }
        let height = ReplicaLimits.catchingUpBlocks + (isFar ? 1 : 0)
        let known = bench.subject(bench.block())
        let far = VoteSubject(height: height, header: known.header, logRoot: known.logRoot)
        let certificate = bench.certificate(.finalize(epoch: 0, view: 9, far))
        bench.give(.message(from: PeerID(1), .certificates([certificate])))
        #expect(bench.replica.isCatchingUp == isFar)
        let own = try answer(bench, [valid[0].envelope])
        #expect(own == [isFar ? .unavailable : .accepted])
        let gossip = bench.give(.gossiped(from: PeerID(2), [valid[1].envelope]))
        #expect(gossip.contains { if case .verify = $0 { true } else { false } } == !isFar)
    }

    /// A liar tells of a later epoch, which nobody can check before the blocks up to it are here.
    @Test func nobodyTalksAReplicaOutOfTakingTransactions() throws {
        let bench = Bench(workload: workload)
        bench.give(.start)
        let valid = workload.items.filter { $0.verified != nil }
        let boast = ReplicaStatus(
            epoch: 9, finalHeight: 1_000_000, finalView: 5, openView: 6, view: 6)
        bench.give(.message(from: PeerID(1), .status(boast)))
        #expect(bench.replica.isBehindEpochs && !bench.replica.isCatchingUp)
        #expect(try answer(bench, [valid[0].envelope]) == [.accepted])
    }

    /// Whoever was not heard of for a turn is passed over at once. To nullify is not enough: a validator that still
    /// catches up can do that, and cannot lead.
    @Test(arguments: [false, true]) func aSilentLeaderIsPassedOver(votesForBlocks: Bool) {
        let bench = Bench(workload: workload)
        let started = bench.give(.start)
        #expect(started.contains { if case .setTimer(.view, _) = $0 { true } else { false } })
        let subject = bench.subject(bench.block())
        for view: UInt64 in 1...5 {
            if votesForBlocks {
                bench.votes(.notarize(epoch: 0, view: view, subject), from: [2])
            }
            bench.votes(.nullify(epoch: 0, view: view), from: [2, 3])
            if bench.replica.view == view { bench.give(.timer(.view)) }
        }
        #expect(bench.replica.view == 6)
        #expect(bench.replica.simplex.leader(of: 6) == 2)
        let passed = bench.log.signed.filter { $0.kind == .nullify }
        #expect(passed.count == Set(passed).count)
        #expect(passed.contains(.nullify(epoch: 0, view: 6)) == !votesForBlocks)
    }
}
