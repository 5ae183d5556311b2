import Encoding
import Foundation
import Glibc
import Ledger
import LedgerCrypto
import LightClient
import TestLedgers
import Testing

/// `huijin-verify` with a memory, with another start than genesis, and with forks.
@Suite struct FollowCommandTests {
    typealias Run = CommandTests.Run

    /// Files of one chain in a folder of its own.
    struct Desk {
        let folder: URL
        let genesis: String
        let trust: String

        init(_ chain: TestChain, _ folder: URL) throws {
            self.folder = folder
            genesis = folder.appending(path: "genesis.cbor").path
            trust = folder.appending(path: "trust.cbor").path
            try Data(chain.genesis.encoded).write(to: URL(filePath: genesis))
        }

        func file(_ name: String, _ bytes: [UInt8]) throws -> String {
            let path = folder.appending(path: name).path
            try Data(bytes).write(to: URL(filePath: path))
            return path
        }

        func verify(_ bundle: EvidenceBundle, _ more: String...) throws -> Run {
            let path = try file("bundle.cbor", bundle.encoded)
            return try CommandTests.run(["--genesis", genesis, "--bundle", path] + more)
        }

        func fork(_ path: String, _ more: String...) throws -> Run {
            try CommandTests.run(["fork", path, "--genesis", genesis] + more)
        }

        func kept() throws -> TrustedChain {
            let bytes = [UInt8](try Data(contentsOf: URL(filePath: trust)))
            return try TrustedChain.decode(bytes, limits: TrustedChain.limits)
        }

