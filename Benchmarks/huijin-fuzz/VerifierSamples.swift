import Encoding
import Ledger
import LedgerCrypto
import LightClient
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
        fixture = Fixture(suite, validators: Self.validators)
    }

    static func genesis(_ suite: LedgerCrypto.Suite) -> Genesis {
        Fixture(suite, validators: validators).chain.genesis
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
        ]
    }

    var event: [UInt8] { fixture.chain.events(asset: fixture.asset, log: .trades)?.first ?? [] }

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
