import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Market
import Testing

/// `huijin fork`: what a node holds of a view names the validator that certified another history.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ForkCommandTests {
    /// The only validator's key signs a second history, in an earlier view than it had for that height.
    @Test func aNodeNamesWhoMadeTheFork() async throws {
        let bench = try Bench()
        let network = try bench.makeNetwork()
        let node = try #require(network["nodes"]?.list?.first?["api"]?.text)
        let folder = bench.folder
        let genesis = try SetupFile.genesis(folder.appending(path: "net/genesis.cbor").path)
        let file = try Data(contentsOf: folder.appending(path: "net/nodes/node0/keys/voting.key"))
        let key = try EncryptedKeyFile.open([UInt8](file), passphrase: Bench.passphrase)
        try bench.startNode()
        try bench.huijin(
            ["audit", "header", "2", "--genesis", "net/genesis.cbor", "--out", "b", "--node", node])
        let client = try HuijinClient(nodes: [node], genesis: genesis)
        let bundle = try await client.bundle(.header(height: 2, digest: nil))
        guard case .certified(let certified, _) = try EvidenceBundle.decode(bundle.bytes).head
        else {
            Issue.record("a node certifies its bundles")
            return
        }
        func signed(_ header: Header, view: UInt64) -> CertifiedHeader {
            let statement = VoteStatement.finalize(
                epoch: 0, view: view, VoteSubject(header, suite: genesis.suite))
            let bytes = statement.signedBytes(
                chain: genesis.chain, suite: genesis.suite, keyID: key.publicKey.keyID)
            return CertifiedHeader(
                header: header,
                certificate: Certificate(
                    statement: statement,
                    signatures: [CertificateSignature(validator: 0, signature: key.sign(bytes))]))
        }
        func evidence(_ view: UInt64) throws -> [UInt8] {
            let real = certified.header
            let other = Header(
                chain: real.chain, height: real.height, epoch: real.epoch, parent: real.parent,
                timeMs: real.timeMs + 1, logSize: real.logSize, logRoot: real.logRoot,
                stateRoot: real.stateRoot, resultsRoot: real.resultsRoot,
                entryCount: real.entryCount, validators: real.validators,
                nextValidators: real.nextValidators)
            let trust = TrustedChain(genesis: genesis)
            guard case .trusted(let known, _) = try trust.advance(to: certified),
                case .fork(let fork) = try known.advance(to: signed(other, view: view))
            else { throw CancellationError() }
            return fork.encoded
        }
        func fork(_ file: String, _ more: [String] = [], expect status: Int32) throws -> Outcome {
            try bench.huijin(
                ["fork", file, "--genesis", "net/genesis.cbor", "--node", node] + more
                    + ["--output", "json"], expect: status)
        }

        // The view of another block, of which the node holds the finalization.
        try Data(try evidence(certified.certificate.view - 1)).write(
            to: folder.appending(path: "trust.fork-1"))
        let named = try fork("trust.fork-1", ["--out", "full"], expect: 0).json()
        let signer = try #require(named["doubleSigners"]?.list?.first)
        #expect(signer["votingKey"]?.text == key.publicKey.keyID.hex)
        let report = try bench.run(
            "huijin-verify", ["fork", "full", "--genesis", "net/genesis.cbor"], expect: 0)
        #expect(report.output.contains(key.publicKey.keyID.hex))
        // It is complete, and the file is there.
        _ = try fork("full", ["--out", "more"], expect: 64)
        _ = try fork("trust.fork-1", ["--out", "full"], expect: 73)
        // Two starts; and a trust file of another ledger is named.
        let two = ["--trust", "kept", "--checkpoint", "c", "--accept", "00", "--out", "x"]
        _ = try fork("trust.fork-1", two, expect: 64)
        let other = GenesisBuilder(suite: genesis.suite).genesis(
            name: "another", timeMs: 1, parameters: genesis.parameters,
            validators: genesis.validators)
        try Data(TrustedChain(genesis: other).encoded).write(
            to: folder.appending(path: "other"))
        let complaint = try fork(
            "trust.fork-1", ["--trust", "other", "--out", "x"], expect: 78
        ).complaint
        #expect(complaint.contains("other: ") && complaint.contains(other.chain.hex))
        // A view that nobody was in; a node that is away; what is no evidence, and what is false.
        try Data(try evidence(1 << 50)).write(to: folder.appending(path: "later"))
        _ = try fork("later", ["--out", "x"], expect: 2)
        let away = ["fork", "trust.fork-1", "--genesis", "net/genesis.cbor", "--out", "x"]
        try bench.huijin(away + ["--node", "http://127.0.0.1:1"], expect: 69)
        _ = try fork("net/genesis.cbor", ["--out", "x"], expect: 65)
        _ = try fork("none", ["--out", "x"], expect: 66)
        var bytes = try evidence(certified.certificate.view - 1)
        bytes[bytes.count - 10] ^= 1
        try Data(bytes).write(to: folder.appending(path: "false"))
        _ = try fork("false", ["--out", "x"], expect: 65)
    }
}
