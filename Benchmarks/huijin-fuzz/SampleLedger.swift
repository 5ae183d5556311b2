import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records
import TestLedgers

/// A ledger made here, with bundles of all kinds to falsify. Two of one suite differ by their name alone, so that whatever fits a
/// place in one bundle fits the same place in the other's.
struct SampleLedger {
    let chain: TestChain
    private let asset: Digest
    private let other: Digest
    private let transaction: Digest
    private let provider: TestMember

    /// - Parameter events: of the asset; a bundle with all of them takes about 600 bytes for each.
    init(_ suite: LedgerCrypto.Suite, name: String, events: Int) {
        let provider = TestMember("91310000MA1FL00001", suite, 1)
        let buyer = TestMember("91310000MA1FL00003", suite, 3)
        var chain = TestChain(suite, name: name, members: [provider, buyer])
        let ids = ["weather", "other"].map {
            AssetRecord.id(provider: provider.id, code: $0, suite: suite)
        }
        for (id, code) in zip(ids, ["weather", "other"]) {
            chain.put(Fixture.record(id, code: code, provider: provider.id, suite: suite))
        }
        let pseudonym = EventActor.pseudonym(
            Pseudonym.of(buyer.id, salt: [UInt8](repeating: 5, count: 16), suite: suite))
        var first: Digest?
        for number in 0..<events {
            let step =
                switch number % 5 {
                case 0, 1:
                    chain.step(
                        .assetAttest, by: provider,
                        touching: [(ids[0], .rights, .member(provider.id))])
                case 2:
                    chain.step(.jobSubmit, by: buyer, touching: [(ids[0], .trades, pseudonym)])
                case 3:
                    chain.step(
                        .jobSubmit, by: buyer, code: .purposeNotPermitted,
                        touching: [(ids[0], .refusals, pseudonym)])
                default:
                    chain.step(
                        expiring: ids[1], deadlineMs: chain.newest.timeMs, asset: ids[0])
                }
            first = first ?? step.transactionID
            // Blocks of one entry and of two, and an epoch that ends on the way.
            let beside = chain.step(.evidenceRecord, by: buyer, touching: [])
            chain.append(number % 3 == 0 ? [beside, step] : [step])
            if number == events / 2 {
                chain.changeEpoch(to: (0..<4).map { TestChain.key(suite, 300 + $0) })
            }
        }
        self.chain = chain
        (asset, other, transaction) = (ids[0], ids[1], first ?? .zero)
        self.provider = provider
    }

    struct Sample {
        let name: String
        let bytes: [UInt8]
        var isDetached = false
    }

    func bundles() throws -> [Sample] {
        let record = EvidenceQuestion.record(
            type: .key, id: [.bytes(provider.key.publicKey.keyID.bytes)])
        let absence = EvidenceQuestion.record(type: .asset, id: [.bytes(Digest.zero.bytes)])
        let header = EvidenceQuestion.header(height: chain.newest.height / 3, digest: nil)
        let rights = EvidenceQuestion.assetHistory(asset: asset, logs: [.rights])
        // Every other envelope by its digest alone.
        let sparing: EvidenceBundle.Disclosure = { ($0.nonce.last ?? 0) % 2 == 0 }
        func make(
            _ questions: [EvidenceQuestion], _ disclosing: @escaping EvidenceBundle.Disclosure
        ) throws -> [UInt8] {
            try EvidenceBundle.answering(questions, from: chain, disclosing: disclosing).encoded
        }
        func make(_ questions: [EvidenceQuestion]) throws -> [UInt8] {
            try make(questions) { _ in true }
        }
        let all = EvidenceQuestion.assetHistory(asset: asset, logs: EventLogKind.allCases)
        let whole: [(name: String, bytes: [UInt8])] = [
            ("history", try make([all])), ("history, parts withheld", try make([all], sparing)),
            ("history, all withheld", try make([all]) { _ in false }),
            ("rights", try make([rights])), ("rights, parts withheld", try make([rights], sparing)),
            (
                "trades and refusals",
                try make([.assetHistory(asset: asset, logs: [.trades, .refusals])])
            ),
            (
                "several questions",
                try make([rights, record, absence, header, .transaction(transaction)])
            ),
            ("empty history", try make([.assetHistory(asset: other, logs: [.rights])])),
            ("transaction", try make([.transaction(transaction)])), ("record", try make([record])),
            ("absence", try make([absence])), ("header", try make([header])),
        ]
        let detached = try [("history", [all]), ("transaction", [.transaction(transaction)])].map {
            Sample(
                name: "\($0.0), detached",
                bytes: try EvidenceBundle.answering($0.1, from: chain).detached(chain.suite)
                    .encoded,
                isDetached: true)
        }
        return whole.map { Sample(name: $0.name, bytes: $0.bytes) } + detached
    }
}
