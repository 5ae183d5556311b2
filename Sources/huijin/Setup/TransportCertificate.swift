import Crypto
import Foundation
import LedgerCrypto
import SwiftASN1
import X509

/// A validator's P-256 key and self-signed certificate for mutual TLS.
///
/// Peers pin the key (its SubjectPublicKeyInfo stands in the validator set) and look at nothing else in the certificate, so it
/// is made to outlast the network.
struct TransportCertificate {
    let certificatePEM: String
    let privateKeyPEM: String
    /// DER SubjectPublicKeyInfo.
    let publicKey: [UInt8]

    static let validYears = 100

    /// - Parameter privateKeyPEM: of the key to certify; a new one is made where it is absent.
    init(name: String, now: Date, privateKeyPEM given: String? = nil) throws {
        let key = try given.map { try P256.Signing.PrivateKey(pemRepresentation: $0) } ?? .init()
        let subject = try DistinguishedName { CommonName(name) }
        let until = now.addingTimeInterval(Double(TransportCertificate.validYears) * 365 * 86_400)
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: .init(key.publicKey),
            notValidBefore: now, notValidAfter: until, issuer: subject, subject: subject,
            signatureAlgorithm: .ecdsaWithSHA256, extensions: Certificate.Extensions {},
            issuerPrivateKey: .init(key))
        certificatePEM = try certificate.serializeAsPEM().pemString
        privateKeyPEM = key.pemRepresentation
        publicKey = [UInt8](key.publicKey.derRepresentation)
    }

    /// Writes `transport.key`, encrypted, and `transport.pem` into a folder.
    func write(
        to folder: URL, name: String, suite: LedgerCrypto.Suite, passphrase: String,
        cost: KeyDerivationCost = .standard
    ) throws {
        let sealed = try EncryptedKeyFile.sealBytes(
            [UInt8](privateKeyPEM.utf8), suite: suite, label: "transport key of \(name)",
            passphrase: passphrase, cost: cost)
        try IdentityMaker.write(
            sealed, to: folder.appending(path: "transport.key"), isSecret: true)
        try IdentityMaker.write(
            [UInt8](certificatePEM.utf8), to: folder.appending(path: "transport.pem"))
    }
}
