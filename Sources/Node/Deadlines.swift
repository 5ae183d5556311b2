import Replica

/// The replica's timers: one of each, in milliseconds of the monotonic clock.
struct Deadlines {
    private var due = [UInt64?](repeating: nil, count: TimerID.allCases.count + 1)

    mutating func set(_ timer: TimerID, atMs: UInt64) { due[Int(timer.rawValue)] = atMs }

    mutating func cancel(_ timer: TimerID) { due[Int(timer.rawValue)] = nil }

    /// When the next one is due.
    var nextMs: UInt64? { due.lazy.compactMap { $0 }.min() }

    /// Takes one timer that is due, the longest overdue first.
    mutating func takeDue(nowMs: UInt64) -> TimerID? {
        var found: (timer: TimerID, atMs: UInt64)?
        for timer in TimerID.allCases {
            guard let atMs = due[Int(timer.rawValue)], atMs <= nowMs else { continue }
            if found.map({ atMs < $0.atMs }) ?? true { found = (timer, atMs) }
        }
        guard let found else { return nil }
        cancel(found.timer)
        return found.timer
    }
}
