import Consensus
import DequeModule

/// The mails that wait on the replica's thread: a lane for each peer, and one for everything else.
///
/// Lanes are served in turn, a few mails each, so that one peer's flood delays another's vote by a few of its frames and not by
/// all that wait. Within a lane the order is kept.
///
/// Some of what a peer may ask for costs far more than its frame (blocks from the disk). Its lane pays for that: it stands back
/// for twice as long as the answer took, while others wait, and not at all while nobody does.
struct FairQueue {
    private typealias Lane = Deque<Mail>

    /// The replica's own affairs, before all peers.
    private static let ownLane = -1
    private static let ownMailsPerRound = 64
    private static let peerMailsPerRound = 4
    /// After so many bytes of frames the next lane has its turn.
    private static let bytesPerRound = 65_536

    /// How long a lane stands back for each nanosecond of an answer.
    private static let waitPerNanosecond: UInt64 = 2
    /// A disk that stood still is nobody's debt; and a lane also has votes.
    private static let waitMaxNs: UInt64 = 100_000_000

    private var lanes: [Int: Lane] = [:]
    /// Until when lanes stand back; of few peers, and of none for long.
    private var debts: [Int: UInt64] = [:]

    var isEmpty: Bool { lanes.isEmpty }

    mutating func add(_ mails: [Mail]) {
        for mail in mails { lanes[FairQueue.lane(of: mail), default: Lane()].append(mail) }
    }

    /// What a peer asked for has taken so long.
    ///
    /// - Parameters:
    ///   - lane: the network's number for the peer, as its mails have it.
    ///   - nowNs: of the same clock as in `takeRound`.
    mutating func charge(lane: Int, nanoseconds: UInt64, nowNs: UInt64) {
        let waitNs = min(nanoseconds, FairQueue.waitMaxNs) * FairQueue.waitPerNanosecond
        debts[lane] = min(
            max(debts[lane, default: 0], nowNs) + waitNs, nowNs + FairQueue.waitMaxNs)
    }

    /// A few mails of each lane, by the numbers of the lanes.
    mutating func takeRound(nowNs: UInt64) -> [Mail] {
        var round: [Mail] = []
        debts = debts.filter { $0.value > nowNs }
        var waiting = lanes.keys.filter { debts[$0] == nil }
        if waiting.isEmpty {
            // Nobody else waits.
            waiting = Array(lanes.keys)
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
