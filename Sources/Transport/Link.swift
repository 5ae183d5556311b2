import NIOCore

/// What the network holds of one peer.
struct Link {
    struct Connection {
        let channel: any Channel
        let key: [UInt8]
    }

    var peer: PeerEndpoint
    let outbox: Outbox
    var dialled: Connection?
    var accepted: Connection?
    /// Accepted before `accepted`; what was under way on it may still come.
    var retired: Connection?
    /// The newest dialling; what older ones come to is of no interest.
    var attempt: UInt64 = 0
    var failures = 0
    /// The pause before the peer is dialled again.
    var redial: Scheduled<Void>?
    var lastProblem: NetworkProblem?
    var receivedFrames: UInt64 = 0
    var receivedBytes: UInt64 = 0
    var ban = Ban()
    /// What the peer may send; nil for a validator, whose frames wait in a queue of their own.
    var account: AllowanceAccount?
    /// The newest of its keys that the peer has shown.
    private var shownKey: [UInt8]?

    init(_ peer: PeerEndpoint, limits: NetworkLimits, nowMs: Int64) {
        self.peer = peer
        account =
            peer.isObserver ? AllowanceAccount(limits.observerAllowance, nowMs: nowMs) : nil
        outbox = Outbox(
            bytesMax: peer.isObserver ? limits.observerOutboxBytesMax : limits.outboxBytesMax,
            offlineBytesMax: peer.isObserver ? 0 : limits.offlineBytesMax)
    }

    var connections: [Connection] { [dialled, accepted, retired].compactMap { $0 } }

    /// A peer that has changed over to its newest key has no other any more.
    func accepts(_ key: [UInt8]) -> Bool {
        guard let newest = peer.transportKeys.first else { return false }
        return shownKey == newest ? key == newest : peer.transportKeys.contains(key)
    }

    mutating func noteShown(_ key: [UInt8]) {
        if key == peer.transportKeys.first { shownKey = key }
    }

    /// - Parameter isDuplex: this node is an observer, which hears its peers on what it dialled.
    func state(isDuplex: Bool) -> PeerState {
        let numbers = outbox.numbers
        return PeerState(
            index: peer.index, name: peer.name, address: peer.address?.description ?? "",
            isObserver: peer.isObserver,
            isSending: (peer.isObserver ? accepted : dialled) != nil,
            isReceiving: (isDuplex ? dialled : accepted) != nil, queuedBytes: numbers.queuedBytes,
            droppedFrames: numbers.droppedFrames, sentFrames: numbers.sentFrames,
            sentBytes: numbers.sentBytes, receivedFrames: receivedFrames,
            receivedBytes: receivedBytes, lastProblem: lastProblem)
    }
}
