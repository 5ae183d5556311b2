import Ledger
import LedgerCrypto
import Testing

@Suite struct CertificateTests {
    /// n − ⌊(n−1)/3⌋, and what it is for: two quorums share an honest validator.
    @Test func quorumsIntersectInAnHonestValidator() {
        for count in 1...100 {
            let faults = Quorum.faultsTolerated(count)
            let quorum = Quorum.size(count)
            #expect(3 * faults < count)
            #expect(3 * (faults + 1) >= count)
            #expect(2 * quorum - count > faults)
            #expect(quorum <= count - faults)
        }
    }

    @Test(arguments: Suite.allCases)
    func certificateNeedsAQuorumOfThisSet(suite: LedgerCrypto.Suite) throws {
        let fixture = try Fixture(suite: suite)
        let subject = VoteSubject(fixture.header, suite: suite)
        let statement = VoteStatement.finalize(epoch: 0, view: 3, subject)
        let votes = (0..<4).map { fixture.vote(statement, by: $0) }
        func certificate(_ votes: [Vote]) -> Certificate {
            Certificate(
                statement: statement,
                signatures: votes.map {
                    CertificateSignature(validator: $0.validator, signature: $0.signature)
                })
        }
        func isValid(_ certificate: Certificate, chain: ChainID? = nil) -> Bool {
            certificate.verified(
                chain: chain ?? fixture.chain, validators: fixture.validators) != nil
        }
        #expect(isValid(certificate(votes)))
        #expect(isValid(certificate(Array(votes[1...]))))
        #expect(!isValid(certificate(Array(votes[2...]))))
        #expect(!isValid(certificate([votes[0], votes[0], votes[1]])))
        #expect(!isValid(certificate(votes), chain: suite.digest([1])))
        let moved = Vote(statement: statement, validator: 2, signature: votes[3].signature)
        #expect(!isValid(certificate([votes[0], votes[1], moved])))
        let later = fixture.vote(.finalize(epoch: 0, view: 4, subject), by: 2)
        #expect(!isValid(certificate([votes[0], votes[1], later])))
        let verified = votes.compactMap {
            $0.verified(chain: fixture.chain, validators: fixture.validators)
        }
        #expect(Certificate.assemble(Array(verified[..<2]), quorum: 3) == nil)
        #expect(Certificate.assemble([verified[0], verified[0], verified[1]], quorum: 3) == nil)
        #expect(Certificate.assemble(verified, quorum: 3) != nil)
    }

    @Test func aVoteOfOneKindIsNoneOfAnother() throws {
        let fixture = try Fixture(suite: .ed25519SHA256)
        let subject = VoteSubject(fixture.header, suite: fixture.suite)
        let vote = fixture.vote(.notarize(epoch: 0, view: 3, subject), by: 1)
        for statement: VoteStatement in [
            .finalize(epoch: 0, view: 3, subject), .nullify(epoch: 0, view: 3),
            .notarize(epoch: 0, view: 4, subject), .notarize(epoch: 1, view: 3, subject),
        ] {
            let forged = Vote(statement: statement, validator: 1, signature: vote.signature)
            #expect(
                forged.verified(chain: fixture.chain, validators: fixture.validators) == nil)
        }
    }
}
