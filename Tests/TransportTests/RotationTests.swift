import Crypto
import LedgerCrypto
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import Transport

/// Certificates, keys and peers that change while connections stand.
@Suite(.timeLimit(.minutes(1))) struct RotationTests {
    /// Sends numbered frames both ways while `change` happens, and expects every one of them.
    private func withoutLoss(
        _ first: Station, _ second: Station, _ change: () async throws -> Void
    ) async throws {
        try await first.changes.wait { $0 == [true] }
        try await second.changes.wait { $0 == [true] }
        let before = first.frames.events.count
        func send(_ numbers: Range<UInt8>) {
            for number in numbers {
                first.network.send(to: 1, priority: .vote, [number])
                second.network.send(to: 0, priority: .vote, [number])
            }
        }
        send(0..<100)
        try await change()
        send(100..<200)
        for station in [first, second] {
            let frames = try await station.frames.wait { $0.count >= before + 200 }
            #expect(frames.suffix(200).map { $0.payload[0] }.sorted() == Array(0..<200))
        }
    }

    /// The certificate that station 0 shows to a stranger.
    private func shownCertificate(_ town: Town) async throws -> [UInt8] {
        let shown = Recorder<[UInt8]>()
        let context = try town.identities[1].clientContext()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        NIOSSLClientHandler(context: context, serverHostname: nil) {
                            shown.add((try? $0[0].toDERBytes()) ?? [])
                            $1.succeed(NIOSSLVerificationResult.failed)
                        })
                }
            }
            .connect(host: "127.0.0.1", port: town.ports[0]).get()
        let certificate = try await shown.wait { !$0.isEmpty }
        try? await channel.close()
        return certificate[0]
    }

    @Test func aNewCertificateOfTheSameKeyTakesOver() async throws {
        var town = try Town(2)
        let key = P256.Signing.PrivateKey()
        town.identities[0] = try makeIdentity(key)
        let renewed = try makeIdentity(key)
        let first = try town.station(0)
        let second = try town.station(1)
        try await first.network.start()
        try await second.network.start()
        #expect(
            try await shownCertificate(town) == town.identities[0].certificate.toDERBytes())
        try await withoutLoss(first, second) {
            try first.network.use(renewed)
            try await first.changes.wait { $0 == [true, true] }
        }
        #expect(try await shownCertificate(town) == renewed.certificate.toDERBytes())
        #expect(!first.changes.events.contains(false))
        await first.network.stop()
        await second.network.stop()
    }

    @Test func aNewKeyTakesOverFromTheOldOne() async throws {
        let town = try Town(2)
        let renewed = try makeIdentity()
        let peer = PeerEndpoint(
            index: 1, name: "V1",
            transportKeys: [renewed.publicKey, town.identities[1].publicKey],
            address: HostPort(host: "127.0.0.1", port: town.ports[1]))
        let first = try town.station(0, peers: [peer])
        let second = try town.station(1)
        try await first.network.start()
        try await second.network.start()
        try await refuses(first, makeIdentity(), town)
        try await withoutLoss(first, second) {
            try second.network.use(renewed)
            // Its own connection shows the new key; so the first one makes its connection anew as well.
            try await first.changes.wait { $0 == [true, true] }
        }
        // Whoever has the old key is a stranger from now on.
        try await refuses(first, town.identities[1], town)
        try await refuses(first, makeIdentity(), town)
        #expect(first.network.peerStates[0].isReceiving)
        #expect(!first.changes.events.contains(false))
        await first.network.stop()
        await second.network.stop()
    }

    /// Somebody at the place of station 1 who shows that key is not heard.
    private func refuses(
        _ station: Station, _ identity: TransportIdentity, _ town: Town
    ) async throws {
        let frames = station.frames.events.count
        let known = town.peers(of: 1)
        let impostor = try town.station(1, identity: identity, peers: known, isObserver: true)
        try await impostor.network.start()
        // In TLS 1.3 the client is told after its own handshake is over.
        try await impostor.waitForLog(NetworkProblem.tlsFailed.message)
        await impostor.network.stop()
        #expect(impostor.changes.events.isEmpty)
        #expect(station.frames.events.count == frames)
    }

    @Test func peersComeAndGoAndMove() async throws {
        var town = try Town(4)
        let first = try town.station(0, peers: [])
        let second = try town.station(1, peers: town.peers(of: 1).filter { $0.index == 0 })
        try await first.network.start()
        try await second.network.start()
        try await second.waitForLog(NetworkProblem.tlsFailed.message)
        // Added: no restart of either.
        let known = town.peers(of: 0).filter { $0.index == 1 }
        first.network.update(peers: known)
        try await first.changes.wait { $0 == [true] }
        first.network.send(to: 1, priority: .vote, [1])
        try await second.frames.wait { $0.map(\.payload) == [[1]] }
        try await second.changes.wait { $0.contains(true) }
        // Elsewhere: the new place takes over.
        town.ports[1] = town.ports[3]
        await second.network.stop()
        let moved = try town.station(1, peers: town.peers(of: 1).filter { $0.index == 0 })
        try await moved.network.start()
        first.network.update(peers: town.peers(of: 0).filter { $0.index == 1 })
        try await first.changes.wait { $0 == [true, false, true] }
        first.network.send(to: 1, priority: .vote, [2])
        try await moved.frames.wait { $0.map(\.payload) == [[2]] }
        try await moved.changes.wait { $0.contains(true) }
        // Gone: its connections end, and what it sends is not heard.
        first.network.update(peers: [])
        try await moved.changes.wait { $0.last == false }
        #expect(first.network.peerStates.isEmpty)
        first.network.send(to: 1, priority: .vote, [3])
        await first.network.stop()
        await moved.network.stop()
    }

    @Test func aKeyThatIsTakenAwayEndsItsConnections() async throws {
        let town = try Town(2)
        let first = try town.station(0)
        let second = try town.station(1)
        try await first.network.start()
        try await second.network.start()
        try await first.changes.wait { $0 == [true] }
        try await second.changes.wait { $0 == [true] }
        let other = try makeIdentity()
        first.network.update(peers: [
            PeerEndpoint(
                index: 1, name: "V1", transportKeys: [other.publicKey],
                address: HostPort(host: "127.0.0.1", port: town.ports[1]))
        ])
        try await first.changes.wait { $0 == [true, false] }
        try await second.changes.wait { $0 == [true, false] }
        try second.network.use(other)
        try await first.changes.wait { $0 == [true, false, true] }
        await first.network.stop()
        await second.network.stop()
    }
}
