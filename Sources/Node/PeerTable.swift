import Consensus
import Ledger
import Replica
import Transport

/// Between the network's numbers for peers, which never change, and the replica's, which are seats of the present epoch.
struct PeerTable {
    private let endpoints: [PeerEndpoint]
    private var ids: [Int: PeerID] = [:]
    private var indices: [PeerID: Int] = [:]

    init(_ endpoints: [PeerEndpoint]) {
        self.endpoints = endpoints
    }

    /// A peer is the validator whose transport key it shows; without a seat it is a guest.
    mutating func reconfigure(_ validators: ValidatorSet) {
        ids = [:]
        indices = [:]
        for endpoint in endpoints {
            let seat = validators.validators.firstIndex { $0.transportKey == endpoint.transportKey }
            let id = PeerID(seat ?? PeerID.guestsFrom + endpoint.index)
            ids[endpoint.index] = id
            indices[id] = endpoint.index
            // What was begun with a guest goes on when it gets its seat.
            indices[PeerID(PeerID.guestsFrom + endpoint.index)] = endpoint.index
        }
    }

    func index(of peer: PeerID) -> Int? { indices[peer] }

    /// An input as the network gave it, with the replica's number for the peer.
    func translated(_ input: Input) -> Input {
        switch input {
        case .message(let peer, let message): .message(from: id(peer), message)
        case .gossiped(let peer, let envelopes): .gossiped(from: id(peer), envelopes)
        case .connected(let peer): .connected(id(peer))
        case .start, .timer, .submitted, .verified, .signed: input
        }
    }

    private func id(_ peer: PeerID) -> PeerID {
        guard let id = ids[peer.seat] else {
            preconditionFailure("the network knows the configured peers alone")
        }
        return id
    }
}
