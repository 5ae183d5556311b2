import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Testing

@testable import Storage

/// Which snapshot is fetched from whom, with peers that lie, are silent, go away or have something else.
@Suite struct SnapshotFetcherTests {
    /// Peers with shelves of their own, in virtual time.
    private final class Net {
        enum Behaviour {
            case honest
            /// Wrong bytes for every chunk.
            case lying
            /// Wrong bytes for the manifest.
            case lyingManifest
            /// An offer of what does not exist.
            case boasting
            case silent
            /// Offers, and never has it.
            case refusing
        }

        let chain: CertifiedChain
        let folder: TestFolder
        var fetcher: SnapshotFetcher
        var behaviours: [Behaviour]
        var nowMs: UInt64 = 1_000
        var lied: [Int] = []
        /// Chunks that each peer was asked for.
        var asked: [Int: [Int]] = [:]
        var installed: SnapshotStage?
        var outstandingMax = 0
        /// Stop after so many pieces, as a crash does.
        var piecesLeft = Int.max
        private let offers: [SnapshotShelf.Offer]

        init(
            _ behaviours: [Behaviour], chain: CertifiedChain, folder: TestFolder,
            ownHeight: UInt64 = 0, isFresh: Bool = true, lead: UInt64 = 10
        ) throws {
            self.chain = chain
            self.folder = folder
            self.behaviours = behaviours
            offers = chain.shelf.list()
            fetcher = SnapshotFetcher(
                folder: folder.path + "/join", genesis: chain.genesis, ownHeight: ownHeight,
                isFresh: isFresh, leadBlocks: lead, peersCount: behaviours.count)
        }

        /// Until a snapshot is complete or the virtual time is over.
        func run(seconds: UInt64 = 300) throws {
            let endMs = nowMs + seconds * 1_000
            while nowMs < endMs, installed == nil, piecesLeft > 0 {
                try perform(fetcher.tick(nowMs: nowMs, connected: Array(behaviours.indices)))
                nowMs += 100
            }
        }

        private func perform(_ actions: [SnapshotFetcher.Action]) throws {
            let pieces = actions.count {
                if case .send(_, .pieceRequest) = $0 { true } else { false }
            }
            outstandingMax = max(outstandingMax, pieces)
            for action in actions {
                switch action {
                case .lied(let peer, _): lied.append(peer)
                case .install(let stage): installed = stage
                case .send(let peer, let message):
                    guard let answer = answer(message, by: peer) else { continue }
                    try perform(fetcher.receive(answer, from: peer, nowMs: nowMs))
                }
            }
        }

        private func answer(_ message: SnapshotMessage, by peer: Int) -> SnapshotMessage? {
            let behaviour = behaviours[peer]
            switch message {
            case .offersRequest:
                let final = chain.store.header.height
                if case .boasting = behaviour {
                    let offer = SnapshotShelf.Offer(height: 9_999, digest: .zero)
                    return .offers(firstHeight: 0, finalHeight: 9_999, [offer])
                }
                return .offers(firstHeight: 0, finalHeight: final, offers)
            case .pieceRequest(let offer, let piece):
                asked[peer, default: []].append(piece)
                guard piecesLeft > 0 else { return nil }
                piecesLeft -= 1
                let shelf = chain.shelf
                var bytes =
                    (piece == 0
                        ? shelf.manifest(offer.height)
                        : shelf.chunk(piece - 1, of: offer.height)) ?? [1]
                switch behaviour {
                case .silent: return nil
                case .refusing: return .noPiece(offer, piece: piece)
                case .lying where piece > 0, .lyingManifest where piece == 0, .boasting:
                    bytes[bytes.count / 2] ^= 1
                case .honest, .lying, .lyingManifest: break
                }
                return .piece(offer, piece: piece, bytes)
            case .offers, .piece, .noPiece: return nil
            }
        }

        func install() throws {
            let store = try Store(folder: folder.path, genesis: chain.genesis)
            try store.install(try #require(installed))
            #expect(store.state.root == chain.roots[Int(store.header.height)])
            fetcher.installed(height: store.header.height)
            #expect(!fetcher.isActive)
            #expect(SnapshotStage(folder: fetcher.folder, genesis: chain.genesis) == nil)
        }
    }

