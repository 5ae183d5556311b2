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
            ], expect: 73)
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
        try bench.huijin(command, expect: 73)
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

    /// Help is no answer, and a script would take it for one.
    @Test func aGroupWithoutASubcommandIsWrongUse() throws {
        let bench = try Bench()
        for words in [["audit"], ["asset"], []] {
            let run = try bench.huijin(words, expect: 64)
            #expect(run.complaint.contains("needs a subcommand") && run.output.isEmpty)
            #expect(run.complaint.contains("须给出子命令"))
        }
        #expect(try bench.huijin(["audit", "--help"]).output.contains("provenance"))
        #expect(try bench.huijin(["--help"]).output.contains("73"))
    }

    /// Ports above 65535 were a trap, and passwords stood in what was said of an address.
    @Test func whatIsNoAddressIsRefused() throws {
        let bench = try Bench()
        _ = try bench.makeNetwork()
        let zeros = String(repeating: "0", count: 64)
        let header = ["audit", "header", "3", "--genesis", "net/genesis.cbor", "--out", "x"]
        for address in [
            "http://127.0.0.1:99999", "http://[::1]:65536", "http://127.0.0.1:",
            "http://localhost:99999", "http://127.0.0.1:1#x", "http://u:secret@127.0.0.1:1",
        ] {
            let run = try bench.huijin(header + ["--node", address], expect: 65)
            #expect(run.complaint.contains("is not a node's address"), "\(address)")
            #expect(!run.complaint.contains("secret"))
            let job = ["job", "resume", zeros, "--sandbox", address]
            try bench.huijin(
                job + ["--node", "http://127.0.0.1:1"], as: "governor", expect: 65)
        }
        let member = try bench.read("net/members/governor/member.json")
        let file = "net/members/governor/member.json"
        try bench.write(
            member.replacing(/"http:[^"]*"/, with: "\"http://127.0.0.1:99999\""), file)
        let own = try bench.huijin(["network", "status"], as: "governor", expect: 78)
        #expect(own.complaint.contains("member.json") && own.complaint.contains("99999"))
    }

    @Test func wordsThatAreNotUTF8AreRefused() throws {
        let bench = try Bench()
        _ = try bench.makeNetwork()
        for word in ["\\377\\376", "\\320\\305"] {
            let run = try bench.shell(
                "\"$PROGRAMS/huijin\" watch --genesis net/genesis.cbor --node http://127.0.0.1:1 --trust \"$(printf '\(word)')\"",
                expect: 64)
            #expect(run.complaint.contains("argument 7 is not UTF-8"))
            #expect(run.complaint.contains("第 7 个参数不是 UTF-8"))
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: bench.folder.path)
        #expect(!names.contains { $0.contains("\u{FFFD}") || $0.hasSuffix(".lock") })
    }

    @Test func jsonIsJSONForFailuresToo() throws {
        let bench = try Bench()
        _ = try bench.makeNetwork()
        let status = ["network", "status", "--node", "http://127.0.0.1:1"]
        for option in [["--output", "json"], ["--output=json"]] {
            let run = try bench.huijin(status + option, as: "governor", expect: 69)
            let json = try run.json()
            #expect(json["codeName"]?.text == "unavailable")
            #expect(json["message"]?.text?.contains("连接被拒绝") == true)
            #expect(run.complaint.contains("refused") && run.complaint.contains("连接被拒绝"))
            let usage = try bench.huijin(["audit"] + option, expect: 64).output
            // The group has no such option, which the library says.
            #expect(try JSONValue.parse(Array(usage.utf8))["codeName"]?.text == "usage")
        }
        #expect(try bench.huijin(status, as: "governor", expect: 69).output.isEmpty)
        // A file of that name is no option.
        #expect(try bench.huijin(["asset", "show", "json"], expect: 64).output.isEmpty)
    }

    @Test func whatWouldBeRightIsSaid() throws {
        let bench = try Bench()
        _ = try bench.makeNetwork()
        let audit = ["audit", "record"]
        let out = ["--out", "x", "--genesis", "net/genesis.cbor", "--node", "http://127.0.0.1:1"]
        for (words, said) in [
            (["asset", "12"], "64 lower-case"), (["account", "foo"], "two parts"),
            (["key", "12"], "32 lower-case"), (["salt-seed", "0"], "salt-seed"),
        ] {
            let run = try bench.huijin(audit + words + out, expect: 64)
            #expect(run.complaint.contains(said), "\(words): \(run.complaint)")
        }
        let unknown = try bench.huijin(audit + ["nothing", "0"] + out, expect: 64)
        #expect(unknown.complaint.contains("voting-key"))
        #expect(!unknown.complaint.contains("salt-seed"))
        // A file of another kind is called that, by its name.
        let trusting = ["audit", "header", "1", "--trust", "net/genesis.cbor"]
        let trust = try bench.huijin(trusting + out, expect: 78)
        #expect(trust.complaint.contains("net/genesis.cbor: it is not a trust file"))
        #expect(trust.complaint.contains("net/genesis.cbor：不是信任文件"))
    }

    @Test func completionsAreMadeForEachShell() throws {
        let bench = try Bench()
        for shell in ["bash", "zsh", "fish"] {
            let script = try bench.huijin(["--generate-completion-script", shell]).output
            #expect(script.contains("licence"), "\(shell)")
        }
    }
}
