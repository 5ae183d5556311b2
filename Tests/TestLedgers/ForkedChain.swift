import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records

/// Votes and headers that validators who break the rules make.
extension TestChain {
    package func certified(
        _ height: Int, view: UInt64? = nil, signers: [Int]? = nil
    ) -> CertifiedHeader {
        certified(blocks[height].header, view: view, signers: signers)
    }

    package func certified(
        _ header: Header, view: UInt64? = nil, signers: [Int]? = nil
    ) -> CertifiedHeader {
        let statement = VoteStatement.finalize(
            epoch: header.epoch, view: view ?? header.height, VoteSubject(header, suite: suite))
        return CertifiedHeader(
            header: header, certificate: certificate(statement, signers: signers))
    }

    /// By the present validators.
    package func certificate(_ statement: VoteStatement, signers: [Int]? = nil) -> Certificate {
        Certificate(
            statement: statement,
            signatures: (signers ?? Array(0..<validators.quorum)).map { index in
                let key = votingKeys[index]
                let bytes = statement.signedBytes(
                    chain: chain, suite: suite, keyID: key.publicKey.keyID)
                return CertificateSignature(validator: index, signature: key.sign(bytes))
            })
    }

    /// The header at that height in the log of a higher block.
    package func ancestor(_ height: Int, of block: Int) -> HeaderEvidence {
        let header = blocks[height].header
        let size = blocks[block].header.logSize
        return HeaderEvidence(
            header: header, path: logPath(index: header.logSize, size: size) ?? [])
    }

    /// Empty blocks.
    package mutating func grow(_ count: Int) {
        for _ in 0..<count { append([]) }
    }

    package static func members(_ suite: Suite) -> [TestMember] {
        [TestMember("91310000MA1FL00001", suite, 1)]
    }
}

/// Two chains of one genesis that are the same up to some height and then have other times.
package struct Fork {
    package let common: TestChain
    package var left: TestChain
    package var right: TestChain

    /// - Parameter height: of the last common block.
    package init(_ suite: Suite, validators: Int = 4, height: Int = 3, epochs: Int = 0) {
        var chain = TestChain(
            suite, validators: validators, members: TestChain.members(suite))
        for epoch in 0..<epochs {
            chain.changeEpoch(
                to: (0..<validators).map { TestChain.key(suite, 200 + 20 * epoch + $0) })
        }
        chain.grow(height - epochs)
        common = chain
        left = chain
        right = chain
        left.append([])
        right.append([], laterMs: 1)
    }

    package var verifier: Verifier { Verifier(genesis: common.genesis) }
    package var trust: TrustedChain { TrustedChain(genesis: common.genesis) }
}
