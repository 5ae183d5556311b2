import LedgerCrypto
import NIOCore
import NIOPosix
import NIOSSL
import Testing

@testable import Transport

@Suite(.timeLimit(.minutes(1))) struct PeerNetworkTests {
    @Test func threeNodesHearEachOtherInOrder() async throws {
        let town = try Town(3)
        let stations = try (0..<3).map { try town.station($0) }
        for station in stations { try await station.network.start() }
        for (index, station) in stations.enumerated() {
            try await station.changes.wait { $0.filter { $0 }.count == 2 }
            for number in UInt8(0)..<50 {
                station.network.broadcast(priority: .vote, [UInt8(index), number])
            }
        }
        for station in stations {
            let frames = try await station.frames.wait { $0.count == 100 }
            for sender in Set(frames.map(\.peer)) {
                let sent = frames.filter { $0.peer == sender }.map(\.payload)
                #expect(sent == (UInt8(0)..<50).map { [UInt8(sender), $0] })
            }
        }
        for station in stations { await station.network.stop() }
    }

    @Test func aLargeFrameArrivesWhole() async throws {
        let town = try Town(2)
        let stations = try (0..<2).map { try town.station($0) }
        for station in stations { try await station.network.start() }
        try await stations[0].changes.wait { $0.contains(true) }
        let payload = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        stations[0].network.send(to: 1, priority: .bulk, payload)
        let frames = try await stations[1].frames.wait { !$0.isEmpty }
        #expect(frames == [Frame(peer: 0, payload: payload)])
        for station in stations { await station.network.stop() }
    }

    /// Frames sent before the peer is there wait for it, except bulk.
    @Test func votesWaitForAnAbsentPeer() async throws {
        let town = try Town(2)
        let first = try town.station(0)
        try await first.network.start()
        first.network.send(to: 1, priority: .bulk, [9])
        first.network.send(to: 1, priority: .proposal, [2])
        first.network.send(to: 1, priority: .vote, [1])
        let second = try town.station(1)
        try await second.network.start()
        let frames = try await second.frames.wait { $0.count == 2 }
        #expect(frames.map(\.payload) == [[1], [2]])
        await first.network.stop()
        await second.network.stop()
    }

    @Test func aKeyOutsideTheSetIsRefused() async throws {
        let town = try Town(2)
        let honest = try town.station(0)
        let impostor = try town.station(1, identity: makeIdentity())
        try await honest.network.start()
        try await impostor.network.start()
        // Dialling, the honest node finds another key than the pinned one; dialled, it finds an unknown one.
        try await honest.lines.wait {
            $0.filter { $0.contains(NetworkProblem.wrongKey.message) }.count >= 2
        }
        impostor.network.send(to: 0, priority: .vote, [1])
        #expect(!honest.changes.events.contains(true))
        #expect(honest.network.peerStates[0].isReceiving == false)
        await impostor.network.stop()
        await honest.network.stop()
        #expect(honest.frames.events.isEmpty)
    }

    @Test func anotherChainIsRefused() async throws {
        let town = try Town(2)
        let here = try town.station(0)
        let elsewhere = try town.station(1, chain: Suite.ed25519SHA256.digest([9]))
        try await here.network.start()
        try await elsewhere.network.start()
        try await here.waitForLog(NetworkProblem.wrongChain.message)
        try await elsewhere.waitForLog(NetworkProblem.wrongChain.message)
        #expect(!here.changes.events.contains(true))
        await here.network.stop()
        await elsewhere.network.stop()
    }

    @Test func aRestartedPeerIsFoundAgain() async throws {
        let town = try Town(2)
        let first = try town.station(0)
        var second = try town.station(1)
        try await first.network.start()
        try await second.network.start()
        try await first.changes.wait { $0 == [true] }
        await second.network.stop()
        try await first.changes.wait { $0 == [true, false] }
        second = try town.station(1)
        try await second.network.start()
        try await first.changes.wait { $0 == [true, false, true] }
        first.network.send(to: 1, priority: .vote, [7])
        try await second.frames.wait { $0.map(\.payload) == [[7]] }
        try await second.changes.wait { $0.contains(true) }
        second.network.send(to: 0, priority: .vote, [8])
        try await first.frames.wait { $0.map(\.payload) == [[8]] }
        await first.network.stop()
        await second.network.stop()
    }

    /// A peer that stops reading costs the sender its bounded queue, not more; and bulk pays before votes.
    @Test func aSlowReaderBoundsMemory() async throws {
        var town = try Town(2)
        town.limits.outboxBytesMax = 1_048_576
        let sender = try town.station(0)
        let slow = try town.station(1, flow: .pause)
        try await sender.network.start()
        try await slow.network.start()
        try await sender.changes.wait { $0.contains(true) }
        sender.network.send(to: 1, priority: .bulk, [0])
        try await slow.frames.wait { $0.count == 1 }
        let bulk = [UInt8](repeating: 1, count: 100_000)
        for _ in 0..<500 { sender.network.send(to: 1, priority: .bulk, bulk) }
        sender.network.send(to: 1, priority: .vote, [2])
        let state = sender.network.peerStates[0]
        #expect(state.queuedBytes <= town.limits.outboxBytesMax)
        #expect(state.droppedFrames > 100)
        slow.flow.now.withLock { $0 = .continue }
        slow.network.resume()
        let frames = try await slow.frames.wait { $0.contains { $0.payload == [2] } }
        #expect(frames.count < 400)
        await sender.network.stop()
        await slow.network.stop()
    }

    @Test func stoppingTwiceAndWhileDiallingIsHarmless() async throws {
        let town = try Town(2)
        let station = try town.station(0)
        try await station.network.start()
        await station.network.stop()
        await station.network.stop()
        #expect(station.changes.events.isEmpty)
    }

    /// A node may have to stop while its network still starts: whoever comes first, all of them come to an end.
    @Test func stoppingWhileStartingIsHarmless() async throws {
        let town = try Town(2)
        for round in 0..<20 {
            let station = try town.station(0)
            async let starting: Void = station.network.start()
            // In half of the rounds the port is being bound, or is bound.
            while round.isMultiple(of: 2), !Task.isCancelled,
                station.network.state.withLock({ $0.listening == nil })
            {
                await Task.yield()
            }
            async let stopping: Void = station.network.stop()
            await station.network.stop()
            try await starting
            await stopping
            #expect(station.changes.events.isEmpty)
        }
    }

    /// Threads that have not heard of the end may still ask for something.
    @Test func aStoppedNetworkDoesNothing() async throws {
        let town = try Town(2)
        let (stopped, peer) = (try town.station(0), try town.station(1))
        try await stopped.network.start()
        try await peer.network.start()
        try await stopped.changes.wait { $0.contains(true) }
        let port = stopped.network.port
        // Otherwise the peer may never have had a connection that could end.
        try await peer.changes.wait { $0.last == true }
        await stopped.network.stop()
        try await stopped.network.start()
        stopped.network.update(peers: [])
        try stopped.network.use(makeIdentity())
        stopped.network.resume()
        stopped.network.cutOff(1, .undecodable)
        stopped.network.broadcast(priority: .vote, [1])
        #expect(stopped.network.offences.isEmpty)
        try await peer.changes.wait { $0.last == false }
        // Nobody listens there any more.
        let listener = try await ServerBootstrap(group: peer.network.group)
            .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
            .bind(host: "127.0.0.1", port: port).get()
        try await listener.close()
        await peer.network.stop()
    }

    @Test func anIdentityIsCheckedWhenItIsLoaded() throws {
        #expect(throws: NetworkError.self) {
            _ = try TransportIdentity(certificatePEM: [1, 2], privateKeyPEM: [3])
        }
    }
}
