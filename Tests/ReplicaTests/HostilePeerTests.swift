import Consensus
import Execution
import Ledger
import LedgerCrypto
import Testing

@testable import Replica
@testable import Simulator

/// What one peer that does not follow the protocol sends holds nobody up.
@Suite struct HostilePeerTests {
    private let workload = ReplicaTests.workload
    private var items: [Workload.Item] { workload.items.filter { $0.verified != nil } }

    private func follower() -> Bench {
        let bench = Bench(workload: workload)
        bench.give(.start)
        return bench
    }

    private func notarize(_ bench: Bench, _ block: Block) -> VoteStatement {
        .notarize(epoch: 0, view: 1, bench.subject(block))
    }

    /// The seats that are asked for a block in the next so many rounds of the fetch timer.
    private func asked(
        for header: Digest, rounds: Int, _ bench: Bench, between: () -> Void = {}
    ) -> [Int] {
        (0..<rounds).flatMap { _ in
            between()
            let effects = bench.give(.timer(.fetch))
            return (1...3).filter { effects.sent(to: $0).contains(.blockRequest(header)) }
        }
    }

    /// Epoch and view come before any signature is looked at.
    @Test(arguments: [0, 1, UInt64.max], [UInt64.max, UInt64.max - 63, 1 << 63])
    func votesOfTheLastViewsThereAreAreNothing(_ epoch: UInt64, _ view: UInt64) {
        let bench = follower()
        let subject = bench.subject(bench.block())
        let heard = bench.replica.heardInView
        for statement in [
            VoteStatement.notarize(epoch: epoch, view: view, subject),
            .finalize(epoch: epoch, view: view, subject), .nullify(epoch: epoch, view: view),
        ] {
            bench.give(.message(from: PeerID(3), .votes([bench.vote(statement, 3)])))
        }
        #expect(bench.replica.view == 1 && bench.replica.heardInView == heard)
    }

    @Test(arguments: [1, PeerID.guestsFrom])
    func whoSaysItHasMoreIsNotTheOnlyOneAsked(_ boaster: Int) {
        let bench = follower()
        let block = bench.block([items[0]])
        let notarization = bench.certificate(notarize(bench, block))
        bench.give(.message(from: PeerID(2), .certificates([notarization])))
        let boast = PeerMessage.status(
            ReplicaStatus(epoch: 0, finalHeight: 1 << 60, finalView: 0, openView: 1, view: 1))
        let seats = asked(for: bench.subject(block).header, rounds: 6, bench) {
            bench.nowMs += 50
            bench.give(.message(from: PeerID(boaster), boast))
        }
        #expect(Set(seats).isSuperset(of: [2, 3]), "\(seats)")
    }

    /// What catching up across epochs waits for is not over because another is where this replica is.
    @Test func aPeerInThisEpochDoesNotEndTheSearchForTheNext() {
        let bench = follower()
        func status(epoch: UInt64, height: UInt64) -> PeerMessage {
            .status(
                ReplicaStatus(
                    epoch: epoch, finalHeight: height, finalView: 0, openView: 1, view: 1))
        }
        bench.give(.message(from: PeerID(2), status(epoch: 1, height: 9)))
        bench.give(.message(from: PeerID(1), status(epoch: 0, height: 0)))
        let effects = bench.give(.timer(.fetch))
        #expect(effects.sent(to: 2).contains(.finalBlocksRequest(from: 1)))
    }

    /// A leader names a parent that nobody ever saw, and sends it and its ancestors, which it made up from the top.
    @Test func blocksThatNobodyAskedForAreNotKept() {
        let bench = follower()
        let suite = workload.genesis.suite
        let genuine = bench.block([items[0]]).header
        func child(of parent: Digest, height: UInt64) -> Block {
            var fields = MutableHeader(genuine)
            fields.parent = parent
            fields.height = height
            return Block(header: fields.header, entries: [])
        }
        var junk: [Block] = []
        var parent = suite.digest([1])
        for height in 100..<120 {
            junk.append(child(of: parent, height: UInt64(height)))
            parent = junk[junk.count - 1].header.digest(suite)
        }
        let proposed = child(of: parent, height: 120)
        bench.give(.message(from: PeerID(1), bench.unspreadProposal(proposed, view: 1)))
        for block in junk.reversed() { bench.give(.message(from: PeerID(1), .block(block))) }
        #expect(bench.replica.tree.nodes.isEmpty)
    }

