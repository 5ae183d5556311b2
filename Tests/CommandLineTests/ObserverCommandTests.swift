import Client
import Foundation
import Glibc
import Testing

/// A running validator is told of an observer, and the observer follows, as separate processes.
@Suite(.serialized, .timeLimit(.minutes(2))) struct ObserverCommandTests {
    /// Reads a process's log until it has said that.
    private func wait(_ log: Pipe, for text: String) throws {
        var heard = ""
        while !heard.contains(text) {
            let data = log.fileHandleForReading.availableData
            try #require(!data.isEmpty, "the node ended: \(heard)")
            heard += String(decoding: data, as: UTF8.self)
        }
    }

    @Test func anObserverIsAdmittedWithoutARestart() throws {
        let bench = try Bench()
        // The observer is not so many blocks behind that it takes nothing yet.
        let network = try bench.makeNetwork(heartbeatMs: 1_000)
        let made = try #require(network["nodes"]?.list?.first)
        let member = try #require(made["member"]?.text)
        let listen = try #require(made["listen"]?.text)
        let key = try #require(
            try bench.answer(["transport", "new", "--out", "watch/keys", "--name", "watch"])[
                "transportKey"]?.text)
        let log = Pipe()
        let (validator, _) = try bench.start("net/nodes/node0/node.json", log: log)

        let path = "net/nodes/node0/node.json"
        let before = try bench.read(path)
        func admit(_ key: String) throws {
            let list = "{\"observers\": [{\"name\": \"watch\", \"transportKey\": \"\(key)\"}], "
            try bench.write(list + before.drop { $0 != "\"" }, path)
            kill(validator.processIdentifier, SIGHUP)
        }
        try admit("zz")
        try wait(log, for: "observers[0].transportKey")
        try admit(key)
        try wait(log, for: "configuration read again")

        try bench.write(
            """
            {"genesis": "../net/genesis.cbor", "data": "data", "observer": "watch",
             "transportKey": "keys/transport.key", "transportCertificate": "keys/transport.pem",
             "api": "127.0.0.1:0", "peers": [{"validator": "\(member)", "address": "\(listen)"}]}
            """, "watch/node.json")
        let watchLog = Pipe()
        let (_, address) = try bench.start("watch/node.json", log: watchLog)
        try wait(watchLog, for: "connected")
        try bench.huijin([
            "member", "new", "--name-zh", "丙", "--name-en", "C", "--role", "buyer", "--genesis",
            "net/genesis.cbor", "--out", "net/members/c", "--key-cost", "minimal",
        ])
        // Through the observer, and read from it.
        let enrolled = try bench.answer(
            ["member", "enrol", "--request", "net/members/c/request.json", "--node", address],
            as: "governor")
        #expect(enrolled["codeName"]?.text == "accepted" && enrolled["status"]?.text == "final")
        let id = try #require(enrolled["transaction"]?.text)
        let shown = try bench.answer(["tx", "show", id, "--node", address], as: "governor")
        #expect(shown["height"]?.unsigned == enrolled["height"]?.unsigned)

        // Who is to have a seat is looked at first: only then is the ledger asked, which knows no such member.
        let keys = try bench.answer(["validator", "keys", "--out", "new"])
        func join(_ newcomer: String, expect status: Int32) throws -> String {
            try bench.huijin(
                [
                    "validator", "join", "--member", "NONE", "--newcomer", newcomer,
                    "--voting-key", try #require(keys["publicKey"]?.text),
                    "--transport-key", try #require(keys["transportKey"]?.text),
                ], as: "governor", expect: status
            ).complaint
        }
        #expect(try join("http://127.0.0.1:1", expect: 69).contains("127.0.0.1:1"))
        _ = try join(address, expect: 1)
    }

    @Test func aCertificateIsRenewedForTheSameKey() throws {
        let bench = try Bench()
        let made = try bench.answer(["transport", "new", "--out", "keys"])
        let renew = ["transport", "renew", "--key", "keys/transport.key", "--out", "new.pem"]
        let renewed = try bench.answer(renew)
        #expect(renewed["transportKey"]?.text == made["transportKey"]?.text)
        #expect(try bench.read("new.pem") != bench.read("keys/transport.pem"))
        try bench.huijin(renew, expect: 73)
        try bench.huijin(["transport", "new", "--out", "keys"], expect: 73)
    }
}
