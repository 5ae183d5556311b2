import Consensus

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
    /// The last things that happened, when the run was traced.
    public let transcript: [String]
}

/// Runs seeds against the production `Replica`.
public final class Simulator {
    private var workloads: [Int: Workload] = [:]

    public init() {}

    /// - Parameters:
    ///   - isTracing: keeps a transcript; the run is the same either way.
    public func run(seed: UInt64, isTracing: Bool = false) -> SeedResult {
        run(seed: seed, mutation: [], isTracing: isTracing)
    }

    /// With rules switched off.
    package func run(seed: UInt64, mutation: Mutation, isTracing: Bool = false) -> SeedResult {
        var random = Randomness(seed: seed)
        let plan = FaultPlan(&random, parameters: Workload.parameters)
        let simulation = Simulation(
            seed: seed, workload: workload(plan.validators), plan: plan, random: random,
            mutation: mutation, isTracing: isTracing)
        simulation.run()
        return SeedResult(
            seed: seed, traceHash: simulation.fingerprint.value, validators: plan.validators,
            views: simulation.nodes.compactMap { $0.replica?.view }.max() ?? 0,
            height: simulation.checker.height, transactions: simulation.checker.finalCount,
            faults: simulation.counts, violation: simulation.violation,
            transcript: simulation.transcript)
    }

    private func workload(_ validators: Int) -> Workload {
        if let made = workloads[validators] { return made }
        let workload = Workload(validators: validators)
        workloads[validators] = workload
        return workload
    }
}
