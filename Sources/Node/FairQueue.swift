import Consensus
import DequeModule

/// The mails that wait on the replica's thread: a lane for each peer, and one for everything else.
///
/// Lanes are served in turn, a few mails each, so that one peer's flood delays another's vote by a few of its frames and not by
/// all that wait. Within a lane the order is kept.
///
/// Some of what a peer may ask for costs far more than its frame (blocks from the disk). Its lane pays for that: it stands back
/// for as many rounds as the answer took of `forgivenPerRound`, while others wait, and not at all while nobody does.
struct FairQueue {
    private typealias Lane = Deque<Mail>

    /// The replica's own affairs, before all peers.
    private static let ownLane = -1
    private static let ownMailsPerRound = 64
    private static let peerMailsPerRound = 4
    /// After so many bytes of frames the next lane has its turn.
    private static let bytesPerRound = 65_536

    /// Of each lane's debt, in each round: what one more round of the others may be delayed by answers to it.
    private static let forgivenPerRound: UInt64 = 1_000_000
    /// A disk that stood still is nobody's debt.
    private static let debtMax: UInt64 = 50_000_000

    private var lanes: [Int: Lane] = [:]
    /// Nanoseconds that answers took, by lane; of few peers, and of none for long.
    private var debts: [Int: UInt64] = [:]

    var isEmpty: Bool { lanes.isEmpty }

    mutating func add(_ mails: [Mail]) {
        for mail in mails { lanes[FairQueue.lane(of: mail), default: Lane()].append(mail) }
    }

    /// What a peer asked for has taken so long.
    mutating func charge(_ peer: PeerID, nanoseconds: UInt64) {
        debts[peer.seat] = min(
            debts[peer.seat, default: 0] + nanoseconds, FairQueue.debtMax)
    }

    /// A few mails of each lane, by the numbers of the lanes.
    mutating func takeRound() -> [Mail] {
        var round: [Mail] = []
        var waiting = lanes.keys.filter { debts[$0] == nil }
        if waiting.isEmpty {
            // Nobody else waits.
            waiting = Array(lanes.keys)
        }
        debts = debts.compactMapValues {
            $0 > FairQueue.forgivenPerRound ? $0 - FairQueue.forgivenPerRound : nil
        }
        for number in waiting.sorted() {
            // Out of the table meanwhile, so that the lane is not copied.
            guard var lane = lanes.removeValue(forKey: number) else { continue }
            let isOwn = number == FairQueue.ownLane
            var mailsLeft = isOwn ? FairQueue.ownMailsPerRound : FairQueue.peerMailsPerRound
            var bytesLeft = FairQueue.bytesPerRound
            while mailsLeft > 0, bytesLeft > 0, let mail = lane.popFirst() {
                round.append(mail)
                mailsLeft -= 1
                if case .input(_, let bytes) = mail { bytesLeft -= bytes }
            }
            if !lane.isEmpty { lanes[number] = lane }
        }
        return round
    }

    private static func lane(of mail: Mail) -> Int {
        switch mail {
        case .input(let input, _): input.sender?.seat ?? ownLane
        case .submission, .read, .install, .reload, .stop: ownLane
        }
    }
}
