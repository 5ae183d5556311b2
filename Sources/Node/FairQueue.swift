import DequeModule

/// The mails that wait on the replica's thread: a lane for each peer, and one for everything else.
///
/// Lanes are served in turn, a few mails each, so that one peer's flood delays another's vote by a few of its frames and not by
/// all that wait. Within a lane the order is kept.
struct FairQueue {
    private typealias Lane = Deque<Mail>

    /// The replica's own affairs, before all peers.
    private static let ownLane = -1
    private static let ownMailsPerRound = 64
    private static let peerMailsPerRound = 4
    /// After so many bytes of frames the next lane has its turn.
    private static let bytesPerRound = 65_536

    private var lanes: [Int: Lane] = [:]

    var isEmpty: Bool { lanes.isEmpty }

    mutating func add(_ mails: [Mail]) {
        for mail in mails { lanes[FairQueue.lane(of: mail), default: Lane()].append(mail) }
    }

    /// A few mails of each lane, by the numbers of the lanes.
    mutating func takeRound() -> [Mail] {
        var round: [Mail] = []
        for number in lanes.keys.sorted() {
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
