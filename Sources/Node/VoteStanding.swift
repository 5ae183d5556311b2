import Storage

/// Whether this node votes, and why not.
public enum VoteStanding: Sendable, Equatable {
    /// It has no seat in this epoch.
    case noSeat
    /// Peers were asked for votes of its key, and too few have answered yet.
    case comparing
    case voting
    /// It follows without a vote until another key has its seat.
    case barred(VoteBar)

    /// Stable, in lower case with hyphens; `status` gives it.
    public var name: String {
        switch self {
        case .noSeat: "no-seat"
        case .comparing: "comparing"
        case .voting: "voting"
        case .barred(let bar): bar.name
        }
    }
}
