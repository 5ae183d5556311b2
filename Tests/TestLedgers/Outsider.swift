import Encoding
import Ledger
import LedgerCrypto
import LightClient

/// Somebody outside the ledger who cosigns what he sees of its log, with a key of his own, named as c2sp.org/signed-note says.
package struct Outsider {
    package let key: SigningKey
    package let cosigner: LogCosigner

    /// Seconds of Unix time: later than all blocks of `TestChain`.
    package static let time: UInt64 = 1_767_229_200

    package init(_ name: String = "witness.example/w1", _ number: Int = 7) {
        key = TestChain.key(.ed25519SHA256, number)
        guard let cosigner = LogCosigner(verifierKey: Self.verifierKey(name, key.publicKey)) else {
            preconditionFailure("a name, its hash and a key are a verifier key")
        }
        self.cosigner = cosigner
    }

    package func cosignature(_ header: Header, time: UInt64 = Self.time) -> LogCosignature {
        LogCosignature(
            LogCheckpoint(witnessing: header), time: time, cosigner: cosigner, with: key)
    }

    package func note(_ header: Header, time: UInt64 = Self.time) -> [UInt8] {
        Self.note(header, [cosignature(header, time: time)])
    }

    package static func verifierKey(
        _ name: String, _ key: PublicKey, type: UInt8 = 4
    ) -> String {
        let named = Array("\(name)\n".utf8) + [type] + key.bytes
        let hash = Suite.ed25519SHA256.digest(named).bytes.prefix(4)
        return "\(name)+\(Hex.encode(Array(hash)))+\(Base64.encode([type] + key.bytes))"
    }

    package static func note(_ header: Header, _ cosignatures: [LogCosignature]) -> [UInt8] {
        Array(LogCheckpoint(witnessing: header).note(cosignatures).utf8)
    }
}
