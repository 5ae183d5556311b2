import Encoding
import LedgerCrypto

/// One validator's signature within a certificate. Wire: `[validator index, signature]`.
public struct CertificateSignature: Hashable, Sendable, CBOREncodable, CBORDecodable {
    /// Position in the epoch's validator set; in a recovery, in the genesis' recovery rule.
    public let validator: Int
    public let signature: [UInt8]

    public init(validator: Int, signature: [UInt8]) {
        self.validator = validator
        self.signature = signature
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.unsigned(UInt64(validator))
        encoder.bytes(signature)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        validator = Int(try decoder.uint16())
        signature = try decoder.bytes(exactly: Vote.signatureBytes)
    }
}

/// A quorum of equal votes: a notarization, a nullification or a finalization. Or a recovery, signed under the genesis'
/// `RecoveryRule` in the place of the finalization that a lost quorum cannot give.
///
/// Wire: `[statement, [[validator index, signature]…]]`, the indices strictly ascending.
public struct Certificate: Hashable, Sendable, CBOREncodable, CBORDecodable {
    public let statement: VoteStatement
    public let signatures: [CertificateSignature]

    /// - Parameter signatures: sorted here by validator; each validator at most once.
    public init(statement: VoteStatement, signatures: [CertificateSignature]) {
        self.statement = statement
        self.signatures = signatures.sorted { $0.validator < $1.validator }
    }

    public var kind: VoteKind { statement.kind }
    public var view: UInt64 { statement.view }
    public var votes: [Vote] {
        signatures.map {
            Vote(statement: statement, validator: $0.validator, signature: $0.signature)
        }
    }

    /// The certificate, verified, when at least a quorum of this very set signed and no signature is wrong.
    ///
    /// - Parameter isKnown: whether this very vote of a validator of this very set was verified before.
    public func verified(
        chain: ChainID, validators: ValidatorSet, isKnown: (Vote) -> Bool = { _ in false }
    ) -> Verified<Certificate>? {
        guard kind != .recover, signatures.count >= validators.quorum,
            signatures.count <= validators.count
        else { return nil }
        for (left, right) in zip(signatures, signatures.dropFirst())
        where left.validator >= right.validator { return nil }
        for vote in votes
        where !isKnown(vote) && vote.verified(chain: chain, validators: validators) == nil {
            return nil
        }
        return Verified(checked: self)
    }

    /// A certificate out of votes that were each verified.
    ///
    /// - Returns: `nil` below the quorum, or when the votes differ.
    public static func assemble(
        _ votes: [Verified<Vote>], quorum: Int
    ) -> Verified<Certificate>? {
        guard let first = votes.first?.value.statement, votes.count >= quorum,
            votes.allSatisfy({ $0.value.statement == first }),
            Set(votes.map { $0.value.validator }).count == votes.count
        else { return nil }
        let signatures = votes.map {
            CertificateSignature(validator: $0.value.validator, signature: $0.value.signature)
        }
        return Verified(checked: Certificate(statement: first, signatures: signatures))
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(statement)
        encoder.list(signatures)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        statement = try decoder.value()
        signatures = try decoder.list(max: LedgerLimits.validatorsMax)
        for (left, right) in zip(signatures, signatures.dropFirst())
        where left.validator >= right.validator {
            throw decoder.invalid("a certificate's validators are in ascending order, each once")
        }
    }
}
