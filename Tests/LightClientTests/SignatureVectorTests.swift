import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import TestLedgers
import Testing

/// Signatures and keys on which libraries disagree (`Tests/Vectors/signatures.json`, made by signatures.py beside it with
/// arithmetic of its own), as the light client meets them: as a vote in a bundle and as a validator's key in a genesis.
/// LedgerCryptoTests asks the node's checks about the same.
@Suite struct SignatureVectorTests {
    struct Case: Decodable {
        let suite: String
        let name: String
        let publicKey: String
        let message: String
        let signature: String
        let decision: String
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Vectors")

    private static func cases(_ suite: LedgerCrypto.Suite) throws -> [Case] {
        let data = try Data(contentsOf: folder.appending(path: "signatures.json"))
        return try JSONDecoder().decode([Case].self, from: data).filter { $0.suite == suite.name }
    }

    /// Without a member's signature in it, so that its header is the same for ever, in suite 2 as well.
    private static func chain(_ suite: LedgerCrypto.Suite) -> TestChain {
        var chain = TestChain(suite, name: "signatures", members: [])
        chain.grow(2)
        return chain
    }

    /// After a change of the bundle's format; signatures.py then writes the cases anew.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["HUIJIN_WRITE_VECTORS"] == "signatures"))
    func write() throws {
        var text = "# suite, part, bytes: SignatureVectorTests\n"
        for suite in LedgerCrypto.Suite.allCases {
            let chain = Self.chain(suite)
            let bundle = try EvidenceBundle.header(height: 1, from: chain).encoded
            text += "\(suite.name) genesis \(Hex.encode(chain.genesis.encoded))\n"
            text += "\(suite.name) bundle \(Hex.encode(bundle))\n"
        }
        try Data(text.utf8).write(to: Self.folder.appending(path: "signature-bundle.hex"))
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func aBundleIsProvenExactlyByValidVotes(_ suite: LedgerCrypto.Suite) throws {
        let chain = Self.chain(suite)
        let good = try EvidenceBundle.header(height: 1, from: chain)
        let verifier = Verifier(genesis: chain.genesis)
        let key = chain.validators.validators[0].votingKey
        let signed = good.certificate.statement.signedBytes(
            chain: chain.chain, suite: suite, keyID: key.keyID)
        var decided = 0
        for item in try Self.cases(suite) where Hex.decode(item.publicKey) == key.bytes {
            let signature = try #require(Hex.decode(item.signature))
            // Otherwise the vectors are of another bundle and prove nothing about this one.
            guard Hex.decode(item.message) == signed else { continue }
            var bundle = good
            var votes = good.certificate.signatures
            votes[0] = CertificateSignature(validator: 0, signature: signature)
            bundle.certificate = Certificate(
                statement: good.certificate.statement, signatures: votes)
            let isProven = (try? verifier.verify(bundle.encoded)) != nil
            #expect(isProven == (item.decision == "valid"), "\(item.name)")
            decided += 1
        }
        #expect(decided >= 20)
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func aGenesisHoldsNoKeyThatIsRefused(_ suite: LedgerCrypto.Suite) throws {
        let genesis = Self.chain(suite).genesis
        let key = genesis.validators.validators[0].votingKey.bytes
        let encoded = genesis.encoded
        let start = try #require(
            (0..<encoded.count - key.count).first { encoded[$0...].starts(with: key) })
        for item in try Self.cases(suite) {
            let other = try #require(Hex.decode(item.publicKey))
            guard other.count == key.count else {
                #expect(item.decision == "key refused")
                continue
            }
            var changed = encoded
            changed.replaceSubrange(start..<start + key.count, with: other)
            let isRead = (try? Genesis.decode(changed, limits: LedgerLimits.genesis)) != nil
            #expect(isRead == (item.decision != "key refused"), "\(item.name)")
        }
    }
}
