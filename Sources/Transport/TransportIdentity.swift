import NIOSSL

/// This node's certificate and private key for mutual TLS.
///
/// Keys are pinned, not certificates: nobody looks at names, issuers or dates, so an expired certificate never
/// stops the network. Only the SubjectPublicKeyInfo counts, and it is in the validator set.
public struct TransportIdentity: Sendable {
    let certificate: NIOSSLCertificate
    let privateKey: NIOSSLPrivateKey
    /// DER SubjectPublicKeyInfo of the certificate: must equal the validator's `transportKey`.
    public let publicKey: [UInt8]

    /// - Parameters:
    ///   - certificatePEM: one X.509 certificate.
    ///   - privateKeyPEM: its P-256 key, PKCS #8 or SEC 1, unencrypted in memory.
    public init(certificatePEM: [UInt8], privateKeyPEM: [UInt8]) throws(NetworkError) {
        do {
            guard let first = try NIOSSLCertificate.fromPEMBytes(certificatePEM).first else {
                throw NetworkError.certificateUnreadable("empty")
            }
            certificate = first
            publicKey = try first.extractPublicKey().toSPKIBytes()
        } catch {
            throw .certificateUnreadable("\(error)")
        }
        do {
            privateKey = try NIOSSLPrivateKey(bytes: privateKeyPEM, format: .pem)
        } catch {
            throw .privateKeyUnreadable("\(error)")
        }
        // Building a context makes BoringSSL compare the two.
        do {
            _ = try serverContext()
        } catch {
            throw .keyMismatch
        }
    }

    /// TLS 1.3 alone. The custom verification callbacks of `PeerNetwork` replace chain verification.
    func serverContext() throws -> NIOSSLContext {
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(certificate)], privateKey: .privateKey(privateKey))
        harden(&tls)
        return try NIOSSLContext(configuration: tls)
    }

    func clientContext() throws -> NIOSSLContext {
        var tls = TLSConfiguration.makeClientConfiguration()
        tls.certificateChain = [.certificate(certificate)]
        tls.privateKey = .privateKey(privateKey)
        harden(&tls)
        return try NIOSSLContext(configuration: tls)
    }

    private func harden(_ tls: inout TLSConfiguration) {
        tls.minimumTLSVersion = .tlsv13
        tls.certificateVerification = .noHostnameVerification
        tls.trustRoots = .certificates([])
    }
}

/// Who showed a pinned key on a connection.
package struct ShownPeer {
    package let index: Int
    package let key: [UInt8]

    package init(index: Int, key: [UInt8]) {
        self.index = index
        self.key = key
    }
}

/// What the other side showed, filled in by the verification callback of one connection.
///
/// Confined to that connection's event loop, like the handlers beside it.
package final class ShownIdentity {
    package var peer: ShownPeer?
    /// Why the key that was shown is not welcome on this connection.
    var refusal: NetworkProblem?

    package init() {}
}
