import Dispatch
import Glibc

/// The only clocks of the product: everything below the node is told the time.
enum Clock {
    /// Milliseconds of Unix time.
    static func wallMs() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return UInt64(time.tv_sec) * 1_000 + UInt64(time.tv_nsec) / 1_000_000
    }

    /// Milliseconds since some moment before the process started; never goes back.
    static func monotonicMs() -> UInt64 { DispatchTime.now().uptimeNanoseconds / 1_000_000 }
}
