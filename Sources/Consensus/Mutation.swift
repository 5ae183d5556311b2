/// Guards and durable steps that can be taken out, for the tests that show the simulator's worth; docs/simulator.md
/// lists the seeds that notice. Nothing outside this package can set one.
package struct Mutation: OptionSet, Sendable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    private init(bit: UInt32) {
        rawValue = 1 << bit
    }

    // Guards of `SafetyRules`.

    /// Votes for a second block in the same view.
    package static let notarizeTwice = Mutation(bit: 0)
    /// Votes for a block whatever its parent.
    package static let notarizeUnjustified = Mutation(bit: 1)
    /// Votes for a block that another than the view's leader proposed.
    package static let notarizeUsurped = Mutation(bit: 2)
    /// Votes for a block without executing it.
    package static let notarizeUnexecuted = Mutation(bit: 3)
    package static let nullifyAfterFinalize = Mutation(bit: 4)
    package static let finalizeAfterNullify = Mutation(bit: 5)
    /// Votes to finalize a block as soon as it has voted for it.
    package static let finalizeUnnotarized = Mutation(bit: 6)
    /// Votes to finalize a notarized block that it has not executed.
    package static let finalizeUnexecuted = Mutation(bit: 7)

    /// Votes for a child of an epoch's last block within the epoch, without executing it.
    package static let continueEpoch = Mutation(bit: 15)
    /// Votes without asking peers what they hold of its votes, and on although they hold one that it forgot.
    package static let voteUncompared = Mutation(bit: 13)

    /// Votes from whatever store it finds, as if its key were bound to none.
    package static let voteUnbound = Mutation(bit: 14)

    // What is durable before something is said.

    /// Signs votes that were not persisted.
    package static let skipPersistence = Mutation(bit: 8)
    /// Persists notarize votes without the blocks' bodies.
    package static let forgetBodies = Mutation(bit: 9)
    /// Persists finalize votes without the notarizations that they rest on.
    package static let forgetCertificates = Mutation(bit: 10)
    /// Takes what the disk has not confirmed for durable.
    package static let skipSync = Mutation(bit: 11)
    /// Says that a block is final before the commit is durable.
    package static let acknowledgeEarly = Mutation(bit: 12)

    package static let names: [(name: String, mutation: Mutation)] = [
        ("notarizeTwice", .notarizeTwice), ("notarizeUnjustified", .notarizeUnjustified),
        ("notarizeUsurped", .notarizeUsurped), ("notarizeUnexecuted", .notarizeUnexecuted),
        ("nullifyAfterFinalize", .nullifyAfterFinalize),
        ("finalizeAfterNullify", .finalizeAfterNullify),
        ("finalizeUnnotarized", .finalizeUnnotarized),
        ("finalizeUnexecuted", .finalizeUnexecuted), ("continueEpoch", .continueEpoch),
        ("voteUncompared", .voteUncompared),
        ("voteUnbound", .voteUnbound),
        ("skipPersistence", .skipPersistence),
        ("forgetBodies", .forgetBodies), ("forgetCertificates", .forgetCertificates),
        ("skipSync", .skipSync), ("acknowledgeEarly", .acknowledgeEarly),
    ]

    package static func named(_ name: String) -> Mutation? {
        names.first { $0.name == name }?.mutation
    }
}
