import Client
import Foundation
import Glibc
import Ledger
import LedgerCrypto
import SQLite
import Transport

/// A network of `huijind` processes in a temporary folder, made and run by the programs beside this one.
final class BenchNetwork {
    let folder: URL
    let genesis: Genesis
    let nodes: [String]
    private let configurations: [String]
    private let environment: [String: String]
    private var processes: [Int: Process] = [:]

    private static let linkAttemptsMax = 200

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// - Parameter window: blocks of the replay window; a load of few members needs a long one.
    init(suite: String, validators: Int, window: UInt64 = 65_536) throws {
        let name = "huijin-bench-\(ProcessInfo.processInfo.processIdentifier)"
        folder = FileManager.default.temporaryDirectory.appending(path: name)
        try Belongings.make(folder)
        environment = ProcessInfo.processInfo.environment.merging(
            ["HUIJIN_PASSPHRASE": "bench"], uniquingKeysWith: { _, new in new })
        let template = folder.appending(path: "template.json")
        try Data(BenchNetwork.template(validators, window).encodedBytes).write(to: template)
        let output = try BenchNetwork.output(
            of: "huijin",
            [
                "network", "init", "--template", template.path, "--out",
                folder.appending(path: "net").path, "--suite", suite, "--key-cost", "minimal",
                "--output", "json",
            ], environment)
        let json = try JSONValue.parse(output)
        guard let file = json["genesis"]?.text, let made = json["nodes"]?.list else {
            throw Failed(description: "network init said something else")
        }
        genesis = try Genesis.decode(
            [UInt8](Data(contentsOf: URL(filePath: file))), limits: LedgerLimits.genesis)
        nodes = made.compactMap { $0["api"]?.text }
        configurations = made.compactMap { $0["config"]?.text }
    }

    /// The governor, who may enrol.
    func governor() throws -> Identity {
        try MemberFolder(reading: folder.appending(path: "net/members/governor").path)
            .identity(passphrase: "bench")
    }

    /// The data folder of the first node.
    var data: URL { data(of: 0) }

    func data(of index: Int) -> URL {
        URL(filePath: configurations[index]).deletingLastPathComponent().appending(path: "data")
    }

    /// The validators' keys, in the order of their seats.
    func votingKeys() throws -> [SigningKey] {
        try configurations.map { path in
            let file = URL(filePath: path).deletingLastPathComponent()
                .appending(path: "keys/voting.key")
            return try EncryptedKeyFile.open(
                [UInt8](Data(contentsOf: file)), passphrase: "bench")
        }
    }

    /// Sets whole numbers in every `node.json`.
    func configure(_ fields: [String: UInt64]) throws {
        for path in configurations {
            let url = URL(filePath: path)
            let read = try JSONSerialization.jsonObject(with: Data(contentsOf: url))
            guard var file = read as? [String: Any] else {
                throw Failed(description: "node.json has another form")
            }
            for (name, value) in fields { file[name] = value }
            try JSONSerialization.data(withJSONObject: file).write(to: url)
        }
    }

