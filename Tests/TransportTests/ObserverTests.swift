import LedgerCrypto
import Testing

@testable import Transport

/// Observers, and peers that misbehave.
@Suite(.timeLimit(.minutes(1))) struct ObserverTests {
    private func observer(_ index: Int, _ town: Town) -> PeerEndpoint {
        PeerEndpoint(
            index: index, name: "O\(index)", transportKeys: [town.identities[index].publicKey],
            address: nil)
    }

    @Test func anObserverIsAnsweredOnItsOwnConnection() async throws {
        let town = try Town(3)
        let first = try town.station(
            0, peers: town.peers(of: 0).filter { $0.index == 1 } + [observer(2, town)])
        let second = try town.station(1, peers: town.peers(of: 1).filter { $0.index == 0 })
        let watcher = try town.station(
            2, peers: town.peers(of: 2).filter { $0.index == 0 }, isObserver: true)
        for station in [first, second, watcher] { try await station.network.start() }
        try await first.changes.wait { $0 == [true, true] }
        try await watcher.changes.wait { $0 == [true] }
        first.network.broadcast(priority: .vote, [1])
        first.network.tellObservers([2])
        first.network.send(to: 2, priority: .vote, [3])
        try await second.frames.wait { $0.map(\.payload) == [[1]] }
        let heard = try await watcher.frames.wait { $0.count == 2 }
        #expect(Set(heard.map(\.payload)) == [[2], [3]])
        watcher.network.broadcast(priority: .bulk, [4])
        try await first.frames.wait { $0 == [Frame(peer: 2, payload: [4])] }
        #expect(watcher.network.port == 0)
        // It comes back by itself.
        await first.network.stop()
        try await watcher.changes.wait { $0 == [true, false] }
        for station in [second, watcher] { await station.network.stop() }
    }

    @Test func observersAreLimitedInNumberAndLength() async throws {
        var town = try Town(3)
        town.limits.observersMax = 1
        town.limits.observerFrameBytesMax = 100
        let first = try town.station(0, peers: [observer(1, town), observer(2, town)])
        try await first.network.start()
        let welcome = try town.station(
            1, peers: town.peers(of: 1).filter { $0.index == 0 }, isObserver: true)
        try await welcome.network.start()
        try await welcome.changes.wait { $0 == [true] }
        try await first.changes.wait { $0 == [true] }
        let other = try town.station(
            2, peers: town.peers(of: 2).filter { $0.index == 0 }, isObserver: true)
        try await other.network.start()
        try await first.waitForLog(NetworkProblem.tooManyObservers.message)
        #expect(first.changes.events == [true])
        welcome.network.broadcast(priority: .vote, [UInt8](repeating: 0, count: 101))
        try await first.waitForLog(NetworkProblem.frameTooLarge.message)
        #expect(first.frames.events.isEmpty)
        // That was an offence; the place is free.
        try await first.changes.wait { $0.filter { $0 }.count >= 2 }
        for station in [first, welcome, other] { await station.network.stop() }
    }

    @Test func whoMisbehavesIsCutOffForAWhile() async throws {
        var town = try Town(2)
        town.limits.banMs = 200
        let first = try town.station(0, flow: .cutOff(.undecodable))
        let second = try town.station(1)
        try await first.network.start()
        try await second.network.start()
        try await first.changes.wait { $0 == [true] }
        try await second.changes.wait { $0 == [true] }
        second.network.send(to: 0, priority: .vote, [1])
        // Both directions end, and it is refused when it dials again.
        try await first.changes.wait { $0.starts(with: [true, false]) }
        try await first.waitForLog(NetworkProblem.banned.message)
        #expect(first.network.offences == [.undecodable: 1])
        first.flow.now.withLock { $0 = .continue }
        try await first.changes.wait { $0.starts(with: [true, false, true]) }
        try await second.changes.wait { $0.last == true && $0.count > 1 }
        second.network.send(to: 0, priority: .vote, [2])
        try await first.frames.wait { $0.last?.payload == [2] }
        // By order of whoever judges what it sent.
        first.network.cutOff(1, .forged)
        try await first.changes.wait { $0.starts(with: [true, false, true, false]) }
        #expect(first.network.offences == [.undecodable: 1, .forged: 1])
        await first.network.stop()
        await second.network.stop()
    }

    @Test func bansGrowAndAreForgotten() {
        var limits = NetworkLimits()
        limits.banMs = 100
        limits.banMsMax = 1_000
        var ban = Ban()
        #expect(ban.remainingMs(nowMs: 0) == 0)
        var lengths: [Int64] = []
        for offence in Int64(0)..<6 {
            ban.offend(nowMs: offence * 2_000, limits: limits, jitter: 0)
            lengths.append(ban.remainingMs(nowMs: offence * 2_000))
        }
        #expect(lengths == [100, 200, 400, 800, 1_000, 1_000])
        #expect(ban.remainingMs(nowMs: 11_000) == 0)
        ban.offend(nowMs: 30_000, limits: limits, jitter: 1)
        #expect(ban.remainingMs(nowMs: 30_000) == 50)
        ban.offend(nowMs: 30_000, limits: limits, jitter: 1)
        #expect(ban.remainingMs(nowMs: 30_000) == 100)
    }

    /// Nodes that lost a peer at the same moment come back over half of the wait, never before half of it.
    @Test func waitsDoubleAndAreSpread() {
        func wait(_ doublings: Int, _ jitter: Double) -> Int64 {
            Backoff.waitMs(first: 200, most: 10_000, doublings: doublings, jitter: jitter)
        }
        #expect(
            (0..<8).map { wait($0, 0) } == [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000])
        #expect((0..<3).map { wait($0, 1) } == [100, 200, 400])
        #expect(Set((0...100).map { wait(2, Double($0) / 100) }).count == 101)
        #expect(wait(1_000_000, 0.5) == 7_500)
    }

    /// Whatever is sent, and whenever: over any time no more than the rate times that and the most that is saved up.
    @Test func anAllowanceBoundsWhatIsRead() {
        let allowance = Allowance(
            unitsPerSecond: 1_000, unitsMax: 5_000, unitsPerFrame: 10, unitsOwedMax: 3_000)
        var account = AllowanceAccount(allowance, nowMs: 0)
        var nowMs: Int64 = 0
        var units: Int64 = 0
        for number in 0..<10_000 {
            let bytes = number % 7 == 0 ? 3_000 : number % 50
            let pauseMs = account.take(bytes: bytes, nowMs: nowMs)
            units += Int64(bytes) + 10
            // A reader that waits as told is never more than one frame and a rounding ahead.
            #expect(units <= nowMs + 5_000 + 3_010 + 1)
            nowMs += pauseMs
            if number % 1_000 == 0 { nowMs += 600_000 }
            if number % 1_000 == 0 { units = min(units, nowMs) }
        }
        nowMs += 3_600_000
        #expect(account.take(bytes: 0, nowMs: nowMs) == 0)
        // From full to what may be owed, over that, and back by what flows in within a second.
        let standings = [(7_990, 0), (100, 0), (10, 1_000)].map { bytes, pauseMs in
            nowMs += Int64(pauseMs)
            _ = account.take(bytes: bytes - 10, nowMs: nowMs)
            return account.isBankrupt(nowMs: nowMs)
        }
        #expect(standings == [false, true, false])
    }

    /// What floods is slowed down by the connection, and nobody else is.
    @Test func anObserverThatFloodsIsReadNoFasterThanAllowed() async throws {
        var town = try Town(3)
        town.limits.observerAllowance = Allowance(
            unitsPerSecond: 1, unitsMax: 5_000_000, unitsPerFrame: 0, unitsOwedMax: 1_200_000)
        let first = try town.station(
            0, peers: town.peers(of: 0).filter { $0.index == 1 } + [observer(2, town)])
        let second = try town.station(1, peers: town.peers(of: 1).filter { $0.index == 0 })
        let flood = try town.station(
            2, peers: town.peers(of: 2).filter { $0.index == 0 }, isObserver: true)
        for station in [first, second, flood] { try await station.network.start() }
        try await flood.changes.wait { $0 == [true] }
        try await second.changes.wait { $0 == [true] }
        let frame = [UInt8](repeating: 7, count: 100_000)
        for _ in 0..<300 { flood.network.send(to: 0, priority: .bulk, frame) }
        try await first.frames.wait { $0.filter { $0.peer == 2 }.count >= 50 }
        for number in UInt8(0)..<100 { second.network.send(to: 0, priority: .vote, [number]) }
        try await first.frames.wait { $0.filter { $0.peer == 1 }.count == 100 }
        // A new connection is no new allowance: others that connect later are heard, and it is not.
        await flood.network.stop()
        let again = try town.station(
            2, peers: town.peers(of: 2).filter { $0.index == 0 }, isObserver: true)
        try await again.network.start()
        try await again.changes.wait { $0.starts(with: [true]) }
        for _ in 0..<100 { again.network.send(to: 0, priority: .bulk, frame) }
        for number in UInt8(100)..<200 { second.network.send(to: 0, priority: .vote, [number]) }
        try await first.frames.wait { $0.filter { $0.peer == 1 }.count == 200 }
        // What the socket had delivered with the last one may come too, as much as may be owed, and no more.
        #expect(first.frames.events.filter { $0.peer == 2 }.count <= 50 + 12)
        for station in [first, second, again] { await station.network.stop() }
    }

    /// A connection is no way out of what is owed.
    @Test func whoOwesTooMuchIsRefusedAgain() async throws {
        var town = try Town(2)
        town.limits.observerAllowance = Allowance(
            unitsPerSecond: 1, unitsMax: 1_000, unitsPerFrame: 0, unitsOwedMax: 1_000)
        let first = try town.station(0, peers: [observer(1, town)])
        let watch = try town.station(
            1, peers: town.peers(of: 1).filter { $0.index == 0 }, isObserver: true)
        try await first.network.start()
        try await watch.network.start()
        try await watch.changes.wait { $0 == [true] }
        watch.network.send(to: 0, priority: .vote, [UInt8](repeating: 7, count: 2_500))
        // The frame ends its connection, and it dials again by itself.
        // The last of its ends may be known here first.
        try await watch.changes.wait { $0.count { !$0 } >= 4 }
        #expect(first.network.refusals[.overdrawn, default: 0] >= 3)
        #expect(first.frames.events.isEmpty && first.network.offences.isEmpty)
        for station in [first, watch] { await station.network.stop() }
    }
}
