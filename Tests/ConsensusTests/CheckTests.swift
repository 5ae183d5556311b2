import Ledger
import LedgerCrypto
import Synchronization
import Testing

@testable import Consensus

/// Only what matters is checked, nothing twice, and what is forged is told from what is not needed.
@Suite struct CheckTests {
    private let fixture = Fixture()

    private func receive(_ vote: Vote, _ core: inout Simplex) -> String {
        switch core.check(vote) {
        case .valid(let verified):
            core.receive(verified)
            return "valid"
        case .unneeded: return "unneeded"
        case .forged: return "forged"
        }
    }

    private func receive(_ certificate: Certificate, _ core: inout Simplex) -> String {
        switch core.check(certificate) {
        case .valid(let verified):
            core.receive(verified)
            return "valid"
        case .unneeded: return "unneeded"
        case .forged: return "forged"
        }
    }

    private func forged(_ vote: Vote) -> Vote {
        Vote(
            statement: vote.statement, validator: vote.validator,
            signature: vote.signature.map { $0 ^ 1 })
    }

    /// A view of 7 validators costs each a quorum of checks less its own vote, for each of the two rounds.
    @Test func aViewCostsAQuorumOfChecks() {
        let fixture = Fixture(count: 7)
        var core = Simplex(
            authority: fixture.authority, seat: 0, final: fixture.genesis, recovered: [],
            standing: .voting)
        core.start()
        let subject = fixture.block(1)
        for statement in [fixture.notarize(1, subject), fixture.finalize(1, subject)] {
            core.receive(fixture.vote(statement, 0))
            let results = (1..<7).map { receive(fixture.vote(statement, $0).value, &core) }
            #expect(
                results == [String](repeating: "valid", count: 4) + ["unneeded", "unneeded"])
            let certificate = fixture.certificate(statement, Array(0..<5)).value
            #expect(receive(certificate, &core) == "unneeded")
        }
        #expect(core.signatureChecks == 8)
        #expect(core.book.final.view == 1)
    }

    @Test func knownVotesAreNotCheckedAgainWithinACertificate() {
        var core = fixture.core(seat: 0)
        let statement = fixture.notarize(1, fixture.block(1))
        core.receive(fixture.vote(statement, 0))
        #expect(receive(fixture.vote(statement, 2).value, &core) == "valid")
        #expect(core.signatureChecks == 1)
        #expect(receive(fixture.certificate(statement, [0, 2, 3]).value, &core) == "valid")
        #expect(core.signatureChecks == 2)
        #expect(core.view == 2)
    }

    /// A known vote vouches for its own bytes alone.
    @Test func whatIsForgedIsFound() {
        var core = fixture.core(seat: 0)
        let statement = fixture.notarize(1, fixture.block(1))
        let vote = fixture.vote(statement, 1).value
        #expect(receive(forged(vote), &core) == "forged")
        #expect(receive(vote, &core) == "valid")
        #expect(receive(forged(vote), &core) == "unneeded")
        let good = fixture.certificate(statement, [1, 2, 3]).value
        for bad in 0..<3 {
            var signatures = good.signatures
            signatures[bad] = CertificateSignature(
                validator: signatures[bad].validator,
                signature: signatures[bad].signature.map { $0 ^ 1 })
            let certificate = Certificate(statement: statement, signatures: signatures)
            #expect(receive(certificate, &core) == "forged", "\(bad)")
        }
        let few = Certificate(statement: statement, signatures: Array(good.signatures.prefix(2)))
        #expect(receive(few, &core) == "forged")
        // Another statement under the known votes' signatures.
        let other = Certificate(
            statement: fixture.notarize(1, fixture.block(1, "b")), signatures: good.signatures)
        #expect(receive(other, &core) == "forged")
        let late = VoteStatement.notarize(epoch: 1, view: 1, fixture.block(1))
        #expect(receive(forged(fixture.vote(late, 1).value), &core) == "unneeded")
        #expect(core.view == 1)
    }
}
