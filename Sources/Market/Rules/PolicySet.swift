import Encoding
import Ledger
import LedgerCrypto
import Records

/// Sets the next version of a policy (制定规则). Signed for the governor.
public struct PolicySet: TransactionBody {
    public let name: String
    /// One more than the present one; 1 for a new policy.
    public let version: UInt64
    public let tag: PolicyTag
    /// Ascending by name.
    public let entries: [PolicyEntry]

    public init(
        name: String, version: UInt64, tag: PolicyTag, entries: [PolicyEntry]
    ) {
        self.name = name
        self.version = version
        self.tag = tag
        self.entries = entries
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(4)
        encoder.field(1, name)
        encoder.field(2, version)
        encoder.field(3, tag)
        encoder.field(4, list: entries)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        name = try fields.text(1, max: RecordLimits.codeBytesMax, &decoder)
        version = try fields.number(2, &decoder)
        tag = try fields.value(3, &decoder)
        entries = try fields.sortedList(4, max: RecordLimits.policyEntriesMax, &decoder)
        try fields.finish(&decoder)
    }
}

extension PolicySet {
    public static var kind: TransactionKind { .policySet }
    public static var requiredRoles: [Role] { [.governor] }

    public static var fields: [FieldSpec] {
        [
            FieldSpec(
                "name", 1, .text(max: RecordLimits.codeBytesMax), .everyone,
                en: "the policy's name", zh: "规则名称"),
            FieldSpec(
                "version", 2, .number, .everyone, en: "one more than the present version",
                zh: "版本号，为现行版本加一"),
            FieldSpec(
                "tag", 3, .choice(of: PolicyTag.self), .everyone,
                en: "commercial: pinned when agreed; mandatory: current at every use",
                zh: "商业条款在签约时固定，强制规则始终适用现行版本"),
            FieldSpec(
                "entries", 4, .policyEntries(max: RecordLimits.policyEntriesMax), .everyone,
                en: "names and values, all of them", zh: "全部名称与取值"),
        ]
    }

    public static var example: PolicySet {
        PolicySet(
            name: PolicyRecord.review, version: 2, tag: .mandatory,
            entries: StandardPolicies.review.entries)
    }

    public func check() throws(OutcomeCode) {
        guard PolicyRecord.isName(name), version >= 1 else { throw .valueNotAllowed }
    }

    public func apply(
        to state: inout StateView, in context: ApplyContext
    ) throws(OutcomeCode) {
        let present = state.policy(name)?.version ?? 0
        guard present < UInt64.max, version == present + 1 else { throw .wrongState }
        state.put(
            PolicyRecord(
                name: name, version: version, tag: tag, entries: entries,
                setHeight: context.height))
    }
}
