import Client
import Encoding
import Foundation
import Transport

/// Three members of Debian's etcd on loopback with its default settings, each put durable on a majority: what the ledger's
/// idle latency is measured against.
///
/// Asked like the ledger's nodes: one client, one request at a time, member after member, JSON over one kept HTTP/1.1 connection
/// each (etcd's own gRPC gateway).
final class Etcd {
    private let folder: URL
    private var members: [Process] = []
    private var clients: [String] = []

    static let probes = 200
    /// Not measured: connections are made, files preallocated.
    private static let warmUpPuts = 30
    private static let attemptsMax = 200
    private static let valueBytes = 256
    private static let program = "/usr/bin/etcd"

    /// - Returns: milliseconds of each put; nil where etcd is not installed.
    static func measure() async throws -> [Double]? {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            Report.progress(
                "etcd is not installed (Debian: etcd-server): no comparison / 未安装 etcd,跳过对比")
            return nil
        }
        let etcd = try Etcd()
        defer { etcd.remove() }
        try await etcd.waitUntilReady()
        for number in 0..<warmUpPuts { try await etcd.put(number) }
        var milliseconds: [Double] = []
        for number in 0..<probes {
            let begin = ContinuousClock.now
            try await etcd.put(number)
            milliseconds.append((ContinuousClock.now - begin).milliseconds)
        }
        Report.line(
            "latency-etcd",
            [
                ("p50Ms", .real(milliseconds.percentile(50))),
                ("p99Ms", .real(milliseconds.percentile(99))),
                ("probes", .unsigned(UInt64(milliseconds.count))), ("members", .unsigned(3)),
            ])
        return milliseconds
    }

    private init() throws {
        folder = FileManager.default.temporaryDirectory.appending(
            path: "huijin-bench-etcd-\(ProcessInfo.processInfo.processIdentifier)")
        try Belongings.make(folder)
        let ports = try FreePorts.find(6)
        clients = ports[0..<3].map { "http://127.0.0.1:\($0)" }
        let peers = ports[3..<6].map { "http://127.0.0.1:\($0)" }
        let cluster = peers.enumerated().map { "m\($0.offset)=\($0.element)" }
            .joined(separator: ",")
        let log = folder.appending(path: "etcd.log")
        try Data().write(to: log)
        for index in 0..<3 {
            let member = Process()
            member.executableURL = URL(filePath: Etcd.program)
            member.arguments = [
                "--name", "m\(index)", "--data-dir", folder.appending(path: "m\(index)").path,
                "--listen-client-urls", clients[index], "--advertise-client-urls", clients[index],
                "--listen-peer-urls", peers[index], "--initial-advertise-peer-urls", peers[index],
                "--initial-cluster", cluster,
            ]
            let handle = try FileHandle(forWritingTo: log)
            try handle.seekToEnd()
            member.standardOutput = handle
            member.standardError = handle
            try Belongings.start(member)
            members.append(member)
        }
    }

    private func waitUntilReady() async throws {
        for attempt in 0... {
            if (try? await put(0)) != nil { return }
            guard attempt < Etcd.attemptsMax else {
                throw BenchNetwork.Failed(description: "etcd did not start")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
    }

    private func put(_ number: Int) async throws {
        let key = Data("key-\(number)".utf8).base64EncodedString()
        let value = Data(repeating: 0x78, count: Etcd.valueBytes).base64EncodedString()
        let body: JSONValue = ["key": .text(key), "value": .text(value)]
        let answer = try await NetworkTransport().perform(
            HTTPCall(
                method: "POST", base: clients[number % clients.count], path: "/v3/kv/put",
                headers: [("content-type", "application/json")], body: body.encodedBytes))
        guard answer.status == 200 else {
            throw BenchNetwork.Failed(description: "etcd answered \(answer.status)")
        }
    }

    private func remove() {
        for member in members { member.terminate() }
        for member in members { member.waitUntilExit() }
        try? FileManager.default.removeItem(at: folder)
    }
}
