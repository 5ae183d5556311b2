/// Waits that double up to a limit. Chance takes up to half of each one off, so that those who were cut off together do not come back
/// together.
enum Backoff {
    /// - Parameters:
    ///   - doublings: how often this has been waited for before.
    ///   - jitter: between 0 and 1.
    /// - Returns: milliseconds, from half of the wait to the whole of it.
    static func waitMs(
        first: Int64, most: Int64, doublings: Int, jitter: Double
    ) -> Int64 {
        // Past 16 doublings the maximum has long been reached.
        let wait = min(first << Int64(min(doublings, 16)), most)
        return wait - Int64(Double(wait / 2) * min(max(jitter, 0), 1))
    }
}
