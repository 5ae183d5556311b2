import Encoding
import LightClient

/// The problem that verifying a bundle gives, or nil when it is proven.
func problem(_ bundle: EvidenceBundle, _ verifier: Verifier) -> EvidenceProblem? {
    do throws(EvidenceProblem) {
        _ = try verifier.verify(bundle)
        return nil
    } catch {
        return error
    }
}

extension TrustStep {
    var chain: TrustedChain? {
        if case .trusted(let chain, _) = self { return chain }
        return nil
    }

    var evidence: ForkEvidence? {
        if case .fork(let evidence) = self { return evidence }
        return nil
    }

    var linkedTo: UInt64? {
        if case .trusted(_, let height) = self { return height }
        return nil
    }
}

/// Every prefix and a trailing byte are refused, and what is read is written the same again.
func decodesExactly<Value: CBORCodable & Equatable>(
    _ value: Value, limits: CBORLimits
) -> Bool {
    let bytes = value.encoded
    guard let again = try? Value.decode(bytes, limits: limits), again == value,
        again.encoded == bytes, (try? Value.decode(bytes + [0], limits: limits)) == nil
    else { return false }
    return (0..<bytes.count).allSatisfy {
        (try? Value.decode(Array(bytes.prefix($0)), limits: limits)) == nil
    }
}
