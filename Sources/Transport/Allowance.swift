/// How much one peer may send: units flow in at a steady rate, a frame takes its bytes and something for itself, and
/// while the account is overdrawn nothing more is read.
public struct Allowance: Sendable, Equatable {
    public var unitsPerSecond: Int64
    /// What can be saved up while nothing is sent.
    public var unitsMax: Int64
    /// What a frame takes beside its bytes, for the work that a short question causes.
    public var unitsPerFrame: Int64
    /// What may be owed before the connection ends. Frames that are read already are taken although the account is overdrawn, and at
    /// the end of a connection all that the socket holds is read, asked for or not.
    public var unitsOwedMax: Int64

    public init(
        unitsPerSecond: Int64, unitsMax: Int64, unitsPerFrame: Int64, unitsOwedMax: Int64
    ) {
        precondition(unitsPerSecond > 0 && unitsMax > 0, "an allowance lets something through")
        self.unitsOwedMax = unitsOwedMax
        self.unitsPerSecond = unitsPerSecond
        self.unitsMax = unitsMax
        self.unitsPerFrame = unitsPerFrame
    }
}

/// One peer's account, whatever connections it makes.
struct AllowanceAccount {
    private let allowance: Allowance
    private var units: Int64
    private var filledMs: Int64

    init(_ allowance: Allowance, nowMs: Int64) {
        self.allowance = allowance
        units = allowance.unitsMax
        filledMs = nowMs
    }

    /// Takes a frame of that many bytes.
    ///
    /// - Returns: for how many milliseconds nothing more should be read; 0 while the account is not overdrawn.
    mutating func take(bytes: Int, nowMs: Int64) -> Int64 {
        fill(nowMs)
        units -= Int64(bytes) + allowance.unitsPerFrame
        return overdrawnMs
    }

    /// Whether more is owed than may be.
    mutating func isBankrupt(nowMs: Int64) -> Bool {
        fill(nowMs)
        return units < -allowance.unitsOwedMax
    }

    /// For how many milliseconds nothing should be read.
    mutating func overdrawnMs(nowMs: Int64) -> Int64 {
        fill(nowMs)
        return overdrawnMs
    }

    private var overdrawnMs: Int64 {
        units < 0 ? -units * 1_000 / allowance.unitsPerSecond + 1 : 0
    }

    private mutating func fill(_ nowMs: Int64) {
        let passedMs = max(0, nowMs - filledMs)
        filledMs = max(filledMs, nowMs)
        // After this long it is full whatever was taken, and the product below stays small.
        let fullMs = (allowance.unitsMax - units) * 1_000 / allowance.unitsPerSecond + 1
        units =
            passedMs >= fullMs
            ? allowance.unitsMax
            : min(allowance.unitsMax, units + passedMs * allowance.unitsPerSecond / 1_000)
    }
}
