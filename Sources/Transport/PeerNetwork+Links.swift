import Logging
import NIOCore

/// What connections report, and what that makes of the links.
extension PeerNetwork: LinkOwner {
    package func linkReady(
        _ channel: any Channel, peer: ShownPeer, attempt: UInt64?
    ) throws(NetworkProblem) -> LinkUse {
        let ready: Result<Ready, NetworkProblem> = state.withLock { state in
            if attempt == nil { state.strangers[ObjectIdentifier(channel)] = nil }
            guard !state.isStopped else { return .failure(.closed) }
            guard let link = state.links[peer.index], link.accepts(peer.key) else {
                return .failure(.wrongKey)
            }
            let connection = Link.Connection(channel: channel, key: peer.key)
            if let attempt {
                guard attempt == link.attempt else { return .failure(.replaced) }
                return .success(state.setDialled(connection, peer.index))
            }
            // What is owed stays owed: another connection is no way to send more.
            guard !state.isBankrupt(peer.index) else { return .failure(.overdrawn) }
            if link.peer.isObserver, link.accepted == nil {
                let count = state.links.values.count { $0.peer.isObserver && $0.accepted != nil }
                guard count < configuration.limits.observersMax else {
                    return .failure(.tooManyObservers)
                }
            }
            return .success(state.setAccepted(connection, peer.index))
        }
        let now = try ready.get()
        take(over: now, channel)
        configuration.logger.info(
            "connected / 已连接",
            metadata: ["peer": "\(now.peer.name)", "direction": attempt != nil ? "out" : "in"])
        if attempt == nil, !now.peer.isObserver {
            // Whoever came with another key than it showed when it was dialled has changed over since.
            if now.hasOtherKey { dial(peer.index) } else { dialWithoutWaiting(peer.index) }
        } else {
            onPeerChange(peer.index, true)
        }
        let limits = configuration.limits
        let isObserver = now.peer.isObserver
        return LinkUse(
            outbox: attempt != nil || isObserver ? now.outbox : nil,
            isRead: attempt == nil || self.isObserver,
            frameBytesMax: isObserver ? limits.observerFrameBytesMax : limits.frameBytesMax,
            isMetered: isObserver,
            overdrawnMs: state.withLock {
                $0.links[peer.index]?.account?.overdrawnMs(nowMs: PeerNetwork.nowMs) ?? 0
            })
    }

    package func charge(_ bytes: Int, peer: Int) -> Int64? {
        state.withLock { state in
            guard
                let pauseMs = state.links[peer]?.account?.take(
                    bytes: bytes, nowMs: PeerNetwork.nowMs)
            else { return 0 }
            return state.isBankrupt(peer) ? nil : pauseMs
        }
    }

    /// The old connections end gently, so that nothing that was sent on them is lost.
    private func take(over now: Ready, _ channel: any Channel) {
        if now.isSending {
            // First, so that whoever hears of the connection can send on it.
            now.outbox.attach(channel)
            now.old?.channel.triggerUserOutboundEvent(LinkHandler.Retire(), promise: nil)
        } else if let old = now.old?.channel {
            // The peer ends it; or it restarted before the old connection's end was noticed here.
            let closing = group.next().scheduleTask(
                in: .milliseconds(configuration.limits.replacedMs)
            ) { old.close(promise: nil) }
            old.closeFuture.whenComplete { _ in closing.cancel() }
        }
        now.oldest?.channel.close(promise: nil)
    }

    package func linkFrame(_ payload: [UInt8], peer: Int) -> FlowControl {
        let isPeer = state.withLock { state in
            state.links[peer]?.receivedFrames += 1
            state.links[peer]?.receivedBytes += UInt64(payload.count)
            return state.links[peer] != nil
        }
        return isPeer ? onFrame(peer, payload) : .continue
    }

    package func linkClosed(
        _ channel: any Channel, peer: ShownPeer?, isDialled: Bool, problem: NetworkProblem
    ) {
        let end: (name: String?, isNews: Bool, wasSending: Bool) = state.withLock { state in
            let count = state.refused[problem, default: 0] + 1
            state.refused[problem] = count
            // Strangers must not fill the log: the 1st, 2nd, 4th, 8th … of a kind is told.
            guard let peer, let link = state.links[peer.index] else {
                return (nil, count & (count - 1) == 0 && !state.isStopped, false)
            }
            let isCurrent = state.forget(channel, peer.index)
            let wasSending = isCurrent && (isDialled || link.peer.isObserver)
            guard isCurrent || problem != .closed, problem != .replaced else {
                return (nil, false, false)
            }
            // A peer that stays away is dialled again and again, but told of once.
            state.links[peer.index]?.lastProblem = problem
            return (
                link.peer.name, link.lastProblem != problem && !state.isStopped,
                wasSending && !state.isStopped
            )
        }
        if end.isNews {
            configuration.logger.warning(
                "connection ended / 连接结束",
                metadata: [
                    "peer": "\(end.name ?? "unknown / 未知")",
                    "direction": isDialled ? "out" : "in", "reason": "\(problem.message)",
                ])
        }
        if let peer, end.wasSending { onPeerChange(peer.index, false) }
    }