        func names() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        }
    }

    @Test(arguments: Suite.allCases) func whatIsTrustedIsKept(suite: LedgerCrypto.Suite) throws {
        let chain = TrustTests.chain(suite)
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let first = try desk.verify(
                try EvidenceBundle.header(height: 2, from: chain), "--trust", desk.trust)
            #expect(first.code == 0)
            #expect(first.output.contains("trusted to height 8 / 已信任至高度 8"))
            #expect(first.output.contains("epoch 2, 5 of 7, handed over to at height 6"))
            #expect(try desk.kept().validators.epoch == 2)
            // Later bundles need no epoch changes, and may show that they go on from the trusted header.
            var longer = chain
            longer.grow(2)
            var bundle = try EvidenceBundle.header(height: 8, from: longer)
            bundle.epochChanges = []
            #expect(try desk.verify(bundle).code == 2)
            let linked = try desk.verify(bundle, "--trust", desk.trust, "--json")
            #expect(linked.code == 0)
            let parsed = try #require(
                try JSONSerialization.jsonObject(with: Data(linked.output.utf8))
                    as? [String: Any])
            let trust = try #require(parsed["trust"] as? [String: Any])
            #expect(trust["height"] as? Int == 10 && trust["linkedTo"] as? Int == 8)
            #expect(try desk.kept().headers.map(\.header.height) == [8, 10])
            // An older bundle, and one that does not hold, take nothing away.
            #expect(
                try desk.verify(
                    try EvidenceBundle.header(height: 1, from: chain), "--trust", desk.trust
                ).code == 0)
            bundle.ancestors[0] = HeaderEvidence(header: bundle.ancestors[0].header, path: [])
            #expect(try desk.verify(bundle, "--trust", desk.trust).code == 1)
            #expect(try desk.kept().headers.map(\.header.height) == [8, 10])
            #expect(
                try desk.names() == [
                    "bundle.cbor", "genesis.cbor", "trust.cbor", "trust.cbor.lock",
                ])
        }
    }

    /// A trust file that holds what one side of a fork has proven.
    static func besideAFork(_ body: (Desk, Fork) throws -> Void) throws {
        var fork = Fork(.ed25519SHA256)
        fork.right.grow(2)
        try CommandTests.inFolder { folder in
            let desk = try Desk(fork.common, folder)
            let honest = try EvidenceBundle.header(height: 2, from: fork.left)
            #expect(try desk.verify(honest, "--trust", desk.trust).code == 0)
            try body(desk, fork)
        }
    }

    /// Whatever lies beside the trust file is said before what was asked, and after what is wrong with the bundle.
    @Test func whatWasAskedDoesNotHideAFork() throws {
        try Self.besideAFork { desk, fork in
            let other = try EvidenceBundle.header(height: 4, from: fork.right)
            #expect(try desk.verify(other, "--trust", desk.trust).code == 3)
            let honest = try EvidenceBundle.header(height: 2, from: fork.left)
            let asked = try desk.verify(honest, "--trust", desk.trust, "--expect", "header 3")
            #expect(asked.code == 3 && asked.errors.contains(".fork-"))
            var damaged = honest
            damaged.entries = []
            damaged.ancestors = []
            #expect(try desk.verify(damaged, "--trust", desk.trust).code == 2)
        }
    }

    @Test func whatNothingLinksIsSaidToBeTrustedAlone() throws {
        var chain = Fork(.ed25519SHA256).common
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let first = try EvidenceBundle.header(height: chain.newest.height, from: chain)
            #expect(try desk.verify(first, "--trust", desk.trust).code == 0)
            chain.grow(2)
            let later = try EvidenceBundle.header(height: chain.newest.height, from: chain)
            let run = try desk.verify(later, "--trust", desk.trust)
            #expect(
                run.output.contains("trusted to height \(chain.newest.height); nothing here shows"))
            #expect(!run.output.contains("not added"))
        }
    }

    /// A slip in the name would compare with nothing, and say nothing of it.
    @Test func whoOnlyReadsATrustFileNeedsOne() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let bundle = try EvidenceBundle.header(height: 2, from: chain)
            let file = try desk.file("b", bundle.encoded)
            let typo = folder.appending(path: "typo").path
            for words in [
                ["detach", file, "--out", folder.appending(path: "d").path],
                ["receipts", file, "--out", folder.appending(path: "r").path],
                ["statement", file], ["fork", file],
            ] {
                let run = try CommandTests.run(
                    words + ["--genesis", desk.genesis, "--trust", typo])
                #expect(run.code == 66 && run.errors.contains("没有该文件"), "\(words)")
            }
            // The one that keeps it says that it begins anew.
            let run = try desk.verify(bundle, "--trust", desk.trust)
            #expect(run.code == 0 && run.errors.contains("已新建信任文件"))
            #expect(try desk.verify(bundle, "--trust", desk.trust).errors.isEmpty)
        }
    }

    @Test func aForkBecomesAFileThatStandsAlone() throws {
        try Self.besideAFork { desk, fork in
            let honest = try EvidenceBundle.header(height: 2, from: fork.left)
            // Another history, shown by the header that its log holds in the place of the trusted one.
            let other = try EvidenceBundle.header(height: 4, from: fork.right)
            let run = try desk.verify(other, "--trust", desk.trust)
            #expect(run.code == 3)
            #expect(run.output.hasPrefix("FORK PROVEN / 分叉已证明\n"))
            #expect(run.output.contains("nullification of epoch 0, view 4"))
            #expect(try desk.kept().headers.map(\.header.height) == [4])
            let name = try #require(try desk.names().first { $0.contains(".fork-") })
            #expect(run.errors.contains(name))
            #expect(try desk.verify(other, "--trust", desk.trust).code == 3)
            let path = desk.folder.appending(path: name).path
            #expect(try desk.fork(path).code == 0)
            // Which of the two is true is for people to settle: until then neither proves anything.
            let contested = try desk.verify(honest, "--trust", desk.trust)
            #expect(contested.code == 3 && contested.errors.contains(name))
            #expect(!contested.output.contains("PROVEN"))
            #expect(try desk.verify(honest).code == 0)

            let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
            let evidence = try ForkEvidence.decode(bytes, limits: ForkEvidence.limits)
            let named = evidence.adding([
                fork.common.certificate(.nullify(epoch: 0, view: 4), signers: [1, 2, 3])
            ])
            let full = try desk.fork(try desk.file("full", named.encoded), "--json")
            #expect(full.code == 0)
            let parsed = try #require(
                try JSONSerialization.jsonObject(with: Data(full.output.utf8)) as? [String: Any])
            #expect(parsed["contradiction"] as? String == "other-ancestor")
            let signers = try #require(parsed["doubleSigners"] as? [[String: Any]])
            #expect(signers.compactMap { $0["seat"] as? Int } == [1, 2])
            let text = try desk.fork(try desk.file("full", named.encoded)).output
            #expect(text.contains("validator 1 of epoch 0, V0-1 / 第 0 届第 1 号记账节点 V0-1"))
            #expect(text.contains("in view 4: finalize beside nullify"))

            var forged = evidence
            forged.ancestor = HeaderEvidence(
                header: fork.right.blocks[4].header, path: [])
            #expect(try desk.fork(try desk.file("forged", forged.encoded)).code == 1)
            #expect(try desk.fork(try desk.file("short", Array(bytes.dropLast()))).code == 1)
        }
    }

    /// The chains of the tests are of long ago.
    @Test func keysOfAnEndedEpochContestNothing() throws {
        var fork = Fork(.ed25519SHA256)
        fork.left.grow(3)
        fork.left.changeEpoch(to: (0..<4).map { TestChain.key(.ed25519SHA256, 200 + $0) })
        fork.left.grow(1)
        fork.right.grow(9)
        try CommandTests.inFolder { folder in
            let desk = try Desk(fork.common, folder)
            let honest = try EvidenceBundle.header(height: 2, from: fork.left)
            #expect(try desk.verify(honest, "--trust", desk.trust).code == 0)
            let forged = try EvidenceBundle.header(height: 2, from: fork.right)
            #expect(try desk.verify(forged, "--trust", desk.trust).code == 3)
            let names = try desk.names()
            #expect(names.contains { $0.hasPrefix("trust.cbor.old-fork-") })
            #expect(!names.contains { $0.hasPrefix("trust.cbor.fork-") })
            #expect(try desk.verify(honest, "--trust", desk.trust).code == 0)
        }
    }

    @Test func trustMayStartAtACheckpoint() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        let digest = chain.newest.digest(.ed25519SHA256).hex
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let start = folder.appending(path: "start.cbor").path
            let bundle = try EvidenceBundle.header(height: 7, from: chain)
            let made = try desk.verify(bundle, "--checkpoint-out", start)
            #expect(made.code == 0 && made.errors.contains("--accept \(digest)"))
            // Never in the place of another file.
            #expect(try desk.verify(bundle, "--checkpoint-out", start).code == 73)

            var longer = chain
            longer.grow(1)
            var later = try EvidenceBundle.header(height: 8, from: longer)
            later.epochChanges = []
            let run = try desk.verify(later, "--checkpoint", start, "--accept", digest)
            #expect(run.code == 0)
            #expect(run.output.contains("accepted by the user with the header at height 8"))
            #expect(!run.output.contains("epoch 0"))
            let wrong = String(repeating: "0", count: 64)
            let refused = try desk.verify(later, "--checkpoint", start, "--accept", wrong)
            #expect(refused.code == 66 && refused.errors.contains("another header"))
            #expect(try desk.verify(later, "--checkpoint", start).code == 64)
            #expect(try desk.verify(later, "--accept", digest).code == 64)

            // What is kept says where it starts.
            #expect(
                try desk.verify(
                    later, "--checkpoint", start, "--accept", digest, "--trust", desk.trust
                ).code == 0)
            #expect(try desk.verify(later, "--trust", desk.trust).code == 0)
            var other = chain
            other.grow(1)
            let newer = folder.appending(path: "newer.cbor").path
            #expect(
                try desk.verify(
                    try EvidenceBundle.header(height: 9, from: other), "--checkpoint-out", newer
                ).code == 0)
            let elsewhere = try desk.verify(
                later, "--checkpoint", newer, "--accept",
                other.newest.digest(.ed25519SHA256).hex, "--trust", desk.trust)
            #expect(elsewhere.code == 66 && elsewhere.errors.contains("another header"))
        }
    }

    @Test func wrongFilesAreNamed() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let bundle = try EvidenceBundle.header(height: 7, from: chain)
            let junk = try desk.file("junk", [1, 2, 3])
            let run = try desk.verify(bundle, "--trust", junk)
            #expect(run.code == 66 && run.errors.contains("不是信任文件"))
            #expect(try Data(contentsOf: URL(filePath: junk)) == Data([1, 2, 3]))
            #expect(try desk.verify(bundle, "--trust", folder.path).code == 66)
            let away = folder.appending(path: "nowhere/trust").path
            #expect(try desk.verify(bundle, "--trust", away).code == 73)
            // Another ledger's memory.
            let stranger = TrustedChain(genesis: Fixture(.ed25519SHA256).chain.genesis)
            let strange = try desk.file("strange", stranger.encoded)
            #expect(try desk.verify(bundle, "--trust", strange).code == 2)
            #expect(try desk.fork(junk).code == 1)
            #expect(try desk.fork(folder.appending(path: "nothing").path).code == 66)
            #expect(try CommandTests.run(["fork", "--genesis", desk.genesis]).code == 64)
            #expect(
                try desk.fork(junk, "--out", "x").errors.contains("unknown argument --out"))
        }
    }

    @Test func detachedBundlesAreTakenApartByThoseWhoTrustTheirHeader() throws {
        let suite = LedgerCrypto.Suite.ed25519SHA256
        let fixture = Fixture(suite)
        let whole = try fixture.history()
        try CommandTests.inFolder { folder in
            let desk = try Desk(fixture.chain, folder)
            #expect(try desk.verify(whole, "--trust", desk.trust).code == 0)
            // A pipe keeps nothing, and nobody may ever write to it.
            let pipe = folder.appending(path: "pipe").path
            #expect(mkfifo(pipe, 0o600) == 0)
            let refused = try desk.verify(whole, "--trust", pipe)
            #expect(refused.code == 66 && refused.errors.contains("not a regular file"))
            let file = try desk.file("detached", whole.detached(suite).encoded)
            var number = 0
            func run(_ words: [String], _ more: String...) throws -> (Int32, [UInt8]) {
                number += 1
                let out = folder.appending(path: "out-\(number)").path
                let run = try CommandTests.run(
                    words + ["--genesis", desk.genesis, "--out", out] + more)
                let made = try? Data(contentsOf: URL(filePath: out))
                return (run.code, [UInt8](made ?? Data()))
            }
            let digest = Hex.encode(
                try #require(whole.entries.first { $0.content.isEnvelope }).content.digest(suite)
                    .bytes)
            for words in [
                ["split", file, "--question", "0"], ["redact", file, "--envelope", digest],
                ["merge", file, file], ["detach", file],
            ] {
                #expect(try run(words).0 == 2)
                let (code, made) = try run(words, "--trust", desk.trust)
                #expect(code == 0 && !made.isEmpty)
                // From the header itself.
                let start = folder.appending(path: "start-\(words[0])").path
                #expect(try desk.verify(whole, "--checkpoint-out", start).code == 0)
                let accepted = try run(
                    words, "--checkpoint", start, "--accept", whole.header.digest(suite).hex)
                #expect(accepted == (0, made))
                #expect(try run(words, "--checkpoint", start).0 == 64)
            }
            // Receipts need the votes, which a trust file has and an accepted header has not.
            #expect(try run(["receipts", file]).0 == 2)
            #expect(try run(["receipts", file], "--trust", desk.trust).0 == 0)
            let made = folder.appending(path: "out-\(number)")
            let attached = try desk.file("attached", whole.encoded)
            #expect(try run(["receipts", attached]).0 == 0)
            let other = folder.appending(path: "out-\(number)")
            for name in try FileManager.default.contentsOfDirectory(atPath: other.path) {
                #expect(
                    try Data(contentsOf: made.appending(path: name))
                        == Data(contentsOf: other.appending(path: name)), "\(name)")
            }
            let start = folder.appending(path: "start-split").path
            #expect(
                try run(
                    ["receipts", file], "--checkpoint", start, "--accept",
                    whole.header.digest(suite).hex
                ).0 == 2)
            // A known fork ends this as well, and the trust file is not touched by any of it.
            let before = try Data(contentsOf: URL(filePath: desk.trust))
            _ = try desk.file("trust.cbor.fork-00", [1])
            for words in [
                ["split", file, "--question", "0"], ["merge", file, file], ["receipts", file],
            ] {
                #expect(try run(words, "--trust", desk.trust) == (3, []))
            }
            #expect(try Data(contentsOf: URL(filePath: desk.trust)) == before)
        }
    }
}

extension EntryContent {
    fileprivate var isEnvelope: Bool {
        if case .envelope = self { true } else { false }
    }
}
