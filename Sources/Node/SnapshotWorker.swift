import Dispatch
import Encoding
import Foundation
import Glibc
import Ledger
import LedgerCrypto
import Logging
import Storage
import Synchronization
import Transport

/// The snapshot desk's work, on its thread.
final class SnapshotWorker {
    private let desk: SnapshotDesk
    private unowned let shared: NodeShared
    private let settings: SnapshotSettings
    private let genesis: Genesis
    private let shelf: SnapshotShelf
    private let logger: Logger
    private var fetcher: SnapshotFetcher
    /// Those that are asked, by number: all with links in both directions but observers, who only ask.
    private var givers: [Int: String] = [:]
    /// Requests that wait, oldest first, at most `requestsPerPeerMax` of a peer.
    private var requests: [(peer: Int, offer: SnapshotShelf.Offer, piece: Int)] = []
    private var offers: [SnapshotShelf.Offer] = []
    /// Bytes that may be given until the budget grows again.
    private var budget: Int
    private var budgetMs: UInt64
    /// When the oldest snapshot was last given from, and since when without a pause.
    private var servedMs: UInt64 = 0
    private var servedSinceMs: UInt64?
    private var notBeforeMs: UInt64 = 0
    private var lastTickMs: UInt64 = 0
    private var hasReportedProgress = 0

    /// How often waiting requests, time-outs and offers are looked at.
    private static let tickMs: UInt64 = 100
    /// A snapshot asked for within this time counts as being fetched.
    private static let servedRecentlyMs: UInt64 = 60_000

    init(
        _ configuration: NodeConfiguration, store path: String, desk: SnapshotDesk,
        shared: NodeShared
    ) {
        self.desk = desk
        self.shared = shared
        settings = desk.settings
        genesis = configuration.genesis
        logger = shared.logger
        shelf = SnapshotShelf(
            folder: configuration.dataDirectory + "/snapshots", store: path, genesis: genesis,
            sizes: settings.sizes)
        let own = desk.finalHeight.load(ordering: .relaxed)
        let window = genesis.parameters.replayWindowBlocksMax
        let ahead = settings.joinAheadBlocks ?? 2 * window
        fetcher = SnapshotFetcher(
            folder: configuration.dataDirectory + "/join", genesis: genesis, ownHeight: own,
            isFresh: own == 0 && ahead > 0, leadBlocks: ahead,
            peersCount: configuration.peers.count { !$0.isObserver }, limits: settings.fetching)
        budget = settings.servedBytesPerSecondMax
        budgetMs = Clock.monotonicMs()
        offers = shelf.list()
        noteOffers()
        publish()
        makeIfOverdue(own, path)
    }

    /// A node that has no snapshot, or an old one, makes one when it starts.
    private func makeIfOverdue(_ height: UInt64, _ path: String) {
        desk.setDue(after: height)
        let newest = offers.last?.height ?? 0
        guard settings.everyBlocks > 0, height >= newest + settings.everyBlocks,
            desk.beginMaking()
        else { return }
        guard let pin = try? LedgerPin(store: path, suite: genesis.suite) else {
            return desk.endMaking()
        }
        make(pin)
    }

    /// When `tick` must be called although nothing happened.
    var nextDeadline: DispatchTime {
        guard fetcher.isActive && joins || !requests.isEmpty else { return .distantFuture }
        let next = lastTickMs + Self.tickMs
        return DispatchTime(uptimeNanoseconds: next * 1_000_000)
    }

    /// Where there are two histories, people decide which one this node keeps.
    private var joins: Bool {
        desk.mayTake && shared.status.withLock { $0.contradiction == nil }
    }

    func perform(_ job: SnapshotDesk.Job) {
        switch job {
        case .message(let peer, let message, _): receive(message, from: peer)
        case .tell(let peer): tell(peer)
        case .pinned(let pin): make(pin)
        case .made(let made, let milliseconds): note(made, milliseconds)
        case .installed(let height):
            fetcher.installed(height: height)
            desk.setDue(after: height)
            publish()
        }
    }

