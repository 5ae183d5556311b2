import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import TestLedgers
import Testing

/// Who may say what is final, and whose signatures count.
@Suite struct CertificateTests {
    @Test(arguments: Suite.allCases) func onlyTheRightVotesCount(
        suite: LedgerCrypto.Suite
    ) throws {
        let fixture = Fixture(suite)
        let chain = fixture.chain
        let good = try fixture.history([.rights])
        func fault(_ certificate: Certificate) -> EvidenceFault? {
            var bundle = good
            bundle.certificate = certificate
            return problem(bundle, fixture.verifier)?.fault
        }
        let newest = chain.newest
        #expect(fault(chain.certificate(for: newest, signers: [0, 1, 3])) == nil)
        #expect(fault(chain.certificate(for: newest, signers: [0, 1, 2, 3])) == nil)
        #expect(
            fault(chain.certificate(for: newest, signers: [0, 3]))
                == .belowQuorum(signatures: 2, quorum: 3, validators: 4))
        #expect(fault(chain.certificate(for: newest, kind: .notarize)) == .notFinal)
        #expect(fault(chain.certificate(for: newest, kind: .nullify)) == .notAFinalization)
        let parent = try #require(chain.block(height: 4)?.header)
        #expect(fault(chain.certificate(for: parent)) == .otherHeaderCertified)

        let real = chain.certificate(for: newest)
        var signatures = real.signatures
        signatures[1] = CertificateSignature(validator: 3, signature: signatures[1].signature)
        #expect(
            fault(Certificate(statement: real.statement, signatures: signatures))
                == .badVote(validator: 3))
        // Nobody has certified what nobody signed.
        let unsigned = Certificate(
            statement: chain.certificate(for: newest, kind: .notarize).statement,
            signatures: real.signatures)
        #expect(fault(unsigned) == .badVote(validator: real.signatures[0].validator))
        // One signature counts once, in whatever order it is repeated.
        let twice = [real.signatures[0], real.signatures[1], real.signatures[1]]
        #expect(
            fault(Certificate(statement: real.statement, signatures: twice)) == .outOfOrder)
        signatures[1] = CertificateSignature(validator: 9, signature: signatures[1].signature)
        #expect(
            fault(Certificate(statement: real.statement, signatures: signatures))
                == .unknownValidator(9))
        // Signatures of the same validators over a notarization do not finalize.
        let notarized = chain.certificate(for: newest, kind: .notarize)
        #expect(
            fault(Certificate(statement: real.statement, signatures: notarized.signatures))
                == .badVote(validator: 0))
    }

    @Test func anotherGenesisProvesNothing() throws {
        let fixture = Fixture(.ed25519SHA256)
        let bundle = try fixture.history()
        let stranger = TestChain(.ed25519SHA256, name: "another", members: [fixture.provider])
        let found = try #require(problem(bundle, Verifier(genesis: stranger.genesis)))
        #expect(
            found
                == EvidenceProblem(
                    .bundle,
                    .otherLedger(found: fixture.chain.chain, expected: stranger.chain)))
        #expect(found.standing == .notProven)
        // Renaming the ledger in the bundle does not help: header and votes bind the chain.
        var renamed = bundle
        renamed.chain = stranger.chain
        #expect(
            problem(renamed, Verifier(genesis: stranger.genesis))?.fault == .otherChainInHeader)
    }

    @Test func theQuestionIsTheOneAsked() throws {
        let fixture = Fixture(.ed25519SHA256)
        let bundle = try fixture.history([.rights])
        #expect(throws: EvidenceProblem(.bundle, .otherQuestion)) {
            try fixture.verifier.verify(
                bundle, asked: [.assetHistory(asset: fixture.other, logs: [.rights])])
        }
        #expect(throws: EvidenceProblem(.bundle, .otherQuestion)) {
            try fixture.verifier.verify(
                bundle, asked: [.assetHistory(asset: fixture.asset, logs: [.rights, .trades])])
        }
    }

    @Test func aMembersKeyIsHeldToItsRecord() throws {
        // Revoked before it signed.
        var revoked = Fixture(.ed25519SHA256)
        revoked.alter { chain, before in
            var member = before.provider
            member.revokedHeight = 4
            chain.put(member.keyRecord)
            chain.append([])
        }
        let keyID = revoked.provider.key.publicKey.keyID
        #expect(
            problem(try revoked.history(), revoked.verifier)?.fault == .keyNotLive(keyID))
        // Revoked in the very block of its last use: the validators kept the order within the block.
        revoked.alter { chain, before in
            var member = before.provider
            member.revokedHeight = 5
            chain.put(member.keyRecord)
            chain.append([])
        }
        #expect(problem(try revoked.history(), revoked.verifier) == nil)
        // Another member's.
        var stolen = Fixture(.ed25519SHA256)
        stolen.alter { chain, before in
            let record = before.provider.keyRecord
            chain.put(
                KeyRecord(
                    keyID: record.keyID, member: before.buyer.id, publicKey: record.publicKey,
                    person: "maker", mandates: [.maker], registeredHeight: 0))
            chain.append([])
        }
        #expect(
            problem(try stolen.history(), stolen.verifier)?.fault == .otherMembersKey(keyID))
    }

    /// A quorum that certifies an entry nobody signed is caught, because the verifier checks the member itself.
    @Test func validatorsCannotInventASignature() throws {
        var fixture = Fixture(.ed25519SHA256)
        fixture.alter { chain, before in
            var step = chain.step(
                .offerPublish, by: before.provider,
                touching: [(before.asset, .rights, .member(before.provider.id))])
            guard case .envelope(var bytes) = step.entry else { return }
            bytes[bytes.count - 1] ^= 1
            step.entry = .envelope(bytes)
            chain.append([step])
        }
        let found = try #require(problem(try fixture.history(), fixture.verifier))
        #expect(found.fault == .badSignature(fixture.provider.key.publicKey.keyID))
        #expect(found.place == .entry(index: 7, height: 6, position: 0))
    }
}
