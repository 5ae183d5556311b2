import Foundation
import LedgerCrypto

/// What signature checks alone would allow: verifications a second on all cores, divided by the validators, since each
/// of them checks every transaction once.
struct Ceiling {
    let suite: Suite
    let validators: Int
    private let signed: SignedMessages

    private static let seconds = 1.5

    init(suite: Suite, validators: Int) {
        self.suite = suite
        self.validators = validators
        signed = SignedMessages(suite, count: SignedMessages.many)
    }

    /// Transactions a second.
    func measure() -> Double {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let counts = UnsafeMutableBufferPointer<Int>.allocate(capacity: cores)
        counts.initialize(repeating: 0)
        defer { counts.deallocate() }
        let signed = signed
        let results = Results(counts: counts)
        DispatchQueue.concurrentPerform(iterations: cores) { core in
            let end = ContinuousClock.now + .seconds(Ceiling.seconds)
            var count = 0
            while ContinuousClock.now < end {
                for number in count..<count + 32 { signed.check(number + core) }
                count += 32
            }
            results.counts[core] = count
        }
        let perSecond = Double(counts.reduce(0, +)) / Ceiling.seconds
        Report.line(
            "verification",
            [
                ("suite", .text(suite.name)), ("perSecondAllCores", .real(perSecond)),
                ("cores", .unsigned(UInt64(cores))),
            ])
        return perSecond / Double(validators)
    }

    /// Each thread writes its own element.
    private struct Results: @unchecked Sendable {
        let counts: UnsafeMutableBufferPointer<Int>
    }
}
