import Glibc

/// CPU time of this thread, which noisy neighbours disturb less than the wall clock.
enum Stopwatch {
    static var threadSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func seconds(_ body: () throws -> Void) rethrows -> Double {
        let start = threadSeconds
        try body()
        return threadSeconds - start
    }

    /// Seconds of one run: the median of `count` that are measured by themselves.
    static func median(of count: Int, _ body: () throws -> Void) rethrows -> Double {
        try (0..<count).map { _ in try seconds(body) }.percentile(50)
    }
}
