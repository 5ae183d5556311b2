import NIOCore
import NIOPosix
import NIOSSL

/// How connections come to be: accepted from whoever shows a validator's key, dialled until they stand.
extension PeerNetwork {
    /// The verification that replaces X.509's: the key, and nothing else of the certificate, must be expected here.
    private static func pin(
        _ shown: ShownIdentity, to expected: [PeerEndpoint]
    ) -> NIOSSLCustomVerificationCallback {
        { certificates, promise in
            guard let key = try? certificates.first?.extractPublicKey().toSPKIBytes(),
                let peer = expected.first(where: { $0.transportKey == key })
            else {
                shown.wasRefused = true
                return promise.succeed(.failed)
            }
            shown.peer = peer
            promise.succeed(.certificateVerified)
        }
    }

    func accept(_ channel: any Channel) -> EventLoopFuture<Void> {
        let isWelcome = state.withLock { state in
            guard !state.isStopped, state.strangers.count < configuration.limits.strangersMax
            else {
                state.refused[.tooManyStrangers, default: 0] += 1
                return false
            }
            state.strangers[ObjectIdentifier(channel)] = channel
            return true
        }
        guard isWelcome else {
            return channel.eventLoop.makeFailedFuture(NetworkProblem.tooManyStrangers)
        }
        channel.closeFuture.whenComplete { _ in
            self.state.withLock { $0.strangers[ObjectIdentifier(channel)] = nil }
        }
        return channel.eventLoop.makeCompletedFuture {
            let shown = ShownIdentity()
            let tls = NIOSSLServerHandler(
                context: serverContext,
                customVerificationCallback: PeerNetwork.pin(shown, to: configuration.peers))
            try addHandlers(channel, tls, shown, outbox: nil)
        }
    }

    func dial(_ peer: PeerEndpoint) {
        guard !state.withLock({ $0.isStopped }), let outbox = outboxes[peer.index] else { return }
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(.milliseconds(configuration.limits.helloTimeoutMs))
            .channelOption(ChannelOptions.socketOption(.tcp_nodelay), value: 1)
            .channelOption(
                ChannelOptions.writeBufferWaterMark,
                value: ChannelOptions.Types.WriteBufferWaterMark(low: 65_536, high: 524_288)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let shown = ShownIdentity()
                    let tls = try NIOSSLClientHandler(
                        context: self.clientContext, serverHostname: nil,
                        customVerificationCallback: PeerNetwork.pin(shown, to: [peer]))
                    try self.addHandlers(channel, tls, shown, outbox: outbox)
                }
            }
        let connection: EventLoopFuture<any Channel>
        if let address = try? SocketAddress(ipAddress: peer.host, port: peer.port) {
            connection = bootstrap.connect(to: address)
        } else {
            connection = bootstrap.connect(host: peer.host, port: peer.port)
            // A look-up cannot be cancelled, so stopping waits for it.
            state.withLock { $0.lookingUp[peer.index] = connection }
        }
        connection.whenComplete { self.dialled(peer, $0) }
    }

    private func dialled(_ peer: PeerEndpoint, _ result: Result<any Channel, any Error>) {
        switch result {
        case .success(let channel):
            // Stopping closes the connections it knows; this one came too late for that.
            if state.withLock({ $0.isStopped }) { channel.close(promise: nil) }
            channel.closeFuture.whenComplete { _ in self.redial(peer) }
        case .failure:
            state.withLock { state in
                state.refused[.unreachable, default: 0] += 1
                if state.dialled[peer.index] == nil {
                    state.lastProblem[peer.index] = .unreachable
                }
            }
            redial(peer)
        }
    }

    private func redial(_ peer: PeerEndpoint) {
        let failures: Int? = state.withLock { state in
            guard !state.isStopped else { return nil }
            let failures = state.failures[peer.index, default: 0]
            state.failures[peer.index] = failures + 1
            return failures
        }
        guard let failures else { return }
        let limits = configuration.limits
        // Past 16 doublings the maximum has long been reached.
        let wait = min(limits.redialMs << Int64(min(failures, 16)), limits.redialMsMax)
        let jittered = wait - Int64.random(in: 0...wait / 2)
        let next = group.next().scheduleTask(in: .milliseconds(jittered)) {
            self.state.withLock { $0.redials[peer.index] = nil }
            self.dial(peer)
        }
        state.withLock { $0.redials[peer.index] = next }
    }

    /// A peer that was waited for has just come to this node, so it can be reached now.
    func dialWithoutWaiting(_ peer: PeerEndpoint) {
        guard let waiting = state.withLock({ $0.redials.removeValue(forKey: peer.index) })
        else { return }
        waiting.cancel()
        dial(peer)
    }

    private func addHandlers(
        _ channel: any Channel, _ tls: some ChannelHandler, _ shown: ShownIdentity,
        outbox: Outbox?
    ) throws {
        let limits = configuration.limits
        let frames = ByteToMessageHandler(
            FrameDecoder(firstBytesMax: limits.helloBytesMax, bytesMax: limits.frameBytesMax))
        let link = LinkHandler(
            owner: self, hello: Hello(chain: configuration.chain), identity: shown,
            limits: limits, outbox: outbox)
        try channel.pipeline.syncOperations.addHandlers(tls, frames, link)
    }
}