    private func chain(blocks: Int = 24) throws -> CertifiedChain {
        let chain = try CertifiedChain()
        try chain.fill(blocks: blocks, changes: [3])
        _ = try chain.shelf.make()
        return chain
    }

    @Test func severalPeersGiveTheirShare() throws {
        let net = try Net([.honest, .honest, .honest], chain: try chain(), folder: TestFolder())
        try net.run()
        try net.install()
        let chunks = try #require(net.installed).manifest.manifest.chunks
        #expect(net.asked.count == 3 && net.asked.values.reduce(0) { $0 + $1.count } == chunks + 1)
        #expect(net.asked.values.allSatisfy { $0.count >= chunks / 4 })
        #expect(net.outstandingMax <= SnapshotFetcher.Limits().piecesMax)
        #expect(net.fetcher.fetchedChunks == UInt64(chunks))
    }

    /// One who lies is named at its first lie, and the rest give what it would have given.
    @Test func aLiarIsNamedAndLeftOut() throws {
        for liar in [Net.Behaviour.lying, .lyingManifest] {
            for place in 0..<3 {
                var behaviours = [Net.Behaviour](repeating: .honest, count: 3)
                behaviours[place] = liar
                let net = try Net(behaviours, chain: try chain(), folder: TestFolder())
                try net.run()
                try net.install()
                #expect(net.lied.allSatisfy { $0 == place } && net.lied.count <= 1)
                if case .lying = liar {
                    #expect(net.lied == [place])
                    #expect((net.asked[place] ?? []).count <= 3)
                }
            }
        }
    }

    /// The only one, or most, lie: nothing is taken over.
    @Test func liarsAloneGiveNothing() throws {
        let net = try Net(
            [.lying, .lying, .boasting], chain: try chain(), folder: TestFolder())
        try net.run()
        #expect(net.installed == nil && net.lied.sorted() == [0, 1, 2])
    }

    @Test func theSilentAndTheRefusingArePassedOver() throws {
        let net = try Net(
            [.silent, .refusing, .honest, .boasting], chain: try chain(), folder: TestFolder())
        try net.run()
        try net.install()
        #expect(!net.lied.contains(2))
    }

    /// A process that is killed at any piece goes on with what it had.
    @Test func fetchingIsGoneOnWithAfterACrash() throws {
        let chain = try chain()
        let folder = try TestFolder()
        var pieces = 0
        var starts = 0
        var net = try Net([.honest, .lying], chain: chain, folder: folder)
        while net.installed == nil, starts < 60 {
            starts += 1
            net = try Net([.honest, .lying], chain: chain, folder: folder)
            net.piecesLeft = 3
            try net.run(seconds: 30)
            pieces += net.asked[0]?.count ?? 0
        }
        try net.install()
        let chunks = try #require(net.installed).manifest.manifest.chunks
        #expect(starts > 2 && starts < 60)
        // Those in flight at a crash were asked for twice.
        #expect(pieces <= chunks + 1 + 3 * starts)
    }

    /// What was begun is not to be had any more: the newer one takes over.
    @Test func aSnapshotThatIsGoneIsReplaced() throws {
        let chain = try chain()
        let folder = try TestFolder()
        let first = try Net([.honest], chain: chain, folder: folder)
        first.piecesLeft = 4
        try first.run()
        for _ in 0..<2 {
            try chain.fill(blocks: 2)
            _ = try chain.shelf.make()
        }
        let net = try Net([.honest], chain: chain, folder: folder)
        try net.run()
        #expect(net.installed?.manifest.height == 28)
        try net.install()
    }

    /// Blocks do where the peers are near, and nothing is fetched that is hardly ahead.
    @Test func aSnapshotMustBeWorthIt() throws {
        let chain = try chain()
        let near = try Net(
            [.honest, .honest], chain: chain, folder: TestFolder(), lead: 24)
        try near.run(seconds: 10)
        #expect(near.installed == nil && near.asked.isEmpty)
        near.fetcher.ownHeight = 3
        try near.run(seconds: 3)
        #expect(!near.fetcher.isActive)
        let full = try Net(
            [.honest, .honest], chain: chain, folder: TestFolder(), ownHeight: 5, isFresh: false)
        #expect(!full.fetcher.isActive)
        try full.run(seconds: 3)
        #expect(full.installed == nil)
    }

