import Client
import Foundation
import Testing

/// How `huijin watch` ends.
@Suite(.serialized) struct WatchCommandTests {
    private static let watch = [
        "watch", "--genesis", "net/genesis.cbor", "--trust", "trust", "--looks", "1",
    ]
    /// Nobody listens there.
    private static let nobody = ["--node", "http://127.0.0.1:1"]

    @Test func aNodeThatProvesSomethingEndsItWellAndNoneDoesNot() throws {
        let bench = try Bench()
        let network = try bench.makeNetwork()
        let made = try #require(network["nodes"]?.list?.first)
        let node = ["--node", try #require(made["api"]?.text)]
        let validator = ["--member", try #require(made["member"]?.text)]
        try bench.startNode()
        // A node that has just begun has nothing to prove; this waits for its first block.
        try bench.huijin(
            ["audit", "header", "1", "--genesis", "net/genesis.cbor", "--out", "first.bundle"]
                + node)
        let told = try bench.huijin(Self.watch + node + validator).output
        #expect(told.contains("[record]"))
        let kept = try Data(contentsOf: bench.folder.appending(path: "trust"))
        #expect(!kept.isEmpty)

        // One that does not answer beside it does no harm; alone it does, and what is trusted stays.
        try bench.huijin(Self.watch + Self.nobody + node)
        let none = try bench.huijin(Self.watch + Self.nobody + ["--output", "json"], expect: 69)
        #expect(none.output.contains("\"silent\""))
        #expect(none.complaint.contains("没有节点给出证明"))
        #expect(none.output.contains("连接被拒绝"))

        // Another program would stand on a fork that an earlier run found, whatever is answered now.
        try bench.write("", "trust.fork-00")
        let fork = try bench.huijin(Self.watch + node, expect: 3)
        #expect(fork.complaint.contains("trust.fork-"))
    }

    @Test func whatItCannotStartWithIsNamed() throws {
        let bench = try Bench()
        _ = try bench.makeNetwork()
        let nothing = String(repeating: "0", count: 64)
        let wrong: [(words: [String], status: Int32, named: String)] = [
            (["--accept", nothing], 64, "--checkpoint"),
            (["--checkpoint", "start"], 64, "--accept"),
            (["--checkpoint", "none", "--accept", "xyz"], 64, "--accept"),
            (["--checkpoint", "none", "--accept", nothing], 66, "none"),
            (["--checkpoint", "net/genesis.cbor", "--accept", nothing], 65, "net/genesis.cbor"),
            (["--account", nothing], 64, "--account"), (["--asset", "xyz"], 64, "--asset"),
            (["--member", "x y"], 64, "--member"), (["--licence", "xyz"], 64, "--licence"),
            (["--logs", "none"], 64, "--logs"), (Self.nobody, 64, "is given twice"),
        ]
        for (words, status, named) in wrong {
            let run = try bench.huijin(Self.watch + Self.nobody + words, expect: status)
            #expect(run.complaint.contains(named), "\(words)")
        }
        try bench.write("not a trust file", "trust")
        let damaged = try bench.huijin(Self.watch + Self.nobody, expect: 78)
        #expect(damaged.complaint.contains("trust: it is not a trust file"))
        let folder = try bench.huijin(
            ["watch", "--genesis", "net/genesis.cbor", "--trust", "none/trust", "--looks", "1"]
                + Self.nobody, expect: 73)
        #expect(folder.complaint.contains("none/trust"))
    }
}
