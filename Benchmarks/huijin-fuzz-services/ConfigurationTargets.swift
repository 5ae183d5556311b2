import Client
import Foundation
import FuzzKit
import LedgerCrypto
import Node
import Sandbox

/// Files that people write: a node's, a sandbox's and a member's.
enum ConfigurationTargets {
    private static let passphrase = "fuzz"

    static func all(_ setting: Setting) throws -> [Subject] {
        [try node(setting), try sandbox(setting), try member(setting)]
    }

    private static func node(_ setting: Setting) throws -> Subject {
        let scratch = setting.scratch
        let cost = KeyDerivationCost(operations: 1, memoryKiB: 8)
        _ = try scratch.folder("keys")
        try scratch.write("genesis.cbor", setting.genesis.encoded)
        try scratch.write(
            "keys/voting.key",
            EncryptedKeyFile.seal(
                setting.votingKey, label: "voting", passphrase: passphrase, cost: cost))
        try scratch.write(
            "keys/transport.key",
            EncryptedKeyFile.sealBytes(
                setting.transport.keyPEM, suite: .ed25519SHA256, label: "transport",
                passphrase: passphrase, cost: cost))
        try scratch.write("keys/transport.pem", setting.transport.certificatePEM)
        let common =
            #""genesis":"genesis.cbor","data":"data","transportKey":"keys/transport.key","transportCertificate":"keys/transport.pem","api":"[::1]:8001","log":"warning","#
        let examples = [
            #"{\#(common)"validator":"\#(setting.member)","votingKey":"keys/voting.key","listen":"127.0.0.1:7001","followsChain":true,"snapshotEveryBlocks":10000,"peers":[{"validator":"NEW:1","address":"host:7002","transportKey":"00ff","nextTransportKey":"01ff"}],"observers":[{"name":"o","transportKey":"02ff"}]}"#,
            #"{\#(common)"observer":"mirror","joinAheadBlocks":0,"peers":[{"validator":"\#(setting.member)","address":"127.0.0.1:7001"}]}"#,
        ]
        return subject("node json", examples) { input in
            guard let path = try? scratch.write("node.json", input),
                (try? NodeConfiguration.load(path, passphrase: passphrase)) != nil
            else { return .refused }
            return .same
        }
    }

    private static func sandbox(_ setting: Setting) throws -> Subject {
        let examples = [
            #"{"genesis":"genesis.cbor","node":["http://127.0.0.1:8001"],"identity":"operator","data":"data","listen":"127.0.0.1:9001","stepsMax":10000,"wallMsMax":100,"memoryBytesMax":1048576,"outputBytesMax":1024}"#,
            #"{"genesis":"genesis.cbor","node":"http://a","identity":"/o","data":"d","listen":"[::1]:0","trust":"/trust.bin"}"#,
        ]
        return subject("sandbox json", examples) { input in
            guard let path = try? setting.scratch.write("sandbox.json", input),
                (try? SandboxConfiguration(reading: path)) != nil
            else { return .refused }
            return .same
        }
    }

    /// What was read is written and read again.
    private static func member(_ setting: Setting) throws -> Subject {
        let examples = [
            #"{"member":"\#(setting.member)","nameZh":"治理","nameEn":"Governor","key":"signing.key","node":["http://127.0.0.1:8001","http://b:1"],"genesis":"../genesis.cbor"}"#,
            #"{"member":"\#(setting.member)","key":"k","node":"http://a:1"}"#,
        ]
        return subject("member json", examples) { input in
            let scratch = setting.scratch
            guard (try? scratch.write(MemberFolder.fileName, input)) != nil,
                let folder = try? MemberFolder(reading: scratch.path)
            else { return .refused }
            _ = try? scratch.write(MemberFolder.fileName, folder.json.encodedBytes)
            return (try? MemberFolder(reading: scratch.path)) == folder ? .same : .different
        }
    }
}
