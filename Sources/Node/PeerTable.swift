import Consensus
import Ledger
import Replica
import Transport

/// Between the network's numbers for peers, which never change, and the replica's, which are seats of the present epoch.
/// Also which keys a peer may show: those of its seat on the chain go before those of the configuration.
struct PeerTable {
    /// As configured, with the keys that the chain gives them now.
    private(set) var endpoints: [PeerEndpoint] = []
    private var configured: [PeerEndpoint]
    private let genesis: ValidatorSet
    /// The set of the present epoch: of the next header to become final here, as far as effects were performed.
    private(set) var validators: ValidatorSet
    /// The set before this one, since this node started: its keys count until the newer ones have been shown.
    private var previous: ValidatorSet?
    private var ids: [Int: PeerID] = [:]
    private var indices: [PeerID: Int] = [:]
    private var observers: Set<Int> = []
    private var nextIndex: Int

    init(_ configured: [PeerEndpoint], genesis: ValidatorSet, validators: ValidatorSet) {
        self.configured = configured
        self.genesis = genesis
        self.validators = validators
        nextIndex = (configured.map(\.index).max() ?? 0) + 1
        resolve()
    }

    /// A new epoch began.
    mutating func reconfigure(_ validators: ValidatorSet) {
        previous = self.validators
        self.validators = validators
        resolve()
    }

    /// Another configuration: who was configured before, by one of its keys, keeps its number; numbers are not used again.
    mutating func replace(_ configuration: [PeerEndpoint]) {
        var free = configured
        configured = configuration.map { peer in
            let known = free.firstIndex { old in
                old.transportKeys.contains(where: peer.transportKeys.contains)
            }
            let index: Int
            if let known {
                index = free.remove(at: known).index
            } else {
                index = nextIndex
                nextIndex += 1
            }
            return PeerEndpoint(
                index: index, name: peer.name, transportKeys: peer.transportKeys,
                address: peer.address)
        }
        resolve()
    }

    func index(of peer: PeerID) -> Int? { indices[peer] }

    /// - Parameter index: the network's number.
    func isObserver(_ index: Int) -> Bool { observers.contains(index) }

    /// An input as the network gave it, with the replica's number for the peer; nil when it is no peer any more.
    func translated(_ input: Input) -> Input? {
        switch input {
        case .message(let peer, let message): ids[peer.seat].map { .message(from: $0, message) }
        case .gossiped(let peer, let envelopes):
            ids[peer.seat].map { .gossiped(from: $0, envelopes) }
        case .connected(let peer): ids[peer.seat].map { .connected($0) }
        case .start, .timer, .submitted, .verified, .signed, .recovery: input
        }
    }

    /// A peer is the validator whose transport key it was configured with or whose member it is; without a seat, and as an
    /// observer, it is a guest.
    private mutating func resolve() {
        ids = [:]
        indices = [:]
        observers = Set(configured.filter(\.isObserver).map(\.index))
        endpoints = configured.map { peer in
            let seat = peer.isObserver ? nil : seat(of: peer)
            let guest = PeerID(PeerID.guestsFrom + peer.index)
            let id = seat.map { PeerID($0) } ?? guest
            ids[peer.index] = id
            indices[id] = peer.index
            // What was begun with a guest goes on when it gets its seat.
            indices[guest] = peer.index
            return PeerEndpoint(
                index: peer.index, name: peer.name, transportKeys: keys(of: peer, seat: seat),
                address: peer.address)
        }
    }

    private func seat(of peer: PeerEndpoint) -> Int? {
        let seats = validators.validators
        if let seat = seats.firstIndex(where: { peer.transportKeys.contains($0.transportKey) }) {
            return seat
        }
        // Its key was replaced on the chain.
        return seats.firstIndex { seat in
            seat.member.text == peer.name
                && !configured.contains { $0.transportKeys.contains(seat.transportKey) }
        }
    }

    /// The newest first.
    private func keys(of peer: PeerEndpoint, seat: Int?) -> [[UInt8]] {
        guard let seat else { return peer.transportKeys }
        let present = validators.validators[seat]
        var keys: [[UInt8]] = []
        if !peer.transportKeys.contains(present.transportKey) { keys.append(present.transportKey) }
        keys += peer.transportKeys.filter { key in
            // What genesis says of a validator is out of date once the chain says something else.
            key == present.transportKey
                || !genesis.validators.contains {
                    $0.transportKey == key && $0.member == present.member
                }
        }
        let before = previous?.validators.first { $0.member == present.member }
        if let key = before?.transportKey, !keys.contains(key) { keys.append(key) }
        return keys
    }
}
