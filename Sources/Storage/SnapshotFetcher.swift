import Encoding
import Ledger
import LedgerCrypto

/// Decides which snapshot a node fetches and whom it asks for which piece: chunks from several peers at once, each checked
/// as it comes; whoever gives a wrong one is named and not asked again.
///
/// No clock and no network: the driver gives the time, the peers that it has a link to and what they say, and performs
/// the actions. Only the stage's files are written here.
public struct SnapshotFetcher {
    public struct Limits: Sendable, Equatable {
        /// Pieces asked of one peer, and of all, that have not come yet.
        public var piecesPerPeerMax = 2
        public var piecesMax = 8
        /// After this long a piece is asked of the next peer.
        public var pieceTimeoutMs: UInt64 = 20_000
        /// Peers are asked for their offers this often.
        public var offersPauseMs: UInt64 = 1_000
        /// Offers are collected for this long before one is chosen, unless all peers have answered.
        public var collectMs: UInt64 = 2_000
        /// A peer that let this many pieces time out is not asked for a while.
        public var strikesMax = 3
        public var strikePauseMs: UInt64 = 60_000
        /// Without a new piece for this long, blocks are fetched again meanwhile.
        public var stallMs: UInt64 = 60_000

        public init() {}
    }

    public enum Action {
        case send(peer: Int, SnapshotMessage)
        /// A peer gave what no honest one gives.
        case lied(peer: Int, SnapshotFault)
        /// Everything is here: put it into the store, and call `installed`.
        case install(SnapshotStage)
    }

    private struct Peer {
        var firstHeight: UInt64 = 0
        var finalHeight: UInt64 = 0
        var offers: [SnapshotShelf.Offer] = []
        var hasAnswered = false
        var isLiar = false
        var strikes = 0
        var pausedUntilMs: UInt64 = 0
    }

    private struct Request {
        let peer: Int
        let deadlineMs: UInt64
    }

    public let folder: String
    private let genesis: Genesis
    private let limits: Limits
    /// Peers that there can be links to.
    private let peersCount: Int
    /// A snapshot must be ahead by more than this many blocks.
    private let leadBlocks: UInt64
    /// The store was empty at the start, and nothing shows yet that blocks will do.
    private var isFresh: Bool
    private var peers: [Int: Peer] = [:]
    private var stage: SnapshotStage?
    private var chosen: SnapshotShelf.Offer?
    private var requests: [Int: Request] = [:]
    private var isInstalling = false
    private var nextOffersMs: UInt64 = 0
    /// Since when offers are collected: the first link of an empty node, or the first offer worth taking.
    private var collectingSinceMs: UInt64?
    private var lastPieceMs: UInt64?
    /// Of pieces that came and were genuine.
    public private(set) var fetchedBytes: UInt64 = 0
    public private(set) var fetchedChunks: UInt64 = 0
    /// The node's own final height; the driver keeps it up to date.
    public var ownHeight: UInt64

    /// - Parameters:
    ///   - folder: of the stage; what an earlier run left there is gone on with.
    ///   - leadBlocks: how far ahead a snapshot must be to be worth it.
    ///   - isFresh: the store holds nothing but genesis.
    ///   - peersCount: peers that there can be links to.
    public init(
        folder: String, genesis: Genesis, ownHeight: UInt64, isFresh: Bool, leadBlocks: UInt64,
        peersCount: Int, limits: Limits = Limits()
    ) {
        self.peersCount = peersCount
        self.folder = folder
        self.genesis = genesis
        self.ownHeight = ownHeight
        self.isFresh = isFresh
        self.leadBlocks = leadBlocks
        self.limits = limits
        stage = SnapshotStage(folder: folder, genesis: genesis)
        if let found = stage?.manifest {
            chosen = SnapshotShelf.Offer(height: found.height, digest: found.digest)
        }
        if !isFresh || (chosen.map { $0.height <= ownHeight } ?? false) { abandon() }
    }

    /// Whether there is anything to do at all; otherwise the driver need not call `tick`.
    public var isActive: Bool { isFresh || isStuck || chosen != nil }

    /// Whether a snapshot is on its way, or an empty node still asks for one, so that fetching old blocks may be in vain.
    public func isFetching(nowMs: UInt64) -> Bool {
        if isInstalling { return true }
        guard chosen != nil else { return isFresh && !hasCollected(nowMs) }
        // An earlier run's stage counts from the first tick.
        guard let lastPieceMs else { return true }
        return nowMs < lastPieceMs + limits.stallMs
    }

