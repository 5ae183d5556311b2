import Client
import Encoding
import Foundation
import Interchange
import LedgerCrypto
import Testing

/// `huijin export tlog`: a whole static log, or nothing.
@Suite(.serialized) struct ExportCommandTests {
    private func export(
        _ bench: Bench, _ folder: String, node: String, expect: Int32 = 0
    ) throws -> Outcome {
        try bench.huijin(
            [
                "export", "tlog", folder, "--genesis", "net/genesis.cbor", "--node", node,
                "--output", "json",
            ], expect: expect)
    }

    private func exists(_ bench: Bench, _ name: String) -> Bool {
        FileManager.default.fileExists(atPath: bench.folder.appending(path: name).path)
    }

    @Test func writesTheLogThatTheValidatorsCosigned() throws {
        let bench = try Bench()
        // A leaf for each block: few enough for one tile that is not full.
        let network = try bench.makeNetwork(heartbeatMs: 1_000)
        let node = try #require(network["nodes"]?.list?.first?["api"]?.text)
        try bench.startNode()
        try bench.enrol("provider", "provider", node: node)

        let said = try export(bench, "log", node: node).json()
        let count = try #require(said["leaves"]?.unsigned)
        #expect(said["cosignatures"]?.unsigned == 1 && (2...255).contains(count))
        let bundle = [UInt8](
            try Data(
                contentsOf: bench.folder.appending(path: "log/tile/entries/000.p/\(count)")))
        var writer = LogTileWriter(.ed25519SHA256)
        for leaf in try #require(LogTileWriter.leaves(ofBundle: bundle)) {
            _ = writer.append(leaf)
        }
        let note = try bench.read("log/checkpoint").split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(note.count == 6 && note[1] == "\(count)" && note[3] == "" && note[5] == "")
        #expect(note[2] == Base64.encode(writer.root.bytes))
        #expect(said["root"]?.text == writer.root.hex)
        // The policy's one witness is who signed.
        let policy = try bench.read("log/policy").split(separator: "\n")
        #expect(policy.last == "quorum validators" && policy.count == 4)
        let name = try #require(policy[1].split(separator: " ").last?.split(separator: "+").first)
        #expect(note[4].contains(" \(name) ") && name.hasPrefix("\(note[0])/"))

        // What is there is never written over.
        let again = try export(bench, "log", node: node, expect: 73)
        #expect(try export(bench, "", node: node, expect: 73).complaint.contains("No such file"))
        #expect(exists(bench, "net/genesis.cbor"))
        #expect(again.complaint.contains("log"))
        #expect(try bench.read("log/checkpoint") == note.joined(separator: "\n"))
    }

    @Test func whereThereIsNoneNothingIsMade() throws {
        let bench = try Bench()
        let network = try bench.makeNetwork(suite: "sm2")
        let node = try #require(network["nodes"]?.list?.first?["api"]?.text)
        try bench.startNode()
        try bench.enrol("provider", "provider", node: node)
        #expect(try export(bench, "log", node: node, expect: 64).complaint.contains("sm2-sm3"))
        #expect(!exists(bench, "log"))
    }
}
