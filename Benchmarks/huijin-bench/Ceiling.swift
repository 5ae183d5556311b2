import Foundation
import LedgerCrypto

/// What signature checks alone would allow: verifications a second on all cores, divided by the validators, since each
/// of them checks every transaction once.
///
/// Of many signatures by several keys in turn, as a node has them: one and the same again and again is up to a tenth faster, since the
/// processor learns its way through it.
struct Ceiling {
    let suite: Suite
    let validators: Int
    private let checks: [Check]

    static let messageBytes = 200
    private static let seconds = 1.5
    private static let keys = 16
    private static let signatures = 1_024

    private struct Check: Sendable {
        let key: PublicKey
        let message: [UInt8]
        let signature: [UInt8]

        var isValid: Bool { key.isValid(signature: signature, over: message) }
    }

    init(suite: Suite, validators: Int) {
        self.suite = suite
        self.validators = validators
        let keys = (0..<Self.keys).map { _ in SigningKey.generate(suite) }
        checks = (0..<Self.signatures).map { number in
            let key = keys[number % Self.keys]
            let message = SecureRandom.bytes(Self.messageBytes)
            return Check(key: key.publicKey, message: message, signature: key.sign(message))
        }
    }

    /// Transactions a second.
    func measure() -> Double {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        let counts = UnsafeMutableBufferPointer<Int>.allocate(capacity: cores)
        counts.initialize(repeating: 0)
        defer { counts.deallocate() }
        let checks = checks
        let results = Results(counts: counts)
        DispatchQueue.concurrentPerform(iterations: cores) { core in
            let end = ContinuousClock.now + .seconds(Ceiling.seconds)
            var count = 0
            while ContinuousClock.now < end {
                for number in count..<count + 32 {
                    precondition(checks[(number + core) % checks.count].isValid)
                }
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
