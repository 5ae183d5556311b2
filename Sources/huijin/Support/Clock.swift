import Foundation

enum Clock {
    /// Milliseconds of Unix time.
    static func nowMs() -> UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1_000)) }
}
