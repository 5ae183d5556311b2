import Encoding
import Ledger
import Policy
import Records

/// Why a sandbox refuses a job, or a reviewer an output: some of the outcome codes. On the wire the code's number.
public enum RefusalReason {
    public static let codes: [OutcomeCode] = [
        .valueNotAllowed, .purposeNotPermitted, .scopeNotPermitted, .licenceEnded, .prohibited,
        .rowLevelOutput, .groupTooSmall, .sqlRefused, .dominantContributor, .resourceLimit,
        .outputTooLarge,
    ]

    public static var names: [String] { codes.map(\.name) }

    static func read(
        _ key: UInt64, _ fields: inout FieldReader, _ decoder: inout CBORDecoder
    ) throws(CBORError) -> OutcomeCode {
        let number = try fields.number(key, &decoder)
        guard let code = OutcomeCode(rawValue: number), codes.contains(code) else {
            throw decoder.invalid("the reason is not one for which a job is refused")
        }
        return code
    }
}

extension DisclosureRules {
    /// The rules in the "review" policy; nil where a value is out of range, or there is no group minimum. Without
    /// a dominance rule none is in force.
    public init?(_ policy: PolicyRecord) {
        let percent = policy.number(StandardPolicies.dominancePercent) ?? 100
        guard let minimum = policy.number(StandardPolicies.groupMinimum),
            let groupMinimum = UInt64(exactly: minimum),
            let dominancePercent = UInt64(exactly: percent)
        else { return nil }
        self.init(groupMinimum: groupMinimum, dominancePercent: dominancePercent)
    }
}

extension PriceSplit {
    /// The split in the "fees" policy; nil where the value is missing or out of range.
    public init?(_ policy: PolicyRecord) {
        guard let number = policy.number(StandardPolicies.venueBasisPoints),
            let venueBasisPoints = UInt64(exactly: number)
        else { return nil }
        self.init(venueBasisPoints: venueBasisPoints)
    }
}

extension StateView {
    /// - Throws: `unknownPolicy` when there is no review policy, or none that makes sense.
    mutating func disclosureRules() throws(OutcomeCode) -> DisclosureRules {
        guard let policy = policy(PolicyRecord.review), let rules = DisclosureRules(policy) else {
            throw .unknownPolicy
        }
        return rules
    }

    /// - Throws: `unknownPolicy` when there is no fees policy, or none that makes sense.
    mutating func venueSplit() throws(OutcomeCode) -> PriceSplit {
        guard let policy = policy(PolicyRecord.fees), let split = PriceSplit(policy) else {
            throw .unknownPolicy
        }
        return split
    }

    /// - Throws: `conflictOfInterest` when the member is one of the parties, or of the same corporate group.
    mutating func refuseOwnGroup(
        _ member: MemberRecord, of parties: [MemberID]
    ) throws(OutcomeCode) {
        for id in parties {
            guard let party = self.member(id) else { throw .memberUnknown }
            if member.sharesGroup(with: party) { throw .conflictOfInterest }
        }
    }
}
