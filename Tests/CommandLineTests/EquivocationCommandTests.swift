import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Market
import Testing

/// `huijin validator report-equivocation`: what a node filed convicts the key, and nothing else is taken for a proof.
@Suite(.serialized) struct EquivocationCommandTests {
    /// A network of one validator, and votes that its node never cast.
    private struct Scene {
        let bench: Bench
        let genesis: Genesis
        let key: SigningKey
        let node: String

        init() throws {
            bench = try Bench()
            let network = try bench.makeNetwork()
            node = try #require(network["nodes"]?.list?.first?["api"]?.text)
            let folder = bench.folder
            genesis = try SetupFile.genesis(folder.appending(path: "net/genesis.cbor").path)
            let file = try Data(
                contentsOf: folder.appending(path: "net/nodes/node0/keys/voting.key"))
            key = try EncryptedKeyFile.open([UInt8](file), passphrase: Bench.passphrase)
            try bench.startNode()
        }

        var keyID: KeyID { key.publicKey.keyID }

        func vote(_ number: UInt8, signedBy signer: SigningKey? = nil) -> Vote {
            let digest = genesis.suite.digest([number])
            let statement = VoteStatement.notarize(
                epoch: 0, view: 7, VoteSubject(height: 1, header: digest, logRoot: digest))
            let message = statement.signedBytes(
                chain: genesis.chain, suite: genesis.suite, keyID: keyID)
            return Vote(
                statement: statement, validator: 0, signature: (signer ?? key).sign(message))
        }

        /// The file's form, whatever the votes are: `{1: voting key, 2: [vote, vote]}`.
        func encoded(_ votes: [Vote]) -> [UInt8] {
            var encoder = CBOREncoder()
            encoder.map(2)
            encoder.unsigned(1)
            encoder.value(keyID)
            encoder.unsigned(2)
            encoder.list(votes)
            return encoder.bytes
        }

        func report(_ bytes: [UInt8], expect: Int32) throws -> Outcome {
            try Data(bytes).write(to: bench.folder.appending(path: "proof.cbor"))
            return try report("proof.cbor", expect: expect)
        }

        func report(_ file: String, expect: Int32) throws -> Outcome {
            try bench.huijin(
                ["validator", "report-equivocation", file, "--output", "json"], as: "governor",
                expect: expect)
        }
    }

    @Test func aProofConvictsTheKeyOnce() async throws {
        let scene = try Scene()
        let pair = try #require(Equivocation(scene.vote(1), scene.vote(2)))
        let proof = ValidatorEquivocation(votingKey: scene.keyID, proof: pair)
        #expect(proof.encoded == scene.encoded([scene.vote(1), scene.vote(2)]))
        // Well formed, but another key signed the second vote: the ledger refuses it.
        let forged = scene.encoded([
            scene.vote(1), scene.vote(2, signedBy: .generate(scene.genesis.suite)),
        ])
        let refused = try scene.report(forged, expect: 1).json()
        #expect(refused["codeName"]?.text == "not-equivocation")

        let accepted = try scene.report(proof.encoded, expect: 0).json()
        #expect(accepted["codeName"]?.text == "accepted")
        let client = try HuijinClient(nodes: [scene.node], genesis: scene.genesis)
        let record = try await client.json("/v1/records/voting-key/\(scene.keyID.hex)")
        #expect(record["convictedHeight"]?.unsigned == accepted["height"]?.unsigned)
        #expect(record["convictedHeight"]?.unsigned != nil)
        #expect(record["conviction"]?.text == accepted["transaction"]?.text)

        let again = try scene.report(proof.encoded, expect: 1).json()
        #expect(again["codeName"]?.text == "already-convicted")
    }

    /// Nothing is submitted, and the complaint names the file in both languages.
    @Test func whatIsNoProofIsSaidToBeNone() throws {
        let scene = try Scene()
        let good = scene.encoded([scene.vote(1), scene.vote(2)])
        let equal = scene.encoded([scene.vote(1), scene.vote(1)])
        let bad: [[UInt8]] = [
            equal, scene.encoded([scene.vote(1)]), Array(good.dropLast()), good + [0], [],
            Array("equivocation".utf8),
        ]
        for bytes in bad {
            let outcome = try scene.report(bytes, expect: 65)
            #expect(outcome.complaint.contains("proof.cbor is no proof of equivocation"))
            #expect(outcome.complaint.contains("不是双签举证文件"))
            #expect(!outcome.output.contains("transaction"))
        }
        let reason = try scene.report(equal, expect: 65).complaint
        #expect(reason.contains("two votes that contradict one another"))
        let missing = try scene.report("nowhere.cbor", expect: 66)
        #expect(missing.complaint.contains("nowhere.cbor"))
    }
}
