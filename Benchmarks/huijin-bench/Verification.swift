import ArgumentParser
import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import TestLedgers

/// What the light client costs, each figure beside what signature checks alone would cost in the same run. Times are
/// CPU time of one thread.
struct Verification: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Measure the light client. / 轻客户端性能测量")

    @Option(help: "ed25519, sm2 or both. / 密码套件") var suite = "both"
    @Option(help: "Validators. / 记账节点数") var validators = 4
    @Option(help: "Blocks of the long chain. / 长链区块数") var blocks = 1_000_000
    @Option(help: "Other records in the state. / 状态记录数") var records = 10_000
    @Option(help: "Changes of epoch. / 换届次数") var epochs = 10_000
    @Option(help: "Events of one asset. / 单一资产事件数") var events = 10_000
    @Option(help: "Blocks of the network, a few, that is small. / 小型账本区块数") var fewBlocks = 1_000

    private static let historyRuns = 11

    func run() throws {
        Report.machine()
        let suites: [LedgerCrypto.Suite] =
            switch suite {
            case "ed25519": [.ed25519SHA256]
            case "sm2": [.sm2SM3]
            default: LedgerCrypto.Suite.allCases
            }
        let programs = try VerifyProgram()
        for suite in suites {
            let rate = SignatureRate(suite)
            for count in [fewBlocks, blocks] {
                let ledger = MeasuredLedger(
                    suite, validators: validators, blocks: count, records: records)
                try transaction(ledger, rate, programs)
                try ancestor(ledger, rate)
            }
            try followed(suite, programs)
            for each in [1, 100] {
                try history(
                    MeasuredLedger(
                        suite, validators: validators, events: events, eventsPerBlock: each),
                    programs)
            }
        }
        programs.reportSizes()
    }

    // MARK: One transaction

    private func transaction(
        _ ledger: MeasuredLedger, _ rate: SignatureRate, _ program: VerifyProgram
    ) throws {
        let chain = ledger.chain
        for (place, id) in [("newest block", ledger.newest), ("middle", ledger.middle)] {
            let bundle = try EvidenceBundle.transaction(id: id, from: chain)
            let certified = CertifiedHeader(
                header: bundle.header, certificate: bundle.certificate)
            let detached = bundle.detached(ledger.suite).encoded
            // A reader who believes the header by its digest alone, one who checked its certificate before, and the first
            // with a bundle that leaves both out.
            for (known, trust, bytes) in [
                ("digest", try ledger.trust, bundle.encoded),
                ("certificate", try ledger.trust(in: certified), bundle.encoded),
                ("digest, detached", try ledger.trust, detached),
            ] {
                let verifier = try Verifier(genesis: chain.genesis, trust: trust)
                _ = try verifier.verify(bytes)
                let seconds = try Stopwatch.median(of: 300) { _ = try verifier.verify(bytes) }
                let signatures = known == "digest" ? bundle.certificate.signatures.count + 1 : 1
                Report.line(
                    "verify-transaction",
                    ledger.fields + [
                        ("in", .text(place)), ("bytes", .unsigned(UInt64(bytes.count))),
                        ("known", .text(known)), ("milliseconds", .real(seconds * 1e3)),
                        ("signatures", .unsigned(UInt64(signatures))),
                        (
                            "shareOfSignatureBound",
                            .real(rate.seconds * Double(signatures) / seconds)
                        ),
                        ("partBytes", Self.parts(bundle)),
                    ])
            }
            try program.report("transaction in the \(place)", bundle.encoded, chain.genesis)
        }
    }

    /// Where a bundle's bytes go.
    private static func parts(_ bundle: EvidenceBundle) -> JSONValue {
        func bytes(_ items: some Sequence<some CBOREncodable>) -> UInt64 {
            items.reduce(0) { $0 + UInt64($1.encoded.count) }
        }
        let paths = bundle.entries.map { bytes($0.logPath) + bytes($0.resultsPath) }.reduce(0, +)
        let ancestorPaths = bundle.ancestors.map { bytes($0.path) }.reduce(0, +)
        let proofs = bytes(bundle.records.map(\.proof))
        return .object([
            .init("header", .unsigned(UInt64(bundle.header.encoded.count))),
            .init("certificate", .unsigned(UInt64(bundle.certificate.encoded.count))),
            .init("ancestorHeaders", .unsigned(bytes(bundle.ancestors) - ancestorPaths)),
            .init("ancestorPaths", .unsigned(ancestorPaths)),
            .init("entries", .unsigned(bytes(bundle.entries) - paths)),
            .init("entryPaths", .unsigned(paths)),
            .init("records", .unsigned(bytes(bundle.records) - proofs)),
            .init("recordProofs", .unsigned(proofs)),
        ])
    }

    // MARK: Ancestors

    private func ancestor(_ ledger: MeasuredLedger, _ rate: SignatureRate) throws {
        let chain = ledger.chain
        let verifier = try Verifier(genesis: chain.genesis, trust: ledger.trust)
        var sizes: [Double] = []
        var ancestors: [HeaderEvidence] = []
        let height = chain.newest.height
        for number in 0..<1_000 {
            // Every part of the chain, the genesis header too.
            let below = height * UInt64(number) / 1_000
            guard let block = chain.block(height: below)?.header,
                let path = chain.logPath(index: block.logSize, size: chain.newest.logSize)
            else { throw ChildProcess.Failed(description: "no block \(below)") }
            let evidence = HeaderEvidence(header: block, path: path)
            sizes.append(Double(evidence.encoded.count))
            ancestors.append(evidence)
        }
        let suite = ledger.suite
        let seconds = Stopwatch.seconds {
            for ancestor in ancestors {
                let root = LogProof.rootFromInclusion(
                    leafHash: LogLeaf.header(ancestor.header.digest(suite), suite: suite),
                    index: ancestor.header.logSize, size: chain.newest.logSize,
                    path: ancestor.path, suite: suite)
                precondition(root == chain.newest.logRoot)
            }
        }
        let bundle = try EvidenceBundle.header(height: height / 2 + 1, from: chain).encoded
        _ = try verifier.verify(bundle)
        let whole = try Stopwatch.median(of: 500) { _ = try verifier.verify(bundle) }
        Report.line(
            "verify-ancestor",
            ledger.fields + [
                ("proofBytesMedian", .real(sizes.percentile(50))),
                ("proofBytesMax", .real(sizes.max() ?? 0)),
                ("microseconds", .real(seconds / 1_000 * 1e6)),
                ("bundleBytes", .unsigned(UInt64(bundle.count))),
                ("bundleMilliseconds", .real(whole * 1e3)),
                ("signatureMicroseconds", .real(rate.seconds * 1e6)),
            ])
    }

    // MARK: Epochs

    private func followed(
        _ suite: LedgerCrypto.Suite, _ program: VerifyProgram
    ) throws {
        var chain = TestChain(suite, validators: validators, members: [])
        for epoch in 0..<epochs {
            chain.changeEpoch(
                to: (0..<validators).map {
                    TestChain.key(suite, 200 + (epoch * validators + $0) % 60_000)
                })
        }
        chain.append([])
        let changes = chain.epochChanges() ?? []
        let newest = CertifiedHeader(
            header: chain.newest, certificate: chain.certificate(for: chain.newest))
        let genesis = TrustedChain(genesis: chain.genesis)
        var reached: TrustedChain?
        let probe = SignedMessages(suite, count: SignedMessages.many)
        let (seconds, signature) = try probe.beside {
            if case .trusted(let next, _) = try genesis.advance(to: newest, epochChanges: changes) {
                reached = next
            }
        }
        guard let reached else { throw ChildProcess.Failed(description: "the chain is a fork") }
        let kept = reached.encoded
        let reading = try Stopwatch.seconds {
            let again = try TrustedChain.decode(kept, limits: TrustedChain.limits)
            precondition(again == reached)
        }
        let signatures = (epochs + 1) * newest.certificate.signatures.count
        Report.line(
            "verify-epochs",
            [
                ("suite", .text(suite.name)), ("validators", .unsigned(UInt64(validators))),
                ("epochs", .unsigned(UInt64(epochs))), ("seconds", .real(seconds)),
                ("bytes", .unsigned(UInt64(kept.count))),
                ("bytesPerEpoch", .real(Double(kept.count) / Double(epochs))),
                ("signatures", .unsigned(UInt64(signatures))),
                ("shareOfSignatureBound", .real(signature * Double(signatures) / seconds)),
                ("trustFileReadSeconds", .real(reading)),
            ])
        let bundle = try EvidenceBundle.header(height: 1, from: chain).encoded
        try program.report("\(epochs) epochs", bundle, chain.genesis)
    }

    // MARK: Histories

    private func history(
        _ ledger: MeasuredLedger, _ program: VerifyProgram
    ) throws {
        let chain = ledger.chain
        let bytes = try EvidenceBundle.assetHistory(asset: ledger.asset, from: chain).encoded
        let verifier = Verifier(genesis: chain.genesis)
        let probe = SignedMessages(ledger.suite, count: SignedMessages.many)
        _ = try verifier.verify(bytes)
        let runs = try (0..<Self.historyRuns).map { _ in
            try probe.beside { _ = try verifier.verify(bytes) }
        }
        let shares = runs.map { $0.signature * Double(events) / $0.seconds }
        let seconds = runs.map(\.seconds).percentile(50)
        Report.line(
            "verify-history",
            ledger.fields + [
                ("events", .unsigned(UInt64(events))), ("bytes", .unsigned(UInt64(bytes.count))),
                ("seconds", .real(seconds)),
                ("eventsPerSecond", .real(Double(events) / seconds)),
                ("signaturesPerSecond", .real(1 / runs.map(\.signature).percentile(50))),
                ("runs", .unsigned(UInt64(runs.count))),
                ("shareOfSignatureBound", .real(shares.percentile(50))),
                ("shareLeast", .real(shares.min() ?? 0)),
                ("shareMost", .real(shares.max() ?? 0)),
            ])
        try program.report(
            "\(events) events, \(ledger.eventsPerBlock) a block", bytes, chain.genesis)
    }
}

/// What one signature check takes on this machine, now.
struct SignatureRate {
    /// CPU seconds of one check.
    let seconds: Double

    init(_ suite: LedgerCrypto.Suite) {
        // One, as a bundle beside it is verified: the same again and again.
        let probe = SignedMessages(suite, count: 1)
        seconds = (0..<21).map { _ in probe.seconds(of: 200) }.percentile(50)
        Report.line(
            "signature-check",
            [
                ("suite", .text(suite.name)), ("microseconds", .real(seconds * 1e6)),
                ("perSecond", .real(1 / seconds)),
            ])
    }
}
