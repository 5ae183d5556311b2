import Client
import Ledger
import LedgerCrypto
import LightClient
import Records
import TestLedgers

/// A ledger in memory that light clients are measured with.
struct MeasuredLedger {
    let suite: LedgerCrypto.Suite
    let asset: Digest
    let eventsPerBlock: Int
    private(set) var chain: TestChain
    private(set) var newest = Digest.zero
    private(set) var middle = Digest.zero
    private let records: Int

    private static let provider = "91310000MA1FL00001"

    /// Mostly empty blocks; one transaction stands in the middle, another in the newest block.
    init(_ suite: LedgerCrypto.Suite, validators: Int, blocks: Int, records: Int) {
        self.init(suite, validators: validators, records: records, eventsPerBlock: 0)
        let member = TestMember(Self.provider, suite, 1)
        for height in 1...max(2, blocks) {
            guard height == blocks / 2 || height == max(2, blocks) else {
                chain.append([])
                continue
            }
            let step = chain.step(.evidenceRecord, by: member, touching: [])
            chain.append([step])
            if height == blocks / 2 {
                middle = step.transactionID
            } else {
                newest = step.transactionID
            }
        }
    }

    /// The whole life of one asset, every event a transaction of its own.
    init(_ suite: LedgerCrypto.Suite, validators: Int, events: Int, eventsPerBlock: Int) {
        self.init(suite, validators: validators, records: 0, eventsPerBlock: eventsPerBlock)
        let member = TestMember(Self.provider, suite, 1)
        chain.put(
            Fixture.record(asset, code: "measured", provider: member.id, suite: suite))
        var left = events
        while left > 0 {
            let steps = (0..<min(left, eventsPerBlock)).map { _ in
                chain.step(
                    .assetAttest, by: member, touching: [(asset, .rights, .member(member.id))])
            }
            chain.append(steps)
            left -= steps.count
        }
    }

    private init(
        _ suite: LedgerCrypto.Suite, validators: Int, records: Int, eventsPerBlock: Int
    ) {
        self.suite = suite
        self.records = records
        self.eventsPerBlock = eventsPerBlock
        let member = TestMember(Self.provider, suite, 1)
        asset = AssetRecord.id(provider: member.id, code: "measured", suite: suite)
        chain = TestChain(suite, validators: validators, members: [member])
        for number in 0..<records { chain.putRaw(suite.digest(number.encodedBytes), [0]) }
    }

    /// The newest header, accepted by its digest: a reader that knows this checkpoint needs no epochs.
    var trust: TrustedChain {
        get throws {
            try TrustedChain(
                accepting: chain.newest.digest(suite), header: chain.newest,
                validators: chain.validators)
        }
    }

    /// The same after this header's certificate was checked.
    func trust(in header: CertifiedHeader) throws -> TrustedChain {
        guard case .trusted(let trust, _) = try trust.advance(to: header) else {
            throw ChildProcess.Failed(description: "the ledger is a fork")
        }
        return trust
    }

    var fields: [(String, JSONValue)] {
        [
            ("suite", .text(suite.name)),
            ("validators", .unsigned(UInt64(chain.validators.count))),
            ("blocks", .unsigned(chain.newest.height)),
            ("otherRecords", .unsigned(UInt64(records))),
            ("eventsPerBlock", .unsigned(UInt64(eventsPerBlock))),
        ]
    }
}

extension Int {
    fileprivate var encodedBytes: [UInt8] { UInt64(self).encoded }
}
