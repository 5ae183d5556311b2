import Consensus
import Testing

@testable import Simulator

/// The production replica under the simulator's faults. `make sim` runs a thousand seeds; these are for every change.
struct SimulationTests {
    @Test func seedsFindNoViolation() {
        let simulator = Simulator()
        var faults = FaultCounts()
        for seed: UInt64 in 6...8 {
            let result = simulator.run(seed: seed)
            #expect(result.violation == nil, "seed \(seed)")
            #expect(result.views >= Simulation.viewsMin, "seed \(seed) saw too little")
            #expect(result.height >= 10, "seed \(seed) committed too little")
            #expect(result.transactions > 0)
            faults += result.faults
        }
        // A simulator whose faults do not happen proves nothing.
        #expect(faults.crashes > 0 && faults.restarts > 0 && faults.lies > 0 && faults.dropped > 0)
        #expect(faults.duplicated > 0 && faults.delayed > 0 && faults.partitioned > 0)
        #expect(faults.equivocationsSeen > 0)
    }

    @Test func aSeedIsOneHistory() {
        let plain = Simulator().run(seed: 6)
        let traced = Simulator().run(seed: 6, isTracing: true)
        #expect(plain.traceHash == traced.traceHash)
        #expect(plain.height == traced.height)
        #expect(plain.faults == traced.faults)
    }

    /// The simulator is worth what it catches: a rule switched off is noticed within 80 seeds, and the same seed finds
    /// nothing when it is on. The search begins where a catch is near, because debug builds are slow.
    @Test(arguments: [
        ("notarizeTwice", 2), ("finalizeAfterNullify", 1), ("notarizeUnjustified", 22),
        ("skipPersistence", 6),
    ])
    func aBrokenRuleIsCaught(name: String, first: UInt64) throws {
        let mutation = try #require(Mutation.named(name))
        let simulator = Simulator()
        let caught = (first..<first + 80).first { seed in
            simulator.run(seed: seed, mutation: mutation).violation != nil
        }
        let seed = try #require(caught, "nothing noticed in 80 seeds")
        let result = simulator.run(seed: seed, mutation: mutation, isTracing: true)
        #expect(result.violation != nil, "the same seed fails again")
        #expect(!result.transcript.isEmpty)
        #expect(simulator.run(seed: seed).violation == nil, "and it is the rule's doing")
    }
}
