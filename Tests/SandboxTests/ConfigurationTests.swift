import Client
import Foundation
import Ledger
import LedgerCrypto
import Sandbox
import Testing

/// `sandbox.json`.
@Suite struct ConfigurationTests {
    private static func configuration(
        _ folder: TemporaryFolder, _ more: String
    ) throws -> SandboxConfiguration {
        let member = try #require(MemberID("V"))
        let validator = Validator(
            member: member, votingKey: SigningKey.generate(.ed25519SHA256).publicKey,
            transportKey: [1])
        let validators = try #require(ValidatorSet(epoch: 0, validators: [validator]))
        let genesis = Genesis(
            name: "test", suite: .ed25519SHA256, timeMs: 1, parameters: Parameters(),
            validators: validators, records: [])
        try Data(genesis.encoded).write(to: URL(filePath: folder.path + "/genesis.cbor"))
        let file = try folder.write(
            #"{"genesis":"genesis.cbor","node":["http://127.0.0.1:1"],"identity":"me","data":"data","listen":"127.0.0.1:0"\#(more)}"#,
            "sandbox.json")
        return try SandboxConfiguration(reading: file)
    }

    @Test func theTrustFileIsNamedBesideTheGenesis() throws {
        let folder = try TemporaryFolder()
        #expect(try Self.configuration(folder, "").trust == nil)
        let near = try Self.configuration(folder, #","trust":"trust.cbor""#)
        #expect(near.trust?.path == folder.path + "/trust.cbor")
        let far = try Self.configuration(folder, #","trust":"/var/lib/trust.cbor""#)
        #expect(far.trust?.path == "/var/lib/trust.cbor")
        for wrong in [#","trust":"""#, #","trust":7"#, #","trust":null"#] {
            let problem = #expect(throws: SetupError.self) {
                _ = try Self.configuration(folder, wrong)
            }
            #expect(problem?.field == "trust")
        }
        #expect(throws: SetupError.self) { _ = try Self.configuration(folder, #","trusty":"x""#) }
    }
}
