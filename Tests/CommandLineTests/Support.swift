import Client
import Foundation
import TestWaiting
import Testing

/// What a program did.
struct Outcome {
    let status: Int32
    let output: String
    let complaint: String

    /// The one JSON object on standard output.
    func json() throws -> JSONValue {
        try JSONValue.parse(Array(output.trimmingCharacters(in: .newlines).utf8))
    }
}

/// The programs beside this test's own executable, run as people run them, in a temporary folder.
final class Bench {
    let folder: URL
    private var nodes: [Process] = []
    static let passphrase = "correct horse"

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "huijin-cli-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit {
        for node in nodes where node.isRunning {
            node.terminate()
            node.waitUntilExit()
        }
        try? FileManager.default.removeItem(at: folder)
    }

    private func process(
        _ name: String, _ arguments: [String], passphrase: String?
    ) throws -> Process {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let programs = URL(filePath: own).deletingLastPathComponent()
        let program = name.hasPrefix("/") ? URL(filePath: name) : programs.appending(path: name)
        try #require(
            FileManager.default.isExecutableFile(atPath: program.path),
            "\(program.path) is not built")
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = folder
        var environment = ProcessInfo.processInfo.environment
        environment["HUIJIN_PASSPHRASE"] = passphrase
        environment["HUIJIN_IDENTITY"] = nil
        environment["PROGRAMS"] = programs.path
        process.environment = environment
        return process
    }

    /// Runs `huijin` to its end.
    ///
    /// - Parameters:
    ///   - isHeard: its standard output can be written.
    ///   - expect: the exit status that it must have.
    @discardableResult
    func huijin(
        _ arguments: [String], as member: String? = nil, passphrase: String? = Bench.passphrase,
        isHeard: Bool = true, expect: Int32 = 0
    ) throws -> Outcome {
        let all = arguments + (member.map { ["--identity", "net/members/\($0)"] } ?? [])
        return try run("huijin", all, passphrase: passphrase, isHeard: isHeard, expect: expect)
    }

    /// Runs a script of the shell, to which `$PROGRAMS` is the folder of our programs.
    @discardableResult
    func shell(_ script: String, expect: Int32 = 0) throws -> Outcome {
        try run("/bin/sh", ["-c", script], passphrase: Bench.passphrase, expect: expect)
    }

    /// Runs `huijin-verify` to its end.
    @discardableResult
    func verify(_ arguments: [String], expect: Int32 = 0) throws -> Outcome {
        try run("huijin-verify", arguments, passphrase: nil, expect: expect)
    }

    /// Runs `huijind` to its end.
    @discardableResult
    func huijind(_ arguments: [String], expect: Int32 = 0) throws -> Outcome {
        try run("huijind", arguments, passphrase: Bench.passphrase, expect: expect)
    }

    /// Runs any of the programs to its end.
    func run(
        _ name: String, _ arguments: [String], passphrase: String? = Bench.passphrase,
        isHeard: Bool = true, expect: Int32
    ) throws -> Outcome {
        let process = try process(name, arguments, passphrase: passphrase)
        // Files and not pipes: two full pipes would wait for one another.
        let names = [UUID().uuidString, UUID().uuidString]
        for name in names { try write("", name) }
        let output = folder.appending(path: names[0])
        process.standardOutput =
            try isHeard ? FileHandle(forWritingTo: output) : FileHandle(forReadingFrom: output)
        process.standardError = try FileHandle(forWritingTo: folder.appending(path: names[1]))
        try process.runForAWhile()
        process.waitUntilExit()
        let outcome = Outcome(
            status: process.terminationStatus, output: try read(names[0]),
            complaint: try read(names[1]))
        try #require(
            outcome.status == expect,
            "\(name) \(arguments.joined(separator: " ")): \(outcome.status) \(outcome.output)\(outcome.complaint)"
        )
        return outcome
    }

    /// Its JSON answer.
    func answer(
        _ arguments: [String], as member: String? = nil, expect: Int32 = 0
    ) throws -> JSONValue {
        try huijin(arguments + ["--output", "json"], as: member, expect: expect).json()
    }

    // MARK: Files

    func write(_ text: String, _ name: String) throws {
        try Data(text.utf8).write(to: folder.appending(path: name))
    }

    func read(_ name: String) throws -> String {
        try String(contentsOf: folder.appending(path: name), encoding: .utf8)
    }

    // MARK: A network of one validator

    func makeNetwork(
        suite: String = "ed25519", heartbeatMs: Int = 50, _ options: [String] = []
    ) throws -> JSONValue {
        try write(
            """
            {"name": "test", "parameters": {"heartbeatMs": \(heartbeatMs)},
             "validators": [{"nameZh": "甲", "nameEn": "A", "group": "a"}],
             "governor": {"nameZh": "乙", "nameEn": "B", "group": "b"},
             "policies": {}, "members": []}
            """, "template.json")
        return try answer(
            [
                "network", "init", "--template", "template.json", "--out", "net", "--suite", suite,
                "--key-cost", "minimal",
            ] + options)
    }

    /// Starts its node and waits until it says that it is ready.
    func startNode() throws {
        try write("", "node.log")
        _ = try start(
            "net/nodes/node0/node.json",
            log: try FileHandle(forWritingTo: folder.appending(path: "node.log")))
    }

    /// - Returns: the process, and where it serves.
    func start(
        _ configuration: String, log: Any, _ options: [String] = []
    ) throws -> (node: Process, address: String) {
        let process = try process(
            "huijind", ["run", "--config", configuration] + options, passphrase: Bench.passphrase)
        // Standard output carries the one line `ready …`, so this pipe never fills.
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = log
        try process.runForAWhile()
        nodes.append(process)
        var heard = ""
        while !heard.hasSuffix("\n") {
            let data = pipe.fileHandleForReading.availableData
            try #require(!data.isEmpty, "huijind ended")
            heard += String(decoding: data, as: UTF8.self)
        }
        let words = heard.split(whereSeparator: \.isWhitespace)
        try #require(words.count == 2 && words[0] == "ready")
        return (process, String(words[1]))
    }

    /// Makes and enrols a member.
    func enrol(_ name: String, _ roles: String..., node: String) throws {
        try huijin(
            [
                "member", "new", "--name-zh", "丙", "--name-en", name, "--genesis",
                "net/genesis.cbor", "--out", "net/members/\(name)", "--node", node, "--key-cost",
                "minimal",
            ] + roles.flatMap { ["--role", $0] })
        let enrolled = try answer(
            ["member", "enrol", "--request", "net/members/\(name)/request.json"], as: "governor")
        #expect(enrolled["codeName"]?.text == "accepted")
    }
}
