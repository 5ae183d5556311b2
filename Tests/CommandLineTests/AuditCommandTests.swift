import Client
import Foundation
import Testing

/// `huijin audit` and `huijin-verify --expect` have one notation.
@Suite(.serialized) struct AuditCommandTests {
    @Test func theWordsThatAskedForABundleExpectIt() throws {
        let bench = try Bench()
        let network = try bench.makeNetwork()
        let made = try #require(network["nodes"]?.list?.first)
        let node = try #require(made["api"]?.text)
        let validator = try #require(made["member"]?.text)
        try bench.startNode()
        try bench.enrol("buyer", "buyer", "provider", node: node)
        try bench.write("x", "deposit.txt")
        let deposit = try bench.answer(
            ["evidence", "record", "--file", "deposit.txt"], as: "buyer")
        let transaction = try #require(deposit["transaction"]?.text)
        let nothing = String(repeating: "0", count: 64)
        let questions = [
            ["asset", nothing, "--logs", "rights"],
            ["transaction", transaction],
            ["record", "member", validator],
            ["header", "1"],
            ["licence", nothing, "--height", "1"],
            ["role", validator, "validator", "--height", "1"],
            ["output", nothing],
        ]
        for (number, words) in questions.enumerated() {
            let file = "\(number).bundle"
            try bench.huijin(["audit"] + words + ["--out", file], as: "buyer")
            let verify = ["--genesis", "net/genesis.cbor", "--bundle", file, "--expect"]
            try bench.verify(verify + [words.joined(separator: " ")])
            let other = questions[(number + 1) % questions.count].joined(separator: " ")
            let refused = try bench.verify(verify + [other], expect: 2)
            #expect(refused.output.contains(other))
        }
        // What is trusted since genesis; a file that is none is named.
        let trusting = ["audit", "header", "1", "--trust", "trust", "--out"]
        try bench.huijin(trusting + ["untrusted.bundle"], as: "buyer", expect: 66)
        try bench.verify(
            ["--genesis", "net/genesis.cbor", "--bundle", "1.bundle", "--trust", "trust"])
        try bench.huijin(trusting + ["trusted.bundle"], as: "buyer")
        try bench.write("evidence", "trust.fork-0")
        let contested = try bench.huijin(trusting + ["no.bundle"], as: "buyer", expect: 3)
        #expect(contested.complaint.contains("trust.fork-0"))
        try FileManager.default.removeItem(at: bench.folder.appending(path: "trust.fork-0"))
        try bench.write("junk", "trust")
        let refused = try bench.huijin(trusting + ["more.bundle"], as: "buyer", expect: 78)
        #expect(refused.complaint.contains("trust"))
        for words in [
            ["asset", "xyz"], ["asset", nothing, "--logs", "none"], ["record", "asset", validator],
            ["licence", nothing], ["role", validator, "king", "--height", "1"],
            ["licence", nothing, "--time", "yesterday"],
        ] {
            try bench.huijin(["audit"] + words + ["--out", "no.bundle"], as: "buyer", expect: 64)
        }
        #expect(!FileManager.default.fileExists(atPath: bench.folder.path + "/no.bundle"))
    }
}
