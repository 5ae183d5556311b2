import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Records
import Storage
import Testing

@testable import Node

/// A newcomer that takes a snapshot over real sockets, while the others go on.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SnapshotNodeTests {
    private func network(joiners: Int) throws -> TestNetwork {
        try TestNetwork(4, joiners: joiners) {
            $0.replayWindowBlocksMax = 16
            // Heights grow with the load and hardly without.
            $0.heartbeatMs = 5_000
        }
    }

    /// The four validators, which make snapshots and take none.
    private func givers(
        in network: TestNetwork, every: UInt64, _ changes: NodeChanges,
        _ edit: (inout NodeConfiguration) -> Void = { _ in }
    ) async throws -> [HuijinNode] {
        var nodes: [HuijinNode] = []
        for index in 0..<4 {
            nodes.append(
                try await network.start(index) {
                    $0.snapshots = .small(every: every, joinAhead: 0)
                    changes.note(in: &$0)
                    edit(&$0)
                })
        }
        return nodes
    }

    @Test func aFreshFollowerJoinsWhileLoadGoesOn() async throws {
        let network = try network(joiners: 2)
        let changes = NodeChanges()
        let nodes = try await givers(in: network, every: 50, changes)
        try await network.grow(nodes[0], to: 52)
        try await changes.wait {
            nodes.allSatisfy { ($0.snapshots.offered.last ?? 0) >= 50 }
        }
        let joining = try await network.start(4) {
            $0.snapshots = .small(every: 10, joinAhead: 20)
            changes.note(in: &$0)
        }
        let first = nodes[0]
        async let load: Void = network.grow(first, to: 90, from: 1_000)
        try await changes.wait { joining.status.firstHeight > 0 }
        try await load
        let root = try await joining.stateRoot(at: 90)
        #expect(try await nodes[1].stateRoot(at: 90) == root)
        let firstHeight = joining.status.firstHeight
        #expect(firstHeight >= 34 && joining.snapshots.fetchedChunks > 5)
        let held = try await joining.history { view in
            (
                before: try view.reader.block(firstHeight - 1),
                first: try view.reader.block(firstHeight), height: view.index.height
            )
        }
        #expect(held.before == nil && held.first != nil && held.height ?? 0 >= 90)
        // One that fetches blocks alone is not held up by the newcomer, which has none from below.
        let follower = try await network.start(5) {
            $0.snapshots = .small(every: 0, joinAhead: 0)
        }
        #expect(try await follower.stateRoot(at: 90) == root)
        #expect(follower.status.firstHeight == 0)
        // What was taken is durable.
        await joining.stop()
        let again = try await network.start(4) {
            $0.snapshots = .small(every: 10, joinAhead: 20)
        }
        #expect(again.status.firstHeight == firstHeight)
        try await network.grow(nodes[2], to: 93, from: 2_000)
        let later = try await again.stateRoot(at: 93)
        #expect(try await nodes[1].stateRoot(at: 93) == later)
        let submitted = await again.submit(
            [network.evidence(5_000, lastValidHeight: 100)], wait: .final, timeoutMs: 60_000)
        #expect(submitted[0].status == .final)
        for node in nodes + [again, follower] { await node.stop() }
    }

    /// One of the peers gives false chunks: it is named, and the others give the rest. The newcomer is stopped on the way
    /// and goes on with what it has.
    @Test func aLyingPeerIsNamedAndAStopIsGoneOnFrom() async throws {
        let network = try network(joiners: 1)
        let changes = NodeChanges()
        let nodes = try await givers(in: network, every: 40, changes) {
            // A chunk now and then.
            $0.snapshots.servedBytesPerSecondMax = 1_024
        }
        try await network.grow(nodes[0], to: 42, beside: nodes)
        try await changes.wait { nodes.allSatisfy { $0.snapshots.offered == [40] } }
        let folder = "\(network.folder)/2/snapshots/40"
        for name in try FileManager.default.contentsOfDirectory(atPath: folder)
        where name != "manifest" {
            let file = URL(fileURLWithPath: "\(folder)/\(name)")
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count / 2] ^= 1
            try bytes.write(to: file)
        }
        let edit = { (configuration: inout NodeConfiguration) in
            configuration.snapshots = .small(every: 0, joinAhead: 20)
            changes.note(in: &configuration)
        }
        var joining = try await network.start(4, edit)
        try await changes.wait {
            joining.snapshots.liars > 0 && joining.snapshots.chunksHere > 1
        }
        let chunks = joining.snapshots.chunks
        await joining.stop()
        #expect(joining.status.firstHeight == 0 && joining.snapshots.liars == 1)
        joining = try await network.start(4, edit)
        try await changes.wait { joining.status.firstHeight > 0 }
        #expect(joining.status.firstHeight == 24)
        #expect(joining.snapshots.fetchedChunks < chunks)
        // Its own thread clears up after the installation.
        let stage = "\(network.folder)/4/join"
        try await changes.wait { !FileManager.default.fileExists(atPath: stage) }
        let height = nodes[0].status.height
        let root = try await joining.stateRoot(at: height)
        #expect(try await nodes[0].stateRoot(at: height) == root)
        for node in nodes + [joining] { await node.stop() }
    }

    /// One that was away until its peers had only what their snapshots brought joins by one too, and keeps the blocks that it had.
    @Test func whatNobodyElseHoldsIsKept() async throws {
        let network = try network(joiners: 3)
        let changes = NodeChanges()
        var nodes = try await givers(in: network, every: 40, changes)
        let away = try await network.start(4) { $0.snapshots = .small(every: 0, joinAhead: 0) }
        try await network.grow(nodes[0], to: 5)
        let root = try await away.stateRoot(at: 5)
        await away.stop()
        try await network.grow(nodes[0], to: 42, from: 1_000, beside: nodes)
        try await changes.wait { nodes.allSatisfy { $0.snapshots.offered == [40] } }
        for index in [5, 6] {
            nodes.append(
                try await network.start(index) {
                    $0.snapshots = .small(every: 40, joinAhead: 20)
                    changes.note(in: &$0)
                })
        }
        try await changes.wait { nodes[4...].allSatisfy { $0.snapshots.offered == [40] } }
        let before = away.status
        let alone = { (configuration: inout NodeConfiguration) in
            configuration.peers.removeAll { $0.index < 4 }
            configuration.snapshots = .small(every: 0, joinAhead: 20)
            changes.note(in: &configuration)
        }
        // As long as they cannot be kept, nothing takes their place.
        let copy = "before-\(before.height)-\(before.headerDigest.hex.prefix(8))"
        let place = "\(network.folder)/4/\(copy)"
        #expect(FileManager.default.createFile(atPath: place, contents: Data([1])))
        let stuck = try await network.start(4, alone)
        try await changes.wait { stuck.snapshots.fetchedChunks > 0 && stuck.snapshots.chunks == 0 }
        #expect(stuck.status.stopReason == nil)
        await stuck.stop()
        #expect(stuck.status.firstHeight == 0 && stuck.status.height == before.height)
        try FileManager.default.removeItem(atPath: place)
        let back = try await network.start(4, alone)
        try await changes.wait { back.status.firstHeight > 0 }
        let height = nodes[0].status.height
        let expected = try await nodes[0].stateRoot(at: height)
        #expect(try await back.stateRoot(at: height) == expected)
        #expect(back.status.firstHeight == 24 && back.snapshots.liars == 0)
        await back.stop()
        // Who starts from the copy has the blocks again.
        let kept = try await network.start(4) {
            $0.dataDirectory += "/\(copy)"
            $0.snapshots = .small(every: 0, joinAhead: 0)
        }
        #expect(try await kept.history { try $0.reader.header(5) }?.stateRoot == root)
        #expect(try await kept.history { try $0.reader.block(1) } != nil)
        for node in nodes + [kept] { await node.stop() }
    }
}
