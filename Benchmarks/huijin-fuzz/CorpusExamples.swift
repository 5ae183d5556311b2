import Encoding
import Foundation
import FuzzKit
import Ledger
import LedgerCrypto
import LightClient
import Market
import Merkle
import Records
import Storage

/// A valid input or a few for every target.
struct CorpusExamples {
    private(set) var corpus = Corpus()

    /// - Parameter vectors: the folder of golden vectors, for records and snapshots.
    init(vectors: String) throws {
        try addGround()
        addLedger()
        try addLightClient()
        try addVectors(vectors)
        addBodies()
    }

    private mutating func add(_ name: String, _ inputs: [UInt8]...) {
        for input in inputs { corpus.add(name, input) }
    }

    private mutating func addGround() throws {
        let suite = LedgerCrypto.Suite.ed25519SHA256
        let samples = Samples(suite)
        add("value", samples.envelope, samples.transaction.encoded)
        for suite in LedgerCrypto.Suite.allCases {
            let samples = Samples(suite)
            add("public-key", samples.memberKey.publicKey.encoded)
            add("encryption-key", EncryptionKey.generate(suite).publicKey.encoded)
        }
        add("cose-sign1", samples.envelope)
        var map = MemoryMap(suite: suite)
        let changes = (0..<9).map {
            MapChange(key: suite.digest([$0]), valueHash: suite.digest([1]))
        }
        for layer in MapOverlay(base: map).applying(changes.sorted { $0.key < $1.key }).layers {
            map.commit(layer)
        }
        for key in [changes[3].key, suite.digest([77])] {
            add("map-proof", MapOverlay(base: map).proof(for: key).proof.encoded)
        }
        var frontier = LogFrontier()
        for leaf in changes { frontier.append(leafHash: leaf.key, suite: suite) }
        add("log-frontier", frontier.encoded)
        let cost = KeyDerivationCost(operations: 1, memoryKiB: 8)
        add(
            "key-file",
            try EncryptedKeyFile.seal(
                samples.memberKey, label: "fuzz", passphrase: "fuzz", cost: cost))
        add("base64url", Array("SGVsbG8-_w".utf8))
        add("hex", Array("00ff5a".utf8))
    }

    private mutating func addLedger() {
        let samples = Samples(.ed25519SHA256)
        add("header", samples.header.encoded)
        add("block", samples.block.encoded)
        add("transaction", samples.transaction.encoded)
        add("certificate", samples.certificate.encoded)
        add("validator-set", samples.genesis.validators.encoded)
        add("genesis", samples.genesis.encoded, Samples(.sm2SM3).genesis.encoded)
        for vote in samples.votes { add("vote", vote.encoded) }
        if let equivocation = samples.equivocation { add("equivocation", equivocation.encoded) }
        for message in samples.messages { add("peer-message", message.encoded) }
        // Of each form one, written as docs/wire-format.md has them.
        let name = [CBORValue.unsigned(5), .bytes(Digest.zero.bytes)]
        let forms: [(UInt64, [CBORValue])] = [
            (16, []), (17, [.unsigned(1), .unsigned(9), .array([.array(name)])]),
            (18, name + [.unsigned(2)]), (19, name + [.unsigned(2), .bytes([1, 2])]),
            (22, name + [.unsigned(3)]),
        ]
        for (tag, content) in forms {
            add("snapshot-message", CBORValue.array([.unsigned(tag), .array(content)]).encoded)
        }
        for suite in LedgerCrypto.Suite.allCases {
            let samples = Samples(suite)
            add("envelope-\(suite.name)", samples.envelope, samples.batch[1])
            add("request-\(suite.name)", samples.requestHeader)
        }
    }

    private mutating func addLightClient() throws {
        for suite in LedgerCrypto.Suite.allCases {
            let samples = VerifierSamples(suite)
            let bundles = try samples.bundles()
            for bundle in bundles {
                add("verifier-\(suite.name)", bundle)
                add("following-\(suite.name)", bundle)
            }
            let note = try WitnessSample(suite, bundle: bundles[0]).note
            add("log-note", note)
            add("witness-\(suite.name)", note)
            add("bundle", bundles[0])
            add("bundle", try EvidenceBundle.decode(bundles[0]).detached(suite).encoded)
            add("event", samples.event)
            if let recovery = samples.recovery { add("recovery", recovery.encoded) }
            add("genesis", VerifierSamples.genesis(suite).encoded)
            let receipts = try Verifier(genesis: VerifierSamples.genesis(suite))
                .receipts(bundles[1])
            add("receipts-\(suite.name)", bundles[1])
            let entry = receipts.entry(0)
            add("receipt", entry.receipts[0].encoded)
            if let statement = entry.statement {
                add("transparent-statement", statement.encoded)
                add("statement-\(suite.name)", statement.encoded)
            }
            if let fork = try samples.fork() {
                add("fork-evidence", fork.encoded)
                add("fork-\(suite.name)", fork.encoded)
            }
            let (chain, start, newest) = try samples.trusted()
            if let chain { add("trusted-chain", chain.encoded) }
            add("trust-start", start.encoded)
            add("certified-header", newest.encoded)
        }
        let samples = VerifierSamples(.ed25519SHA256)
        add("event-leaves", EventLeaves([samples.event, samples.event]).encoded)
        add("watch-list", samples.watchList)
        add("questions", samples.questions.encoded)
        for question in samples.questions.questions {
            add("question", Array(question.text.utf8))
        }
        if let line = samples.cosignature { add("cosignature", Array(line.utf8)) }
        add("verifier-key", Array(WitnessSample.verifierKey.utf8))
    }

    private mutating func addVectors(_ folder: String) throws {
        func lines(_ file: String) throws -> [[Substring]] {
            try String(contentsOfFile: "\(folder)/\(file)", encoding: .utf8).split(separator: "\n")
                .filter { !$0.hasPrefix("#") }.map { $0.split(separator: " ") }
        }
        for words in try lines("records.hex") where words.count == 2 {
            guard let type = RecordType.allCases.first(where: { $0.name == words[0] }),
                let body = Hex.decode(String(words[1]))
            else { continue }
            let salt = [UInt8](repeating: 7, count: StoredRecord.saltBytes)
            add("record", StoredRecord(salt: salt, type: type, body: body).encoded)
        }
        let parts = [
            "manifest": "snapshot-manifest", "state-chunk": "snapshot-state",
            "block-chunk": "snapshot-blocks",
        ]
        for words in try lines("snapshot.hex") where words[0] == "ed25519-sha256" {
            guard let name = parts[String(words[1])], let bytes = Hex.decode(String(words[2]))
            else { continue }
            add(name, bytes)
            if name == "snapshot-manifest",
                let manifest = try? SnapshotManifest.decode(bytes, limits: SnapshotLimits.manifest)
            {
                add("map-cover", manifest.cover.encoded)
            }
        }
    }

    private mutating func addBodies() {
        struct Visitor: BodyVisitor {
            func visit<Body: TransactionBody>(
                _ type: Body.Type, _ argument: inout Corpus
            ) {
                let parts = [.unsigned(Body.kind.rawValue), CBORValue.bytes(Body.example.encoded)]
                argument.add("body", CBORValue.array(parts).encoded)
            }
        }
        for kind in TransactionKind.allCases { kind.accept(Visitor(), &corpus) }
    }
}
