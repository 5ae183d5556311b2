import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import TestLedgers
import Testing

/// What somebody outside the ledger cosigned, beside what a quorum certified.
@Suite struct WitnessTests {
    static let nowMs = Outsider.time * 1_000 + 60_000

    /// A proven bundle, and what a note adds to it.
    struct Desk {
        let verifier: Verifier
        let bundle: EvidenceBundle
        let answer: ProvenAnswer

        init(_ chain: TestChain, height: UInt64, trust: TrustedChain? = nil) throws {
            verifier = try Verifier(
                genesis: chain.genesis, trust: trust ?? TrustedChain(genesis: chain.genesis))
            bundle = try EvidenceBundle.header(height: height, from: chain)
            answer = try verifier.verify(bundle)
        }

        func step(
            _ note: [UInt8], _ witnesses: [LogCosigner], nowMs: UInt64 = WitnessTests.nowMs
        ) throws(EvidenceProblem) -> WitnessStep {
            try verifier.witnessed(
                answer, of: bundle, trusting: verifier.trust, by: note, witnesses, nowMs: nowMs)
        }

        func seen(_ note: [UInt8], _ witnesses: [LogCosigner]) throws -> ProvenAnswer? {
            if case .seen(let answer) = try step(note, witnesses) { return answer }
            return nil
        }

        func fault(
            _ note: [UInt8], _ witnesses: [LogCosigner], nowMs: UInt64 = WitnessTests.nowMs
        ) -> EvidenceFault? {
            do throws(EvidenceProblem) {
                _ = try step(note, witnesses, nowMs: nowMs)
                return nil
            } catch {
                return error.fault
            }
        }
    }

