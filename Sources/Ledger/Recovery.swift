import Encoding
import LedgerCrypto

/// Who may end an epoch when a quorum of its validators is lost for good (恢复规则): `threshold` of these keys, together.
///
/// It is part of the genesis, so whoever knows the ledger knows it. The keys are the organisations', kept offline; they
/// order nothing and certify nothing else. More than half of them must agree, so that no two groups without a
/// common key can decide differently.
///
/// Wire: `[threshold, [public key…]]`.
public struct RecoveryRule: Hashable, Sendable {
    public let threshold: Int
    /// A recovery's signatures name them by position.
    public let keys: [PublicKey]

    public static let keysMax = 32

    /// `nil` unless there are 1 to 32 distinct keys of one suite, and the threshold is more than half of them.
    public init?(threshold: Int, keys: [PublicKey]) {
        guard let first = keys.first, keys.count <= RecoveryRule.keysMax,
            keys.allSatisfy({ $0.suite == first.suite }), Set(keys).count == keys.count,
            threshold > keys.count / 2, threshold <= keys.count
        else { return nil }
        self.threshold = threshold
        self.keys = keys
    }

    public var suite: Suite { keys[0].suite }

    /// The signature of the key at that position over a recovery.
    public static func sign(
        _ statement: VoteStatement, at index: Int, with key: SigningKey, chain: ChainID
    ) -> CertificateSignature {
        precondition(statement.kind == .recover, "recovery keys sign recoveries")
        let message = statement.signedBytes(
            chain: chain, suite: key.publicKey.suite, keyID: key.publicKey.keyID)
        return CertificateSignature(validator: index, signature: key.sign(message))
    }

    public func isValid(
        _ signature: CertificateSignature, of statement: VoteStatement, chain: ChainID
    ) -> Bool {
        guard statement.kind == .recover, keys.indices.contains(signature.validator) else {
            return false
        }
        let key = keys[signature.validator]
        let message = statement.signedBytes(chain: chain, suite: key.suite, keyID: key.keyID)
        return key.isValid(signature: signature.signature, over: message)
    }
}

extension RecoveryRule: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.unsigned(UInt64(threshold))
        encoder.list(keys)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        let threshold = Int(try decoder.uint16())
        let keys: [PublicKey] = try decoder.list(max: RecoveryRule.keysMax)
        guard let rule = RecoveryRule(threshold: threshold, keys: keys) else {
            throw decoder.invalid(
                "a recovery rule is 1 to 32 distinct keys of one suite and more than half of them")
        }
        self = rule
    }
}

extension Certificate {
    /// The certificate, verified, when it is a recovery that enough of the genesis rule's keys signed.
    public func verified(chain: ChainID, rule: RecoveryRule) -> Verified<Certificate>? {
        guard kind == .recover, signatures.count >= rule.threshold,
            signatures.count <= rule.keys.count
        else { return nil }
        for (left, right) in zip(signatures, signatures.dropFirst())
        where left.validator >= right.validator { return nil }
        for signature in signatures
        where !rule.isValid(signature, of: statement, chain: chain) { return nil }
        return Verified(checked: self)
    }

    /// The certificate, verified, when it makes that header's block final: the finalization of a quorum of its epoch, or a recovery
    /// that ends the epoch with it.
    public func verifiedFinal(
        of header: Header, chain: ChainID, validators: ValidatorSet, rule: RecoveryRule?
    ) -> Verified<Certificate>? {
        guard statement.epoch == header.epoch, header.epoch == validators.epoch,
            statement.subject == VoteSubject(header, suite: validators.suite)
        else { return nil }
        switch kind {
        case .finalize: return verified(chain: chain, validators: validators)
        case .recover:
            guard header.nextValidators != nil, let rule else { return nil }
            return verified(chain: chain, rule: rule)
        case .notarize, .nullify: return nil
        }
    }
}