    /// The genuine header, and its entries in another order: executed once, then the body is asked for.
    @Test func aFalseOutlineIsExecutedOnce() throws {
        let bench = follower()
        let block = bench.block([items[0], items[1]])
        let header = bench.subject(block).header
        let other = Block(header: block.header, entries: block.entries.reversed())
        let told = bench.give(.message(from: PeerID(1), bench.proposal(other, view: 1)))
        #expect(told.signed == [.nullify(epoch: 0, view: 1)])
        bench.votes(notarize(bench, block), from: [1, 2, 3])
        #expect(bench.replica.proposals[1]?.isRefuted == true)
        #expect(!bench.replica.hasExecuted(header) && bench.replica.tree[header] == nil)
        let seat = try #require(asked(for: header, rounds: 1, bench).first)
        bench.give(.message(from: PeerID(seat), .block(block)))
        #expect(bench.replica.hasExecuted(header))
        let end = bench.votes(
            .finalize(epoch: 0, view: 1, bench.subject(block)), from: [1, 2, 3])
        #expect(end.commits.count == 1)
    }

    /// Whoever lacks the blocks that one certificate makes final gets them in one message.
    @Test func bytesThatAreNotFinalAreCounted() throws {
        let bench = follower()
        let block = bench.block([items[0], items[1]])
        bench.give(.message(from: PeerID(1), bench.proposal(block, view: 1)))
        bench.votes(notarize(bench, block), from: [1, 2])
        let state = try #require(bench.replica.parentState(bench.subject(block).header))
        let bytes = UInt64(items[0].bytes.count + items[1].bytes.count)
        #expect(bench.replica.holdsMore(than: bytes - 1, state))
        #expect(!bench.replica.holdsMore(than: bytes + 100, state))
        bench.votes(.finalize(epoch: 0, view: 1, bench.subject(block)), from: [1, 2])
        bench.give(.timer(.retry))
        let final = try #require(bench.replica.parentState(bench.replica.finalDigest))
        #expect(bench.replica.finalHeight == 1 && !bench.replica.holdsMore(than: 0, final))
    }

    /// However many blocks are not final: what the ledger does by itself is in each of them until it is done.
    @Test(arguments: [false, true])
    func aDeepBranchMayStillHoldAutomaticActions(_ isAutomatic: Bool) throws {
        let bench = follower()
        let executor = Executor<SimulatedDisk>(genesis: workload.genesis)
        let validators = workload.genesis.validators
        var parent = bench.disk.headerDigest
        var (view, parentView): (UInt64, UInt64) = (1, 0)
        for _ in 0..<ReplicaLimits.votedBlocksDepthMax {
            let state = try #require(bench.replica.parentState(parent))
            if validators.leader(view: view) == 0 {
                let nullification = bench.certificate(.nullify(epoch: 0, view: view))
                bench.give(.message(from: PeerID(2), .certificates([nullification])))
                view += 1
            }
            let block = executor.build(
                on: state, candidates: [], timeMs: state.header.timeMs + 1, replay: ReplayWindow()
            ).block
            bench.give(
                .message(
                    from: PeerID(2),
                    bench.unspreadProposal(block, view: view, parentView: parentView)))
            let subject = bench.subject(block)
            let notarization = bench.certificate(.notarize(epoch: 0, view: view, subject))
            bench.give(.message(from: PeerID(2), .certificates([notarization])))
            parent = subject.header
            parentView = view
            view += 1
        }
        let state = try #require(bench.replica.parentState(parent))
        #expect(state.layers.count == ReplicaLimits.votedBlocksDepthMax)
        // It does not execute to its header; but only what is executed at all is refused.
        let entry: Entry =
            isAutomatic
            ? .automatic(AutomaticAction(kind: 0, deadlineMs: 1, subject: parent))
            : .envelope(items[0].bytes)
        let block = executor.build(
            on: state, candidates: [], timeMs: state.header.timeMs + 1, replay: ReplayWindow()
        ).block
        var fields = MutableHeader(block.header)
        fields.entryCount = 1
        let proposal = bench.proposal(
            Block(header: fields.header, entries: [entry]), view: view, parentView: parentView)
        bench.give(.message(from: PeerID(validators.leader(view: view)), proposal))
        #expect(bench.replica.proposals[view]?.isRefuted == isAutomatic)
    }

