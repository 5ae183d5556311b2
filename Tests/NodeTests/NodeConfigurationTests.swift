import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Testing

@testable import Node

/// Each thing that can be wrong is named with file, field and remedy.
@Suite(.serialized, .timeLimit(.minutes(2))) struct NodeConfigurationTests {
    /// A node's folder as `huijin network init` writes it.
    private struct Folder {
        let network: TestNetwork
        var fields: [String: Any]

        /// Of the last validator but two, or of the only one.
        init(_ seats: Int = 4) throws {
            network = try TestNetwork(seats)
            let own = seats / 4
            let genesis = network.genesis
            let names = genesis.validators.validators.map(\.member.text)
            try FileManager.default.createDirectory(
                atPath: network.folder + "/keys", withIntermediateDirectories: true)
            fields = [
                "genesis": "genesis.cbor", "data": "data", "validator": names[own],
                "votingKey": "keys/voting.key", "transportKey": "keys/transport.key",
                "transportCertificate": "keys/transport.pem",
                "listen": "127.0.0.1:\(seats == 1 ? network.ports[0] : 7001)",
                "api": "[::1]:8001", "log": "warning",
                "peers": names.indices.filter { $0 != own }.map {
                    ["validator": names[$0], "address": "127.0.0.1:700\($0)"]
                },
            ]
            try write("genesis.cbor", genesis.encoded)
            let cost = KeyDerivationCost.minimal
            try write(
                "keys/voting.key",
                EncryptedKeyFile.seal(
                    network.votingKeys[own], label: "voting", passphrase: TestNetwork.passphrase,
                    cost: cost))
            try write(
                "keys/other.key",
                EncryptedKeyFile.seal(
                    network.votingKeys[0], label: "voting", passphrase: TestNetwork.passphrase,
                    cost: cost))
            try write(
                "keys/transport.key",
                EncryptedKeyFile.sealBytes(
                    network.transports[own].keyPEM, suite: .ed25519SHA256, label: "transport",
                    passphrase: TestNetwork.passphrase, cost: cost))
            try write("keys/transport.pem", network.transports[own].certificatePEM)
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
        #expect(configuration.peers.map(\.address?.port) == [7000, 7002, 7003])
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
        #expect(joined.peers[1].transportKeys == [[UInt8](repeating: 7, count: 91)])
        // A validator of genesis lists newcomers beside the others.
        let others = [0, 2, 3].map { ["validator": names[$0], "address": "a:\($0 + 1)"] }
        let wider = try folder.load([
            "peers": others + [
                ["validator": "NEW:1", "address": "n:9", "transportKey": key]
            ]
        ])
        #expect(wider.peers.map(\.index) == [0, 2, 3, 7])
    }

    /// What `huijind` does on SIGHUP: broken files are named, and the node goes on with what it has.
    @Test func brokenNewFilesLeaveTheNodeAsItIs() async throws {
        let folder = try Folder(1)
        let running = try folder.load()
        let node = try await folder.network.start(0) { $0 = running }
        func problem() async -> ConfigurationError? {
            do {
                try await node.reload(try folder.load(), from: folder.path)
                return nil
            } catch {
                return error as? ConfigurationError
            }
        }
        for bytes in [[], Array("-----BEGIN CERTIFICATE-----".utf8), [0, 1, 2]] {
            try folder.write("keys/transport.pem", bytes)
            #expect(await problem()?.field == "transportCertificate")
        }
        // A certificate of another key than the file's beside it.
        let other = try TestNetwork.makeTransport()
        try folder.write("keys/transport.pem", other.certificatePEM)
        #expect(await problem()?.field == "transportCertificate")
        try folder.write("keys/transport.pem", folder.network.transports[0].certificatePEM)
        #expect(await problem() == nil)
        let results = await node.submit(
            [folder.network.evidence(1)], wait: .final, timeoutMs: 60_000)
        #expect(results[0].status == .final)
        await node.stop()
    }

    @Test func observersAreReadOnBothSides() throws {
        let folder = try Folder()
        let names = folder.network.genesis.validators.validators.map(\.member.text)
        let key = Hex.encode([UInt8](repeating: 7, count: 91))
        let admitting = try folder.load(["observers": [["name": "watch", "transportKey": key]]])
        #expect(admitting.peers.map(\.index) == [0, 2, 3, 4])
        #expect(admitting.peers[3].isObserver && admitting.peers[3].name == "watch")
        let bare: [String: Any?] = [
            "observer": "watch", "validator": nil, "votingKey": nil, "listen": nil,
            "peers": [["validator": names[2], "address": "a:1"]],
        ]
        let observer = try folder.load(bare)
        #expect(observer.isObserver && observer.name == "watch" && observer.seat == nil)
        #expect(observer.peers.map(\.index) == [2])
        for field in ["validator", "votingKey", "listen"] {
            #expect {
                _ = try folder.load(bare.merging([field: "x"]) { $1 })
            } throws: { ($0 as? ConfigurationError)?.field == field }
            #expect {
                _ = try folder.load([field: nil])
            } throws: { ($0 as? ConfigurationError)?.field == field }
        }
        for (field, list) in [
            ("observers[0].key", [["name": "a", "transportKey": key, "key": ""]]),
            ("observers[0].transportKey", [["name": "a", "transportKey": "zz"]]),
            (
                "observers[1].transportKey",
                [["name": "a", "transportKey": key], ["name": "b", "transportKey": key]]
            ),
        ] {
            #expect {
                _ = try folder.load(["observers": list])
            } throws: { ($0 as? ConfigurationError)?.field == field }
        }
        #expect {
            _ = try folder.load(bare.merging(["peers": [] as [Any]]) { $1 })
        } throws: { ($0 as? ConfigurationError)?.field == "peers" }
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
            ("votingKey", ["votingKey": "keys/missing.key"]), ("votingKey", ["data": "."]),
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
