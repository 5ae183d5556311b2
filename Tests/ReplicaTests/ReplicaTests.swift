import Consensus
import Execution
import Ledger
import LedgerCrypto
import Mempool
import Records
import Testing

@testable import Replica
@testable import Simulator

/// What the driver may rely on, and what peers cannot make a replica do.
struct ReplicaTests {
    static let workload = Workload(validators: 4)
    static let alone = Workload(validators: 1)
    let workload = ReplicaTests.workload

    private var valid: [Workload.Item] { workload.items.filter { $0.verified != nil } }

    /// Seat 0 follows in view 1, whose leader is seat 1.
    private func follower() -> Bench {
        let bench = Bench(workload: workload)
        bench.give(.start)
        return bench
    }

    private func notarize(_ bench: Bench, _ block: Block, view: UInt64 = 1) -> VoteStatement {
        .notarize(epoch: 0, view: view, bench.subject(block))
    }

    // MARK: Order of effects

    @Test func votesArePersistedBeforeTheyAreSigned() {
        for seed: UInt64 in [5, 6] {
            var persisted: Set<VoteStatement> = []
            let bench = Bench(workload: ReplicaTests.alone)
            bench.give(.start)
            for index in 0..<6 {
                bench.nowMs += 100
                bench.give(.submitted(RequestID(seed), [valid(ReplicaTests.alone)[index].envelope]))
                bench.give(.timer(.heartbeat))
            }
            var bodies: Set<Digest> = []
            for effect in bench.log {
                switch effect {
                case .persist(let blocks, let votes, _):
                    persisted.formUnion(votes)
                    bodies.formUnion(blocks.map { bench.subject($0).header })
                case .sign(let statement):
                    #expect(persisted.contains(statement))
                    if statement.kind == .notarize, let subject = statement.subject {
                        #expect(bodies.contains(subject.header), "the body is durable first")
                    }
                case .commit(let commit):
                    #expect(bench.authority.verified(commit.finalization) != nil)
                default: continue
                }
            }
            #expect(bench.disk.height >= 6)
            #expect(bench.disk.stateRoot == bench.disk.header.stateRoot)
        }
    }

    private func valid(_ workload: Workload) -> [Workload.Item] {
        workload.items.filter { $0.verified != nil }
    }

    @Test func aSignedVoteLeavesOnlyAfterSigning() {
        let bench = follower()
        let block = bench.block([valid[0]])
        let effects = bench.give(
            .message(from: PeerID(1), bench.proposal(block, view: 1)), signing: false)
        #expect(effects.signed == [notarize(bench, block)])
        #expect(effects.broadcasts.isEmpty)
        let signed = Verified(assumingValid: bench.vote(notarize(bench, block), 0))
        #expect(bench.give(.signed(signed)).broadcasts == [.votes([signed.value])])
    }

