import Consensus
import Testing

@testable import Simulator

/// The production replica and store under the simulator's faults. `make sim` runs many seeds; these are for every
/// change.
struct SimulationTests {
    @Test func seedsFindNoViolation() {
        let simulator = Simulator()
        var faults = FaultCounts()
        for seed: UInt64 in [6, 9] {
            let result = simulator.run(seed: seed)
            #expect(result.violation == nil, "seed \(seed)")
            #expect(result.views >= Simulation.viewsMin, "seed \(seed) saw too little")
            #expect(result.faults.majorFaults >= 5, "seed \(seed) suffered too little")
            #expect(result.height >= 10, "seed \(seed) committed too little")
            #expect(result.transactions > 0)
            #expect(result.faults[.lightClientChecks] == 1)
            faults += result.faults
        }
        // A simulator whose faults do not happen proves nothing.
        let common: [FaultCounts.Kind] = [
            .dropped, .duplicated, .delayed, .cutOff, .kills, .powerCuts, .halfSteps, .restarts,
            .lostWrites, .tornWrites, .seatChanges, .epochs, .convictions, .lostQuorums,
            .clockJumps,
            .recoveries,
        ]
        for kind in common { #expect(faults[kind] > 0, "\(kind)") }
    }

    @Test func aSeedIsOneHistory() {
        var rows: [String] = []
        let plain = Simulator().run(seed: 6, mutation: [], viewsMin: 30)
        let simulator = Simulator()
        _ = simulator.run(seed: 5, mutation: [], viewsMin: 5)
        let traced = simulator.run(seed: 6, mutation: [], viewsMin: 30) { rows.append($0) }
        #expect(plain == traced, "whatever ran before, and whoever watches")
        #expect(rows.count > 100)
        #expect(rows.contains { $0.contains("commits") } && rows.contains { $0.contains("→ all") })
    }

    /// The simulator is worth what it catches; docs/simulator.md has all rules with the seeds that notice them missing.
    /// Here two, and the same seed finds nothing when the rule is on.
    @Test(arguments: [("finalizeUnexecuted", 1), ("notarizeTwice", 3)])
    func aBrokenRuleIsCaught(name: String, seed: UInt64) throws {
        let mutation = try #require(Mutation.named(name))
        let simulator = Simulator()
        #expect(simulator.run(seed: seed, mutation: mutation).violation != nil)
        #expect(simulator.run(seed: seed, mutation: [], viewsMin: 1).violation == nil)
    }

    @Test func aFailingSeedIsShrunk() throws {
        let simulator = Simulator()
        let least = try #require(
            simulator.shrink(
                seed: 3, mutation: .finalizeUnexecuted, trying: [.loss, .kill, .powerCut]))
        #expect(least.result.violation != nil)
        #expect(least.viewsMin == 1)
        #expect(least.without == [.loss, .kill, .powerCut])
        let again = simulator.run(
            seed: 3, mutation: .finalizeUnexecuted, without: least.without, viewsMin: 1)
        #expect(again == least.result)
    }

    @Test func namesOfFaultsAreTheirs() {
        for (name, kind) in FaultKinds.names {
            #expect(FaultKinds(names: name) == kind)
        }
        #expect(FaultKinds(names: FaultKinds.all.list) == .all)
        #expect(FaultKinds(names: "thunder") == nil)
        #expect(FaultCounts(list: FaultCounts().list) == FaultCounts())
        #expect(FaultCounts(list: [1]) == nil)
    }
}
