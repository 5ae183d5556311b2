import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Testing

@testable import Node

/// Each thing that can be wrong is named with file, field and remedy.
@Suite(.serialized) struct NodeConfigurationTests {
    /// A node's folder as `huijin network init` writes it.
    private struct Folder {
        let network: TestNetwork
        var fields: [String: Any]

        init() throws {
            network = try TestNetwork(4)
            let genesis = network.genesis
            let names = genesis.validators.validators.map(\.member.text)
            try FileManager.default.createDirectory(
                atPath: network.folder + "/keys", withIntermediateDirectories: true)
            fields = [
                "genesis": "genesis.cbor", "data": "data", "validator": names[1],
                "votingKey": "keys/voting.key", "transportKey": "keys/transport.key",
                "transportCertificate": "keys/transport.pem", "listen": "127.0.0.1:7001",
                "api": "[::1]:8001", "log": "warning",
                "peers": [0, 2, 3].map {
                    ["validator": names[$0], "address": "127.0.0.1:700\($0)"]
                },
            ]
            try write("genesis.cbor", genesis.encoded)
            let cost = KeyDerivationCost.minimal
            try write(
                "keys/voting.key",
                EncryptedKeyFile.seal(
                    network.votingKeys[1], label: "voting", passphrase: TestNetwork.passphrase,
                    cost: cost))
            try write(
                "keys/other.key",
                EncryptedKeyFile.seal(
                    network.votingKeys[0], label: "voting", passphrase: TestNetwork.passphrase,
                    cost: cost))
            try write(
                "keys/transport.key",
                EncryptedKeyFile.sealBytes(
                    network.transports[1].keyPEM, suite: .ed25519SHA256, label: "transport",
                    passphrase: TestNetwork.passphrase, cost: cost))
            try write("keys/transport.pem", network.transports[1].certificatePEM)
            try write("keys/other.pem", network.transports[0].certificatePEM)
        }

        var path: String { network.folder + "/node.json" }

        func write(_ name: String, _ bytes: [UInt8]) throws {
            try Data(bytes).write(to: URL(fileURLWithPath: "\(network.folder)/\(name)"))
        }

        func load(
            _ change: [String: Any?] = [:], passphrase: String = TestNetwork.passphrase
        ) throws -> NodeConfiguration {
            var fields = fields
            for (name, value) in change { fields[name] = value }
            try JSONSerialization.data(withJSONObject: fields)
                .write(to: URL(fileURLWithPath: path))
            return try NodeConfiguration.load(path, passphrase: passphrase)
        }
    }

    @Test func aGoodConfigurationIsReadWhole() throws {
        let folder = try Folder()
        let configuration = try folder.load()
        #expect(configuration.seat == 1)
        #expect(configuration.genesis == folder.network.genesis)
        #expect(configuration.dataDirectory == folder.network.folder + "/data")
        #expect(configuration.api == HostPort(host: "::1", port: 8001))
        #expect(configuration.peers.map(\.index) == [0, 2, 3])
        #expect(configuration.peers.map(\.port) == [7000, 7002, 7003])
        #expect(configuration.logLevel == .warning)
    }

    /// A node that joined later, or whose keys were replaced: genesis knows neither its keys nor all of its peers.
    @Test func keysThatGenesisDoesNotKnow() throws {
        let folder = try Folder()
        let names = folder.network.genesis.validators.validators.map(\.member.text)
        let key = Hex.encode([UInt8](repeating: 7, count: 91))
        let list = [
            ["validator": names[0], "address": "a:1"],
            ["validator": names[1], "address": "b:2", "transportKey": key],
        ]
        let joined = try folder.load([
            "followsChain": true, "votingKey": "keys/other.key", "peers": list,
            "validator": "91310000000000016K",
        ])
        #expect(joined.seat == nil && joined.name == "91310000000000016K")
        #expect(joined.peers.map(\.index) == [0, 5])
        #expect(joined.peers[1].transportKey == [UInt8](repeating: 7, count: 91))
        #expect(!joined.peers.map(\.index).contains(joined.networkIndex))
        // A validator of genesis lists newcomers beside the others.
        let others = [0, 2, 3].map { ["validator": names[$0], "address": "a:\($0 + 1)"] }
        let wider = try folder.load([
            "peers": others + [
                ["validator": "NEW:1", "address": "n:9", "transportKey": key]
            ]
        ])
        #expect(wider.peers.map(\.index) == [0, 2, 3, 7])
    }

