import NIOCore
import NIOPosix
import NIOSSL

/// How connections come to be: accepted from whoever shows a peer's key, dialled until they stand.
extension PeerNetwork {
    /// The verification that replaces X.509's: the key, and nothing else of the certificate, must be expected here.
    ///
    /// - Parameter expected: the only peer that may be there; nil for any.
    private func pin(
        _ shown: ShownIdentity, to expected: Int?
    ) -> NIOSSLCustomVerificationCallback {
        { certificates, promise in
            shown.refusal = .wrongKey
            guard let key = try? certificates.first?.extractPublicKey().toSPKIBytes() else {
                return promise.succeed(.failed)
            }
            let found: (index: Int, isBanned: Bool)? = self.state.withLock { state in
                for (index, link) in state.links
                where link.accepts(key) && (expected ?? index) == index {
                    return (index, link.ban.remainingMs(nowMs: PeerNetwork.nowMs) > 0)
                }
                return nil
            }
            guard let found else { return promise.succeed(.failed) }
            guard !found.isBanned else {
                shown.refusal = .banned
                return promise.succeed(.failed)
            }
            shown.refusal = nil
            shown.peer = ShownPeer(index: found.index, key: key)
            promise.succeed(.certificateVerified)
        }
    }

    func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        let context: NIOSSLContext? = state.withLock { state in
            guard !state.isStopped else { return nil }
            guard state.strangers.count < configuration.limits.strangersMax else {
                state.refused[.tooManyStrangers, default: 0] += 1
                return nil
            }
            state.strangers[ObjectIdentifier(channel)] = channel
            return state.contexts.server
        }
        guard let context else {
            return channel.eventLoop.makeFailedFuture(NetworkProblem.tooManyStrangers)
        }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { $0.strangers[ObjectIdentifier(channel)] = nil }
        }
        return channel.eventLoop.makeCompletedFuture {
            let shown = ShownIdentity()
            let tls = NIOSSLServerHandler(
                context: context, customVerificationCallback: pin(shown, to: nil))
            try addHandlers(channel, tls, shown, attempt: nil)
        }
    }

    /// Begins a connection of this node's own to a peer, beside the one that stands, if any. It takes over from that one.
    func dial(_ index: Int) {
        onLoop { self.connect(index) }
    }

    /// On the event loop, which does not end meanwhile.
    private func connect(_ index: Int) {
        typealias Plan = (address: HostPort, attempt: UInt64, context: NIOSSLContext)
        let plan: Plan? = state.withLock { state in
            guard state.isStarted, !state.isStopped, let link = state.links[index],
                let address = link.peer.address
            else { return nil }
            link.redial?.cancel()
            state.attempts += 1
            state.links[index]?.redial = nil
            state.links[index]?.attempt = state.attempts
            return (address, state.attempts, state.contexts.client)
        }
        guard let (address, attempt, context) = plan else { return }
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(.milliseconds(configuration.limits.helloTimeoutMs))
            .channelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
            .channelOption(ChannelOptions.recvAllocator, value: PeerNetwork.receiveBuffers)
            .channelOption(
                ChannelOptions.writeBufferWaterMark,
                value: ChannelOptions.Types.WriteBufferWaterMark(low: 65_536, high: 524_288)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let shown = ShownIdentity()
                    let tls = try NIOSSLClientHandler(
                        context: context, serverHostname: nil,
                        customVerificationCallback: self.pin(shown, to: index))
                    try self.addHandlers(channel, tls, shown, attempt: attempt)
                }
            }
        let connection: EventLoopFuture<any Channel>?
        if let known = try? SocketAddress(ipAddress: address.host, port: address.port) {
            connection = bootstrap.connect(to: known)
        } else {
            // A look-up cannot be cancelled, so stopping waits for it.
            connection = state.withLock { state in
                guard !state.isStopped else { return nil }
                let connection = bootstrap.connect(host: address.host, port: address.port)
                state.lookingUp[attempt] = connection
                return connection
            }
        }
        connection?.whenComplete { self.dialled(index, attempt, $0) }
    }

    private func dialled(
        _ index: Int, _ attempt: UInt64, _ result: Result<any Channel, any Error>
    ) {
        state.withLock { $0.lookingUp[attempt] = nil }
        switch result {
        case .success(let channel):
            // Stopping closes the connections it knows; this one came too late for that. Or another dialling began.
            let isWanted = state.withLock {
                !$0.isStopped && $0.links[index]?.attempt == attempt
            }
            if !isWanted { channel.close(promise: nil) }
            channel.closeFuture.whenComplete { _ in self.redial(index, after: attempt) }
        case .failure:
            state.withLock { state in
                state.refused[.unreachable, default: 0] += 1
                if state.links[index]?.dialled == nil {
                    state.links[index]?.lastProblem = .unreachable
                }
            }
            redial(index, after: attempt)
        }
    }

    private func redial(_ index: Int, after attempt: UInt64) {
        let limits = configuration.limits
        state.withLock { state in
            guard !state.isStopped, let link = state.links[index], link.attempt == attempt
            else { return }
            state.links[index]?.failures += 1
            let waitMs = Backoff.waitMs(
                first: limits.redialMs, most: limits.redialMsMax, doublings: link.failures,
                jitter: Double.random(in: 0...1))
            let banMs = link.ban.remainingMs(nowMs: PeerNetwork.nowMs)
            link.redial?.cancel()
            state.links[index]?.redial = group.next().scheduleTask(
                in: .milliseconds(max(waitMs, banMs))
            ) { self.connect(index) }
        }
    }

    /// A peer that was waited for has just come to this node, so it can be reached now.
    func dialWithoutWaiting(_ index: Int) {
        let isWaiting = state.withLock { $0.links[index]?.redial != nil }
        if isWaiting { dial(index) }
    }

    private func addHandlers(
        _ channel: any Channel, _ tls: some ChannelHandler, _ shown: ShownIdentity,
        attempt: UInt64?
    ) throws {
        let limits = configuration.limits
        let frameLimit = FrameLimit(bytesMax: limits.helloBytesMax)
        let frames = ByteToMessageHandler(FrameDecoder(frameLimit))
        let link = LinkHandler(
            owner: self, hello: Hello(chain: configuration.chain), identity: shown,
            limits: limits, frameLimit: frameLimit, attempt: attempt)
        try channel.pipeline.syncOperations.addHandlers(tls, frames, link)
    }
}
