import Encoding
import Foundation
import LedgerCrypto
import LightClient
import Records
import TestLedgers
import TestWaiting
import Testing

/// `huijin-verify` as the regulator runs it: two files in, a report and an exit code out.
@Suite struct CommandTests {
    struct Run {
        let code: Int32
        let output: String
        let errors: String
    }

    /// The program stands beside the test bundle.
    static let program = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
        .appending(path: "huijin-verify")

    static func run(
        _ arguments: [String], program: URL = program, environment: [String: String]? = nil
    ) throws -> Run {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        if let environment { process.environment = environment }
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.runForAWhile()
        let outputBytes = try output.fileHandleForReading.readToEnd() ?? Data()
        let errorBytes = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return Run(
            code: process.terminationStatus, output: String(decoding: outputBytes, as: UTF8.self),
            errors: String(decoding: errorBytes, as: UTF8.self))
    }

    static func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "huijin-verify-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    @Test(arguments: Suite.allCases) func exitCodesSayWhatTheFilesProve(
        suite: LedgerCrypto.Suite
    ) throws {
        let fixture = Fixture(suite)
        let bundle = try fixture.history()
        try Self.inFolder { folder in
            let genesis = folder.appending(path: "genesis.cbor").path
            try Data(fixture.chain.genesis.encoded).write(to: URL(filePath: genesis))
            func verify(_ bytes: [UInt8], _ more: String...) throws -> Run {
                let file = folder.appending(path: "bundle.cbor").path
                try Data(bytes).write(to: URL(filePath: file))
                return try Self.run(["--genesis", genesis, "--bundle", file] + more)
            }
            let good = try verify(bundle.encoded)
            #expect(good.code == 0)
            #expect(good.output.hasPrefix("PROVEN / 已证明\n"))
            #expect(good.output.contains("complete to height 5"))
            #expect(good.errors.isEmpty)

            let json = try verify(bundle.encoded, "--json", "--asset", fixture.asset.hex)
            #expect(json.code == 0)
            let parsed = try #require(
                try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any])
            #expect(parsed["verdict"] as? String == "proven")
            #expect(parsed["height"] as? Int == 5)

            var flipped = bundle.encoded
            flipped[flipped.count / 2] ^= 1
            let tampered = try verify(flipped)
            #expect(tampered.code == 1)
            #expect(tampered.output.hasPrefix("PROVEN FALSE"))

            var dropped = bundle
            dropped.histories[0][0] = LogEvidence(
                log: 0, events: Array(bundle.histories[0][0].events.dropFirst()))
            let incomplete = try verify(dropped.encoded)
            #expect(incomplete.code == 1)
            #expect(incomplete.output.contains("event 0 is missing"))

            var unsigned = bundle
            unsigned.certificate = fixture.chain.certificate(
                for: fixture.chain.newest, signers: [1])
            #expect(try verify(unsigned.encoded).code == 2)
            #expect(try verify(bundle.encoded, "--asset", fixture.other.hex).code == 2)
        }
    }

    @Test(arguments: Suite.allCases) func receiptsAreWrittenOfProvenBundlesAlone(
        suite: LedgerCrypto.Suite
    ) throws {
        let fixture = Fixture(suite)
        let bundle = try fixture.history()
        try Self.inFolder { folder in
            let genesis = folder.appending(path: "genesis.cbor").path
            try Data(fixture.chain.genesis.encoded).write(to: URL(filePath: genesis))
            let output = folder.appending(path: "receipts")
            func receipts(_ bytes: [UInt8], into output: URL) throws -> Run {
                let file = folder.appending(path: "bundle.cbor").path
                try Data(bytes).write(to: URL(filePath: file))
                return try Self.run([
                    "receipts", file, "--genesis", genesis, "--out", output.path,
                ])
            }
            let run = try receipts(bundle.encoded, into: output)
            #expect(run.code == 0, "\(run.errors)")
            // That tool knows no SM2.
            let names = run.output.contains("scitt-cose --receipt entry-0.validator-0.cbor")
            #expect(names == (suite == .ed25519SHA256))
            let files = try FileManager.default.contentsOfDirectory(atPath: output.path)
            let statements = files.filter { $0.hasSuffix(".statement.cbor") }
            #expect(statements.count > 3)
            #expect(
                files.count == 1 + 3 + bundle.entries.count * (2 + 3) + 2 * statements.count)
            let statement = output.appending(path: statements[0])
            func check() throws -> Run {
                try Self.run(["statement", statement.path, "--genesis", genesis, "--json"])
            }
            let good = try check()
            #expect(good.code == 0 && good.output.contains("\"signers\":[0,1,2]"))
            var altered = try Data(contentsOf: statement)
            altered[altered.count - 1] ^= 1
            try altered.write(to: statement)
            #expect(try check().code == 1)
            let read = { (name: String) in
                [UInt8](try Data(contentsOf: output.appending(path: name)))
            }
            let last = bundle.entries.count - 1
            let receipt = try Receipt.decode(read("entry-\(last).validator-2.cbor"))
            let finding = try receipt.verified(
                leaf: read("entry-\(last).leaf"), chain: fixture.chain.chain,
                validators: fixture.chain.validators, certified: bundle.header)
            #expect(finding.validator == 2)
            #expect(try read("root.hex") == Array("\(finding.root.hex)\n".utf8))

            let again = try receipts(bundle.encoded, into: output)
            #expect(again.code == 73 && again.errors.contains(output.path))
            var flipped = bundle.encoded
            flipped[flipped.count / 2] ^= 1
            let other = folder.appending(path: "other")
            #expect(try receipts(flipped, into: other).code == 1)
            let account = try EvidenceBundle.record(
                type: .asset, id: [.bytes(fixture.asset.bytes)], from: fixture.chain)
            #expect(try receipts(account.encoded, into: other).code == 2)
            #expect(!FileManager.default.fileExists(atPath: other.path))
        }
    }

    @Test func mistakesAreNamed() throws {
        #expect(try Self.run([]).code == 64)
        #expect(try Self.run(["--genesis", "a", "--bundle"]).code == 64)
        for words in [
            ["--genesis", "a", "--bundle", "b", "--bundle", "c"],
            ["merge", "--out", "a", "--out", "b"],
        ] {
            let twice = try Self.run(words)
            #expect(twice.code == 64 && twice.errors.contains("重复给出"))
        }
        #expect(try Self.run(["--genesis", "a", "--bundle", "b", "--asset", "xyz"]).code == 64)
        #expect(try Self.run(["--surprise"]).errors.contains("unknown argument --surprise"))
        #expect(try Self.run(["receipts", "a", "b"]).errors.contains("unknown argument b"))
        #expect(try Self.run(["receipts", "a", "--genesis", "b"]).code == 64)
        #expect(try Self.run(["--genesis", "a", "--bundle", "b", "--out", "c"]).code == 64)
        #expect(try Self.run(["--help"]).code == 0)
        try Self.inFolder { folder in
            let file = folder.appending(path: "not-there").path
            let missing = try Self.run(["--genesis", file, "--bundle", file])
            #expect(missing.code == 66)
            #expect(missing.errors.contains(file))
            try Data([1, 2, 3]).write(to: URL(filePath: file))
            let wrong = try Self.run(["--genesis", file, "--bundle", file])
            #expect(wrong.code == 66)
            #expect(wrong.errors.contains("不是创世文件"))
        }
    }
}
