import Client
import Encoding
import Foundation
import Testing

/// `huijind recovery`: the one validator of a network has lost its voting key, and the ledger goes on under another.
@Suite(.serialized) struct RecoveryCommandTests {
    private static func edit(
        _ bench: Bench, _ file: String, _ change: (String) throws -> String
    ) throws {
        try bench.write(try change(try bench.read(file)), file)
    }

    @Test(arguments: ["ed25519", "sm2"])
    func aLedgerGoesOn(suite: String) throws {
        let bench = try Bench()
        var options = ["--recovery-threshold", "2"]
        for number in 0..<3 {
            try bench.huijin(["key", "new", "--suite", suite, "--out", "recovery-\(number).key"])
            options += ["--recovery-key", "recovery-\(number).key"]
        }
        let network = try bench.makeNetwork(suite: suite, options)
        let api = try #require(network["nodes"]?.list?.first?["api"]?.text)
        let config = "net/nodes/node0/node.json"
        let first = try bench.start(config, log: FileHandle.nullDevice)
        try bench.write("kept", "file.txt")
        let kept = try bench.answer(
            ["evidence", "record", "--file", "file.txt", "--node", api], as: "governor")
        let height = try #require(kept["height"]?.unsigned)
        first.node.terminate()
        first.node.waitUntilExit()

        let keys = try bench.answer(
            ["validator", "keys", "--suite", suite, "--out", "net/nodes/node0/new"])
        let status = try bench.huijind([
            "recovery", "status", "--config", config, "--seats-out", "seats.json",
        ])
        #expect(status.output.contains("basis / 基准: epoch 0"))
        // The file is never overwritten.
        try bench.huijind(
            ["recovery", "status", "--config", config, "--seats-out", "seats.json"], expect: 74)
        let seats = try #require(
            try JSONSerialization.jsonObject(with: Data(try bench.read("seats.json").utf8))
                as? [[String: String]])
        let voting = try #require(keys["publicKey"]?.text)
        let transport = try #require(keys["transportKey"]?.text)
        let make = [
            "recovery", "make", "--config", config, "--seats", "seats.json", "--member",
            try #require(seats.first?["member"]), "--member-key",
            "net/members/governor/signing.key", "--out", "recovery.cbor",
        ]
        // The seats are the present ones still; and that member has no such key.
        #expect(try bench.huijind(make, expect: 78).complaint.contains("unknown-key"))
        let governor = try bench.read("net/members/governor/member.json")
        let member = try #require(
            try JSONValue.parse(Array(governor.utf8))["member"]?.text)
        let good = make.map { $0 == seats[0]["member"] ? member : $0 }
        #expect(try bench.huijind(good, expect: 78).complaint.contains("wrong-state"))
        try Self.edit(bench, "seats.json") { text in
            text.replacing(try #require(seats[0]["votingKey"]), with: voting)
                .replacing(try #require(seats[0]["transportKey"]), with: transport)
        }
        try bench.huijind(good)
        try bench.huijind(good, expect: 74)

        let check = ["recovery", "check", "recovery.cbor", "--config", config]
        #expect(try bench.huijind(check).output.contains("0 are in it"))
        let sign = { (key: Int, expect: Int32) in
            try bench.huijind(
                [
                    "recovery", "sign", "recovery.cbor", "--genesis", "net/genesis.cbor", "--key",
                    "recovery-\(key).key",
                ], expect: expect)
        }
        _ = try sign(0, 0)
        try Self.edit(bench, config) { text in
            text.replacing("keys/", with: "new/")
                .replacing("\"data\":", with: "\"followsChain\": true, \"data\":")
        }
        let early = try bench.huijind(
            ["run", "--config", config, "--recovery", "recovery.cbor"], expect: 78)
        #expect(early.complaint.contains("1 signatures"))
        _ = try sign(2, 0)
        let shown = try bench.huijind([
            "recovery", "show", "recovery.cbor", "--genesis", "net/genesis.cbor",
        ]).output
        #expect(shown.components(separatedBy: "valid / 有效").count == 3)
        #expect(shown.contains("2 of 3") && !shown.contains("NOT VALID"))

        #expect(try bench.huijind(check).output.contains("taken here / 可采用"))
        let second = try bench.start(
            config, log: FileHandle.nullDevice, ["--recovery", "recovery.cbor"])
        try bench.write("later", "later.txt")
        let later = try bench.answer(
            ["evidence", "record", "--file", "later.txt", "--node", api], as: "governor")
        #expect(later["codeName"]?.text == "accepted")
        // The record from before is proven still, and the report says how the present epoch began.
        let id = try #require(kept["transaction"]?.text ?? kept["id"]?.text)
        try bench.huijin(
            ["audit", "transaction", id, "--out", "kept.bundle", "--node", api], as: "governor")
        let report = try bench.verify([
            "--genesis", "net/genesis.cbor", "--bundle", "kept.bundle",
        ]).output
        #expect(report.contains("NOT HANDED OVER: 1 of these"))
        #expect(report.contains("by 2 of the 3 recovery keys"))
        #expect(report.contains("height \(height)"))
        second.node.terminate()
        second.node.waitUntilExit()
    }

    @Test func whatIsWrongIsSaid() throws {
        let bench = try Bench()
        _ = try bench.makeNetwork()
        try bench.write("nothing", "recovery.cbor")
        let config = "net/nodes/node0/node.json"
        let show = ["recovery", "show", "recovery.cbor", "--genesis", "net/genesis.cbor"]
        #expect(try bench.huijind(show, expect: 78).complaint.contains("recovery.cbor"))
        try bench.huijind(["run", "--config", config, "--recovery", "recovery.cbor"], expect: 78)
        // Where there is no ledger, none is made by looking.
        try bench.huijind(["recovery", "status", "--config", config], expect: 74)
        try bench.huijind(["recovery", "status", "--config", config], expect: 74)
        // The genesis of this network has no rule.
        let run = try bench.start(config, log: FileHandle.nullDevice)
        run.node.terminate()
        run.node.waitUntilExit()
        try bench.huijind(
            ["recovery", "status", "--config", config, "--seats-out", "seats.json"])
        let made = try bench.huijind(
            [
                "recovery", "make", "--config", config, "--seats", "seats.json", "--member", "X",
                "--member-key", "net/members/governor/signing.key", "--out", "r.cbor",
            ], expect: 78)
        #expect(made.complaint.contains("no recovery rule"))
        try bench.huijin(["key", "new", "--out", "recovery.key"])
        let making = [
            "network", "init", "--template", "template.json", "--out", "other", "--key-cost",
            "minimal", "--recovery-key", "recovery.key",
        ]
        try bench.huijin(making, expect: 64)
        try bench.huijin(making + ["--recovery-threshold", "2"], expect: 64)
        try bench.huijin(making + ["--recovery-threshold", "1", "--suite", "sm2"], expect: 64)
        try bench.huijin(
            making + ["--recovery-key", "recovery.key", "--recovery-threshold", "2"], expect: 64)
        try bench.huijin(making + ["--recovery-threshold", "1"])
    }
}
