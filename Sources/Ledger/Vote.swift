import Encoding
import LedgerCrypto

/// The three votes of Simplex (Chan & Pass 2023): notarize a block, nullify a view, finalize a block; and what the keys of
/// the genesis' recovery rule say, which is no validator's vote and is never counted as one.
public enum VoteKind: UInt64, Sendable, CaseIterable {
    case notarize = 1
    case nullify = 2
    case finalize = 3
    case recover = 4

    /// What validators say.
    public static let votes: [VoteKind] = [.notarize, .nullify, .finalize]

    /// Whether enough of these make a block final.
    public var makesFinal: Bool { self == .finalize || self == .recover }
}

/// The block that a notarize or finalize vote is for, or that a recovery ends its epoch with.
public struct VoteSubject: Hashable, Sendable, CBOREncodable, CBORDecodable {
    public let height: UInt64
    public let header: Digest
    /// The header's log root: the payload of a finalize vote, which makes it a COSE Receipt.
    public let logRoot: Digest

    public init(height: UInt64, header: Digest, logRoot: Digest) {
        self.height = height
        self.header = header
        self.logRoot = logRoot
    }

    public init(_ header: Header, suite: Suite) {
        self.init(height: header.height, header: header.digest(suite), logRoot: header.logRoot)
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.unsigned(height)
        encoder.value(header)
        encoder.value(logRoot)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        height = try decoder.unsigned()
        header = try decoder.value()
        logRoot = try decoder.value()
    }
}

/// What a validator states with a vote, or a recovery key with its signature. A nullify vote has no subject, the others
/// always have one; a recovery is of no view and has 0 there.
///
/// Wire: `[kind, epoch, view, subject / null]`; the chain is bound by the signature.
public struct VoteStatement: Hashable, Sendable {
    public let kind: VoteKind
    public let epoch: UInt64
    public let view: UInt64
    public let subject: VoteSubject?

    public static func notarize(epoch: UInt64, view: UInt64, _ subject: VoteSubject) -> Self {
        Self(kind: .notarize, epoch: epoch, view: view, subject: subject)
    }

    public static func nullify(epoch: UInt64, view: UInt64) -> Self {
        Self(kind: .nullify, epoch: epoch, view: view, subject: nil)
    }

    public static func finalize(epoch: UInt64, view: UInt64, _ subject: VoteSubject) -> Self {
        Self(kind: .finalize, epoch: epoch, view: view, subject: subject)
    }

    /// That block is final and ends its epoch, though no quorum of the epoch says so.
    public static func recover(epoch: UInt64, _ subject: VoteSubject) -> Self {
        Self(kind: .recover, epoch: epoch, view: 0, subject: subject)
    }

    private init(kind: VoteKind, epoch: UInt64, view: UInt64, subject: VoteSubject?) {
        self.kind = kind
        self.epoch = epoch
        self.view = view
        self.subject = subject
    }

    /// The bytes that the vote's signature covers: a COSE Sig_structure.
    ///
    /// A finalize vote is `{1: alg, 4: kid, 395: 1, -70002: [chain, epoch, view, height, header]}` over the log
    /// root, which other tools check as a COSE Receipt (RFC 9942). The other two bind the same facts in their context.
    public func signedBytes(chain: ChainID, suite: Suite, keyID: KeyID) -> [UInt8] {
        CoseSign1.signedBytes(
            protected: protectedHeader(chain: chain, suite: suite, keyID: keyID),
            payload: kind == .finalize ? subject?.logRoot.bytes ?? [] : [])
    }

    public func protectedHeader(chain: ChainID, suite: Suite, keyID: KeyID) -> [UInt8] {
        switch kind {
        case .notarize: return protectedHeader(.notarize, suite, keyID, chain)
        case .nullify: return protectedHeader(.nullify, suite, keyID, chain)
        case .recover: return protectedHeader(.recover, suite, keyID, chain)
        case .finalize:
            guard let subject else { preconditionFailure("a finalize vote has a subject") }
            var encoder = CBOREncoder(reserving: 160)
            encoder.map(4)
            encoder.integer(HeaderLabel.algorithm)
            encoder.integer(suite.coseAlgorithm)
            encoder.integer(HeaderLabel.keyID)
            encoder.value(keyID)
            encoder.integer(HeaderLabel.verifiableData)
            encoder.integer(1)
            encoder.integer(HeaderLabel.finalize)
            encoder.array(5)
            encoder.value(chain)
            encoder.unsigned(epoch)
            encoder.unsigned(view)
            encoder.unsigned(subject.height)
            encoder.value(subject.header)
            return encoder.bytes
        }
    }

    private func protectedHeader(
        _ context: SigningContext, _ suite: Suite, _ keyID: KeyID, _ chain: ChainID
    ) -> [UInt8] {
        var extra = [epoch.encoded, view.encoded]
        if let subject { extra.append(subject.encoded) }
        return context.protectedHeader(suite: suite, keyID: keyID, chain: chain, extra: extra)
    }
}

extension VoteStatement: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(4)
        encoder.unsigned(kind.rawValue)
        encoder.unsigned(epoch)
        encoder.unsigned(view)
        encoder.optional(subject)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 4)
        guard let kind = VoteKind(rawValue: try decoder.unsigned()) else {
            throw decoder.invalid("a statement's kind is 1, 2, 3 or 4")
        }
        let epoch = try decoder.unsigned()
        let view = try decoder.unsigned()
        let subject = try decoder.optional(VoteSubject.self)
        guard (kind == .nullify) == (subject == nil) else {
            throw decoder.invalid("a nullify vote has no subject, the others have one")
        }
        guard kind != .recover || view == 0 else {
            throw decoder.invalid("a recovery is of no view: 0")
        }
        self.init(kind: kind, epoch: epoch, view: view, subject: subject)
    }
}

/// A signed vote. Wire: `[statement, validator index, signature]`.
public struct Vote: Hashable, Sendable, CBOREncodable, CBORDecodable {
    public let statement: VoteStatement
    /// Position in the epoch's validator set.
    public let validator: Int
    /// 64 bytes.
    public let signature: [UInt8]

    public static let signatureBytes = 64

    public init(statement: VoteStatement, validator: Int, signature: [UInt8]) {
        self.statement = statement
        self.validator = validator
        self.signature = signature
    }

    /// The vote, verified, when its signature is valid under that validator's key.
    public func verified(chain: ChainID, validators: ValidatorSet) -> Verified<Vote>? {
        guard statement.kind != .recover, statement.epoch == validators.epoch,
            validators.validators.indices.contains(validator)
        else { return nil }
        let key = validators.validators[validator].votingKey
        let message = statement.signedBytes(chain: chain, suite: key.suite, keyID: key.keyID)
        guard key.isValid(signature: signature, over: message) else { return nil }
        return Verified(checked: self)
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.value(statement)
        encoder.unsigned(UInt64(validator))
        encoder.bytes(signature)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        statement = try decoder.value()
        guard statement.kind != .recover else {
            throw decoder.invalid("a vote's kind is 1, 2 or 3")
        }
        validator = Int(try decoder.uint16())
        signature = try decoder.bytes(exactly: Vote.signatureBytes)
    }
}
