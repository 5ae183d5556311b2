import Consensus
import Dispatch
import Ledger
import Replica
import Storage
import Transport

/// Peers: what they send, what they are sent, and who they are.
extension ReplicaLoop {
    func receive(_ input: Input, bytes: Int) {
        guard let sender = input.sender?.seat else {
            guard case .verified(let batch, let results) = input else { return drive(input) }
            if let batch = ownBatch(batch) { drive(.verified(batch, results)) }
            return
        }
        if bytes > 0 {
            metrics.messagesReceived += 1
            if shared.intake.handled(from: sender, bytes: bytes) { shared.network?.resume() }
        }
        guard let translated = peers.translated(input) else { return }
        guard !peers.isObserver(sender) || input.mayBeObservers else {
            shared.network?.cutOff(sender, .notPermitted)
            return
        }
        drive(translated)
    }

    /// - Returns: why the certificate cannot be used, if so; then nothing is changed.
    func reload(_ configuration: NodeConfiguration) -> NetworkError? {
        do throws(NetworkError) {
            try shared.network?.use(configuration.transport)
        } catch {
            return error
        }
        peers.replace(configuration.peers)
        shared.network?.update(peers: peers.endpoints)
        return nil
    }

    /// Performs what a peer asked for, at its expense.
    func charging(_ peer: PeerID, _ answer: () -> Void) {
        let began = DispatchTime.now().uptimeNanoseconds
        answer()
        // Lanes have the network's numbers.
        guard let lane = peers.index(of: peer) else { return }
        let now = DispatchTime.now().uptimeNanoseconds
        queue.charge(lane: lane, nanoseconds: now - began, nowNs: now)
    }

    /// A validator that the configuration does not name cannot be reached, which is the operator's to mend.
    func send(_ message: PeerMessage, to peer: PeerID) {
        // What is not for an observer to say would have it cut off.
        guard let index = peers.index(of: peer), votingKey != nil || message.mayBeObservers
        else { return }
        // An observer may not answer, and old blocks are in vain while a snapshot is on its way; a message may always be lost.
        if case .finalBlocksRequest = message,
            peers.isObserver(index) || shared.snapshots.isFetching.load(ordering: .relaxed)
        {
            return
        }
        // As with final blocks: nothing is put together for a peer that does not take what it asked for.
        if case .block = message,
            shared.network?.canTake(index, queuedBytesMax: servedBytesMax) != true
        {
            return
        }
        shared.network?.send(to: index, priority: message.priority, message.encoded)
    }

    func serve(_ peer: PeerID, from height: UInt64) {
        // Nothing is read from the disk for a peer that cannot be told, or does not take what it asked for.
        guard let index = peers.index(of: peer), let network = shared.network,
            network.canTake(index, queuedBytesMax: servedBytesMax)
        else { return }
        guard height >= store.firstHeight else {
            // It goes on to the next peer, and learns that blocks will not do if nobody has them.
            shared.snapshots.put(.tell(peer: index))
            return
        }
        let blocks: [CertifiedBlock]
        do throws(StorageError) {
            blocks = try store.finalBlocks(from: height)
        } catch {
            return stop(.storage(error))
        }
        guard !blocks.isEmpty else {
            guard height <= store.watermark.height else { return }
            logger.error(
                "blocks final by one certificate exceed a message / 同一终局证书下的区块超出单个消息",
                metadata: ["peer": "\(peer)", "height": "\(height)"])
            return
        }
        let message = PeerMessage.finalBlocks(blocks)
        send(message, to: peer)
    }

    /// For a peer whose own history goes on where a recovery ended that epoch here. To an end that a quorum certified it is led by others.
    func serve(_ peer: PeerID, endOf epoch: UInt64, upTo height: UInt64) {
        guard let index = peers.index(of: peer), let network = shared.network,
            network.canTake(index, queuedBytesMax: servedBytesMax)
        else { return }
        do throws(StorageError) {
            guard let end = try store.end(ofEpoch: epoch, upTo: height),
                end.finalization?.kind == .recover
            else { return }
            send(.finalBlocks([end]), to: peer)
        } catch {
            stop(.storage(error))
        }
    }
}
