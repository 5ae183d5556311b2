import Consensus
import Ledger
import LedgerCrypto
import Testing

@testable import Replica
@testable import Simulator

/// Whoever sends what no honest replica sends is named to the driver; nobody else is.
@Suite struct CulpritTests {
    private func culprits(_ effects: [Effect]) -> [String] {
        effects.compactMap {
            if case .cutOff(let peer, let offence) = $0 { "\(peer) \(offence)" } else { nil }
        }
    }

    private func forged(_ vote: Vote) -> Vote {
        Vote(
            statement: vote.statement, validator: vote.validator,
            signature: vote.signature.map { $0 ^ 1 })
    }

    @Test func forgersAreNamedOnceForAMessage() throws {
        let bench = Bench(workload: ReplicaTests.workload)
        bench.give(.start)
        let vote = bench.vote(.nullify(epoch: 0, view: 1), 2)
        // Whosever vote it is: who sent it answers for it.
        #expect(
            culprits(bench.give(.message(from: PeerID(3), .votes([forged(vote), forged(vote)]))))
                == ["v3 forgedVote"])
        #expect(culprits(bench.give(.message(from: PeerID(2), .votes([vote])))).isEmpty)
        let later = bench.vote(.nullify(epoch: 7, view: 1), 2)
        #expect(culprits(bench.give(.message(from: PeerID(2), .votes([forged(later)])))).isEmpty)

        let good = bench.certificate(.nullify(epoch: 0, view: 2))
        let bad = Certificate(
            statement: .nullify(epoch: 0, view: 3), signatures: good.signatures)
        #expect(
            culprits(bench.give(.message(from: PeerID(1), .certificates([bad, bad]))))
                == ["v1 forgedCertificate"])
        let guest = PeerID(PeerID.guestsFrom + 4)
        #expect(
            culprits(bench.give(.message(from: guest, .certificates([bad]))))
                == ["g4 forgedCertificate"])
        #expect(culprits(bench.give(.message(from: PeerID(1), .certificates([good])))).isEmpty)
    }

    @Test func aForgedProposalNamesItsSender() throws {
        let bench = Bench(workload: ReplicaTests.workload)
        bench.give(.start)
        guard case .proposal(let proposal) = bench.proposal(bench.block(), view: 1) else { return }
        let forgery = Proposal(
            vote: forged(proposal.vote), parentView: 0, outline: proposal.outline, justification: []
        )
        #expect(
            culprits(bench.give(.message(from: PeerID(2), .proposal(forgery))))
                == ["v2 forgedVote"])
        let unfounded = Proposal(
            vote: proposal.vote, parentView: 0, outline: proposal.outline,
            justification: [
                Certificate(statement: .nullify(epoch: 0, view: 4), signatures: [])
            ])
        #expect(
            culprits(bench.give(.message(from: PeerID(3), .proposal(unfounded))))
                == ["v3 forgedCertificate"])
    }

    @Test func forgedTransactionsNameWhoPassedThemOn() throws {
        let workload = ReplicaTests.workload
        let bench = Bench(workload: workload)
        bench.give(.start)
        let envelope = try #require(workload.items.first?.envelope)
        let effects = bench.replica.handle(
            .gossiped(from: PeerID(2), [envelope]), nowMs: bench.nowMs)
        let batch = effects.compactMap { effect -> BatchID? in
            if case .verify(let batch, _) = effect { batch } else { nil }
        }
        let verdict = bench.replica.handle(
            .verified(try #require(batch.first), [nil]), nowMs: bench.nowMs)
        #expect(culprits(verdict) == ["v2 forgedTransaction"])
        // A client's own bad signature is between it and its node.
        let submitted = bench.replica.handle(
            .submitted(RequestID(1), [envelope]), nowMs: bench.nowMs)
        #expect(culprits(submitted).isEmpty)
    }
}
