import Encoding
import Foundation
import Glibc
import Synchronization

/// Feeds mutated and random bytes to each target for a while, one input after another in an order that seed and round repeat.
///
/// A fault is: an accepted input that says something else than what it was taken for; an input that takes longer than
/// `secondsMax`; memory that grows. A trap ends the process, and an input that never ends is ended after `hangSeconds`; either way
/// the last line names seed and round.
package struct FuzzRun {
    /// CPU time of each target, whatever runs beside it.
    package let seconds: Double
    package let seed: UInt64
    package let first: UInt64

    /// CPU time of one input. The largest are some tens of kilobytes, which every decoder reads in milliseconds.
    static let secondsMax = 2.0
    static let hangSeconds: UInt64 = 60
    /// What a target may hold in the end beyond what it held after a tenth of its time.
    static let grownKiBMax = 16_384

    package init(seconds: Double, seed: UInt64, first: UInt64) {
        self.seconds = seconds
        self.seed = seed
        self.first = first
    }

    /// - Returns: how many faults there were.
    package func attack(_ target: FuzzTarget, corpus: [[UInt8]]) -> Int {
        guard !corpus.isEmpty else {
            print("\(target.name): nothing in the corpus / 语料中没有该项")
            return 1
        }
        var faults = 0
        for input in corpus where target.attempt(input) != .same {
            faults += 1
            print("\(target.name): the corpus is of another format / 语料格式已变: \(Hex.encode(input))")
        }
        let watch = Watch("\(target.name) --seed \(seed)")
        defer { watch.stop() }
        let start = FuzzRun.processSeconds
        var now = start
        var round = first
        var accepted = 0
        var slowest = (seconds: 0.0, round: first)
        var resident: Int?
        while now < start + seconds {
            watch.note(round)
            var random = Randomness(seed: seed, round: round)
            let input = Mutation.input(from: corpus, &random)
            let before = FuzzRun.processSeconds
            switch target.attempt(input) {
            case .refused: break
            case .same: accepted += 1
            case .different:
                faults += 1
                print(
                    "\(target.name) --first \(round), taken for something else: \(Hex.encode(input))"
                )
            }
            now = FuzzRun.processSeconds
            if now - before > slowest.seconds { slowest = (now - before, round) }
            round += 1
            if resident == nil, now > start + seconds / 10 {
                resident = FuzzRun.residentKiB
            }
        }
        let grown = FuzzRun.residentKiB - (resident ?? FuzzRun.residentKiB)
        if slowest.seconds > FuzzRun.secondsMax {
            faults += 1
            print("\(target.name) --first \(slowest.round) takes \(slowest.seconds) s")
        }
        if grown > FuzzRun.grownKiBMax {
            faults += 1
            print("\(target.name) holds \(grown) KiB more than after a tenth of the time")
        }
        print(
            "\(target.name): \(round - first) inputs, \(accepted) accepted, slowest \(Int(slowest.seconds * 1e6)) µs, memory +\(grown) KiB, \(faults) faults"
        )
        fflush(nil)
        return faults
    }

    /// Of all threads: services have their own.
    private static var processSeconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private static var residentKiB: Int {
        let text = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = text.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        return pages * sysconf(Int32(_SC_PAGESIZE)) / 1_024
    }
}

/// Ends the process when the fuzzed code does not come back.
private final class Watch: Sendable {
    private struct State {
        var round: UInt64 = 0
        var printed: ContinuousClock.Instant?
        var idleSeconds: UInt64 = 0
        var isStopped = false
    }

    private let name: String
    private let state = Mutex(State())

    init(_ name: String) {
        self.name = name
        Thread.detachNewThread { [self] in
            while tick() { sleep(1) }
        }
    }

    /// The last line printed is where to begin again after a trap; one a second is enough.
    func note(_ round: UInt64) {
        let now = ContinuousClock.now
        state.withLock {
            $0.round = round
            $0.idleSeconds = 0
            if let printed = $0.printed, now < printed + .seconds(1) { return }
            $0.printed = now
            print("\(name) --first \(round)")
            fflush(nil)
        }
    }

    func stop() { state.withLock { $0.isStopped = true } }

    private func tick() -> Bool {
        state.withLock {
            guard !$0.isStopped else { return false }
            $0.idleSeconds += 1
            guard $0.idleSeconds < FuzzRun.hangSeconds else {
                print(
                    "\(name) --first \($0.round): does not come back within \(FuzzRun.hangSeconds) s / 长时间无响应"
                )
                exit(1)
            }
            return true
        }
    }
}
