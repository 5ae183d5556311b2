import Encoding
import Foundation
import Interchange
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records
import TestLedgers
import Testing

/// The market's own rules make the history; the verifier, which knows none of them, proves it.
@Suite struct ExecutedHistoryTests {
    /// An asset from its claim to the end of a licence, with refusals on the way.
    ///
    /// - Parameter changesEpoch: begins with four validators, seats a fifth and later gives one of them another key.
    static func life(
        _ suite: LedgerCrypto.Suite, changesEpoch: Bool = false
    ) throws -> (ExecutedLedger, asset: Digest) {
        let ledger = try ExecutedLedger(suite, seats: changesEpoch ? 4 : 1)
        let asset = AssetRecord.id(
            provider: ExecutedLedger.member(3), code: AssetRegister.example.code, suite: suite)
        // Entries of both forms, and two of one batch in different blocks.
        let batch = try ledger.signBatch([AssetRegister.example, AssetRegister.example], by: 3)
        #expect(ledger.run([batch[0]]) == [.accepted])
        #expect(
            ledger.run([
                batch[1],
                try ledger.sign(AssetApprove(asset: asset, reviewCommitment: .zero), by: 4),
            ]) == [.alreadyExists, .accepted])
        if changesEpoch {
            #expect(try ledger.run(ledger.seat(newcomer: 9)) == [.accepted, .accepted])
        }
        let terms = OfferPublish.example
        let publish = try ledger.sign(
            OfferPublish(
                asset: asset, venue: ExecutedLedger.member(5),
                sandboxOperator: ExecutedLedger.member(6), priceFen: 100,
                purposes: terms.purposes, columns: terms.columns, durationMs: 10_000, usesMax: 2,
                groupMinimum: terms.groupMinimum), by: 3)
        ledger.run([
            publish, try ledger.sign(OfferAdmit(offer: publish.value.id), by: 5),
            try ledger.sign(
                DepositConfirm(
                    member: ExecutedLedger.member(2), amountFen: 200, referenceCommitment: .zero),
                by: 1),
        ])
        let request = try ledger.sign(
            LicenceRequest(
                offer: publish.value.id, bank: ExecutedLedger.member(1),
                purpose: terms.purposes[0], columns: [terms.columns[0]], uses: 2,
                statementCommitment: .zero, pseudonymSalt: [UInt8](repeating: 9, count: 16)),
            by: 2)
        #expect(
            ledger.run([
                request, try ledger.sign(LicenceAgree(agreement: request.value.id), by: 3),
            ]) == [.accepted, .accepted])
        #expect(
            ledger.run([
                try ledger.sign(
                    JobSubmit(
                        agreement: request.value.id, purpose: "marketing", queryCommitment: .zero),
                    by: 2)
            ]) == [.purposeNotPermitted])
        if changesEpoch {
            #expect(try ledger.run([ledger.replaceKey(ofSeat: 2, number: 8)]) == [.accepted])
        }
        // The licence runs out, and nobody but the ledger does anything.
        #expect(ledger.run([], afterMs: 20_000) == [.accepted])
        return (ledger, asset)
    }

    @Test(arguments: Suite.allCases) func isProven(suite: LedgerCrypto.Suite) throws {
        let (ledger, asset) = try Self.life(suite)
        let bytes = try EvidenceBundle.assetHistory(asset: asset, from: ledger).encoded
        let answer = try Verifier(genesis: ledger.genesis).verify(bytes)
        guard case .assetHistory(let history) = answer.findings[0] else {
            Issue.record("a history is asked for and given")
            return
        }
        let kinds = history.logs.map { $0.events.map(\.event.kind.name) }
        #expect(
            kinds == [
                ["asset.register", "asset.approve", "offer.publish", "offer.admit"],
                ["licence.request", "licence.agree", "licence.expire"],
                ["asset.register", "job.submit"],
            ])
        #expect(history.logs[1].events[2].event.actor == .ledger)
        #expect(
            !answer.claims.contains { if case .signaturesNotRechecked = $0 { true } else { false } }
        )
        for id in history.logs.flatMap(\.events).map(\.event.transactionID) {
            let bundle = try EvidenceBundle.transaction(id: id, from: ledger)
            _ = try Verifier(genesis: ledger.genesis).verify(bundle, asked: [.transaction(id)])
        }
        let balance = try EvidenceBundle.record(
            type: .account,
            id: [
                .text(ExecutedLedger.member(2).text), .text(ExecutedLedger.member(1).text),
            ], from: ledger)
        let proven = try Verifier(genesis: ledger.genesis).verify(balance)
        guard case .record(.record(.account(let account))) = proven.findings[0] else {
            Issue.record("the buyer has an account")
            return
        }
        #expect(account.availableFen == 200)
    }

    @Test func isProvenanceForOtherTools() throws {
        let (ledger, asset) = try Self.life(.ed25519SHA256)
        let bundle = try EvidenceBundle.assetHistory(asset: asset, from: ledger)
        let answer = try Verifier(genesis: ledger.genesis).verify(bundle)
        let node = try #require(PROVExport.document(answer))
        let parsed = try JSONSerialization.jsonObject(with: Data(node.encodedText.utf8))
        let json = try #require(parsed as? [String: [String: Any]])
        let count = { (kind: String) in json[kind]?.count ?? 0 }
        #expect(count("activity") == 9)
        // Provider, registrar and venue by name, buyer and provider by pseudonym, the ledger itself.
        #expect(count("agent") == 6)
        #expect(count("entity") == 1 + 4)
        #expect(count("wasGeneratedBy") == 4)
        #expect(count("wasDerivedFrom") == 3)
        #expect(count("used") == 3 + 3)
        #expect(count("wasAssociatedWith") == 9)
        // Every name that is used is declared.
        let declared = Set(
            ["entity", "activity", "agent"].flatMap { json[$0].map { Array($0.keys) } ?? [] })
        for kind in ["wasGeneratedBy", "used", "wasAssociatedWith", "wasDerivedFrom"] {
            for case let relation as [String: String] in (json[kind] ?? [:]).values {
                #expect(declared.isSuperset(of: relation.values), "\(relation)")
            }
        }
        let prefixes = try #require(json["prefix"] as? [String: String])
        #expect(prefixes["ledger"] == "urn:huijin:\(ledger.genesis.chain.hex):")
    }
}
