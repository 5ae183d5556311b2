import Client
import Encoding
import Foundation
import Ledger

/// The `huijin-verify` beside this program, run over files.
final class VerifyProgram {
    private let program: String
    private let folder: URL

    init() throws {
        program =
            URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            .appending(path: "huijin-verify").path
        folder = FileManager.default.temporaryDirectory
            .appending(path: "huijin-verify-bench-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// A whole run, from the start of the process: its CPU time and the most memory that it had.
    func report(_ what: String, _ bundle: [UInt8], _ genesis: Genesis) throws {
        let genesisFile = folder.appending(path: "genesis.cbor")
        let bundleFile = folder.appending(path: "bundle")
        try Data(genesis.encoded).write(to: genesisFile)
        try Data(bundle).write(to: bundleFile)
        let run = try ChildProcess(
            program, ["--bundle", bundleFile.path, "--genesis", genesisFile.path])
        guard run.exitCode == 0 else {
            throw ChildProcess.Failed(description: "huijin-verify gives \(run.exitCode): \(what)")
        }
        Report.line(
            "huijin-verify",
            [
                ("suite", .text(genesis.suite.name)), ("bundle", .text(what)),
                ("bytes", .unsigned(UInt64(bundle.count))),
                ("residentKiBMax", .unsigned(UInt64(run.residentKiBMax))),
                ("cpuSeconds", .real(run.cpuSeconds)),
            ])
    }

    func reportSizes() {
        let stripped = folder.appending(path: "stripped")
        let strip = try? ChildProcess("/usr/bin/strip", ["-o", stripped.path, program])
        func bytes(_ path: String) -> JSONValue {
            let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? UInt64
            return size.map { .unsigned($0) } ?? .null
        }
        Report.line(
            "huijin-verify-binary",
            [
                ("bytes", bytes(program)),
                ("strippedBytes", strip?.exitCode == 0 ? bytes(stripped.path) : .null),
            ])
    }
}
