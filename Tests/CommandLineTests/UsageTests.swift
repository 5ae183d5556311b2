import Client
import Foundation
import Testing

/// What needs no node: setting up, and what is said of files and options that are wrong.
@Suite struct UsageTests {
    @Test func aNetworkIsMadeOnce() throws {
        let bench = try Bench()
        let made = try bench.makeNetwork()
        #expect(made["suite"]?.text == "ed25519-sha256")
        #expect(made["nodes"]?.list?.count == 1)
        let governor = try #require(made["governor"]?.text)
        #expect(governor.hasSuffix("net/members/governor"))
        for file in [
            "net/genesis.cbor", "net/genesis.json", "net/nodes/node0/node.json",
            "net/nodes/node0/keys/voting.key", "net/members/governor/member.json",
            "net/members/governor/signing.key",
        ] {
            let path = bench.folder.appending(path: file).path
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            if file.hasSuffix(".key") {
                #expect(attributes[.posixPermissions] as? Int == 0o600, "\(file)")
            }
        }
        try bench.huijin(
            [
                "network", "init", "--template", "template.json", "--out", "net", "--key-cost",
                "minimal",
            ], expect: 78)
    }

    @Test func aNewNodesKeysAreMadeOnce() throws {
        let bench = try Bench()
        let command = ["validator", "keys", "--out", "new", "--suite", "ed25519"]
        let made = try bench.huijin(command + ["--output", "json"]).json()
        #expect(made["transportKey"]?.text?.count == 182)
        #expect(made["publicKey"]?.text?.count == 64)
        for file in ["new/voting.key", "new/transport.key", "new/transport.pem"] {
            let path = bench.folder.appending(path: file).path
            #expect(FileManager.default.fileExists(atPath: path), "\(file)")
        }
        try bench.huijin(command, expect: 78)
    }

    @Test func wrongUseIsSaidInBothLanguages() throws {
        let bench = try Bench()
        try bench.huijin(["nothing"], expect: 64)
        try bench.huijin(["asset", "show"], expect: 64)
        for option in [["--interval-ms", "0"], ["--stale-seconds", "18446744073709551615"]] {
            let run = try bench.huijin(["watch", "--trust", "trust"] + option, expect: 64)
            #expect(run.complaint.contains(option[0]))
        }
        let missing = try bench.huijin(
            ["network", "init", "--template", "none.json", "--out", "net"], expect: 66)
        #expect(missing.complaint.contains("none.json"))
        #expect(missing.complaint.unicodeScalars.contains { $0.value > 0x2E80 })
        _ = try bench.makeNetwork()
        let wrong = try bench.huijin(
            ["asset", "show", "\u{1B}[2Jxyz\u{7}\n[well]"], as: "governor", expect: 64)
        #expect(wrong.complaint.contains("\\u{1b}[2Jxyz\\u{7}\\u{a}[well]"))
        #expect(!wrong.complaint.contains("\u{1B}"))
        try bench.huijin(["asset", "show", String(repeating: "0", count: 64)], expect: 64)
    }

    @Test func keysAndFoldersThatAreWrongAreNamed() throws {
        let bench = try Bench()
        _ = try bench.makeNetwork()
        try bench.write("x", "deposit.txt")
        let command = ["evidence", "record", "--file", "deposit.txt"]
        let none = try bench.huijin(command, as: "governor", passphrase: nil, expect: 78)
        #expect(none.complaint.contains("HUIJIN_PASSPHRASE"))
        let other = try bench.huijin(command, as: "governor", passphrase: "wrong", expect: 78)
        #expect(other.complaint.contains("signing.key"))
        #expect(other.complaint.contains("passphrase"))
        try bench.huijin(command, as: "nobody", expect: 66)
        try bench.write("{\"member\": \"lower\"}", "net/members/governor/member.json")
        let field = try bench.huijin(command, as: "governor", expect: 78)
        #expect(field.complaint.contains("member.json") && field.complaint.contains("member"))
    }

    @Test func completionsAreMadeForEachShell() throws {
        let bench = try Bench()
        for shell in ["bash", "zsh", "fish"] {
            let script = try bench.huijin(["--generate-completion-script", shell]).output
            #expect(script.contains("licence"), "\(shell)")
        }
    }
}