    private func hasCollected(_ nowMs: UInt64) -> Bool {
        if peers.values.count(where: \.hasAnswered) >= peersCount { return true }
        guard let collectingSinceMs else { return false }
        return nowMs >= collectingSinceMs + limits.collectMs
    }

    /// Pieces in all, chunks that are here, and the snapshot's height, while one is fetched.
    public var progress: (height: UInt64, chunks: Int, here: Int)? {
        stage.map {
            let chunks = $0.manifest.manifest.chunks
            return ($0.manifest.height, chunks, chunks - $0.missing.count)
        }
    }

    /// More peers than could all be faulty do not hold the block after the own height, and no more than could all be faulty say
    /// that they do.
    private var isStuck: Bool {
        let faulty = (genesis.validators.count - 1) / 3
        let heard = peers.values.filter { $0.hasAnswered && !$0.isLiar }
        let next = ownHeight + 1
        return heard.count { $0.firstHeight > next } > faulty
            && heard.count { $0.firstHeight <= next && $0.finalHeight >= next } <= faulty
    }

    /// To be called every now and then, and after `receive`.
    ///
    /// - Parameter connected: the peers that a link is up to.
    public mutating func tick(
        nowMs: UInt64, connected: [Int]
    ) throws(StorageError) -> [Action] {
        guard !isInstalling else { return [] }
        if let chosen, chosen.height <= ownHeight { abandon() }
        if chosen != nil { lastPieceMs = lastPieceMs ?? nowMs }
        for peer in connected where peers[peer] == nil { peers[peer] = Peer() }
        var actions: [Action] = []
        let links = connected.filter { !(peers[$0]?.isLiar ?? true) }
        notePassed(nowMs, connected)
        settle(links)
        guard isActive else { return [] }
        if isFresh, !connected.isEmpty { collectingSinceMs = collectingSinceMs ?? nowMs }
        if nowMs >= nextOffersMs {
            nextOffersMs = nowMs + limits.offersPauseMs
            actions += links.map { .send(peer: $0, .offersRequest) }
        }
        choose(nowMs, links)
        if let stage, stage.isComplete {
            isInstalling = true
            return [.install(stage)]
        }
        actions += ask(nowMs, links)
        return actions
    }

    /// The stage's content is the store's now, or was not wanted.
    public mutating func installed(height: UInt64) {
        ownHeight = max(ownHeight, height)
        isInstalling = false
        isFresh = false
        for peer in peers.keys.sorted() { peers[peer]?.hasAnswered = false }
        abandon()
    }

    private mutating func abandon() {
        SnapshotStage.remove(folder: folder)
        stage = nil
        chosen = nil
        requests = [:]
        collectingSinceMs = nil
    }

    // MARK: Peers

    /// Requests that nobody answered, and those to peers that are gone.
    private mutating func notePassed(_ nowMs: UInt64, _ connected: [Int]) {
        for (piece, request) in requests.sorted(by: { $0.key < $1.key }) {
            let isGone = !connected.contains(request.peer)
            guard isGone || nowMs >= request.deadlineMs else { continue }
            requests[piece] = nil
            if !isGone { strike(request.peer, nowMs) }
        }
    }

    private mutating func strike(_ peer: Int, _ nowMs: UInt64) {
        peers[peer]?.strikes += 1
        guard let strikes = peers[peer]?.strikes, strikes >= limits.strikesMax else { return }
        peers[peer]?.strikes = 0
        peers[peer]?.pausedUntilMs = nowMs + limits.strikePauseMs
    }

    /// Fresh no more: peers that cannot all be faulty say that the own height is near theirs.
    private mutating func settle(_ links: [Int]) {
        guard isFresh, chosen == nil else { return }
        let faulty = (genesis.validators.count - 1) / 3
        let near = links.count { link in
            guard let peer = peers[link], peer.hasAnswered else { return false }
            return peer.finalHeight <= ownHeight + leadBlocks && peer.firstHeight <= ownHeight + 1
        }
        if near > faulty, ownHeight > 0 { isFresh = false }
    }

    private func isWorthIt(_ offer: SnapshotShelf.Offer) -> Bool {
        isFresh ? offer.height > ownHeight + leadBlocks : offer.height > ownHeight
    }

