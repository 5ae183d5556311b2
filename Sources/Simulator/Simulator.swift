import Consensus
import SQLite
import Storage

/// What one seed gave.
public struct SeedResult: Sendable, Equatable {
    public let seed: UInt64
    /// Fingerprint of every input, effect and choice: equal for equal seeds, on every machine.
    public let traceHash: UInt64
    public let validators: Int
    public let views: UInt64
    public let height: UInt64
    public let transactions: Int
    public let faults: FaultCounts
    public let violation: Violation?
}

/// Runs seeds against the production `Replica` and `Storage`.
public final class Simulator {
    private var workloads: [Int: (workload: Workload, formatted: SimulatedDisk)] = [:]

    public init() {}

    /// Views that a seed lasts at least.
    public static let viewsStandard = Simulation.viewsMin

    public func run(seed: UInt64) -> SeedResult {
        run(seed: seed, mutation: [])
    }

    /// - Parameters:
    ///   - mutation: rules that are switched off.
    ///   - without: kinds of fault that are left out.
    ///   - viewsMin: views after which the faults stop.
    ///   - trace: takes what happens, as the rows of a diagram; the run is the same with and without.
    package func run(
        seed: UInt64, mutation: Mutation, without: FaultKinds = [],
        viewsMin: UInt64 = Simulation.viewsMin, trace: ((String) -> Void)? = nil
    ) -> SeedResult {
        var random = Randomness(seed: seed)
        // The plan's choices are apart from the run's, so that leaving out a fault leaves the rest of the plan as it is.
        var choices = Randomness(seed: random.next())
        let plan = FaultPlan(&choices, parameters: Workload.parameters, without: without)
        let (workload, formatted) = network(plan.validators)
        let simulation = Simulation(
            seed: seed, workload: workload, formatted: formatted, plan: plan, random: random,
            mutation: mutation, viewsMin: viewsMin, trace: trace)
        simulation.run()
        return SeedResult(
            seed: seed, traceHash: simulation.fingerprint.value, validators: plan.validators,
            views: simulation.views,
            height: simulation.checker.height, transactions: simulation.checker.finalCount,
            faults: simulation.counts, violation: simulation.violation)
    }

    private func network(_ validators: Int) -> (Workload, SimulatedDisk) {
        if let made = workloads[validators] { return made }
        let workload = Workload(validators: validators)
        let disk = SimulatedDisk(seed: 0)
        SimulatedDisk.seedSQLite(0)
        var options = Store.Options()
        options.vfs = SimulatedDisk.vfs
        do throws(StorageError) {
            // Closed again at once, in order, so that everything is in one file.
            _ = try Store(folder: disk.folder, genesis: workload.genesis, options: options)
        } catch {
            preconditionFailure("a sound disk takes a new ledger: \(error)")
        }
        workloads[validators] = (workload, disk)
        return (workload, disk)
    }
}

/// The least that still fails.
package struct ShrunkSeed: Sendable {
    package let result: SeedResult
    package let without: FaultKinds
    package let viewsMin: UInt64
}

extension Simulator {
    /// Leaves out one kind of fault after another, and shortens the run, for as long as the seed still fails.
    ///
    /// - Parameter trying: the kinds that may be left out.
    /// - Returns: nil when the seed does not fail.
    package func shrink(
        seed: UInt64, mutation: Mutation = [], trying: FaultKinds = .all
    ) -> ShrunkSeed? {
        let first = run(seed: seed, mutation: mutation)
        guard first.violation != nil else { return nil }
        var least = ShrunkSeed(result: first, without: [], viewsMin: Simulation.viewsMin)
        func attempt(_ without: FaultKinds, _ viewsMin: UInt64) {
            let result = run(
                seed: seed, mutation: mutation, without: without, viewsMin: viewsMin)
            if result.violation != nil {
                least = ShrunkSeed(result: result, without: without, viewsMin: viewsMin)
            }
        }
        for (_, kind) in FaultKinds.names where trying.contains(kind) {
            attempt(least.without.union(kind), least.viewsMin)
        }
        while least.viewsMin > 1 {
            let before = least.viewsMin
            attempt(least.without, before / 2)
            if least.viewsMin == before { break }
        }
        return least
    }
}
