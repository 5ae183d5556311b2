/// A peer's record of misbehaviour, and until when it is cut off for it.
struct Ban {
    private var offences = 0
    private var untilMs: Int64 = .min
    private var lastMs: Int64 = .min

    /// What remains of it, in milliseconds; 0 when the peer may come.
    func remainingMs(nowMs: Int64) -> Int64 { untilMs > nowMs ? untilMs - nowMs : 0 }

    /// - Parameter jitter: between 0 and 1, by which up to half of the time is taken off.
    mutating func offend(nowMs: Int64, limits: NetworkLimits, jitter: Double) {
        if offences > 0, nowMs > lastMs + 10 * limits.banMsMax { offences = 0 }
        untilMs =
            nowMs
            + Backoff.waitMs(
                first: limits.banMs, most: limits.banMsMax, doublings: offences, jitter: jitter)
        offences += 1
        lastMs = nowMs
    }
}
