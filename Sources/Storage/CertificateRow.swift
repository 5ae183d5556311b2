import Encoding
import Ledger
import LedgerCrypto
import SQLite

/// A certificate as a column holds it: the digest of its bytes, then its bytes.
///
/// Whoever hands out a certificate whose signatures are not valid is taken for a forger. Blocks and state are checked against what
/// commits to them; nothing commits to signatures, so a bit that turned on the disk is noticed by this digest.
enum CertificateRow {
    static func encode(_ certificate: Certificate, suite: Suite) -> [UInt8] {
        let bytes = certificate.encoded
        return suite.digest(bytes).bytes + bytes
    }

    /// Of a nullification, ascending by epoch and view; nil beyond what a row's number holds.
    static func id(epoch: UInt64, view: UInt64) -> Int64? {
        guard epoch < 1 << 23, view < 1 << 40 else { return nil }
        return Int64(epoch << 40 | view)
    }

    /// Of the certificate itself.
    static func byteCount(_ row: Statement, _ column: Int) -> Int {
        max(0, row.withBytes(column) { $0.count } - Digest.byteCount)
    }

    /// Nil when it is not what was written.
    static func decode(_ row: [UInt8], suite: Suite) -> Certificate? {
        let bytes = Array(row.dropFirst(Digest.byteCount))
        guard let digest = Digest(bytes: row.prefix(Digest.byteCount)),
            suite.digest(bytes) == digest
        else { return nil }
        return try? Certificate.decode(bytes, limits: LedgerLimits.certificate)
    }
}
