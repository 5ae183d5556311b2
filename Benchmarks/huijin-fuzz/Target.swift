import Consensus
import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records

/// One decoder with valid examples to begin from.
struct Target {
    enum Verdict {
        case refused
        /// Accepted, and encoded again it is the input.
        case same
        case different
    }

    let name: String
    let examples: [[UInt8]]
    let attempt: ([UInt8]) -> Verdict

    static var all: [Target] {
        let samples = Samples()
        return [
            decoder("value", CBORValue.self, samples.values),
            decoder("header", Header.self, [samples.header.encoded]),
            decoder("block", Block.self, [samples.block.encoded], limits: LedgerLimits.block),
            decoder("transaction", Transaction.self, [samples.transaction.encoded]),
            decoder("certificate", Certificate.self, [samples.certificate.encoded]),
            decoder(
                "genesis", Genesis.self, [samples.genesis.encoded], limits: LedgerLimits.genesis),
            decoder("vote", Vote.self, samples.votes.map(\.encoded)),
            decoder(
                "peer message", PeerMessage.self, samples.messages.map(\.encoded),
                limits: LedgerLimits.block),
            decoder("event", AssetEvent.self, []),
            decoder(
                "receipt", Receipt.self, [samples.receipt.encoded], limits: Receipt.limits),
            envelope(samples), bundle(samples),
        ] + bodies()
    }

    private static func decoder<Value: CBORCodable>(
        _ name: String, _: Value.Type, _ examples: [[UInt8]],
        limits: CBORLimits = LedgerLimits.envelope
    ) -> Target {
        Target(name: name, examples: examples) { input in
            guard let value = try? Value.decode(input, limits: limits) else { return .refused }
            return value.encoded == input ? .same : .different
        }
    }

    /// Body of every transaction kind.
    private static func bodies() -> [Target] {
        struct Visitor: BodyVisitor {
            func visit<Body: TransactionBody>(_ type: Body.Type, _ argument: inout Void) -> Target {
                Target.decoder(Body.kind.name, type, [Body.example.encoded])
            }
        }
        var nothing: Void = ()
        return TransactionKind.allCases.map { $0.accept(Visitor(), &nothing) }
    }

    /// Either form. What a batch is known by must accept just what the envelope's own signature does.
    private static func envelope(_ samples: Samples) -> Target {
        let key = samples.memberKey.publicKey
        let examples = [samples.envelope] + samples.batch
        let chain = samples.genesis.chain
        func decoded(_ bytes: [UInt8]) -> Envelope? {
            try? Envelope(bytes: bytes, chain: chain, suite: samples.suite)
        }
        let claim = decoded(samples.batch[0])?.batchClaim(under: key)
        return Target(name: "envelope", examples: examples) { input in
            guard let envelope = decoded(input) else { return .refused }
            // A changed envelope may decode; its signature must not hold.
            let isValid = envelope.verified(by: key) != nil
            if envelope.batchProof != nil, var known = claim?.verified()?.batch,
                (known.transaction(envelope) != nil) != isValid
            {
                return .different
            }
            guard isValid else { return .refused }
            return examples.contains(input) ? .same : .different
        }
    }

    private static func bundle(_ samples: Samples) -> Target {
        let verifier = Verifier(genesis: samples.genesis)
        return Target(name: "evidence bundle", examples: [samples.bundle.encoded]) { input in
            // The sample proves nothing, so nothing made from it may.
            (try? verifier.verify(input)) == nil ? .refused : .different
        }
    }
}
