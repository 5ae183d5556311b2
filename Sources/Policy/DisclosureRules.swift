/// What may leave the sandbox: the review rules, as data (the "review" policy on the ledger).
///
/// The measures are those of statistical disclosure control: a minimum count of entities in each group, and
/// (1, k)-dominance, by which no single entity makes up more than k per cent of a group's total.
public struct DisclosureRules: Hashable, Sendable {
    /// Entities that each released group has at least.
    public let groupMinimum: UInt64
    /// Share of a group's total that its largest entity may have at most, in per cent; 100 turns the rule off.
    public let dominancePercent: UInt64

    /// A group of one is a row, so 2 is the least minimum that any policy may set.
    public static let groupMinimumRange: ClosedRange<UInt64> = 2...1_000_000
    public static let dominancePercentRange: ClosedRange<UInt64> = 1...100

    public init?(groupMinimum: UInt64, dominancePercent: UInt64) {
        guard Self.groupMinimumRange.contains(groupMinimum),
            Self.dominancePercentRange.contains(dominancePercent)
        else { return nil }
        self.groupMinimum = groupMinimum
        self.dominancePercent = dominancePercent
    }

    /// The stricter of a policy and what a provider pinned in its offer.
    public func tightened(groupMinimum other: UInt64) -> DisclosureRules {
        DisclosureRules(
            groupMinimum: max(groupMinimum, other), dominancePercent: dominancePercent) ?? self
    }

    /// The first rule that a group breaks.
    public func violation(in group: GroupFacts) -> DisclosureViolation? {
        if group.entities < groupMinimum {
            return .groupTooSmall(entities: group.entities, minimum: groupMinimum)
        }
        guard dominancePercent < 100, group.total > 0 else { return nil }
        // largest / total > k / 100, without division.
        let left = group.largest.multipliedFullWidth(by: 100)
        let right = group.total.multipliedFullWidth(by: dominancePercent)
        if (left.high, left.low) > (right.high, right.low) {
            return .dominated(percentMax: dominancePercent)
        }
        return nil
    }
}

/// What the rules look at in one group of an output. Amounts are magnitudes in any one unit.
public struct GroupFacts: Hashable, Sendable {
    /// Distinct entities (by the asset's entity key) that the group is made of.
    public let entities: UInt64
    /// Sum of the entities' magnitudes; 0 where the output holds counts only.
    public let total: UInt64
    /// The largest entity's part of the total.
    public let largest: UInt64

    public init(entities: UInt64, total: UInt64 = 0, largest: UInt64 = 0) {
        self.entities = entities
        self.total = total
        self.largest = largest
    }
}

public enum DisclosureViolation: Hashable, Sendable, CustomStringConvertible {
    case groupTooSmall(entities: UInt64, minimum: UInt64)
    case dominated(percentMax: UInt64)

    public var description: String {
        switch self {
        case .groupTooSmall(let entities, let minimum):
            "a group of \(entities) entities is below the minimum of \(minimum)"
                + " / 分组仅含 \(entities) 个主体，低于最小值 \(minimum)"
        case .dominated(let percentMax):
            "one entity makes up more than \(percentMax) % of a group"
                + " / 单一主体在分组中占比超过 \(percentMax)%"
        }
    }
}