    /// A third, a fourth … block of one leader for one view is not looked at.
    @Test func aLeaderThatContradictsItselfIsHeardTwice() {
        let bench = follower()
        for index in 0..<4 {
            let block = bench.block([items[index]])
            bench.give(.message(from: PeerID(1), bench.unspreadProposal(block, view: 1)))
        }
        #expect(bench.replica.simplex.signatureChecks == 2)
    }

    /// Blocks that come together are made durable together, each with its certificate.
    @Test func anAnswerOfManyBlocksIsOneCommit() throws {
        let source = follower()
        var blocks: [CertifiedBlock] = []
        for view in 1...3 {
            source.nowMs += 10
            let block = source.block([items[view]])
            let certificate = source.certificate(
                .finalize(epoch: 0, view: UInt64(view), source.subject(block)))
            blocks.append(CertifiedBlock(block: block, finalization: certificate))
            source.give(.message(from: PeerID(2), .finalBlocks([blocks[view - 1]])))
        }
        #expect(source.log.commits.count == 3)
        let bench = follower()
        bench.nowMs = source.nowMs
        let commits = bench.give(.message(from: PeerID(2), .finalBlocks(blocks))).commits
        #expect(commits.map(\.blocks.count) == [3])
        #expect(commits.first?.finalization == blocks[2].finalization)
        #expect(commits.first?.earlier == blocks.prefix(2).compactMap(\.finalization))
        #expect(bench.disk.stateRoot == source.disk.stateRoot)
    }

    /// Only the last of many blocks has a certificate, as when a peer leaves the others out: each is executed once, on a state that
    /// grows where it is.
    @Test func manyBlocksUnderOneCertificateAreTaken() throws {
        let source = follower()
        var blocks: [CertifiedBlock] = []
        for view in 1...300 {
            source.nowMs += 10
            // Most change nothing.
            let block = source.block(view % 40 == 0 ? [items[view / 40]] : [])
            let certificate = source.certificate(
                .finalize(epoch: 0, view: UInt64(view), source.subject(block)))
            blocks.append(CertifiedBlock(block: block, finalization: certificate))
            source.give(.message(from: PeerID(2), .finalBlocks([blocks[view - 1]])))
        }
        let stripped =
            blocks.dropLast().map { CertifiedBlock(block: $0.block, finalization: nil) }
            + blocks.suffix(1)
        let bench = follower()
        bench.nowMs = source.nowMs
        let commits = bench.give(.message(from: PeerID(2), .finalBlocks(stripped))).commits
        #expect(commits.map(\.blocks.count) == [300])
        #expect(bench.disk.stateRoot == source.disk.stateRoot)
        #expect(bench.disk.headerDigest == source.disk.headerDigest)
    }

    /// Transactions in more blocks under one certificate than any voter lets become final together are not even looked at.
    @Test(arguments: [0, 1])
    func tooManyFilledBlocksUnderOneCertificateAreLeft(_ beyond: Int) {
        let bench = follower()
        let first = bench.block().header
        var blocks: [Block] = []
        for number in 0..<ReplicaLimits.filledBlocksMax + beyond {
            let header = Header(
                chain: first.chain, height: first.height + UInt64(number), epoch: 0,
                parent: blocks.last.map { bench.subject($0).header } ?? first.parent,
                timeMs: first.timeMs + UInt64(number), logSize: first.logSize,
                logRoot: first.logRoot, stateRoot: first.stateRoot, resultsRoot: first.resultsRoot,
                entryCount: 1, validators: first.validators)
            blocks.append(Block(header: header, entries: [.envelope([0x40])]))
        }
        let last = blocks.count - 1
        let certificate = bench.certificate(
            .finalize(epoch: 0, view: 1, bench.subject(blocks[last])))
        let answer = blocks.enumerated().map { index, block in
            CertifiedBlock(block: block, finalization: index == last ? certificate : nil)
        }
        let effects = bench.give(.message(from: PeerID(2), .finalBlocks(answer)))
        #expect(bench.replica.simplex.book.final.view == (beyond == 0 ? 1 : 0))
        #expect(effects.commits.isEmpty)
    }
}
