import Ledger

/// What came of looking at something signed that a peer sent.
public enum SignatureResult<Value: Sendable>: Sendable {
    case valid(Verified<Value>)
    /// It could change nothing, so nothing was checked.
    case unneeded
    /// A signature is not valid. Nobody honest sends that: votes are signed by their senders, and certificates are checked before
    /// they are passed on.
    case forged
}

/// Checking what peers send, as little as possible: what could change nothing is not looked at, and a signature that was
/// found valid in a vote is not checked again within a certificate.
///
/// So in a view without faults a replica checks as many votes as a quorum needs beside its own, whoever sends more. Collecting
/// votes unchecked until a quorum is there would check the very same number.
extension Simplex {
    public mutating func check(_ vote: Vote) -> SignatureResult<Vote> {
        guard wants(vote) else { return .unneeded }
        signatureChecks += 1
        return authority.verified(vote).map { .valid($0) } ?? .forged
    }

    /// The vote that comes with a proposal, whether or not it is needed as a vote; nil when it is forged.
    public mutating func verified(proposer vote: Vote) -> Verified<Vote>? {
        signatureChecks += 1
        return authority.verified(vote)
    }

    public mutating func check(_ certificate: Certificate) -> SignatureResult<Certificate> {
        guard wants(certificate) else { return .unneeded }
        let tally = tallies[certificate.view]
        var known = 0
        let verified = authority.verified(certificate) { vote in
            guard validators.validators.indices.contains(vote.validator),
                tally?.vote(certificate.kind, of: vote.validator) == vote
            else { return false }
            known += 1
            return true
        }
        signatureChecks += UInt64(max(0, certificate.signatures.count - known))
        return verified.map { .valid($0) } ?? .forged
    }
}
