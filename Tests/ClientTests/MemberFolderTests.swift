import Client
import Foundation
import Ledger
import LedgerCrypto
import Testing

@Suite struct MemberFolderTests {
    private func inFolder(_ body: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "huijin-client-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder.path)
    }

    private func write(_ text: String, _ folder: String) throws {
        try Data(text.utf8).write(to: URL(filePath: Paths.join(folder, "member.json")))
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func readsWhatItWrote(_ suite: LedgerCrypto.Suite) throws {
        try inFolder { folder in
            let member = try #require(MemberID("TEST:1"))
            let written = MemberFolder(
                directory: folder, member: member, nameZh: "一", nameEn: "One",
                nodes: ["http://127.0.0.1:1"], genesis: "../genesis.cbor")
            try write(written.json.pretty(), folder)
            let key = SigningKey.generate(suite)
            let file = try EncryptedKeyFile.seal(
                key, label: "t", passphrase: "secret", cost: .minimal)
            try Data(file).write(to: URL(filePath: Paths.join(folder, "signing.key")))
            let read = try MemberFolder(reading: folder)
            #expect(read == written)
            #expect(try read.identity(passphrase: "secret").key.publicKey == key.publicKey)
            let error = #expect(throws: SetupError.self) {
                try read.identity(passphrase: "other")
            }
            #expect(error?.file.hasSuffix("signing.key") == true)
        }
    }

    @Test(arguments: [
        ("[]", nil), ("{", nil), ("{}", "member"), ("{\"member\":\"lower\"}", "member"),
        ("{\"member\":\"A1\"}", "key"), ("{\"member\":\"A1\",\"key\":\"k\",\"node\":7}", "node"),
        ("{\"member\":\"A1\",\"key\":\"k\",\"nodes\":[]}", "nodes"),
    ])
    func namesTheFieldThatIsWrong(_ text: String, _ field: String?) throws {
        try inFolder { folder in
            try write(text, folder)
            let error = #expect(throws: SetupError.self) { try MemberFolder(reading: folder) }
            #expect(error?.field == field)
            #expect(error?.isMissing == false)
        }
    }

    @Test func saysThatAFileIsMissing() throws {
        try inFolder { folder in
            let error = #expect(throws: SetupError.self) { try MemberFolder(reading: folder) }
            #expect(error?.isMissing == true)
        }
    }
}
