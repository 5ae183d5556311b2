import LedgerCrypto
import Records
import Testing

@testable import Market

@Suite struct DeadlineTests {
    static let suite = LedgerCrypto.Suite.ed25519SHA256

    private func deadline(_ timeMs: UInt64, _ subject: UInt64) -> Deadline {
        Deadline(
            deadlineMs: timeMs, kind: .licenceExpire, subject: Self.suite.digest(subject.encoded))
    }

    /// Against a sorted array: random additions, removals and look-ups, across hours and days and blocks.
    @Test func behavesAsASortedList() throws {
        var random = SplitMix(state: 11)
        var state = MemoryState()
        var reference: [Deadline] = []
        for _ in 0..<40 {
            var view = StateView(base: state, suite: Self.suite, height: 1)
            view.begin()
            for _ in 0..<20 {
                let spread: UInt64 = random.next() % 2 == 0 ? 7_200_000 : 400 * 86_400_000
                let candidate = deadline(
                    1_700_000_000_000 + random.next() % spread, random.next() % 50)
                if random.next() % 3 == 0, let known = reference.randomElement(using: &random) {
                    view.removeDeadline(known)
                    reference.removeAll { $0 == known }
                } else {
                    try view.addDeadline(candidate)
                    if !reference.contains(candidate) { reference.append(candidate) }
                }
                let now = 1_700_000_000_000 + random.next() % spread
                let first = reference.sorted().first { $0.deadlineMs <= now }
                #expect(view.firstDeadline(dueBy: now) == first)
            }
            view.commit()
            state.absorb(view)
        }
        var view = StateView(base: state, suite: Self.suite, height: 1)
        view.begin()
        for expected in reference.sorted() {
            #expect(view.firstDeadline(dueBy: .max) == expected)
            view.removeDeadline(expected)
        }
        #expect(view.firstDeadline(dueBy: .max) == nil)
        view.commit()
        state.absorb(view)
        #expect(state.values.isEmpty)
    }

    @Test func anHourThatIsFullRefuses() throws {
        var view = StateView(base: MemoryState(), suite: Self.suite, height: 1)
        view.begin()
        for number in 0..<UInt64(RecordLimits.timersPerHourMax) {
            try view.addDeadline(deadline(3_600_000 + number, number))
        }
        #expect(throws: OutcomeCode.timerFull) { try view.addDeadline(deadline(3_600_000, 9_999)) }
        try view.addDeadline(deadline(3_600_000, 0))
        try view.addDeadline(deadline(7_200_000, 9_999))
        view.commit()
    }
}

/// Steele, Lea, Flood 2014: a seeded generator, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
