import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records

/// One asset's small life: claimed, registered, used, refused, expired, in several blocks beside other entries.
package struct Fixture {
    package let suite: Suite
    package let provider: TestMember
    package let registrar: TestMember
    package let buyer: TestMember
    package let asset: Digest
    package let other: Digest
    package private(set) var chain: TestChain

    package init(_ suite: Suite, validators: Int = 4, recoveryKeys: [SigningKey] = []) {
        self.suite = suite
        provider = TestMember("91310000MA1FL00001", suite, 1)
        registrar = TestMember("91310000MA1FL00002", suite, 2)
        buyer = TestMember("91310000MA1FL00003", suite, 3)
        chain = TestChain(
            suite, validators: validators, members: [provider, registrar, buyer],
            recoveryKeys: recoveryKeys)
        asset = AssetRecord.id(provider: provider.id, code: "weather", suite: suite)
        other = AssetRecord.id(provider: provider.id, code: "other", suite: suite)
        chain.put(Self.record(asset, code: "weather", provider: provider.id, suite: suite))
        chain.put(Self.record(other, code: "other", provider: provider.id, suite: suite))
        let pseudonym = EventActor.pseudonym(
            Pseudonym.of(
                buyer.id, salt: [UInt8](repeating: 5, count: 16), suite: suite))
        chain.append([
            chain.step(.evidenceRecord, by: buyer, touching: []),
            chain.step(
                .assetRegister, by: provider, touching: [(asset, .rights, .member(provider.id))]),
        ])
        chain.append([])
        chain.append([
            chain.step(
                .assetApprove, by: registrar,
                touching: [
                    (asset, .rights, .member(registrar.id)),
                    (other, .rights, .member(registrar.id)),
                ]),
            chain.step(.jobSubmit, by: buyer, touching: [(asset, .trades, pseudonym)]),
            chain.step(
                .jobSubmit, by: buyer, code: .purposeNotPermitted,
                touching: [(asset, .refusals, pseudonym)]),
        ])
        chain.append([
            chain.step(expiring: other, deadlineMs: 1_767_225_600_900, asset: asset),
            chain.step(
                .assetAttest, by: registrar, touching: [(asset, .rights, .member(registrar.id))]),
        ])
        chain.append([
            chain.step(.evidenceRecord, by: buyer, touching: []),
            chain.step(
                .offerPublish, by: provider, touching: [(asset, .rights, .member(provider.id))]),
        ])
    }

    package var verifier: Verifier { Verifier(genesis: chain.genesis) }

    package func history(_ logs: [EventLogKind] = EventLogKind.allCases) throws -> EvidenceBundle {
        try EvidenceBundle.assetHistory(asset: asset, logs: logs, from: chain)
    }

    /// Changes the chain behind the fixture's back.
    package mutating func alter(_ body: (inout TestChain, Fixture) -> Void) {
        let before = self
        body(&chain, before)
    }

    package static func record(
        _ id: Digest, code: String, provider: MemberID, suite: Suite
    ) -> AssetRecord {
        AssetRecord(
            id: id, code: code, provider: provider, titleZh: "逐时气象观测", titleEn: "Hourly weather",
            keywords: ["weather"], columns: [Column("temp", .real)], rowCount: 26_115,
            dataCommitment: suite.digest([1]), source: "NOAA", sourceURL: "https://example.org",
            ownerClass: .publicData, level: .raw, grade: .general, rights: [.holding],
            status: .claimed, rightsLog: EventLog(suite), tradesLog: EventLog(suite),
            refusalsLog: EventLog(suite))
    }
}
