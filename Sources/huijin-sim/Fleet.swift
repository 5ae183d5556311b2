import Foundation
import Synchronization

/// Runs seeds in worker processes, several at a time. A seed that brings its process down is a finding like any other,
/// and SQLite's random numbers, which are the process's, are nobody else's.
struct Fleet {
    /// Seeds for one process: few enough that all of them end at about the same time.
    private static let chunkMax: UInt64 = 32

    let jobs: Int
    let options: [String]

    struct Failure: Sendable {
        let seed: UInt64
        let text: String
        let isCrash: Bool
    }

    struct Outcome: Sendable {
        let totals: Totals
        /// Of the lowest seed that failed.
        let failure: Failure?
    }

    private struct Progress {
        var next: UInt64
        var waiting: [UInt64: Record] = [:]
        var reported: UInt64
        var totals = Totals()
        var failure: Failure?

        /// The lowest one wins, whichever was found first.
        mutating func note(_ found: Failure) {
            if found.seed < failure?.seed ?? .max { failure = found }
        }
    }

    /// - Parameter report: called for each seed in ascending order.
    func run(
        first: UInt64, count: UInt64,
        report: @Sendable (Record, Totals) -> Void = { _, _ in }
    ) -> Outcome {
        let end = first + count
        let chunk = min(Fleet.chunkMax, max(1, count / UInt64(8 * jobs)))
        let progress = Mutex(Progress(next: first, reported: first))
        DispatchQueue.concurrentPerform(iterations: jobs) { _ in
            while true {
                let from = progress.withLock { progress in
                    defer { progress.next += chunk }
                    return progress.failure == nil && progress.next < end ? progress.next : end
                }
                guard from < end else { return }
                let until = min(from + chunk, end)
                let (records, failure) = work(from: from, until: until)
                progress.withLock { progress in
                    if let failure { progress.note(failure) }
                    for record in records { progress.waiting[record.seed] = record }
                    while let record = progress.waiting.removeValue(forKey: progress.reported) {
                        progress.reported += 1
                        progress.totals.add(record)
                        report(record, progress.totals)
                    }
                }
            }
        }
        return progress.withLock { Outcome(totals: $0.totals, failure: $0.failure) }
    }

    private func work(from: UInt64, until: UInt64) -> (records: [Record], failure: Failure?) {
        let arguments = ["--worker", "--first", "\(from)", "--seeds", "\(until - from)"]
        let (output, status) = start(arguments + options, isSilent: true)
        var records: [Record] = []
        for line in output.split(separator: "\n") {
            guard let record = Record(coded: line) else { continue }
            if let violation = record.violation {
                return (records, Failure(seed: record.seed, text: violation, isCrash: false))
            }
            records.append(record)
        }
        let done = from + UInt64(records.count)
        guard done < until else { return (records, nil) }
        return (
            records,
            Failure(seed: done, text: "the process ended with status \(status)", isCrash: true)
        )
    }

    /// Prints the least run in which the seed still fails.
    func show(seed: UInt64) {
        let output = start(
            ["--shrink", "--first", "\(seed)", "--seeds", "1"] + options, isSilent: false
        ).output
        print(output)
    }

    private func start(_ arguments: [String], isSilent: Bool) -> (output: String, status: Int32) {
        let process = Process()
        process.executableURL = Bundle.main.executableURL
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        if isSilent { environment["SWIFT_BACKTRACE"] = "enable=no" }
        process.environment = environment
        let pipe = Pipe()
        process.standardOutput = pipe
        if isSilent { process.standardError = FileHandle.nullDevice }
        do {
            try process.run()
        } catch {
            return ("", -1)
        }
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (String(decoding: data, as: UTF8.self), process.terminationStatus)
    }
}