    func tick() {
        let now = Clock.monotonicMs()
        lastTickMs = now
        serve(now)
        guard joins else { return publish() }
        fetcher.ownHeight = max(fetcher.ownHeight, desk.finalHeight.load(ordering: .relaxed))
        guard fetcher.isActive else { return publish() }
        findGivers()
        step { () throws(StorageError) in
            try fetcher.tick(nowMs: now, connected: givers.keys.sorted())
        }
        publish()
    }

    private func publish() {
        desk.isFetching.store(
            joins && fetcher.isFetching(nowMs: Clock.monotonicMs()), ordering: .relaxed)
        let progress = fetcher.progress
        let (bytes, chunks) = (fetcher.fetchedBytes, fetcher.fetchedChunks)
        desk.update { status in
            status.fetchedBytes = bytes
            status.fetchedChunks = chunks
            status.fetchingHeight = progress?.height ?? 0
            status.chunks = UInt64(progress?.chunks ?? 0)
            status.chunksHere = UInt64(progress?.here ?? 0)
        }
        guard let progress, progress.chunks > 0 else { return }
        let tenth = progress.here * 10 / progress.chunks
        guard tenth != hasReportedProgress else { return }
        hasReportedProgress = tenth
        logger.info(
            "fetching a snapshot / 正在获取快照",
            metadata: [
                "height": "\(progress.height)", "chunks": "\(progress.here)/\(progress.chunks)",
            ])
    }

    // MARK: Fetching

    private func step(
        _ body: () throws(StorageError) -> [SnapshotFetcher.Action]
    ) {
        do throws(StorageError) {
            for action in try body() {
                switch action {
                case .send(let peer, let message): send(message, to: peer, .proposal)
                case .lied(let peer, let fault): report(peer, fault)
                case .install(let stage): shared.mailbox.put(.install(stage))
                }
            }
        } catch {
            // The folder beside the store cannot be written: neither can the store for long.
            shared.mailbox.put(.stop(.storage(error)))
        }
    }

    private func findGivers() {
        let peers = (shared.network?.peerStates ?? [])
            .filter { $0.isSending && $0.isReceiving && !$0.isObserver }
        givers = Dictionary(uniqueKeysWithValues: peers.map { ($0.index, $0.name) })
    }

    private func report(_ peer: Int, _ fault: SnapshotFault) {
        desk.update { $0.liars += 1 }
        logger.critical(
            "a peer gave a false snapshot and is not asked again / 对端提供虚假快照，不再向其请求",
            metadata: ["peer": "\(givers[peer] ?? "\(peer)")", "reason": "\(fault.description)"])
    }

    private func receive(_ message: SnapshotMessage, from peer: Int) {
        switch message {
        case .offersRequest: tell(peer)
        case .pieceRequest(let offer, let piece):
            guard offers.contains(offer),
                requests.count(where: { $0.peer == peer }) < settings.requestsPerPeerMax
            else { return send(.noPiece(offer, piece: piece), to: peer, .proposal) }
            requests.append((peer, offer, piece))
        case .offers, .piece, .noPiece:
            // Also while nothing is fetched: by its peers' offers a node that is not empty learns that blocks will not do.
            findGivers()
            guard joins, givers[peer] != nil else { return }
            step { () throws(StorageError) in
                try fetcher.receive(message, from: peer, nowMs: Clock.monotonicMs())
            }
        }
    }

    private func send(_ message: SnapshotMessage, to peer: Int, _ priority: FramePriority) {
        shared.network?.send(to: peer, priority: priority, message.encoded)
    }

    // MARK: Giving

    private func tell(_ peer: Int) {
        send(
            .offers(
                firstHeight: desk.firstHeight.load(ordering: .relaxed),
                finalHeight: desk.finalHeight.load(ordering: .relaxed),
                Array(offers.suffix(SnapshotMessage.offersMax))), to: peer, .proposal)
    }