/// A recovery on its way from one holder of a recovery key to the next, and to the nodes.
///
/// Wire: `["huijin/recovery/1", suite, basis / null, next set, [block…], certificate]`: the blocks above the last final one, oldest
/// first, of which the last ends the epoch and is what the certificate names; its signatures may still be too few.
public struct Recovery: Equatable, Sendable {
    public let suite: Suite
    /// The notarization or finalization of what the recovery goes on from: the last block's parent, or the last block itself where the
    /// validators made it. Nil where nothing has been notarized in the epoch. It shows to nodes that know a later notarized block,
    /// which may be final elsewhere, that this recovery would lose it.
    public let basis: Certificate?
    /// Whom the last block's header names, for those who sign it: bodies are not covered by their signatures.
    public let next: ValidatorSet
    public let blocks: [Block]
    public let certificate: Certificate

    public static let context = "huijin/recovery/1"
    /// Blocks that are not final are a few deep.
    public static let blocksMax = 64
    /// For the whole file; what nodes pass on of it fits one of their messages.
    public static let limits = CBORLimits(
        bytesMax: 4 * LedgerLimits.blockBytesMax - 131_072, depthMax: 28,
        itemsMax: LedgerLimits.entriesPerBlockMax, stringBytesMax: LedgerLimits.blockBytesMax)

    /// `nil` unless the blocks follow one another; the last one's header names the set of the epoch after its own, and is the
    /// certificate's; and the basis is of what it goes on from.
    public init?(
        suite: Suite, basis: Certificate?, next: ValidatorSet, blocks: [Block],
        certificate: Certificate
    ) {
        guard let last = blocks.last, blocks.count <= Recovery.blocksMax,
            last.header.nextValidators == next.digest(suite),
            next.epoch > 0, next.epoch - 1 == last.header.epoch
        else { return nil }
        let (header, subject) = (last.header, VoteSubject(last.header, suite: suite))
        guard certificate.statement == .recover(epoch: header.epoch, subject) else { return nil }
        if let basis {
            guard basis.kind == .notarize || basis.kind == .finalize,
                basis.statement.epoch == header.epoch,
                basis.statement.subject == subject
                    || basis.statement.subject?.header == header.parent
            else { return nil }
        }
        for (parent, child) in zip(blocks, blocks.dropFirst()) {
            guard child.header.parent == parent.header.digest(suite),
                child.header.height == parent.header.height &+ 1,
                child.header.epoch == parent.header.epoch
            else { return nil }
        }
        self.suite = suite
        self.basis = basis
        self.next = next
        self.blocks = blocks
        self.certificate = certificate
    }

    /// The block that ends the epoch.
    public var last: Block { blocks[blocks.count - 1] }
    /// The view in which the basis was certified.
    public var basisView: UInt64 { basis?.view ?? 0 }

    /// With one more signature, in the place of an earlier one of the same key. Signatures that are not valid go.
    public func adding(_ signature: CertificateSignature, under rule: RecoveryRule) -> Recovery? {
        let others = certificate.signatures.filter {
            $0.validator != signature.validator
                && rule.isValid($0, of: certificate.statement, chain: last.header.chain)
        }
        return Recovery(
            suite: suite, basis: basis, next: next, blocks: blocks,
            certificate: Certificate(
                statement: certificate.statement, signatures: others + [signature]))
    }
}

extension Recovery: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(6)
        encoder.text(Recovery.context)
        encoder.unsigned(suite.rawValue)
        encoder.optional(basis)
        encoder.value(next)
        encoder.list(blocks)
        encoder.value(certificate)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 6)
        guard try decoder.text(max: 32) == Recovery.context else {
            throw decoder.invalid("a recovery begins with huijin/recovery/1")
        }
        guard let suite = Suite(rawValue: try decoder.unsigned()) else {
            throw decoder.invalid("the suite is 1 (ed25519-sha256) or 2 (sm2-sm3)")
        }
        let basis = try decoder.optional(Certificate.self)
        let next: ValidatorSet = try decoder.value()
        let blocks: [Block] = try decoder.list(max: Recovery.blocksMax)
        let certificate: Certificate = try decoder.value()
        guard
            let recovery = Recovery(
                suite: suite, basis: basis, next: next, blocks: blocks, certificate: certificate)
        else {
            throw decoder.invalid(
                "a recovery's blocks follow one another, its basis is of the last one or of that one's parent, its certificate names the last one, and that one's header the next set"
            )
        }
        self = recovery
    }
}
