import Files
import Foundation
import LightClient
import TestLedgers
import TestWaiting
import Testing

/// What `huijin-verify` says and leaves behind where it cannot write, and that it overwrites nothing.
@Suite struct OutputTests {
    typealias Desk = FollowCommandTests.Desk
    typealias Run = CommandTests.Run

    /// With no standard output at all.
    static let closed = "exec \"$0\" \"$@\" >&-"
    /// With one that takes nothing more; nor does any other file.
    static let full = "ulimit -f 0; \(start) >\"$OUT\""
    /// With files that end after half a kibibyte or one, as the shell counts.
    static let short = "ulimit -f 1; \(start)"
    /// Signals that whoever runs the tests ignores do what they do for anybody.
    private static let start = "exec env --default-signal=PIPE,XFSZ \"$0\" \"$@\""

    private static func run(
        _ script: String, _ desk: Desk, _ arguments: [String]
    ) throws -> Run {
        try CommandTests.run(
            ["-c", script, CommandTests.program.path] + arguments,
            program: URL(filePath: "/bin/sh"),
            environment: [
                "OUT": desk.folder.appending(path: "out").path, "PATH": "/usr/bin:/bin",
            ])
    }

    @Test(arguments: [closed, full], [[], ["--json"]])
    func whatNobodyCanReadIsNoSuccess(_ script: String, _ options: [String]) throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let bundle = try desk.file(
                "bundle.cbor", try EvidenceBundle.header(height: 2, from: chain).encoded)
            let files = ["--genesis", desk.genesis, "--bundle", bundle]
            let run = try Self.run(script, desk, files + options)
            #expect(run.code == 73 && run.errors.contains("标准输出"))
            let help = try Self.run(script, desk, ["--help"])
            #expect(help.code == 73)
            #expect(try Self.run(script, desk, files + ["--asset", "xyz"]).code == 64)
        }
    }

    /// A file that is opened later does not become the standard output that was closed.
    @Test func theReportGoesIntoNoOtherFile() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let bundle = try desk.file(
                "bundle.cbor", try EvidenceBundle.header(height: 2, from: chain).encoded)
            _ = try Self.run(
                "exec \"$0\" \"$@\" >&- 2>&-", desk,
                ["--genesis", desk.genesis, "--bundle", bundle, "--trust", desk.trust])
            #expect(try desk.kept().newest?.header.height == 8)
            #expect(try Data(contentsOf: folder.appending(path: "trust.cbor.lock")).isEmpty)
        }
    }

    @Test func nothingIsLeftHalfWritten() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let bundle = try desk.file(
                "bundle.cbor", try EvidenceBundle.header(height: 2, from: chain).encoded)
            let before = try desk.names()
            let page = folder.appending(path: "page.html").path
            let files = ["--genesis", desk.genesis, "--bundle", bundle]
            let run = try Self.run(Self.short, desk, files + ["--html", page])
            #expect(run.code == 73 && run.errors.contains("page.html"))
            let detached = try Self.run(
                Self.short, desk,
                [
                    "split", bundle, "--genesis", desk.genesis, "--question", "0", "--out",
                    folder.appending(path: "part").path,
                ])
            #expect(detached.code == 73)
            #expect(try desk.names() == before)
            #expect(try CommandTests.run(files + ["--html", page]).code == 0)
            #expect(try CommandTests.run(files + ["--html", page]).code == 73)
        }
    }

    @Test func forkEvidenceIsWrittenWholeAtLast() throws {
        try FollowCommandTests.besideAFork { desk, fork in
            let other = try EvidenceBundle.header(height: 4, from: fork.right)
            #expect(try desk.verify(other, "--trust", desk.trust).code == 3)
            let name = try #require(try desk.names().first { $0.contains(".fork-") })
            let file = desk.folder.appending(path: name)
            let whole = try Data(contentsOf: file)
            try whole.dropLast(60).write(to: file)
            let again = try desk.verify(other, "--trust", desk.trust)
            #expect(again.code == 3 && again.errors.contains(name))
            #expect(try Data(contentsOf: file) == whole)
            // Where it is whole nothing is written.
            #expect(try desk.verify(other, "--trust", desk.trust).errors.isEmpty)
        }
    }

    /// Whoever listened has gone: the evidence is there all the same.
    @Test func aBrokenPipeLosesNoEvidence() throws {
        try FollowCommandTests.besideAFork { desk, fork in
            let other = try desk.file(
                "other", try EvidenceBundle.header(height: 4, from: fork.right).encoded)
            let process = Process()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments =
                ["--default-signal=PIPE", CommandTests.program.path]
                + ["--genesis", desk.genesis, "--bundle", other, "--trust", desk.trust]
            let (output, errors) = (Pipe(), Pipe())
            process.standardOutput = output
            process.standardError = errors
            try output.fileHandleForReading.close()
            try process.runForAWhile()
            _ = try errors.fileHandleForReading.readToEnd()
            process.waitUntilExit()
            #expect(process.terminationReason == .exit && process.terminationStatus == 73)
            #expect(try desk.names().contains { $0.contains(".fork-") })
        }
    }

    @Test func aTrustFileIsForOneProgramAtATime() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let bundle = try EvidenceBundle.header(height: 2, from: chain)
            do {
                let claim = try FileClaim(desk.trust)
                let run = try desk.verify(bundle, "--trust", desk.trust)
                #expect(run.code == 73 && run.errors.contains("another program uses it"))
                #expect(run.output.isEmpty)
                withExtendedLifetime(claim) {}
            }
            #expect(try desk.verify(bundle, "--trust", desk.trust).code == 0)
            // A link to nothing is no file that may be made.
            let link = folder.appending(path: "link").path
            try FileManager.default.createSymbolicLink(
                atPath: link, withDestinationPath: "nothing")
            let dangling = try desk.verify(bundle, "--trust", link)
            #expect(dangling.code == 73 && dangling.errors.contains("a link to nothing"))
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "nothing")
        }
    }

    /// What else was asked for is there, though there is no history to write.
    @Test func withoutAHistoryTheCheckpointIsWritten() throws {
        let chain = TrustTests.chain(.ed25519SHA256)
        try CommandTests.inFolder { folder in
            let desk = try Desk(chain, folder)
            let (prov, start) = (
                folder.appending(path: "prov").path, folder.appending(path: "start").path
            )
            let run = try desk.verify(
                try EvidenceBundle.header(height: 2, from: chain), "--prov", prov,
                "--checkpoint-out", start)
            #expect(run.code == 64 && run.errors.contains("no history"))
            #expect(WholeFile.isTaken(start) && !WholeFile.isTaken(prov))
        }
    }

    @Test func receiptsAreThereAllOrNone() throws {
        let fixture = Fixture(.ed25519SHA256)
        try CommandTests.inFolder { folder in
            let desk = try Desk(fixture.chain, folder)
            let bundle = try desk.file("bundle.cbor", try fixture.history().encoded)
            let before = try desk.names()
            let out = folder.appending(path: "receipts").path
            let words = ["receipts", bundle, "--genesis", desk.genesis, "--out", out]
            // The disk is full before the last file; leaves and receipts are shorter than half a kibibyte, statements are not.
            let run = try Self.run(Self.short, desk, words)
            #expect(run.code == 73 && run.errors.contains("\(out)/entry-"))
            #expect(try desk.names() == before)
            // Where something is, nothing is put beside it; an empty folder may be there already.
            let kept = folder.appending(path: "receipts/kept")
            try FileManager.default.createDirectory(
                atPath: out, withIntermediateDirectories: true)
            try Data([1]).write(to: kept)
            let taken = try CommandTests.run(words)
            #expect(taken.code == 73 && taken.errors.contains(out))
            #expect(try FileManager.default.contentsOfDirectory(atPath: out) == ["kept"])
            try FileManager.default.removeItem(at: kept)
            #expect(try CommandTests.run(words).code == 0)
            #expect(try FileManager.default.contentsOfDirectory(atPath: out).count > 20)
            #expect(try desk.names() == before + ["receipts"])
        }
    }
}