    @Test func everyProblemNamesItsField() throws {
        let folder = try Folder()
        let names = folder.network.genesis.validators.validators.map(\.member.text)
        func peers(_ list: [(String, String)]) -> [[String: String]] {
            list.map { ["validator": $0.0, "address": $0.1] }
        }
        let sound = folder.network.genesis
        let ungoverned = Genesis(
            name: sound.name, suite: sound.suite, timeMs: sound.timeMs,
            parameters: sound.parameters, validators: sound.validators, records: [])
        try folder.write("ungoverned.cbor", ungoverned.encoded)
        let cases: [(field: String?, change: [String: Any?])] = [
            ("genesis", ["genesis": "missing.cbor"]),
            ("genesis", ["genesis": "node.json"]),
            ("genesis", ["genesis": "ungoverned.cbor"]),
            ("validator", ["validator": "91110000MA0000000X"]),
            ("votingKey", ["votingKey": "keys/missing.key"]),
            ("votingKey", ["votingKey": "keys/other.key"]),
            ("votingKey", ["votingKey": "keys/transport.key"]),
            ("transportKey", ["transportKey": "keys/voting.key"]),
            ("transportCertificate", ["transportCertificate": "keys/voting.key"]),
            ("transportCertificate", ["transportCertificate": "keys/other.pem"]),
            ("listen", ["listen": "7001"]),
            ("listen", ["listen": 7001]),
            ("listen", ["listen": nil]),
            ("api", ["api": "localhost:99999"]),
            ("log", ["log": "loud"]),
            ("colour", ["colour": "red"]),
            ("peers", ["peers": peers([(names[0], "a:1")])]),
            ("peers", ["peers": "nobody"]),
            ("peers[1].validator", ["peers": peers([(names[0], "a:1"), (names[0], "a:1")])]),
            ("peers[0].validator", ["peers": peers([(names[1], "a:1")])]),
            ("peers[0].address", ["peers": peers([(names[0], "nowhere")])]),
            (
                "peers[0].transportKey",
                [
                    "peers": [
                        ["validator": names[0], "address": "a:1", "transportKey": "none"]
                    ]
                ]
            ),
            ("validator", ["followsChain": true, "validator": "no id"]),
            ("peers[0].port", ["peers": [["validator": names[0], "port": "1"]]]),
        ]
        for (field, change) in cases {
            let error = #expect(throws: ConfigurationError.self) { _ = try folder.load(change) }
            #expect(error?.field == field, "\(change)")
            #expect(error?.file == folder.path)
            #expect(error?.remedy.isEmpty == false && error?.remedyZh.isEmpty == false)
        }
        let unfit = #expect(throws: ConfigurationError.self) {
            _ = try folder.load(["genesis": "ungoverned.cbor"])
        }
        #expect(unfit?.problem.contains("no active governor") == true)
        #expect(unfit?.problem.contains("ungoverned.cbor") == true)
        #expect(unfit?.problemZh.contains("没有治理机构") == true)
    }

    @Test func aWrongPassphraseAndABrokenFileAreToldApart() throws {
        let folder = try Folder()
        let wrong = #expect(throws: ConfigurationError.self) {
            _ = try folder.load(passphrase: "wrong")
        }
        #expect(wrong?.field == "votingKey")
        #expect(wrong?.problem.contains("passphrase") == true)
        try folder.write("node.json", Array("{ \"genesis\": ".utf8))
        let broken = #expect(throws: ConfigurationError.self) {
            _ = try NodeConfiguration.load(folder.path, passphrase: "x")
        }
        #expect(broken?.field == nil && broken?.problem.contains("JSON") == true)
        let missing = #expect(throws: ConfigurationError.self) {
            _ = try NodeConfiguration.load(folder.path + "x", passphrase: "x")
        }
        #expect(missing?.file == folder.path + "x")
    }

    @Test func thePassphraseComesFromAFileOrTheEnvironment() throws {
        let folder = try Folder()
        try folder.write("passphrase", Array("open sesame\r\nsecond line\n".utf8))
        let path = folder.network.folder + "/passphrase"
        #expect(try Passphrase.read(file: path, environment: [:]) == "open sesame")
        #expect(try Passphrase.read(file: nil, environment: [Passphrase.variable: "a"]) == "a")
        #expect(throws: ConfigurationError.self) {
            _ = try Passphrase.read(file: nil, environment: [:])
        }
        try folder.write("passphrase", [0x0a])
        #expect(throws: ConfigurationError.self) {
            _ = try Passphrase.read(file: path, environment: [:])
        }
    }
}
