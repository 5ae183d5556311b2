import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records

/// Votes and headers that validators who break the rules make.
extension TestChain {
    func certified(
        _ height: Int, view: UInt64? = nil, signers: [Int]? = nil
    ) -> CertifiedHeader {
        certified(blocks[height].header, view: view, signers: signers)
    }

    func certified(
        _ header: Header, view: UInt64? = nil, signers: [Int]? = nil
    ) -> CertifiedHeader {
        let statement = VoteStatement.finalize(
            epoch: header.epoch, view: view ?? header.height, VoteSubject(header, suite: suite))
        return CertifiedHeader(
            header: header, certificate: certificate(statement, signers: signers))
    }

    /// By the present validators.
    func certificate(_ statement: VoteStatement, signers: [Int]? = nil) -> Certificate {
        Certificate(
            statement: statement,
            signatures: (signers ?? Array(0..<validators.quorum)).map { index in
                let key = votingKeys[index]
                let bytes = statement.signedBytes(
                    chain: chain, suite: suite, keyID: key.publicKey.keyID)
                return CertificateSignature(validator: index, signature: key.sign(bytes))
            })
    }

    /// What this chain's newest log holds where a lower header's leaf must be.
    func leaf(at lower: Header, block: Int) -> LeafEvidence {
        let path = logPath(index: lower.logSize, size: blocks[block].header.logSize) ?? []
        // A block's first leaf is its parent's header; with empty blocks there is nothing else.
        let parent = blocks[Int(lower.logSize)].header
        return LeafEvidence(
            leaf: LogLeaf.header(parent.digest(suite), suite: suite), path: path)
    }

    /// Empty blocks, so that leaf n of the log is the header at height n.
    mutating func grow(_ count: Int) {
        for _ in 0..<count { append([]) }
    }

    static func members(_ suite: Suite) -> [TestMember] {
        [TestMember("91310000MA1FL00001", suite, 1)]
    }
}

/// Two chains of one genesis that are the same up to some height and then have other times.
struct Fork {
    let common: TestChain
    var left: TestChain
    var right: TestChain

    /// - Parameter height: of the last common block.
    init(_ suite: Suite, validators: Int = 4, height: Int = 3, epochs: Int = 0) {
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

    var verifier: Verifier { Verifier(genesis: common.genesis) }
    var trust: TrustedChain { TrustedChain(genesis: common.genesis) }
}

extension TrustStep {
    var chain: TrustedChain? {
        if case .trusted(let chain, _) = self { return chain }
        return nil
    }

    var evidence: ForkEvidence? {
        if case .fork(let evidence) = self { return evidence }
        return nil
    }

    var linkedTo: UInt64? {
        if case .trusted(_, let height) = self { return height }
        return nil
    }
}

/// Every prefix and a trailing byte are refused, and what is read is written the same again.
func decodesExactly<Value: CBORCodable & Equatable>(
    _ value: Value, limits: CBORLimits
) -> Bool {
    let bytes = value.encoded
    guard let again = try? Value.decode(bytes, limits: limits), again == value,
        again.encoded == bytes, (try? Value.decode(bytes + [0], limits: limits)) == nil
    else { return false }
    return (0..<bytes.count).allSatisfy {
        (try? Value.decode(Array(bytes.prefix($0)), limits: limits)) == nil
    }
}
