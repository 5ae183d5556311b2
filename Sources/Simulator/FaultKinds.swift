/// The kinds of fault that a seed may draw, and a failing one is shrunk by.
package struct FaultKinds: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32

    package init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    private init(bit: UInt32) {
        rawValue = 1 << bit
    }

    package static let loss = FaultKinds(bit: 0)
    package static let duplication = FaultKinds(bit: 1)
    package static let delay = FaultKinds(bit: 2)
    package static let partition = FaultKinds(bit: 3)
    /// Cut in one direction only.
    package static let oneWayCut = FaultKinds(bit: 4)
    package static let skew = FaultKinds(bit: 5)
    /// A process is killed between two effects; what the system had in its cache stays.
    package static let kill = FaultKinds(bit: 6)
    /// One machine loses power between two effects.
    package static let powerCut = FaultKinds(bit: 7)
    /// Killed or without power in the middle of a durable step.
    package static let halfStep = FaultKinds(bit: 8)
    /// All lose power together.
    package static let commonPowerCut = FaultKinds(bit: 9)
    package static let equivocation = FaultKinds(bit: 10)
    package static let withholding = FaultKinds(bit: 11)
    package static let replay = FaultKinds(bit: 12)
    package static let forgery = FaultKinds(bit: 13)
    /// Lies in status, blocks and certificates given to those who catch up.
    package static let syncLies = FaultKinds(bit: 14)
    package static let lostDisk = FaultKinds(bit: 15)
    package static let lyingDisk = FaultKinds(bit: 16)
    package static let bitRot = FaultKinds(bit: 17)
    /// Validators join, leave and get new keys, and those that contradicted themselves are convicted.
    package static let seatChange = FaultKinds(bit: 18)

    /// More validators than can be faulty are lost for good, and the rest go on by a recovery.
    package static let lostQuorum = FaultKinds(bit: 19)

    /// Says what nobody asked for: that it has more blocks than there are, votes of views that never come, blocks whose
    /// ancestors are made up, and its own header over other entries.
    package static let pestering = FaultKinds(bit: 20)

    /// A clock is set, forwards or back, while the node runs.
    package static let clockJump = FaultKinds(bit: 21)

    package static let all = FaultKinds(rawValue: (1 << 22) - 1)
    package static let lies: FaultKinds = [
        .equivocation, .withholding, .replay, .forgery, .syncLies, .pestering,
    ]

    package static let names: [(name: String, kind: FaultKinds)] = [
        ("loss", .loss), ("duplication", .duplication), ("delay", .delay),
        ("partition", .partition), ("oneWayCut", .oneWayCut), ("skew", .skew), ("kill", .kill),
        ("powerCut", .powerCut), ("halfStep", .halfStep), ("commonPowerCut", .commonPowerCut),
        ("equivocation", .equivocation), ("withholding", .withholding), ("replay", .replay),
        ("forgery", .forgery), ("syncLies", .syncLies), ("lostDisk", .lostDisk),
        ("lyingDisk", .lyingDisk), ("bitRot", .bitRot),
        ("seatChange", .seatChange), ("lostQuorum", .lostQuorum), ("pestering", .pestering),
        ("clockJump", .clockJump),
    ]

    /// Names with commas between; nil where one is unknown.
    package init?(names list: String) {
        self = []
        for name in list.split(separator: ",") {
            guard let known = FaultKinds.names.first(where: { $0.name == name }) else { return nil }
            insert(known.kind)
        }
    }

    package var list: String {
        FaultKinds.names.filter { contains($0.kind) }.map(\.name).joined(separator: ",")
    }
}
