import Encoding
import FuzzKit
import Ledger
import LedgerCrypto
import LightClient
import TestLedgers

/// Somebody outside the ledger who cosigned the log of a sample bundle.
struct WitnessSample {
    static let time: UInt64 = 1_800_000_000
    private static let key = TestChain.key(.ed25519SHA256, 900)

    /// As c2sp.org/signed-note has it.
    static var verifierKey: String {
        let (name, bytes) = ("witness.example/fuzz", [4] + key.publicKey.bytes)
        let named = Array("\(name)\n".utf8) + bytes
        let hash = Array(Suite.ed25519SHA256.digest(named).bytes.prefix(4))
        return "\(name)+\(Hex.encode(hash))+\(Base64.encode(bytes))"
    }

    let verifier: Verifier
    let bundle: EvidenceBundle
    let answer: ProvenAnswer
    private let cosigner: LogCosigner

    /// - Parameter bytes: of a sample bundle. All of one making are of one header.
    init(_ suite: Suite, bundle bytes: [UInt8]) throws {
        verifier = Verifier(genesis: VerifierSamples.genesis(suite))
        bundle = try verifier.decode(bytes)
        answer = try verifier.verify(bundle)
        guard let cosigner = LogCosigner(verifierKey: Self.verifierKey) else {
            preconditionFailure("the sample's verifier key is one")
        }
        self.cosigner = cosigner
    }

    var note: [UInt8] {
        let checkpoint = LogCheckpoint(witnessing: answer.checkpoint.header)
        let cosignature = LogCosignature(
            checkpoint, time: Self.time, cosigner: cosigner, with: Self.key)
        return Array(checkpoint.note([cosignature]).utf8)
    }

    /// Whatever is accepted says what the witness signed.
    func judge(_ note: [UInt8]) -> FuzzTarget.Verdict {
        guard
            let step = try? verifier.witnessed(
                answer, of: bundle, trusting: verifier.trust, by: note, [cosigner],
                nowMs: VerifierSamples.nowMs)
        else { return .refused }
        guard case .seen(let seen) = step, let witnessed = seen.witnessed,
            witnessed.header == answer.checkpoint.header,
            witnessed.sightings.map(\.witness) == [cosigner],
            witnessed.sightings.map(\.time) == [Self.time]
        else { return .different }
        return .same
    }
}