    /// Ends all connections with a peer that committed an offence, and refuses it for a while.
    public func cutOff(_ peer: Int, _ problem: NetworkProblem) {
        let channels: [any Channel]? = state.withLock { state in
            guard let link = state.links[peer], !state.isStopped else { return nil }
            state.links[peer]?.ban.offend(
                nowMs: PeerNetwork.nowMs, limits: configuration.limits,
                jitter: Double.random(in: 0...1))
            state.offences[problem, default: 0] += 1
            return link.connections.map(\.channel)
        }
        guard let channels else { return }
        configuration.logger.error(
            "a peer is cut off for a while / 暂时断开行为不当的对端",
            metadata: ["peer": "\(peer)", "reason": "\(problem.message)"])
        dismiss(channels, .banned)
    }

    private func dismiss(_ channels: [any Channel], _ problem: NetworkProblem) {
        onLoop {
            for channel in channels {
                channel.triggerUserOutboundEvent(
                    LinkHandler.Dismiss(problem: problem), promise: nil)
            }
        }
    }
}

extension PeerNetwork {
    /// What a connection that is ready takes over.
    struct Ready {
        let peer: PeerEndpoint
        let outbox: Outbox
        let isSending: Bool
        /// The connection whose place it takes.
        let old: Link.Connection?
        /// One from before that, which is not waited for any longer.
        var oldest: Link.Connection?
        /// The dialled connection was made when the peer showed another key.
        var hasOtherKey = false
    }

    // MARK: Changes while it runs

    /// Takes other peers: new ones are dialled, those that are missing are let go, and for the rest keys and addresses
    /// are taken over. A connection whose key is not accepted any more ends.
    public func update(peers: [PeerEndpoint]) {
        let (ended, dialled) = state.withLock { $0.update(peers, configuration.limits) }
        dismiss(ended, .wrongKey)
        for peer in dialled { dial(peer) }
    }

    /// Shows another certificate, of the same key or of another, from now on: on what is accepted, and on new connections to
    /// all peers, which take over from those that stand. The same certificate again changes nothing.
    public func use(_ identity: TransportIdentity) throws(NetworkError) {
        guard state.withLock({ $0.contexts.certificate != identity.certificate }) else { return }
        let contexts = try Contexts(identity)
        let peers = state.withLock { state in
            state.contexts = contexts
            return state.links.keys.sorted()
        }
        for peer in peers { dial(peer) }
    }
}

extension PeerNetwork.State {
    mutating func setDialled(_ new: Link.Connection, _ index: Int) -> PeerNetwork.Ready {
        guard var link = links[index] else { preconditionFailure("the caller has found it") }
        defer { links[index] = link }
        let ready = PeerNetwork.Ready(
            peer: link.peer, outbox: link.outbox, isSending: true, old: link.dialled)
        link.noteShown(new.key)
        link.lastProblem = nil
        link.failures = 0
        link.dialled = new
        return ready
    }

    mutating func setAccepted(_ new: Link.Connection, _ index: Int) -> PeerNetwork.Ready {
        guard var link = links[index] else { preconditionFailure("the caller has found it") }
        defer { links[index] = link }
        let ready = PeerNetwork.Ready(
            peer: link.peer, outbox: link.outbox, isSending: link.peer.isObserver,
            old: link.accepted, oldest: link.retired,
            hasOtherKey: link.dialled.map { $0.key != new.key } ?? false)
        link.noteShown(new.key)
        link.lastProblem = nil
        link.retired = link.accepted
        link.accepted = new
        return ready
    }

    mutating func isBankrupt(_ index: Int) -> Bool {
        links[index]?.account?.isBankrupt(nowMs: PeerNetwork.nowMs) ?? false
    }

    /// - Returns: whether it was in use, and not replaced before.
    mutating func forget(_ channel: any Channel, _ index: Int) -> Bool {
        if let current = links[index]?.dialled, current.channel === channel {
            links[index]?.dialled = nil
            return true
        }
        if let current = links[index]?.accepted, current.channel === channel {
            links[index]?.accepted = nil
            return true
        }
        if let retired = links[index]?.retired, retired.channel === channel {
            links[index]?.retired = nil
        }
        return false
    }

    /// - Returns: the connections that end, and the peers to dial.
    mutating func update(
        _ peers: [PeerEndpoint], _ limits: NetworkLimits
    ) -> (ended: [any Channel], dialled: [Int]) {
        guard !isStopped else { return ([], []) }
        var ended: [any Channel] = []
        var dialled: [Int] = []
        let indices = Set(peers.map(\.index))
        precondition(indices.count == peers.count, "peers have distinct numbers")
        for (index, link) in links where !indices.contains(index) {
            link.redial?.cancel()
            ended += link.connections.map(\.channel)
            links[index] = nil
        }
        for peer in peers {
            guard var link = links[peer.index], link.peer.isObserver == peer.isObserver else {
                ended += links[peer.index]?.connections.map(\.channel) ?? []
                links[peer.index]?.redial?.cancel()
                links[peer.index] = Link(peer, limits: limits, nowMs: PeerNetwork.nowMs)
                dialled.append(peer.index)
                continue
            }
            if link.peer.address != peer.address { dialled.append(peer.index) }
            link.peer = peer
            ended += link.connections.filter { !link.accepts($0.key) }.map(\.channel)
            links[peer.index] = link
        }
        return (ended, dialled)
    }
}
