import Consensus
import Execution
import Ledger
import LedgerCrypto
import Mempool

@testable import Replica
@testable import Simulator

/// One replica on a bench: the test is its driver and all of its peers.
final class Bench {
    let workload: Workload
    let disk: SimulatedDisk
    let authority: VoteAuthority
    let seat: Int
    var replica: Replica<SimulatedDisk>
    var nowMs: UInt64
    /// Everything performed, in order.
    var log: [Effect] = []

    init(
        seat: Int = 0, workload: Workload, disk: SimulatedDisk? = nil,
        limits: MempoolLimits = MempoolLimits()
    ) {
        let disk =
            disk
            ?? SimulatedDisk(genesis: workload.genesis, state: GenesisState(workload.genesis))
        let secrets = workload.voteSecrets
        let suite = workload.genesis.suite
        authority = VoteAuthority(chain: workload.chain, validators: workload.genesis.validators) {
            $0.signature == Simulation.signature(secrets[$0.validator], $0.statement, suite)
        }
        self.workload = workload
        self.disk = disk
        self.seat = seat
        nowMs = workload.genesis.timeMs + 10_000
        answering = workload.genesis.validators.validators.indices.filter { $0 != seat }
        replica = Replica(
            genesis: workload.genesis, base: disk, recovered: disk.recovered(), seat: seat,
            limits: limits, authority: authority)
    }

    func vote(_ statement: VoteStatement, _ seat: Int) -> Vote {
        Vote(
            statement: statement, validator: seat,
            signature: Simulation.signature(
                workload.voteSecrets[seat], statement, workload.genesis.suite))
    }

    /// Peers that hold nothing of its votes, when it asks.
    var answering: [Int]

    /// Gives an input and performs what a driver performs at once: durable steps; and signs, when asked to.
    @discardableResult
    func give(_ input: Input, signing: Bool = true) -> [Effect] {
        let effects = replica.handle(input, nowMs: nowMs)
        var all = effects
        log += effects
        var statements: [VoteStatement] = []
        for effect in effects {
            switch effect {
            case .persist(let bodies, let votes, let certificates):
                disk.persist(bodies: bodies, votes: votes, certificates: certificates)
            case .commit(let commit): disk.commit(commit)
            case .broadcast(.heldVotesRequest(let epoch, let question)):
                for peer in answering {
                    let answer = HeldVotes(
                        epoch: epoch, question: question, finalization: nil, votes: [])
                    all += give(.message(from: PeerID(peer), .heldVotes(answer)), signing: signing)
                }
            case .sign(let statement): statements.append(statement)
            case .verify(let batch, let checks):
                all += give(
                    .verified(batch, checks.map { workload.verified($0.envelope) }),
                    signing: signing)
            case .broadcast, .send, .serveFinalBlocks, .serveEpochEnd, .setTimer, .cancelTimer,
                .answer, .evidence, .forgotten, .cutOff, .contradicted, .reconfigure, .halt:
                continue
            }
        }
        guard signing else { return all }
        for statement in statements {
            all += give(.signed(Verified(assumingValid: vote(statement, seat))))
        }
        return all
    }

    /// A peer's votes for a statement.
    @discardableResult
    func votes(_ statement: VoteStatement, from seats: [Int]) -> [Effect] {
        seats.flatMap { give(.message(from: PeerID($0), .votes([vote(statement, $0)]))) }
    }

    func certificate(_ statement: VoteStatement) -> Certificate {
        // Its own vote would have to be on record.
        let others = workload.genesis.validators.validators.indices.filter { $0 != seat }
        let votes = others.prefix(workload.genesis.validators.quorum).map {
            Verified(assumingValid: vote(statement, $0))
        }
        return Certificate.assemble(votes, quorum: votes.count).unsafelyUnwrapped.value
    }

    /// A block as an honest leader would make it on this bench's final state.
    func block(_ items: [Workload.Item] = [], timeMs: UInt64? = nil) -> Block {
        let state = ParentState(
            header: disk.header, headerDigest: disk.headerDigest, frontier: disk.frontier,
            base: disk)
        return Executor<SimulatedDisk>(genesis: workload.genesis).build(
            on: state, candidates: items.compactMap(\.verified), timeMs: timeMs ?? nowMs,
            replay: ReplayWindow()
        ).block
    }

    func subject(_ block: Block) -> VoteSubject {
        VoteSubject(block.header, suite: workload.genesis.suite)
    }

    /// A proposal whose transactions have reached this replica before.
    func proposal(_ block: Block, view: UInt64, parentView: UInt64 = 0) -> PeerMessage {
        spread(block)
        return unspreadProposal(block, view: view, parentView: parentView)
    }

    /// Gossip of a block's transactions.
    func spread(_ block: Block) {
        let envelopes = envelopes(block)
        if !envelopes.isEmpty { give(.gossiped(from: PeerID(3), envelopes)) }
    }

    func envelopes(_ block: Block) -> [Envelope] {
        block.entries.compactMap { entry in
            guard case .envelope(let bytes) = entry else { return nil }
            return try? Envelope(
                bytes: bytes, chain: workload.chain, suite: workload.genesis.suite)
        }
    }

    func unspreadProposal(
        _ block: Block, view: UInt64, parentView: UInt64 = 0
    ) -> PeerMessage {
        let leader = workload.genesis.validators.leader(view: view)
        let statement = VoteStatement.notarize(epoch: 0, view: view, subject(block))
        return .proposal(
            Proposal(
                vote: vote(statement, leader), parentView: parentView,
                outline: BlockOutline(block, suite: workload.genesis.suite), justification: []))
    }
}

extension [Effect] {
    var signed: [VoteStatement] {
        compactMap { if case .sign(let statement) = $0 { statement } else { nil } }
    }

    var commits: [Commit] {
        compactMap { if case .commit(let commit) = $0 { commit } else { nil } }
    }

    var broadcasts: [PeerMessage] {
        compactMap { if case .broadcast(let message) = $0 { message } else { nil } }
    }

    var halts: [ReplicaFault] {
        compactMap { if case .halt(let fault) = $0 { fault } else { nil } }
    }

    func sent(to seat: Int) -> [PeerMessage] {
        compactMap {
            if case .send(let peer, let message) = $0, peer.seat == seat { message } else { nil }
        }
    }
}