    @Test(arguments: Suite.allCases) func aWitnessIsNamedBesideTheQuorum(
        suite: LedgerCrypto.Suite
    ) throws {
        let chain = TrustTests.chain(suite)
        let (one, two) = (Outsider(), Outsider("other.example", 8))
        for block in chain.blocks.dropFirst() {
            let header = block.header
            let desk = try Desk(chain, height: header.height)
            let cosignatures = [two.cosignature(header), one.cosignature(header)]
            let both = Outsider.note(header, cosignatures)
            let answer = try #require(try desk.seen(both, [one.cosigner, two.cosigner]))
            let seen = try #require(answer.witnessed)
            #expect(seen.header == header && seen.checkpoint.root == header.logRoot)
            #expect(seen.isLinked)
            #expect(seen.sightings.map(\.witness) == [one.cosigner, two.cosigner])
            #expect(seen.sightings.allSatisfy { $0.time == Outsider.time })
            #expect(answer.findings == desk.answer.findings)
            let report = EvidenceReport(answer)
            let size = header.logSize
            #expect(
                report.text.contains(
                    "also seen by witness witness.example/w1 at 2026-01-01 09:00:00.000 +08:00 "
                        + "(its own word): the log of \(size) leaves ending with height \(header.height) / "
                        + "另经见证方 witness.example/w1 见证"))
            #expect(report.text.contains(one.cosigner.verifierKey))
            #expect(
                report.text.contains("what is above they did not see")
                    == (header.height < chain.newest.height))
            #expect(report.html.contains("另经见证方 other.example 见证"))
            let json = answer.json.encodedText
            #expect(json.contains(#""witnessed":{"logSize":\#(size),"#))
            #expect(json.contains(#""linked":true,"witnesses":[{"name":"witness.example/w1""#))
            #expect(answer.claims.contains(.witnesses(["witness.example/w1", "other.example"])))
            // He who is not asked for is not named, and without a note nothing is different.
            let alone = try #require(try desk.seen(both, [two.cosigner]))
            #expect(!EvidenceReport(alone).text.contains("w1"))
            #expect(!desk.answer.json.encodedText.contains("witness"))
        }
    }

    /// Headers that the reader has from elsewhere than the bundle's ancestors.
    @Test func whateverIsProvenCanHaveBeenSeen() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        let witness = Outsider()
        // The ends of both epochs, and the certified header; height 1 is in no part of the bundle.
        var desk = try Desk(chain, height: 8)
        for height in [3, 6, 8] {
            let note = witness.note(chain.blocks[height].header)
            let answer = try #require(try desk.seen(note, [witness.cosigner]))
            #expect(answer.witnessed?.header.height == UInt64(height))
            // Only what the certified log goes on from says anything about the answer.
            #expect(answer.witnessed?.isLinked == (height == 8))
            let text = EvidenceReport(answer).text
            #expect(text.contains("nothing here shows that the answer's log") == (height != 8))
            #expect(text.contains("does not rest on those keys alone") == (height == 8))
        }
        #expect(desk.fault(witness.note(chain.blocks[1].header), [witness.cosigner]) != nil)
        // A trusted header that the bundle does not show.
        var longer = chain
        longer.grow(3)
        guard
            case .trusted(let trust, _) = try TrustedChain(genesis: chain.genesis).advance(
                to: chain.certified(7, signers: [0, 1, 2, 3, 4]), epochChanges: chain.changes)
        else {
            Issue.record("the header is certified")
            return
        }
        desk = try Desk(longer, height: 11, trust: trust)
        let seven = witness.note(chain.blocks[7].header)
        let trusted = try #require(try desk.seen(seven, [witness.cosigner])?.witnessed)
        #expect(trusted.header.height == 7 && !trusted.isLinked)
        #expect(
            try Desk(longer, height: 7, trust: trust).seen(seven, [witness.cosigner])?.witnessed?
                .isLinked == true)
        // And the one where trust starts.
        let start = try TrustedChain(
            accepting: chain.newest.digest(.ed25519SHA256), header: chain.newest,
            validators: chain.validators)
        desk = try Desk(longer, height: 11, trust: start)
        let eight = witness.note(chain.newest)
        #expect(try desk.seen(eight, [witness.cosigner])?.witnessed?.header.height == 8)
        // Epochs that ended before the start were not checked, whatever the bundle says of them.
        let three = witness.note(chain.blocks[3].header)
        #expect(desk.fault(three, [witness.cosigner]) != nil)
    }

    @Test(arguments: Suite.allCases) func anotherLogOfTheSameSizeIsAnotherHistory(
        suite: LedgerCrypto.Suite
    ) throws {
        let fork = Fork(suite)
        let witness = Outsider()
        let desk = try Desk(fork.left, height: 4)
        let (mine, other) = (fork.left.newest, fork.right.newest)
        #expect(mine.logSize == other.logSize)
        // Height 4 differs in its time, so the log shows it from height 5 on.
        #expect(mine.logRoot == other.logRoot)
        var (left, right) = (fork.left, fork.right)
        left.grow(2)
        right.grow(2)
        for height in [5, 6] {
            let desk = try Desk(left, height: UInt64(height))
            let note = witness.note(right.blocks[height].header)
            guard case .twoHistories(let conflict) = try desk.step(note, [witness.cosigner])
            else {
                Issue.record("the witness saw another log")
                return
            }
            #expect(conflict.seen.header == left.blocks[height].header)
            let report = EvidenceReport(conflict)
            #expect(report.text.hasPrefix("TWO HISTORIES: nothing here is to be believed / 两份历史"))
            #expect(report.text.contains(right.blocks[height].header.logRoot.hex))
            #expect(report.html.contains("<h1 class=\"refused\">"))
            let json = conflict.json.encodedText
            #expect(json.hasPrefix(#"{"verdict":"two-histories","#))
            #expect(json.contains(left.blocks[height].header.logRoot.hex))
        }
        #expect(try desk.seen(witness.note(other), [witness.cosigner]) != nil)
    }

    @Test func whoseWordCountsForNothing() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        let header = chain.newest
        let desk = try Desk(chain, height: 8)
        let (one, two) = (Outsider(), Outsider("witness.example/w1", 8))
        let note = one.note(header)
        func fault(_ note: [UInt8], _ witnesses: LogCosigner...) -> WitnessFault? {
            guard case .witness(let fault) = desk.fault(note, witnesses) else { return nil }
            return fault
        }
        let name = one.cosigner.name
        // Another key of that name, or nobody's signature but his.
        #expect(fault(note, two.cosigner) == .notCosigned(name))
        #expect(fault(note, one.cosigner, two.cosigner) == .notCosigned(name))
        // Of another log, another time.
        let older = chain.blocks[7].header
        let moved = Outsider.note(header, [one.cosignature(older)])
        #expect(fault(moved, one.cosigner) == .badCosignature(name))
        // That says nothing against the bundle.
        #expect(EvidenceFault.witness(.badCosignature(name)).standing == .notProven)
        let twice = Outsider.note(
            header, [one.cosignature(header), one.cosignature(header, time: 5)])
        #expect(fault(twice, one.cosigner) == .repeated(name))
        #expect(fault(note, one.cosigner, one.cosigner) == .askedTwice(name))
        // A validator of this epoch or another, under whatever name.
        for set in [chain.genesis.validators, chain.changes[0].next, chain.validators] {
            let validator = LogCosigner(set.validators[1], chain: chain.chain)
            #expect(fault(note, validator) == .validatorsKey(validator.name))
            let alias = try #require(
                LogCosigner(verifierKey: Outsider.verifierKey("innocent", validator.key)))
            #expect(fault(note, alias) == .validatorsKey("innocent"))
        }
        let posing = Outsider("huijin/\(chain.chain.hex)/V9-0", 9)
        #expect(
            fault(posing.note(header), posing.cosigner) == .validatorsKey(posing.cosigner.name))
        // He who may begin an epoch without a quorum.
        let ruled = TestChain(
            .ed25519SHA256, members: TestChain.members(.ed25519SHA256), recoveryKeys: [one.key])
        var grown = ruled
        grown.grow(1)
        let recovering = try Desk(grown, height: 1)
        #expect(
            recovering.fault(one.note(grown.newest), [one.cosigner])
                == .witness(.validatorsKey(name)))
        #expect(try recovering.seen(two.note(grown.newest), [two.cosigner]) != nil)
        // Another ledger's, another log's.
        let stranger = Fixture(.ed25519SHA256).chain
        #expect(
            desk.fault(one.note(stranger.newest), [one.cosigner])
                == .otherLedger(found: stranger.chain, expected: chain.chain))
        let text = String(decoding: note, as: UTF8.self)
        let other = text.replacing("huijin/\(chain.chain.hex)", with: "go.sum database tree")
        #expect(fault(Array(other.utf8), one.cosigner) == .otherOrigin("go.sum database tree"))
        // A clock may be ten seconds ahead.
        for (ahead, isTaken) in [(10 as UInt64, true), (11, false)] {
            let note = one.note(header, time: Outsider.time + ahead)
            let fault = desk.fault(note, [one.cosigner], nowMs: Outsider.time * 1_000)
            #expect((fault == nil) == isTaken)
        }
        #expect(desk.fault(one.note(header, time: .max), [one.cosigner]) != nil)
        #expect(desk.fault(one.note(header, time: .max), [one.cosigner], nowMs: .max) == nil)
        // Before the block was made: told, and no more.
        let early = try #require(try desk.seen(one.note(header, time: 5), [one.cosigner]))
        #expect(EvidenceReport(early).text.contains("one of the two clocks is wrong"))
    }

    @Test func aSizeThatIsNotProvenSaysWhatToAskFor() throws {
        let fixture = Fixture(.ed25519SHA256)
        var chain = fixture.chain
        chain.grow(1)
        let witness = Outsider()
        let desk = try Desk(chain, height: 1)
        func whereabouts(_ size: UInt64) -> WitnessFault.Whereabouts? {
            let of = chain.newest
            let header = Header(
                chain: of.chain, height: 0, epoch: 0, parent: .zero, timeMs: 0, logSize: size,
                logRoot: .zero, stateRoot: .zero, resultsRoot: .zero, entryCount: 0,
                validators: .zero)
            guard
                case .witness(.sizeNotProven(size, let place)) = desk.fault(
                    witness.note(header), [witness.cosigner])
            else { return nil }
            return place
        }
        let sizes = chain.blocks.map(\.header.logSize)
        #expect(sizes == [0, 3, 4, 8, 11, 14, 15])
        // Blocks of one leaf at least lie between height 1 and height 6.
        #expect(whereabouts(4) == .between(2, 2))
        #expect(whereabouts(8) == .between(2, 5))
        #expect(whereabouts(14) == .between(5, 5))
        #expect(whereabouts(1) == .nowhere && whereabouts(0) == .nowhere)
        #expect(whereabouts(16) == .above(6) && whereabouts(.max) == .above(6))
        // The empty log is nobody's to see, though genesis is among the ancestors.
        let genesis = try Desk(chain, height: 0)
        #expect(genesis.bundle.ancestors[0].header.logSize == 0)
        #expect(
            genesis.fault(witness.note(chain.blocks[0].header), [witness.cosigner])
                == .witness(.sizeNotProven(size: 0, .nowhere)))
        for (place, words) in [
            (WitnessFault.Whereabouts.between(2, 5), "from 2 to 5"),
            (.between(5, 5), "at height 5:"),
            (.above(6), "above 6"), (.nowhere, "no block"),
        ] {
            let fault = EvidenceFault.witness(.sizeNotProven(size: 9, place))
            #expect(fault.standing == .notProven)
            let text = EvidenceReport(EvidenceProblem(.note, fault)).text
            #expect(text.contains(words) && text.contains("检查点文本：此处已证明的区块头中"))
        }
    }

    /// A quorum that certifies a log in which a header names another log than the one before it.
    @Test func aLyingAncestorIsNoBeginning() throws {
        let suite = LedgerCrypto.Suite.ed25519SHA256
        let base = TestChain(suite, members: TestChain.members(suite))
        var log = LogTree(suite: suite)
        func header(_ height: UInt64, root: Digest) -> Header {
            Header(
                chain: base.chain, height: height, epoch: 0, parent: .zero, timeMs: height,
                logSize: height, logRoot: root, stateRoot: .zero, resultsRoot: .zero,
                entryCount: 0, validators: base.validators.digest(suite))
        }
        log.append(leafHash: LogLeaf.header(base.newest.digest(suite), suite: suite))
        let lying = header(1, root: suite.digest([1]))
        log.append(leafHash: LogLeaf.header(lying.digest(suite), suite: suite))
        let newest = header(2, root: log.root)
        let bundle = EvidenceBundle(
            chain: base.chain, questions: [.header(height: 2, digest: nil)],
            head: .certified(base.certified(newest), after: []), records: [],
            ancestors: [
                HeaderEvidence(header: lying, path: log.inclusionPath(index: 1, size: 2))
            ], entries: [], histories: [])
        let verifier = Verifier(genesis: base.genesis)
        let answer = try verifier.verify(bundle)
        let witness = Outsider()
        #expect(throws: EvidenceProblem(.ancestor(height: 1), .notAPrefix)) {
            try verifier.witnessed(
                answer, of: bundle, trusting: verifier.trust, by: witness.note(lying),
                [witness.cosigner], nowMs: Self.nowMs)
        }
    }
}
