import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Records
import TestLedgers
import Testing

/// Bundles of a ledger that the market's rules executed, for good: `Tests/Vectors/bundle.hex` holds a line `suite, part,
/// bytes` for each. `make interop` shows them to tools that are not ours. A change here is a change of the wire format,
/// after which HUIJIN_WRITE_VECTORS=bundle makes them anew.
@Suite struct BundleVectorTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Vectors/bundle.hex")

    static let parts = [
        "genesis", "history", "redacted", "transaction", "record", "absence", "leaf", "receipt",
        "statement", "provenance", "detached",
    ]

    /// An asset's complete history over two changes of epoch, the same with an envelope withheld, what became of a
    /// refused transaction, an account, an asset that there is not, the first entry's leaf with a receipt for it,
    /// and the first entry that was signed by itself as a transparent statement. Then the rights of that asset and of one
    /// derived from it, a transaction and an older header, with one envelope and one record withheld; and the transaction for a reader who trusts the header.
    private static func make(_ suite: LedgerCrypto.Suite) throws -> [String: [UInt8]] {
        let (ledger, asset) = try ExecutedHistoryTests.life(suite, changesEpoch: true)
        let history = try EvidenceBundle.assetHistory(asset: asset, from: ledger)
        var redacted = history
        redacted.entries[3] = withheld(history.entries[3], suite)
        let refusal = try AssetEvent.decode(
            try #require(history.histories[0][2].events.last).leaf, limits: AssetEvent.limits)
        let verifier = Verifier(genesis: ledger.genesis)
        let proven = try verifier.receipts(history.encoded)
        let receipts = proven.entry(0)
        let transaction = try EvidenceBundle.transaction(
            id: refusal.transactionID, from: ledger)
        var parts = [
            "genesis": ledger.genesis.encoded, "history": history.encoded,
            "redacted": redacted.encoded,
            "transaction": transaction.encoded, "detached": transaction.detached(suite).encoded,
            "record": try EvidenceBundle.record(
                type: .account,
                id: [
                    .text(ExecutedLedger.member(2).text), .text(ExecutedLedger.member(1).text),
                ], from: ledger
            ).encoded,
            "absence": try EvidenceBundle.record(
                type: .asset, id: [.bytes(Digest.zero.bytes)], from: ledger
            ).encoded,
            "leaf": receipts.leaf, "receipt": receipts.receipts[1].encoded,
            "statement": try #require(statement(of: proven)).encoded,
        ]
        let child = try ProvenanceTests.derive("index", from: [asset], on: ledger)
        var lineage = try EvidenceBundle.answering(
            [
                ProvenanceTests.history(asset), ProvenanceTests.history(child),
                .transaction(refusal.transactionID),
            ], from: ledger)
        lineage.entries[1] = withheld(lineage.entries[1], suite)
        let key = lineage.records[0]
        let digest = try #require(key.valueHash(suite))
        if key.key != StateKey.digest(.asset, asset, suite: suite) {
            lineage.records[0] = StateEvidence(
                key: key.key, content: .withheld(digest), proof: key.proof)
        }
        parts["provenance"] = lineage.encoded
        return parts
    }

    /// Of the first entry that was signed by itself.
    private static func statement(of receipts: BundleReceipts) -> TransparentStatement? {
        (0..<receipts.entryCount).lazy.compactMap { receipts.entry($0).statement }.first
    }

    private static func withheld(
        _ entry: EntryEvidence, _ suite: LedgerCrypto.Suite
    ) -> EntryEvidence {
        EntryEvidence(
            height: entry.height, position: entry.position,
            content: .withheld(entry.content.digest(suite)), code: entry.code,
            resultsPath: entry.resultsPath, logPath: entry.logPath)
    }

    private static func read(_ suite: LedgerCrypto.Suite) throws -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        let text = try String(contentsOf: file, encoding: .utf8)
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            try #require(words.count == 3)
            if words[0] == suite.name { found[words[1]] = Hex.decode(words[2]) }
        }
        return found
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["HUIJIN_WRITE_VECTORS"] == "bundle"))
    func write() throws {
        var text = "# suite, part, bytes: BundleVectorTests\n"
        for suite in LedgerCrypto.Suite.allCases {
            let made = try Self.make(suite)
            for part in Self.parts {
                text += "\(suite.name) \(part) \(Hex.encode(try #require(made[part])))\n"
            }
        }
        try Data(text.utf8).write(to: Self.file)
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func bundlesStayWhatTheyAre(_ suite: LedgerCrypto.Suite) throws {
        let vector = try Self.read(suite)
        #expect(vector.count == Self.parts.count)
        // SM2 signatures are never twice the same, and digests of them are everywhere.
        if suite == .ed25519SHA256 {
            let again = try Self.make(suite)
            for part in Self.parts { #expect(vector[part] == again[part], "\(part)") }
        }
        let genesis = try Genesis.decode(
            try #require(vector["genesis"]), limits: LedgerLimits.genesis)
        let verifier = Verifier(genesis: genesis)
        let bytes = { (part: String) in try #require(vector[part]) }

        let history = try verifier.verify(bytes("history"))
        #expect(history.checkpoint.header.epoch == 2 && history.checkpoint.signatures == 4)
        guard case .assetHistory(let life) = history.findings[0] else {
            Issue.record("a history is proven")
            return
        }
        #expect(life.logs.map(\.events.count) == [4, 3, 2])
        #expect(!history.claims.contains(.withheld(count: 1)))
        #expect(try verifier.verify(bytes("redacted")).claims.contains(.withheld(count: 1)))
        guard case .transaction(let entry) = try verifier.verify(bytes("transaction")).findings[0]
        else {
            Issue.record("a transaction is proven")
            return
        }
        #expect(entry.code == OutcomeCode.purposeNotPermitted.rawValue)
        let account = try verifier.verify(bytes("record"))
        guard case .record(.record(.account)) = account.findings[0] else {
            Issue.record("an account is proven")
            return
        }
        // Under the names of docs/records.md, for programs and for people.
        for text in [account.json.encodedText, EvidenceReport(account).text] {
            #expect(text.contains("\"bank\":") && text.contains("\"availableFen\":"))
        }
        #expect(try verifier.verify(bytes("absence")).findings[0] == .record(.nothing))

        // Of the derived asset no trade is known, which its record proves: nothing about it is only claimed.
        let lineage = try verifier.verify(bytes("provenance"))
        let unshown = lineage.claims.compactMap { claim in
            if case .logNotShown(_, _, let events) = claim { events } else { nil }
        }
        #expect(!unshown.isEmpty && !unshown.contains(0))
        let detached = try bytes("detached")
        #expect(
            throws: EvidenceProblem(
                .bundle, .headerNotTrusted(history.checkpoint.digest))
        ) { try verifier.verify(detached) }
        let reader = try Verifier(
            genesis: genesis,
            trust: TrustedChain(
                accepting: history.checkpoint.digest, header: history.checkpoint.header,
                validators: history.checkpoint.validators))
        #expect(try reader.verify(detached).findings == [.transaction(entry)])

        let receipts = try verifier.receipts(bytes("history"))
        let first = receipts.entry(0)
        #expect(try first.leaf == bytes("leaf"))
        #expect(try first.receipts[1].encoded == bytes("receipt"))
        #expect(try Receipt.decode(bytes("receipt")) == first.receipts[1])
        #expect(try Self.statement(of: receipts)?.encoded == bytes("statement"))
        let recorded = try verifier.verifyStatement(bytes("statement"))
        #expect(recorded.signers.count == 4 && recorded.epochs.count == 3)
    }
}
