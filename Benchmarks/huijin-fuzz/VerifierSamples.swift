import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records
import TestLedgers

/// What the verifiers are fed with: a small ledger's evidence, and a fork of it.
struct VerifierSamples {
    static let validators = 4
    /// Later than all that the ledgers hold.
    static let nowMs: UInt64 = 1_900_000_000_000

    private let fixture: Fixture
    let suite: LedgerCrypto.Suite

    init(_ suite: LedgerCrypto.Suite) {
        self.suite = suite
        fixture = Self.fixture(suite)
    }

    private static func fixture(_ suite: LedgerCrypto.Suite) -> Fixture {
        Fixture(suite, validators: validators, recoveryKeys: recoveryKeys(suite))
    }

    private static func recoveryKeys(_ suite: LedgerCrypto.Suite) -> [SigningKey] {
        (0..<3).map { TestChain.key(suite, 800 + $0) }
    }

    static func genesis(_ suite: LedgerCrypto.Suite) -> Genesis { fixture(suite).chain.genesis }

    /// The chain after the loss of its quorum.
    private var recovered: TestChain {
        var chain = fixture.chain
        let keys = Self.recoveryKeys(suite)
        chain.recover(
            to: (0..<Self.validators).map { TestChain.key(suite, 300 + $0) },
            signers: [(0, keys[0]), (2, keys[2])])
        chain.append([])
        return chain
    }

    /// As it goes from one holder of a recovery key to the next.
    var recovery: Recovery? {
        let chain = recovered
        guard let end = chain.changes.last, let last = chain.block(height: end.header.height) else {
            return nil
        }
        let parent = fixture.chain.newest
        return Recovery(
            suite: suite, basis: fixture.chain.certificate(for: parent), next: end.next,
            blocks: [last],
            certificate: end.certificate)
    }

    func bundles() throws -> [[UInt8]] {
        let chain = fixture.chain
        guard case .envelope(let envelope)? = chain.block(height: 1)?.entries.last else {
            preconditionFailure("the fixture's first block holds a transaction")
        }
        let id = try Envelope(bytes: envelope, chain: chain.chain, suite: suite).id
        return [
            try fixture.history([.trades]).encoded,
            try EvidenceBundle.transaction(id: id, from: chain).encoded,
            try EvidenceBundle.header(height: 2, from: chain).encoded,
            try EvidenceBundle.record(
                type: .asset, id: [.bytes(Digest.zero.bytes)], from: chain
            ).encoded,
            try EvidenceBundle.header(height: 2, from: recovered).encoded,
        ]
    }

    var event: [UInt8] { fixture.chain.events(asset: fixture.asset, log: .trades)?.first ?? [] }

    /// One of each kind.
    var questions: QuestionList {
        let (asset, member) = (fixture.asset, fixture.buyer.id)
        return QuestionList([
            .assetHistory(asset: asset, logs: EventLogKind.allCases), .transaction(asset),
            .record(type: .account, id: [.text(member.text), .text(member.text)]),
            .record(type: .policy, id: [.text("review")]), .header(height: 2, digest: asset),
            .header(height: 0, digest: nil), .licence(asset, at: .height(7)),
            .role(.buyer, of: member, at: .time(Self.nowMs)), .output(job: asset),
        ])
    }

    /// What is known of an asset, and a record that is not known yet.
    var watchList: [UInt8] {
        guard let asset = fixture.chain.assetRecord(fixture.asset),
            let other = WatchedRecord(type: .member, id: [.text(fixture.buyer.id.text)])
        else { preconditionFailure("the fixture has the asset, and a member's code is its id") }
        var encoder = CBOREncoder()
        encoder.array(3)
        encoder.text(WatchList.context)
        encoder.value(fixture.chain.chain)
        encoder.array(2)
        encoder.array(3)
        encoder.value(RecordType.asset)
        encoder.list([CBORValue.bytes(fixture.asset.bytes)])
        encoder.array(3)
        encoder.value(RecordType.asset)
        encoder.bytes(asset.encoded)
        encoder.list(EventLogKind.allCases.map(asset.log))
        encoder.value(other)
        return encoder.bytes
    }

    /// Without its line feed; nil in the suite that has none.
    var cosignature: String? {
        let header = fixture.chain.newest
        guard let checkpoint = LogCheckpoint(header, suite: suite) else { return nil }
        let cosigner = LogCosigner(
            fixture.chain.validators.validators[0], chain: fixture.chain.chain)
        let key = fixture.chain.votingKeys[0]
        return String(
            LogCosignature(checkpoint, time: 1_800_000_000, cosigner: cosigner, with: key).line
                .dropLast())
    }

    /// Two headers of one height, each by a quorum.
    func fork() throws -> ForkEvidence? {
        var left = fixture.chain
        var right = fixture.chain
        left.append([])
        right.append([], laterMs: 1)
        let (mine, other) = (left.certified(left.newest), right.certified(right.newest))
        guard
            case .trusted(let trust, _) = try TrustedChain(genesis: left.genesis).advance(to: mine),
            case .fork(let evidence) = try trust.advance(to: other)
        else { return nil }
        return evidence
    }

    /// A chain that has changed its validators, what it is known by, and where a reader may begin.
    func trusted() throws -> (chain: TrustedChain?, start: TrustStart, newest: CertifiedHeader) {
        var chain = fixture.chain
        chain.changeEpoch(to: (0..<Self.validators).map { TestChain.key(suite, 200 + $0) })
        chain.append([])
        let newest = chain.certified(chain.newest)
        let step = try TrustedChain(genesis: chain.genesis).advance(
            to: newest, epochChanges: chain.changes)
        let start = TrustStart.checkpoint(header: chain.newest, validators: chain.validators)
        guard case .trusted(let trusted, _) = step else { return (nil, start, newest) }
        return (trusted, start, newest)
    }
}