    /// Leads every link between validators through a relay: `address(from, to, port)` names where `from` finds `to`.
    ///
    /// - Parameter address: given two nodes by number and the port on which the second listens.
    func reroute(_ address: (_ from: Int, _ to: Int, _ port: Int) async throws -> Int) async throws
    {
        var files = try configurations.map {
            try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: $0)))
                as? [String: Any] ?? [:]
        }
        let seats = files.map { $0["validator"] as? String ?? "" }
        for from in files.indices {
            var peers = files[from]["peers"] as? [[String: Any]] ?? []
            for place in peers.indices {
                guard let seat = peers[place]["validator"] as? String,
                    let to = seats.firstIndex(of: seat),
                    let text = (peers[place]["address"] as? String)?.split(separator: ":").last,
                    let port = Int(text)
                else { throw Failed(description: "node.json has another form") }
                peers[place]["address"] = "127.0.0.1:\(try await address(from, to, port))"
            }
            files[from]["peers"] = peers
            try JSONSerialization.data(withJSONObject: files[from])
                .write(to: URL(filePath: configurations[from]))
        }
    }

    /// Makes a transport key that the first node admits as an observer's. Before the start.
    func admitObserver() throws -> TransportIdentity {
        let keys = folder.appending(path: "observer")
        let made = try JSONValue.parse(
            try BenchNetwork.output(
                of: "huijin", ["transport", "new", "--out", keys.path, "--output", "json"],
                environment))
        guard let key = made["transportKey"]?.text,
            var file = try JSONSerialization.jsonObject(
                with: Data(contentsOf: URL(filePath: configurations[0]))) as? [String: Any]
        else { throw Failed(description: "node.json or huijin transport has another form") }
        file["observers"] = [["name": "flood", "transportKey": key]]
        try JSONSerialization.data(withJSONObject: file)
            .write(to: URL(filePath: configurations[0]))
        return try identity(in: keys)
    }

    /// With the key of a node's links, for somebody who takes its place.
    func transportIdentity(of index: Int) throws -> TransportIdentity {
        try identity(
            in: URL(filePath: configurations[index]).deletingLastPathComponent()
                .appending(path: "keys"))
    }

    private func identity(in keys: URL) throws -> TransportIdentity {
        let sealed = try Data(contentsOf: keys.appending(path: "transport.key"))
        return try TransportIdentity(
            certificatePEM: [UInt8](Data(contentsOf: keys.appending(path: "transport.pem"))),
            privateKeyPEM: try EncryptedKeyFile.openBytes([UInt8](sealed), passphrase: "bench"))
    }

    /// Where each node listens for its peers.
    func listenPorts() throws -> [Int] {
        try configurations.map {
            let json = try JSONValue.parse([UInt8](Data(contentsOf: URL(filePath: $0))))
            guard let port = json["listen"]?.text?.split(separator: ":").last.flatMap({ Int($0) })
            else { throw Failed(description: "node.json has another form") }
            return port
        }
    }

    /// Memory of a node that is not paged out; 0 while it does not run.
    func residentBytes(of index: Int) -> Int {
        guard let process = processes[index],
            let text = try? String(
                contentsOfFile: "/proc/\(process.processIdentifier)/statm", encoding: .utf8)
        else { return 0 }
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * sysconf(Int32(_SC_PAGESIZE))
    }

    /// Until every node serves and is linked to every other.
    func start() async throws {
        for index in configurations.indices { try await launch(index) }
        for node in nodes {
            let client = try HuijinClient(nodes: [node], genesis: genesis)
            for attempt in 0... {
                let peers = try await client.status()["peers"]?.unsigned
                if peers == UInt64(nodes.count - 1) { break }
                guard attempt < BenchNetwork.linkAttemptsMax else {
                    throw Failed(description: "the nodes did not find one another")
                }
                try await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    /// Starts one node and waits until it serves.
    func launch(_ index: Int) async throws {
        let process = Process()
        process.executableURL = BenchNetwork.program("huijind")
        process.arguments = ["run", "--config", configurations[index]]
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        let log = folder.appending(path: "node\(index).log")
        if !FileManager.default.fileExists(atPath: log.path) { try Data().write(to: log) }
        let handle = try FileHandle(forWritingTo: log)
        try handle.seekToEnd()
        process.standardError = handle
        try Belongings.start(process)
        processes[index] = process
        let line = await withCheckedContinuation { continuation in
            // Reading blocks, so it must not hold up the load that may be running.
            DispatchQueue.global().async {
                let data = output.fileHandleForReading.availableData
                continuation.resume(returning: String(decoding: data, as: UTF8.self))
            }
        }
        guard line.hasPrefix("ready") else {
            throw Failed(description: "a node did not start; see \(log.path)")
        }
    }

    /// A node whose process is not there any more although nobody took it away.
    var endedNode: Int? { processes.first { !$0.value.isRunning }?.key }

    /// As a power cut would: no clean-up, nothing flushed.
    func kill(_ index: Int) {
        guard let process = processes.removeValue(forKey: index) else { return }
        signal(process, SIGKILL)
        process.waitUntilExit()
    }

    func pause(_ index: Int) { processes[index].map { signal($0, SIGSTOP) } }
    func resume(_ index: Int) { processes[index].map { signal($0, SIGCONT) } }

    private func signal(_ process: Process, _ number: Int32) {
        _ = Glibc.kill(process.processIdentifier, number)
    }

    func stop() throws {
        for process in processes.values { process.terminate() }
        for process in processes.values { process.waitUntilExit() }
        processes = [:]
    }

    func remove() {
        try? stop()
        try? FileManager.default.removeItem(at: folder)
    }

    /// The pages in use in the databases of the first node. The nodes are stopped for it, which folds the journals in,
    /// and started again: in files' sizes the journals' high-water marks would hide what is added.
    func bytesInUse() async throws -> Int {
        try stop()
        var bytes = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: data.path)
        where name.hasSuffix(".db") {
            let database = try Database(
                path: data.appending(path: name).path, access: .readOnly)
            let numbers = try ["page_count", "freelist_count", "page_size"].map {
                Int(try database.pragma($0) ?? "") ?? 0
            }
            bytes += (numbers[0] - numbers[1]) * numbers[2]
        }
        try await start()
        return bytes
    }

    private static func program(_ name: String) -> URL {
        URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appending(path: name)
    }

    private static func output(
        of name: String, _ arguments: [String], _ environment: [String: String]
    ) throws -> [UInt8] {
        let process = Process()
        process.executableURL = program(name)
        process.arguments = arguments
        process.environment = environment
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failed(description: "\(name) ended with \(process.terminationStatus)")
        }
        return [UInt8](data)
    }

    /// Standard parameters, but for a replay window and a quota that a load of few members needs.
    private static func template(_ validators: Int, _ window: UInt64) -> JSONValue {
        [
            "name": "bench",
            "parameters": [
                "replayWindowBlocksMax": .unsigned(window),
                "entriesPerMemberPerBlockMax": .unsigned(4_096),
            ],
            "validators": .list(
                (0..<validators).map {
                    ["nameZh": .text("节点\($0)"), "nameEn": .text("Node \($0)")]
                }), "governor": ["nameZh": "治理", "nameEn": "Governor"],
        ]
    }
}