    /// A node that stood still for so long that nobody holds its next block takes a snapshot, though it is not empty; a
    /// single peer cannot make it do so.
    @Test func oneThatNobodyHasBlocksForTakesASnapshot() throws {
        let chain = try chain()
        let folder = try TestFolder()
        var fetcher = SnapshotFetcher(
            folder: folder.path + "/join", genesis: chain.genesis, ownHeight: 3, isFresh: false,
            leadBlocks: 10, peersCount: 2)
        let offers = SnapshotMessage.offers(
            firstHeight: 5, finalHeight: 24, chain.shelf.list())
        _ = try fetcher.receive(offers, from: 0, nowMs: 1)
        #expect(!fetcher.isActive)
        _ = try fetcher.receive(offers, from: 1, nowMs: 1)
        #expect(fetcher.isActive)
        let actions = try fetcher.tick(nowMs: 2, connected: [0, 1])
        #expect(
            actions.contains {
                if case .send(_, .pieceRequest(_, piece: 0)) = $0 { true } else { false }
            })
        #expect(fetcher.isFetching(nowMs: 3))
        #expect(!fetcher.isFetching(nowMs: 90_000), "blocks are fetched again meanwhile")
    }

    /// Two peers that hold the next block are not all faulty: they give blocks.
    @Test func oneThatOthersHoldBlocksForTakesThose() throws {
        let chain = try chain()
        let folder = try TestFolder()
        var fetcher = SnapshotFetcher(
            folder: folder.path + "/join", genesis: chain.genesis, ownHeight: 3, isFresh: false,
            leadBlocks: 10, peersCount: 4)
        func offers(from first: UInt64) -> SnapshotMessage {
            .offers(firstHeight: first, finalHeight: 24, chain.shelf.list())
        }
        for peer in [0, 1] { _ = try fetcher.receive(offers(from: 5), from: peer, nowMs: 1) }
        _ = try fetcher.receive(offers(from: 4), from: 2, nowMs: 1)
        #expect(fetcher.isActive, "a single one may be faulty")
        _ = try fetcher.receive(offers(from: 0), from: 3, nowMs: 1)
        #expect(!fetcher.isActive)
    }

    // MARK: Messages

    private var messages: [SnapshotMessage] {
        let offer = SnapshotShelf.Offer(
            height: 7, digest: LedgerCrypto.Suite.ed25519SHA256.digest([1]))
        return [
            .offersRequest, .offers(firstHeight: 3, finalHeight: 300, [offer]),
            .pieceRequest(offer, piece: 5), .piece(offer, piece: 5, [1, 2, 3]),
            .noPiece(offer, piece: 0),
        ]
    }

    @Test func everyMessageSurvivesAndNothingElseDoes() throws {
        for message in messages {
            let bytes = message.encoded
            #expect(SnapshotMessage.isOne(bytes))
            #expect(
                try SnapshotMessage.decode(bytes, limits: SnapshotMessage.limits) == message)
            for count in bytes.indices {
                #expect(throws: CBORError.self) {
                    try SnapshotMessage.decode(
                        Array(bytes[..<count]), limits: SnapshotMessage.limits)
                }
            }
            #expect(throws: CBORError.self) {
                try SnapshotMessage.decode(bytes + [0], limits: SnapshotMessage.limits)
            }
        }
    }

    /// Tags are never reused: each message begins with its own, written here once for all.
    @Test func tagsStay() {
        #expect(messages.map { $0.encoded[1] } == [16, 17, 18, 19, 22])
        let digest = "4bf5122f344554c53bde2ebb8cd2b7e3d1600ad631c385a5d7cce23c7785459a"
        #expect(Hex.encode(messages[0].encoded) == "821080")
        #expect(
            Hex.encode(messages[1].encoded) == "8211830319012c8182075820\(digest)")
        #expect(Hex.encode(messages[3].encoded) == "821384075820\(digest)0543010203")
        for tag in [1, 9, 20, 21] as [UInt8] { #expect(!SnapshotMessage.isOne([0x82, tag])) }
        #expect(!SnapshotMessage.isOne([0x82]) && !SnapshotMessage.isOne([]))
    }
}
