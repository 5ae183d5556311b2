import Crypto
import Foundation
import Glibc
import LedgerCrypto
import Logging
import Synchronization
import TestWaiting
import Testing
import Transport
import X509

/// A P-256 key and a certificate for it, as `huijin network init` makes them.
func makeIdentity(
    _ key: P256.Signing.PrivateKey = P256.Signing.PrivateKey()
) throws -> TransportIdentity {
    let name = try DistinguishedName { CommonName("huijin") }
    // Long past: pinned keys do not care about dates.
    let certificate = try Certificate(
        version: .v3, serialNumber: Certificate.SerialNumber(),
        publicKey: .init(key.publicKey), notValidBefore: Date(timeIntervalSince1970: 0),
        notValidAfter: Date(timeIntervalSince1970: 1), issuer: name, subject: name,
        signatureAlgorithm: .ecdsaWithSHA256, extensions: Certificate.Extensions(),
        issuerPrivateKey: .init(key))
    return try TransportIdentity(
        certificatePEM: Array(certificate.serializeAsPEM().pemString.utf8),
        privateKeyPEM: Array(key.pemRepresentation.utf8))
}

/// What happened, in order, and a way to wait for more of it.
final class Recorder<Event: Sendable>: Sendable {
    private let state = Watched<[Event]>([])

    var events: [Event] { state.withLock { $0 } }

    func add(_ event: Event) { state.withLock { $0.append(event) } }

    @discardableResult
    func wait(_ isEnough: @escaping @Sendable ([Event]) -> Bool) async throws -> [Event] {
        try await state.wait(isEnough)
    }
}

struct LogRecorder: LogHandler {
    let lines: Recorder<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let reason = event.metadata?["reason"].map { "\($0)" } ?? ""
        lines.add("\(event.message) \(reason)")
    }
}

struct Frame: Sendable, Equatable {
    let peer: Int
    let payload: [UInt8]
}

/// One node's network with everything that it reports.
final class Station: Sendable {
    let network: PeerNetwork
    let frames = Recorder<Frame>()
    let changes = Recorder<Bool>()
    let lines: Recorder<String>
    /// What the receiver of frames asks for.
    let flow: Flow

    final class Flow: Sendable {
        let now: Mutex<FlowControl>
        init(_ now: FlowControl) { self.now = Mutex(now) }
    }

    init(
        identity: TransportIdentity, chain: LedgerCrypto.Digest, port: Int?,
        peers: [PeerEndpoint], limits: NetworkLimits, flow first: FlowControl = .continue
    ) throws {
        let flow = Flow(first)
        self.flow = flow
        let lines = Recorder<String>()
        let logger = Logger(label: "test") { _ in LogRecorder(lines: lines) }
        let frames = self.frames
        let changes = self.changes
        self.lines = lines
        network = try PeerNetwork(
            NetworkConfiguration(
                identity: identity, chain: chain,
                listen: port.map { HostPort(host: "127.0.0.1", port: $0) }, peers: peers,
                limits: limits, logger: logger),
            onFrame: { peer, payload in
                frames.add(Frame(peer: peer, payload: payload))
                return flow.now.withLock { $0 }
            },
            onPeerChange: { _, isSending in changes.add(isSending) })
    }

    /// For a line with all of the texts.
    func waitForLog(_ texts: String...) async throws {
        try await lines.wait { $0.contains { line in texts.allSatisfy(line.contains) } }
    }
}

/// Places for nodes that know one another's keys and ports.
struct Town {
    var identities: [TransportIdentity]
    var ports: [Int]
    let chain: LedgerCrypto.Digest
    var limits = NetworkLimits()

    init(_ count: Int) throws {
        identities = try (0..<count).map { _ in try makeIdentity() }
        ports = try FreePorts.find(count)
        chain = Suite.ed25519SHA256.digest([1, 2, 3])
        // Nothing here is to end for want of the processor.
        limits.helloTimeoutMs = 60_000
    }

    func peers(of index: Int) -> [PeerEndpoint] {
        identities.indices.filter { $0 != index }.map {
            PeerEndpoint(
                index: $0, name: "V\($0)", transportKey: identities[$0].publicKey,
                host: "127.0.0.1", port: ports[$0])
        }
    }

    func station(
        _ index: Int, identity: TransportIdentity? = nil,
        chain: LedgerCrypto.Digest? = nil, peers: [PeerEndpoint]? = nil,
        isObserver: Bool = false, flow: FlowControl = .continue
    ) throws -> Station {
        try Station(
            identity: identity ?? identities[index], chain: chain ?? self.chain,
            port: isObserver ? nil : ports[index], peers: peers ?? self.peers(of: index),
            limits: limits, flow: flow)
    }
}