    /// Gives what the budget and the peers' queues have room for, in the order in which it was asked for.
    private func serve(_ now: UInt64) {
        guard !requests.isEmpty else { return }
        let grown = (now - budgetMs) * UInt64(settings.servedBytesPerSecondMax) / 1_000
        budget = min(settings.servedBytesPerSecondMax, budget + Int(clamping: grown))
        budgetMs = now
        var backlogs: [Int: Int] = [:]
        for state in shared.network?.peerStates ?? [] {
            backlogs[state.index] = state.isSending ? state.queuedBytes : nil
        }
        var waiting: [(peer: Int, offer: SnapshotShelf.Offer, piece: Int)] = []
        for request in requests {
            // Who is not connected asks again when it is.
            guard let backlog = backlogs[request.peer] else { continue }
            guard budget > 0, backlog < settings.peerBacklogBytesMax else {
                waiting.append(request)
                continue
            }
            backlogs[request.peer] = backlog + give(request.offer, request.piece, to: request.peer)
        }
        requests = waiting
    }

    /// - Returns: how many bytes that took.
    private func give(_ offer: SnapshotShelf.Offer, _ piece: Int, to peer: Int) -> Int {
        let bytes =
            piece == 0
            ? shelf.manifest(offer.height) : shelf.chunk(piece - 1, of: offer.height)
        guard let bytes else {
            send(.noPiece(offer, piece: piece), to: peer, .proposal)
            return 0
        }
        budget -= bytes.count
        if offer == offers.first {
            servedMs = Clock.monotonicMs()
            servedSinceMs = servedSinceMs ?? servedMs
        }
        desk.update { status in
            status.servedBytes += UInt64(bytes.count)
            status.servedChunks += piece > 0 ? 1 : 0
        }
        send(.piece(offer, piece: piece, bytes), to: peer, .bulk)
        return bytes.count
    }

    private func noteOffers() {
        let heights = offers.map(\.height)
        desk.update { $0.offered = heights }
    }

    // MARK: Making

    /// On a thread of its own, below the others' priority. Left out while the last one is young for what it cost, or while
    /// an older one, which would go, is being fetched.
    private func make(_ pin: LedgerPin) {
        let now = Clock.monotonicMs()
        let isServed =
            offers.count >= SnapshotShelf.keptMax && servedSinceMs != nil
            && now < servedMs + Self.servedRecentlyMs
        if now >= servedMs + Self.servedRecentlyMs { servedSinceMs = nil }
        let isHeld =
            isServed && now < (servedSinceMs ?? now) + settings.keepWhileServedMs
        guard now >= notBeforeMs, !isHeld else { return desk.endMaking() }
        let (shelf, desk, logger) = (shelf, desk, logger)
        DedicatedThread.start("snapshot") {
            // Of this thread alone: Linux gives each its own.
            setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
            let began = Clock.monotonicMs()
            var made: SnapshotShelf.Made?
            do throws(StorageError) {
                made = try shelf.make(pin) { !desk.isStopping.load(ordering: .relaxed) }
            } catch {
                logger.error(
                    "no snapshot was made / 未能生成快照", metadata: ["reason": "\(error)"])
            }
            desk.endMaking()
            desk.put(.made(made, milliseconds: Clock.monotonicMs() - began))
        }
    }

    private func note(_ made: SnapshotShelf.Made?, _ milliseconds: UInt64) {
        notBeforeMs = Clock.monotonicMs() + milliseconds * settings.makingPauseFactor
        offers = shelf.list()
        noteOffers()
        guard let made else { return }
        desk.update { status in
            status.made += 1
            status.makingMilliseconds += milliseconds
        }
        logger.info(
            "made a snapshot / 已生成快照",
            metadata: [
                "height": "\(made.height)", "chunks": "\(made.chunks)", "bytes": "\(made.bytes)",
                "milliseconds": "\(milliseconds)",
            ])
    }
}