    @Test func aBlockBecomesFinal() throws {
        let bench = follower()
        let block = bench.block([valid[0], valid[1]])
        let subject = bench.subject(block)
        bench.give(.message(from: PeerID(1), bench.proposal(block, view: 1)))
        let effects = bench.votes(notarize(bench, block), from: [2])
        #expect(effects.signed == [.finalize(epoch: 0, view: 1, subject)])
        #expect(bench.replica.view == 2)
        #expect(
            bench.disk.certificates.map(\.statement) == [notarize(bench, block)],
            "the notarization is durable with the finalize vote")
        let end = bench.votes(.finalize(epoch: 0, view: 1, subject), from: [1, 2])
        let commit = try #require(end.commits.first)
        #expect(commit.blocks.map(\.headerDigest) == [subject.header])
        #expect(bench.disk.height == 1)
        #expect(bench.replica.finalHeight == 1)
        // What it holds is the base now; the next block is executed on it.
        let next = bench.block([valid[2]], timeMs: bench.nowMs + 1)
        let on = bench.give(.message(from: PeerID(2), bench.proposal(next, view: 2, parentView: 1)))
        #expect(on.signed == [notarize(bench, next, view: 2)])
    }

    @Test func whoSkippedAViewIsKeptWithTheBlockAfterIt() throws {
        let bench = follower()
        let nullification = bench.certificate(.nullify(epoch: 0, view: 1))
        bench.give(.message(from: PeerID(1), .certificates([nullification])))
        let block = bench.block([valid[0]])
        bench.give(.message(from: PeerID(2), bench.proposal(block, view: 2)))
        bench.votes(notarize(bench, block, view: 2), from: [2, 3])
        let end = bench.votes(.finalize(epoch: 0, view: 2, bench.subject(block)), from: [1, 2])
        #expect(try #require(end.commits.first).skipped == [nullification])
    }

    /// Also by those who learn of the block from an answer to a question for final ones.
    @Test func whoSkippedAViewIsKeptWhileCatchingUp() throws {
        let bench = follower()
        let nullification = bench.certificate(.nullify(epoch: 0, view: 1))
        bench.give(.message(from: PeerID(1), .certificates([nullification])))
        let block = bench.block([valid[0]])
        let finalization = bench.certificate(.finalize(epoch: 0, view: 2, bench.subject(block)))
        let answer = bench.give(
            .message(
                from: PeerID(1),
                .finalBlocks([CertifiedBlock(block: block, finalization: finalization)])))
        #expect(answer.commits.map(\.skipped) == [[nullification]])
        #expect(bench.replica.finalHeight == 1)
    }

    // MARK: Restart

    @Test func aRestartSaysTheSameAndNothingElse() {
        let bench = follower()
        let block = bench.block([valid[0]])
        bench.give(.message(from: PeerID(1), bench.proposal(block, view: 1)), signing: false)
        // The crash comes between persisting and signing.
        let again = Bench(workload: workload, disk: bench.disk)
        let effects = again.give(.start)
        #expect(effects.signed == [notarize(again, block)])
        #expect(!effects.contains { if case .persist = $0 { true } else { false } })
        let other = again.block([valid[1]])
        let second = again.give(.message(from: PeerID(1), again.proposal(other, view: 1)))
        #expect(second.signed.isEmpty, "one notarize vote a view, restart or not")
        // The stored body can still become final here, without asking anybody.
        again.votes(notarize(again, block), from: [1, 2])
        let end = again.votes(.finalize(epoch: 0, view: 1, again.subject(block)), from: [1, 2, 3])
        #expect(end.commits.count == 1)
    }

    // MARK: What is refused

    @Test func noVoteForAWrongBlock() {
        let cases: [(String, (Bench) -> Block)] = [
            ("too far in the future", { $0.block(timeMs: $0.nowMs + 101) }),
            ("not after its parent", { altered($0.block()) { $0.timeMs = 1 } }),
            ("another state", { altered($0.block()) { $0.stateRoot = $0.parent } }),
            ("another log", { altered($0.block()) { $0.logRoot = $0.parent } }),
            ("another height", { altered($0.block()) { $0.height = 2 } }),
            ("other validators", { altered($0.block()) { $0.validators = $0.parent } }),
            ("another chain", { altered($0.block()) { $0.chain = $0.parent } }),
        ]
        for (what, make) in cases {
            let bench = follower()
            let block = make(bench)
            let effects = bench.give(.message(from: PeerID(1), bench.proposal(block, view: 1)))
            #expect(!effects.signed.contains { $0.kind == .notarize }, "\(what)")
        }
        let bench = follower()
        let honest = bench.block()
        let notLeader = PeerMessage.proposal(
            Proposal(
                vote: bench.vote(notarize(bench, honest), 2), parentView: 0,
                outline: BlockOutline(honest, suite: workload.genesis.suite), justification: []))
        #expect(bench.give(.message(from: PeerID(2), notLeader)).signed.isEmpty)
    }

    @Test func aBadSignatureInAProposalNullifiesAtOnce() throws {
        let broken = try #require(workload.items.first { $0.verified == nil })
        let good = follower().block([valid[0]])
        let bad = Block(header: good.header, entries: [.envelope(broken.bytes)])
        // Known to be badly signed before the proposal comes.
        let bench = follower()
        let effects = bench.give(.message(from: PeerID(1), bench.proposal(bad, view: 1)))
        #expect(effects.signed == [.nullify(epoch: 0, view: 1)])
        // Asked for, and then found to be.
        let asking = follower()
        let none = asking.give(
            .message(from: PeerID(1), asking.unspreadProposal(bad, view: 1)))
        #expect(none.signed.isEmpty)
        asking.give(.timer(.fetch))
        let found = asking.give(.gossiped(from: PeerID(1), asking.envelopes(bad)))
        #expect(found.signed == [.nullify(epoch: 0, view: 1)])
    }

    // MARK: Transactions that a proposal names

    private func requests(_ effects: [Effect]) -> [Int: [Digest]] {
        var requests: [Int: [Digest]] = [:]
        for case .send(let peer, .transactionsRequest(let digests)) in effects {
            requests[peer.seat] = digests
        }
        return requests
    }

    /// The proposer is asked for what is missing and for nothing else; after it another peer.
    @Test func missingTransactionsAreAskedFor() {
        let bench = follower()
        let block = bench.block([valid[0], valid[1], valid[2]])
        let envelopes = bench.envelopes(block)
        bench.give(.gossiped(from: PeerID(2), [envelopes[1]]))
        let proposal = bench.unspreadProposal(block, view: 1)
        let told = bench.give(.message(from: PeerID(1), proposal))
        #expect(told.signed.isEmpty && requests(told).isEmpty, "they may be on their way")
        let missing = [envelopes[0].digest, envelopes[2].digest]
        #expect(requests(bench.give(.timer(.fetch))) == [1: missing])
        bench.give(.gossiped(from: PeerID(1), [envelopes[2]]))
        let again = requests(bench.give(.timer(.fetch)))
        #expect(again.values.map { $0 } == [[missing[0]]])
        #expect(again[1] == nil, "now of somebody else")
        let complete = bench.give(.gossiped(from: PeerID(3), [envelopes[0]]))
        #expect(complete.signed == [notarize(bench, block)])
    }

    /// A full mempool does not keep a proposal's transactions out.
    @Test func whatTheMempoolRefusesIsStillChecked() {
        let bench = Bench(workload: workload, limits: MempoolLimits(countMax: 1))
        bench.give(.start)
        let block = bench.block([valid[0], valid[1]])
        let told = bench.give(.message(from: PeerID(1), bench.proposal(block, view: 1)))
        #expect(told.signed.isEmpty)
        bench.give(.timer(.fetch))
        let effects = bench.give(.gossiped(from: PeerID(1), bench.envelopes(block)))
        #expect(effects.signed == [notarize(bench, block)])
    }

    /// What was not asked for goes the usual way, and an outline that is not the header's is refused.
    @Test func anOutlineOfOtherEntriesIsRefused() {
        let bench = follower()
        let block = bench.block([valid[0], valid[1]])
        let other = Block(header: block.header, entries: block.entries.reversed())
        let effects = bench.give(.message(from: PeerID(1), bench.proposal(other, view: 1)))
        #expect(effects.signed == [.nullify(epoch: 0, view: 1)])
    }

    /// Under one certificate a peer gives another body than the block's, and then a second peer the block itself.
    private func expectOnly(
        _ block: Block, not tampered: Block, under finalization: Certificate, _ bench: Bench
    ) {
        let bad = bench.give(
            .message(
                from: PeerID(3),
                .finalBlocks([CertifiedBlock(block: tampered, finalization: finalization)])))
        #expect(bad.commits.isEmpty && bad.halts.isEmpty)
        let good = bench.give(
            .message(
                from: PeerID(2),
                .finalBlocks([CertifiedBlock(block: block, finalization: finalization)])))
        #expect(good.commits.count == 1)
    }

    /// A peer gives other entries under the header of a proposal that waits: they are not mistaken for the proposal's.
    @Test func entriesUnderAProposedHeaderAreNotTheProposals() {
        let bench = follower()
        let block = bench.block(timeMs: bench.nowMs + 150)
        bench.give(.message(from: PeerID(1), bench.proposal(block, view: 1)))
        let finalization = bench.certificate(
            .finalize(epoch: 0, view: 1, bench.subject(block)))
        let tampered = Block(header: block.header, entries: [.envelope(valid[0].bytes)])
        expectOnly(block, not: tampered, under: finalization, bench)
    }

    @Test func theLeaderServesWhatItProposed() throws {
        let bench = Bench(seat: 1, workload: workload)
        bench.give(.start)
        bench.give(.submitted(RequestID(1), [valid[0].envelope]))
        let unknown = workload.genesis.suite.digest([7])
        let request = PeerMessage.transactionsRequest([unknown, valid[0].envelope.digest])
        let answer: [PeerMessage] = [.requestedTransactions([valid[0].bytes])]
        #expect(bench.give(.message(from: PeerID(3), request)).sent(to: 3) == answer)
        let vain = PeerMessage.transactionsRequest([unknown])
        #expect(bench.give(.message(from: PeerID(2), vain)).sent(to: 2).isEmpty)
        // A peer that asks again and again is not answered each time.
        #expect(bench.give(.message(from: PeerID(3), request)).sent(to: 3).isEmpty)
        bench.nowMs += ReplicaLimits.statusPauseMs
        #expect(bench.give(.message(from: PeerID(3), request)).sent(to: 3) == answer)
    }

    /// A block that was certified before its transactions came is put together from its proposal.
    @Test func aCertifiedProposalIsCompletedWithoutItsBody() {
        let bench = follower()
        let block = bench.block([valid[0], valid[1]])
        bench.give(.message(from: PeerID(1), bench.unspreadProposal(block, view: 1)))
        bench.give(
            .message(from: PeerID(2), .certificates([bench.certificate(notarize(bench, block))])))
        #expect(bench.replica.view == 2)
        bench.spread(block)
        let subject = bench.subject(block)
        let end = bench.votes(.finalize(epoch: 0, view: 1, subject), from: [1, 2, 3])
        #expect(end.commits.first?.blocks.map(\.headerDigest) == [subject.header])
        #expect(
            bench.log.allSatisfy { if case .send(_, .blockRequest) = $0 { false } else { true } })
    }

    @Test func aLateClockIsWaitedFor() {
        let bench = follower()
        let block = bench.block(timeMs: bench.nowMs + 150)
        let early = bench.give(.message(from: PeerID(1), bench.proposal(block, view: 1)))
        #expect(early.signed.isEmpty)
        bench.nowMs += 60
        #expect(bench.give(.timer(.retry)).signed == [notarize(bench, block)])
    }

    @Test func equivocationIsReported() {
        let bench = follower()
        bench.give(.message(from: PeerID(1), bench.proposal(bench.block(), view: 1)))
        let other = bench.block([valid[0]])
        let effects = bench.give(.message(from: PeerID(1), bench.proposal(other, view: 1)))
        let evidence = effects.compactMap { effect -> Int? in
            if case .evidence(let pair) = effect { pair.first.validator } else { nil }
        }
        #expect(evidence == [1])
        #expect(effects.signed.isEmpty)
    }

    // MARK: Catching up

    /// A peer that gives a certified header with other entries under it is asked no more; another one is.
    @Test func aTamperedBodyIsThrownAway() {
        let bench = follower()
        let block = bench.block([valid[0], valid[1]])
        let subject = bench.subject(block)
        let finalization = bench.certificate(.finalize(epoch: 0, view: 1, subject))
        let told = bench.give(.message(from: PeerID(3), .certificates([finalization])))
        #expect(told.commits.isEmpty)
        #expect(bench.replica.view == 2)
        let asking = bench.give(.timer(.fetch))
        #expect((1...3).contains { asking.sent(to: $0).contains(.finalBlocksRequest(from: 1)) })
        let tampered = Block(header: block.header, entries: block.entries.reversed())
        expectOnly(block, not: tampered, under: finalization, bench)
        #expect(bench.disk.height == 1)
    }

    @Test func uncertifiedBlocksAreNotCommitted() {
        let bench = follower()
        let block = bench.block([valid[0]])
        let subject = bench.subject(block)
        let statement = VoteStatement.finalize(epoch: 0, view: 1, subject)
        let few = Certificate(
            statement: statement,
            signatures: Array(bench.certificate(statement).signatures.dropLast()))
        for certificate in [
            nil, few, bench.certificate(.notarize(epoch: 0, view: 1, subject)),
            bench.certificate(.finalize(epoch: 0, view: 1, bench.subject(bench.block()))),
        ] {
            let effects = bench.give(
                .message(
                    from: PeerID(2),
                    .finalBlocks([CertifiedBlock(block: block, finalization: certificate)])))
            #expect(effects.commits.isEmpty && effects.halts.isEmpty)
        }
    }

    /// A quorum vouches for a header to which the true body does not execute here: this state is wrong.
    @Test func aWrongStateStopsTheReplica() {
        let bench = follower()
        let block = altered(bench.block([valid[0]])) { $0.stateRoot = $0.parent }
        let finalization = bench.certificate(.finalize(epoch: 0, view: 1, bench.subject(block)))
        let effects = bench.give(
            .message(
                from: PeerID(2),
                .finalBlocks([CertifiedBlock(block: block, finalization: finalization)])))
        #expect(effects.commits.isEmpty)
        #expect(effects.halts.count == 1)
        #expect(bench.give(.timer(.view)).isEmpty, "nothing more after a halt")
    }

    @Test func aMissingNotarizedBlockIsAskedForByDigest() {
        let bench = follower()
        let block = bench.block([valid[0]])
        let subject = bench.subject(block)
        bench.give(
            .message(
                from: PeerID(2),
                .certificates([bench.certificate(.notarize(epoch: 0, view: 1, subject))])))
        let asking = bench.give(.timer(.fetch))
        let asked = (1...3).filter {
            asking.sent(to: $0).contains(.blockRequest(subject.header))
        }
        #expect(asked.count == 1)
        // Nobody asked for this one, or this peer.
        let other = bench.block([valid[1]])
        #expect(bench.give(.message(from: PeerID(asked[0]), .block(other))).signed.isEmpty)
        let unasked = asked[0] % 3 + 1
        #expect(bench.give(.message(from: PeerID(unasked), .block(block))).signed.isEmpty)
        let effects = bench.give(.message(from: PeerID(asked[0]), .block(block)))
        #expect(effects.signed == [.finalize(epoch: 0, view: 1, subject)])
        // And it can be given on.
        let answer = bench.give(.message(from: PeerID(3), .blockRequest(subject.header)))
        #expect(answer.sent(to: 3) == [.block(block)])
    }
}

private func altered(_ block: Block, _ change: (inout MutableHeader) -> Void) -> Block {
    var fields = MutableHeader(block.header)
    change(&fields)
    return Block(header: fields.header, entries: block.entries)
}

/// A header that a test may falsify.
struct MutableHeader {
    var chain, parent, logRoot, stateRoot, validators: Digest
    var height, timeMs, entryCount: UInt64
    let original: Header

    init(_ header: Header) {
        original = header
        chain = header.chain
        parent = header.parent
        logRoot = header.logRoot
        stateRoot = header.stateRoot
        validators = header.validators
        height = header.height
        timeMs = header.timeMs
        entryCount = header.entryCount
    }

    var header: Header {
        Header(
            chain: chain, height: height, epoch: original.epoch, parent: parent, timeMs: timeMs,
            logSize: original.logSize, logRoot: logRoot, stateRoot: stateRoot,
            resultsRoot: original.resultsRoot, entryCount: entryCount,
            validators: validators)
    }
}
