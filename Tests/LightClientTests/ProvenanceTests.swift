import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records
import TestLedgers
import Testing

/// Where a derived asset comes from: all histories at one header, and what each proves of the others.
@Suite struct ProvenanceTests {
    /// Derives a child from the parents, which the provider processes itself, and has it registered.
    static func derive(
        _ code: String, from parents: [Digest], on ledger: ExecutedLedger
    ) throws -> Digest {
        let raw = AssetRegister.example
        let pins = try parents.sorted().map { ParentPin(try ledger.assetRecord($0)) }
        let claim = AssetRegister(
            code: code, titleZh: "衍生\(code)", titleEn: "Derived \(code)", keywords: [],
            columns: raw.columns, entityKey: raw.entityKey, rowCount: 3,
            dataCommitment: raw.dataCommitment, source: "own", sourceURL: "",
            ownerClass: .enterprise, level: .product, grade: .general, rights: [.processing])
        let derivation = try ledger.sign(AssetDerive(claim: claim, parents: pins), by: 3)
        #expect(ledger.run([derivation]) == [.accepted])
        let child = AssetRecord.id(
            provider: ExecutedLedger.member(3), code: code, suite: ledger.suite)
        let approval = try ledger.sign(
            AssetApprove(asset: child, reviewCommitment: .zero), by: 4)
        #expect(ledger.run([approval]) == [.accepted])
        return child
    }

    static func history(_ asset: Digest) -> EvidenceQuestion {
        .assetHistory(asset: asset, logs: [.rights])
    }

    /// A source, two children of it, and their common child.
    struct Family {
        let ledger: ExecutedLedger
        let source: Digest
        let children: [Digest]
        let youngest: Digest

        init(_ suite: LedgerCrypto.Suite) throws {
            (ledger, source) = try ExecutedHistoryTests.life(suite)
            let first = try ProvenanceTests.derive("first", from: [source], on: ledger)
            let second = try ProvenanceTests.derive("second", from: [source], on: ledger)
            children = [first, second].sorted()
            youngest = try ProvenanceTests.derive("third", from: children, on: ledger)
        }

        var all: [Digest] { [source] + children + [youngest] }

        func answer(_ assets: [Digest]) throws -> ProvenAnswer {
            let bundle = try EvidenceBundle.answering(
                assets.map { ProvenanceTests.history($0) }, from: ledger)
            return try Verifier(genesis: ledger.genesis).verify(bundle.encoded)
        }
    }

    @Test(arguments: Suite.allCases) func isCompleteUpToTheSource(
        suite: LedgerCrypto.Suite
    ) throws {
        let family = try Family(suite)
        let answer = try family.answer(family.all.shuffled())
        #expect(answer.findings.count == 4)
        guard case .assetHistory(let youngest)? = answer[Self.history(family.youngest)] else {
            Issue.record("a history is asked for and given")
            return
        }
        #expect(youngest.parents.map(\.asset) == family.children)
        let children = youngest.parents.compactMap(\.pin)
        #expect(children.map(\.rightsSize) == [2, 2])
        #expect(answer.histories.flatMap(\.parents).allSatisfy { $0.isIncluded })
        let text = EvidenceReport(answer).text
        #expect(text.contains("provenance: 3 ancestors, all included, up to the sources"))
        #expect(text.contains("a source / 原始来源"))
        #expect(!text.contains("UNPROVEN"))
    }

    @Test func whatIsNotIncludedIsNamed() throws {
        let family = try Family(.ed25519SHA256)
        let answer = try family.answer([family.children[0], family.youngest])
        let parents = answer.histories.flatMap(\.parents)
        let unproven = parents.filter { !$0.isIncluded }
        #expect(unproven.map(\.asset).sorted() == [family.children[1], family.source].sorted())
        #expect(unproven.allSatisfy { $0.pin != nil })
        #expect(
            answer.claims.contains(
                .parentsUnproven([family.children[1], family.source].sorted())))
        let text = EvidenceReport(answer).text
        #expect(text.contains("3 ancestors named, 2 of them unproven"))
        // Without its own rights log the child says who its parents are, and not where they stood.
        let trades = try EvidenceBundle.assetHistory(
            asset: family.youngest, logs: [.trades], from: family.ledger)
        let alone = try Verifier(genesis: family.ledger.genesis).verify(trades)
        #expect(alone.histories[0].parents.map(\.asset) == family.children)
        #expect(alone.histories[0].parents.allSatisfy { $0.pin == nil && !$0.isIncluded })
    }

    /// The market's rules never let this happen; a chain whose validators break them is not believed either.
    @Test func aPinThatDoesNotHoldIsRefused() throws {
        for lie in PinLie.allCases {
            var fixture = Fixture(.ed25519SHA256)
            let parent = try #require(fixture.chain.assetRecord(fixture.other))
            let child = AssetRecord.id(
                provider: fixture.provider.id, code: "child", suite: fixture.suite)
            let pin = ParentPin(
                asset: fixture.other,
                rightsSize: parent.rightsLog.size - (lie == .otherSize ? 1 : 0),
                rightsRoot: lie == .otherRoot ? .zero : parent.rightsLog.root)
            fixture.alter { chain, before in
                var record = Fixture.record(
                    child, code: "child", provider: before.provider.id, suite: before.suite)
                record.parents = lie == .otherParent ? [before.asset] : [before.other]
                chain.put(record)
                chain.append([
                    chain.step(
                        .assetDerive, by: before.provider,
                        detail: .detail([("parents", .array([pin.shown]))]),
                        touching: lie == .noEvent
                            ? [(child, .rights, .member(before.provider.id))]
                            : [
                                (child, .rights, .member(before.provider.id)),
                                (before.other, .rights, .member(before.provider.id)),
                            ])
                ])
                chain.append([
                    chain.step(
                        .assetAttest, by: before.registrar,
                        touching: [(before.other, .rights, .member(before.registrar.id))])
                ])
            }
            let bundle = try EvidenceBundle.answering(
                [Self.history(child), Self.history(fixture.other)], from: fixture.chain)
            let found = problem(bundle, fixture.verifier)
            switch lie {
            case .none: #expect(found == nil)
            case .otherSize, .otherRoot, .noEvent:
                #expect(found?.fault == .otherPin(parent: fixture.other), "\(lie)")
            case .otherParent: #expect(found?.fault == .otherParents)
            }
            #expect(found.map(\.standing) == (lie == .none ? nil : .provenFalse))
        }
    }

    private enum PinLie: CaseIterable {
        case none
        case otherSize
        case otherRoot
        case otherParent
        /// The derivation is not in the parent's log.
        case noEvent
    }
}
