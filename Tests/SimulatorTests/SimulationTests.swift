import Consensus
import Testing

@testable import Simulator

/// The production replica under the simulator's faults.
struct SimulationTests {
    @Test func seedsFindNoViolation() {
        let simulator = Simulator()
        var faults = FaultCounts()
        for seed in 1...12 {
            let result = simulator.run(seed: UInt64(seed))
            #expect(result.violation == nil, "seed \(seed)")
            #expect(result.views >= Simulation.viewsMin, "seed \(seed) saw too little")
            #expect(result.height >= 10, "seed \(seed) committed too little")
            #expect(result.transactions > 0)
            faults += result.faults
        }
        // A simulator whose faults do not happen proves nothing.
        #expect(faults.named.allSatisfy { $0.count > 0 }, "\(faults)")
    }

    @Test func aSeedIsOneHistory() {
        for seed: UInt64 in [3, 4] {
            let plain = Simulator().run(seed: seed)
            let traced = Simulator().run(seed: seed, isTracing: true)
            #expect(plain.traceHash == traced.traceHash)
            #expect(plain.height == traced.height)
            #expect(plain.traceHash != Simulator().run(seed: seed + 10).traceHash)
        }
    }

    /// The simulator is worth what it catches: each rule switched off is noticed within a few seeds.
    @Test(arguments: Mutation.names.map(\.name))
    func aBrokenRuleIsCaught(name: String) throws {
        let mutation = try #require(Mutation.named(name))
        let simulator = Simulator()
        let seeds: ClosedRange<UInt64> = 1...200
        let caught = seeds.first { simulator.run(seed: $0, mutation: mutation).violation != nil }
        let seed = try #require(caught, "nothing noticed in \(seeds.count) seeds")
        let result = simulator.run(seed: seed, mutation: mutation, isTracing: true)
        #expect(result.violation != nil, "the same seed fails again")
        #expect(!result.transcript.isEmpty)
        #expect(simulator.run(seed: seed).violation == nil, "and it is the rule's doing")
    }
}