    /// The snapshot that most peers have, and of those the newest; one that was begun is gone on with while anybody has
    /// it.
    private mutating func choose(_ nowMs: UInt64, _ links: [Int]) {
        let able = links.filter { (peers[$0]?.pausedUntilMs ?? 0) <= nowMs }
        let answered = able.filter { peers[$0]?.hasAnswered ?? false }
        if let chosen {
            let isOffered = answered.contains { peers[$0]?.offers.contains(chosen) ?? false }
            if isOffered || !requests.isEmpty { return }
        }
        var counts: [(offer: SnapshotShelf.Offer, count: Int)] = []
        for offer in answered.flatMap({ peers[$0]?.offers ?? [] }) where isWorthIt(offer) {
            if let index = counts.firstIndex(where: { $0.offer == offer }) {
                counts[index].count += 1
            } else {
                counts.append((offer, 1))
            }
        }
        let best = counts.max {
            ($0.count, $0.offer.height, $0.offer.digest)
                < ($1.count, $1.offer.height, $1.offer.digest)
        }
        guard let best else { return }
        collectingSinceMs = collectingSinceMs ?? nowMs
        guard hasCollected(nowMs) else { return }
        if chosen != best.offer {
            stage = nil
            requests = [:]
        }
        chosen = best.offer
        lastPieceMs = nowMs
    }

    // MARK: Pieces

    private mutating func ask(_ nowMs: UInt64, _ links: [Int]) -> [Action] {
        guard let chosen else { return [] }
        let givers = links.filter { link in
            guard let peer = peers[link] else { return false }
            return peer.offers.contains(chosen) && peer.pausedUntilMs <= nowMs
        }
        guard !givers.isEmpty else { return [] }
        var loads = givers.map { giver in
            (peer: giver, count: requests.values.count { $0.peer == giver })
        }
        var actions: [Action] = []
        // The manifest is piece 0, before any chunk.
        for chunk in stage?.missing ?? [-1] where requests[chunk + 1] == nil {
            let piece = chunk + 1
            guard requests.count < limits.piecesMax,
                let index = loads.indices.min(by: { loads[$0].count < loads[$1].count }),
                loads[index].count < limits.piecesPerPeerMax
            else { break }
            loads[index].count += 1
            requests[piece] = Request(
                peer: loads[index].peer, deadlineMs: nowMs + limits.pieceTimeoutMs)
            actions.append(
                .send(peer: loads[index].peer, .pieceRequest(chosen, piece: piece)))
        }
        return actions
    }

    /// What a peer says. Answers that were not asked for are left unread.
    public mutating func receive(
        _ message: SnapshotMessage, from peer: Int, nowMs: UInt64
    ) throws(StorageError) -> [Action] {
        guard !isInstalling, !(peers[peer]?.isLiar ?? false) else { return [] }
        switch message {
        case .offersRequest, .pieceRequest: return []
        case .offers(let firstHeight, let finalHeight, let offers):
            peers[peer, default: Peer()].firstHeight = firstHeight
            peers[peer]?.finalHeight = finalHeight
            peers[peer]?.offers = offers
            peers[peer]?.hasAnswered = true
            return []
        case .noPiece(let offer, let piece):
            guard offer == chosen, requests[piece]?.peer == peer else { return [] }
            requests[piece] = nil
            // Asked again when it offers the snapshot again, which it is asked for every second or so.
            peers[peer]?.offers.removeAll { $0 == offer }
            return []
        case .piece(let offer, let piece, let bytes):
            guard offer == chosen, requests[piece]?.peer == peer else { return [] }
            requests[piece] = nil
            let fault = try take(piece, bytes, offer)
            guard let fault else {
                peers[peer]?.strikes = 0
                lastPieceMs = nowMs
                fetchedBytes += UInt64(bytes.count)
                fetchedChunks += piece > 0 ? 1 : 0
                return []
            }
            peers[peer]?.isLiar = true
            for (other, request) in requests where request.peer == peer { requests[other] = nil }
            return [.lied(peer: peer, fault)]
        }
    }

    /// - Returns: why the piece is not genuine.
    private mutating func take(
        _ piece: Int, _ bytes: [UInt8], _ offer: SnapshotShelf.Offer
    ) throws(StorageError) -> SnapshotFault? {
        if piece > 0 { return try stage?.add(chunk: piece - 1, bytes) ?? nil }
        let verified: VerifiedManifest
        do throws(SnapshotFault) {
            verified = try VerifiedManifest(bytes, genesis: genesis)
        } catch {
            return error
        }
        guard verified.digest == offer.digest, verified.height == offer.height else {
            return .otherManifest
        }
        stage = try SnapshotStage(folder: folder, manifest: bytes, verified: verified)
        return nil
    }
}
