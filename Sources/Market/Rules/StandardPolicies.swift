import Records

/// The policies that a new network starts with; `policy.set` changes them later.
public enum StandardPolicies {
    /// Least number of entities behind an output row.
    public static let groupMinimum = "group-minimum"
    /// Largest share of one entity in a row, percent.
    public static let dominancePercent = "dominance-percent"
    /// The venue's share of what a buyer pays, hundredths of a percent.
    public static let venueBasisPoints = "venue-basis-points"

    /// Whether validators that contradicted themselves lose their seats: 0 for no. In the policy `validators`, which no
    /// network starts with.
    public static let unseatEquivocators = "unseat-equivocators"

    /// Whether a registrar must approve a transfer that was accepted: 0 for no. Without the policy `transfers`, which no network
    /// starts with, it must.
    public static let registrarApproval = "registrar-approval"
    /// Whether a provider may revoke a licence for the buyer's breach: 0 for no, as without the policy `licences`, which no
    /// network starts with.
    public static let providerRevokesBreach = "provider-revokes-breach"

    public static let review = PolicyRecord(
        name: PolicyRecord.review, version: 1, tag: .mandatory,
        entries: [
            PolicyEntry(dominancePercent, .number(80)), PolicyEntry(groupMinimum, .number(5)),
        ], setHeight: 0)

    public static let fees = PolicyRecord(
        name: PolicyRecord.fees, version: 1, tag: .commercial,
        entries: [PolicyEntry(venueBasisPoints, .number(500))], setHeight: 0)

    public static let all = [fees, review]
}
