import Encoding
import Foundation
import LedgerCrypto
import Testing

/// What the node's checks decide about `Tests/Vectors/signatures.json`; LightClientTests holds the light client to the same.
@Suite struct SignatureVectorTests {
    struct Case: Decodable {
        let suite: String
        let name: String
        let publicKey: String
        let message: String
        let signature: String
        let decision: String
    }

    @Test(arguments: LedgerCrypto.Suite.allCases)
    func eachIsDecidedAsTheVectorsSay(_ suite: LedgerCrypto.Suite) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "Vectors/signatures.json")
        let cases = try JSONDecoder().decode([Case].self, from: Data(contentsOf: file))
        for item in cases where item.suite == suite.name {
            #expect(try decision(item, suite) == item.decision, "\(item.name)")
        }
    }

    private func decision(_ item: Case, _ suite: LedgerCrypto.Suite) throws -> String {
        let bytes = try #require(Hex.decode(item.publicKey))
        let message = try #require(Hex.decode(item.message))
        let signature = try #require(Hex.decode(item.signature))
        guard let key = try? PublicKey(suite: suite, bytes: bytes) else { return "key refused" }
        return key.isValid(signature: signature, over: message) ? "valid" : "invalid"
    }
}
