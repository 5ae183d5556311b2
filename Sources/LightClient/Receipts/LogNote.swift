import Encoding
import Ledger
import LedgerCrypto

/// A checkpoint with the cosignatures that somebody gathered (c2sp.org/signed-note, tlog-checkpoint), as it comes: no
/// signature is checked yet.
///
/// ```
/// huijin/<chain id in hexadecimal>
/// <leaves of the log, decimal>
/// <log root in base 64>
///
/// — <key name> <base 64 of key ID and signature>       one line at least
/// ```
///
/// Each line ends in a line feed, the last one too. A ledger's checkpoints have no extension lines.
public struct LogNote: Equatable, Sendable {
    public let checkpoint: LogCheckpoint
    private let signatures: [Signature]

    private struct Signature: Equatable {
        let name: [UInt8]
        /// 4 bytes of key ID, then what its type says.
        let bytes: [UInt8]
        /// The line without its line feed.
        let line: ArraySlice<UInt8>
    }

    /// Bytes of a whole note, and of a line of it: cosignatures of other types than ours may be among them, and are some kilobytes long.
    public static let bytesMax = 131_072
    public static let lineBytesMax = 32_768
    public static let signaturesMax = 256
    /// Witnesses whose word is asked for at once.
    public static let witnessesMax = 16

    private static let keyIDBytes = 4
    private static let lineFeed = UInt8(ascii: "\n")

    /// - Throws: before anything is decoded for more than `bytesMax` bytes; for more than `signaturesMax` signatures; for a line
    ///   that is not of this form; for the checkpoint of something else than a ledger.
    public init(_ bytes: [UInt8]) throws(WitnessFault) {
        guard bytes.count <= Self.bytesMax else {
            throw .tooLarge(bytes: bytes.count, bytesMax: Self.bytesMax)
        }
        var lines = bytes.split(separator: Self.lineFeed, omittingEmptySubsequences: false)
        // What stands behind the last line feed must be nothing.
        guard let rest = lines.popLast(), rest.isEmpty else {
            throw .malformed(line: lines.count + 1)
        }
        for (number, line) in lines.enumerated() where line.count > Self.lineBytesMax {
            throw .lineTooLong(line: number + 1, bytesMax: Self.lineBytesMax)
        }
        guard lines.count >= 3 else { throw .malformed(line: lines.count + 1) }
        checkpoint = LogCheckpoint(
            chain: try Self.chain(lines[0]), size: try Self.size(lines[1]),
            root: try Self.root(lines[2]))
        guard lines.count == 3 || lines[3].isEmpty else { throw .malformed(line: 4) }
        guard lines.count > 4 else { throw .noCosignature }
        let signed = lines[4...]
        guard signed.count <= Self.signaturesMax else {
            throw .tooManySignatures(found: signed.count, max: Self.signaturesMax)
        }
        var signatures: [Signature] = []
        for (index, line) in zip(signed.indices, signed) {
            guard let signature = Self.signature(line) else { throw .malformed(line: index + 1) }
            signatures.append(signature)
        }
        self.signatures = signatures
    }

    private static func chain(_ line: ArraySlice<UInt8>) throws(WitnessFault) -> ChainID {
        guard line.last != UInt8(ascii: "\r") else { throw .malformed(line: 1) }
        let prefix = LogCheckpoint.originPrefix.utf8
        let name = String(decoding: line.dropFirst(prefix.count), as: UTF8.self)
        guard line.starts(with: prefix), let chain = ChainID(hex: name) else {
            let start = line.prefix(LogCosigner.nameBytesMax)
            throw .otherOrigin(String(decoding: start, as: UTF8.self))
        }
        return chain
    }

    private static func size(_ line: ArraySlice<UInt8>) throws(WitnessFault) -> UInt64 {
        // The one spelling of a number: no sign, no leading zero.
        let text = String(decoding: line, as: UTF8.self)
        guard let size = UInt64(text), Array(String(size).utf8) == Array(line) else {
            throw .malformed(line: 2)
        }
        return size
    }

    private static func root(_ line: ArraySlice<UInt8>) throws(WitnessFault) -> Digest {
        guard let bytes = base64(line), let root = Digest(bytes: bytes) else {
            throw .malformed(line: 3)
        }
        return root
    }

    private static func signature(_ line: ArraySlice<UInt8>) -> Signature? {
        guard line.starts(with: LogCosignature.mark.utf8) else { return nil }
        let words = line.dropFirst(LogCosignature.mark.utf8.count).split(
            separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 2, !words[0].isEmpty, let bytes = base64(words[1]),
            bytes.count > keyIDBytes
        else { return nil }
        return Signature(name: Array(words[0]), bytes: bytes, line: line)
    }

    private static func base64(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
        guard bytes.allSatisfy({ $0 < 0x80 }) else { return nil }
        return Base64.decode(String(decoding: bytes, as: UTF8.self))
    }

    /// What a witness says of this checkpoint. Signatures of others are passed over, as the documents say.
    ///
    /// - Throws: when there is none of his, more than one, or one that is not valid.
    func sighting(by witness: LogCosigner) throws(WitnessFault) -> LogSighting {
        let (name, keyID) = (Array(witness.name.utf8), witness.keyID)
        let his = signatures.filter { $0.name == name && $0.bytes.starts(with: keyID) }
        guard let first = his.first else { throw .notCosigned(witness.name) }
        guard his.count == 1 else { throw .repeated(witness.name) }
        guard let cosignature = LogCosignature(line: String(decoding: first.line, as: UTF8.self)),
            cosignature.isValid(for: checkpoint, by: witness)
        else { throw .badCosignature(witness.name) }
        return LogSighting(witness: witness, time: cosignature.time)
    }
}

/// A witness's cosignature, which is valid.
public struct LogSighting: Equatable, Sendable {
    public let witness: LogCosigner
    /// Seconds of Unix time. It is the witness's word alone.
    public let time: UInt64

    /// Milliseconds of Unix time; the greatest there is for what lies beyond.
    public var timeMs: UInt64 {
        let (timeMs, overflow) = time.multipliedReportingOverflow(by: 1_000)
        return overflow ? .max : timeMs
    }
}
