import Encoding
import Ledger
import LedgerCrypto

/// The chain's log at one height, as a note that tools for transparency logs read (c2sp.org/tlog-checkpoint), for
/// validators and for witnesses outside the ledger to cosign.
///
/// ```
/// huijin/<chain id in hexadecimal>
/// <leaves of the log>
/// <log root in base 64>
/// ```
public struct LogCheckpoint: Equatable, Sendable {
    public let chain: ChainID
    public let size: UInt64
    public let root: Digest

    /// What a witness is to cosign, in either suite: a cosignature covers the root's bytes, whichever hash made them.
    public init(witnessing header: Header) {
        self.init(chain: header.chain, size: header.logSize, root: header.logRoot)
    }

    /// For tools that hash the log themselves. Such logs are of SHA-256, so it is nil in suite `sm2SM3`.
    public init?(_ header: Header, suite: Suite) {
        guard suite == .ed25519SHA256 else { return nil }
        self.init(witnessing: header)
    }

    init(chain: ChainID, size: UInt64, root: Digest) {
        self.chain = chain
        self.size = size
        self.root = root
    }

    /// What names the log. There is no log key: the ledger has no operator, and a quorum of its validators cosigns.
    public var origin: String { Self.origin(chain) }

    static let originPrefix = "huijin/"

    static func origin(_ chain: ChainID) -> String { "\(originPrefix)\(chain.hex)" }

    /// The note's text, which ends in a line feed.
    public var text: String { "\(origin)\n\(size)\n\(Base64.encode(root.bytes))\n" }

    /// The whole note: the text, an empty line, and the signatures.
    public func note(_ cosignatures: [LogCosignature]) -> String {
        "\(text)\n" + cosignatures.map { $0.line }.joined()
    }
}

/// Who cosigns, as others name him: by a key name and the first bytes of a digest (c2sp.org/signed-note).
public struct LogCosigner: Equatable, Sendable {
    /// Of a validator `<origin>/<member id>`.
    public let name: String
    public let key: PublicKey

    /// Identifies `cosignature/v1` with Ed25519.
    private static let signatureType: UInt8 = 4
    /// Bytes of the name of a cosigner outside the ledger.
    public static let nameBytesMax = 256

    public init(_ validator: Validator, chain: ChainID) {
        name = "\(LogCheckpoint.origin(chain))/\(validator.member.text)"
        key = validator.votingKey
    }

    /// A cosigner outside the ledger, by the verifier key that he publishes: `name+hash+key`.
    ///
    /// Nil unless the name is 1 to `nameBytesMax` bytes without white space, control characters and plus signs; the hash is
    /// the key ID in lower-case hexadecimal; and the key is one of type 04 with a point that is a voting key's as well, so none of small order.
    public init?(verifierKey text: String) {
        let parts = text.utf8.split(
            separator: UInt8(ascii: "+"), maxSplits: 2, omittingEmptySubsequences: false
        ).map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 3, 1...Self.nameBytesMax ~= parts[0].utf8.count,
            parts[0].printable == parts[0],
            !parts[0].unicodeScalars.contains(where: {
                $0.properties.generalCategory == .spaceSeparator
            }),
            let bytes = Base64.decode(parts[2]), bytes.first == Self.signatureType,
            let key = try? PublicKey(suite: .ed25519SHA256, bytes: Array(bytes.dropFirst()))
        else { return nil }
        name = parts[0]
        self.key = key
        guard Hex.encode(keyID) == parts[1] else { return nil }
    }

    /// 4 bytes.
    public var keyID: [UInt8] {
        let named = Array(name.utf8) + [UInt8(ascii: "\n"), Self.signatureType] + key.bytes
        return Array(key.suite.digest(named).bytes.prefix(4))
    }

    /// The verifier key that other tools are configured with.
    public var verifierKey: String {
        "\(name)+\(Hex.encode(keyID))+\(Base64.encode([Self.signatureType] + key.bytes))"
    }
}

/// A cosigner's statement that a checkpoint is of the longest log that it has seen finalized, at a time
/// (c2sp.org/tlog-cosignature). Validators sign it with the voting key; what it covers can be no vote, since every vote begins with the
/// byte 0x84 and this with a letter (docs/decisions/0012-checkpoints.md).
public struct LogCosignature: Equatable, Sendable {
    public let name: String
    /// 4 bytes.
    public let keyID: [UInt8]
    /// Seconds of Unix time.
    public let time: UInt64
    /// 64 bytes.
    public let signature: [UInt8]

    static let mark = "\u{2014} "
    private static let byteCount = 4 + 8 + Suite.signatureByteCount
    /// Bytes of a line: mark, origin, member id and base 64.
    public static let lineBytesMax = 512

    /// - Parameter key: the cosigner's own.
    public init(
        _ checkpoint: LogCheckpoint, time: UInt64, cosigner: LogCosigner, with key: SigningKey
    ) {
        precondition(key.publicKey == cosigner.key, "a cosigner signs with its own key")
        name = cosigner.name
        keyID = cosigner.keyID
        self.time = time
        signature = key.sign(Self.message(checkpoint, time: time))
    }

    /// Reads a note's signature line without its line feed; nil unless it is one of this type's length.
    public init?(line: String) {
        let text = Array(line.utf8)
        guard text.count <= Self.lineBytesMax, text.starts(with: Self.mark.utf8) else {
            return nil
        }
        let words = text.dropFirst(Self.mark.utf8.count).split(
            separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 2, !words[0].isEmpty,
            let bytes = Base64.decode(String(decoding: words[1], as: UTF8.self)),
            bytes.count == Self.byteCount
        else { return nil }
        name = String(decoding: words[0], as: UTF8.self)
        keyID = Array(bytes[..<4])
        time = bytes[4..<12].reduce(0) { $0 << 8 | UInt64($1) }
        signature = Array(bytes[12...])
    }

    /// With its line feed.
    public var line: String {
        let seconds = (0..<8).map { UInt8(truncatingIfNeeded: time >> (56 - 8 * $0)) }
        return "\(Self.mark)\(name) \(Base64.encode(keyID + seconds + signature))\n"
    }

    /// Whether this very cosigner signed this very checkpoint.
    public func isValid(for checkpoint: LogCheckpoint, by cosigner: LogCosigner) -> Bool {
        name == cosigner.name && keyID == cosigner.keyID
            && cosigner.key.isValid(
                signature: signature, over: Self.message(checkpoint, time: time))
    }

    static func message(_ checkpoint: LogCheckpoint, time: UInt64) -> [UInt8] {
        Array("cosignature/v1\ntime \(time)\n\(checkpoint.text)".utf8)
    }
}

extension ValidatorSet {
    /// The set as a trust policy that other tools read (c2sp.org/tlog-policy): its validators as witnesses, its quorum.
    public func logPolicy(chain: ChainID) -> String {
        var text = "# epoch \(epoch) of \(LogCheckpoint.origin(chain))\n"
        for (seat, validator) in validators.enumerated() {
            let cosigner = LogCosigner(validator, chain: chain)
            text += "witness v\(seat) \(cosigner.verifierKey)\n"
        }
        let names = validators.indices.map { "v\($0)" }.joined(separator: " ")
        return text + "group validators \(quorum) \(names)\nquorum validators\n"
    }
}
