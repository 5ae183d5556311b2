/// How what a buyer pays is shared between venue and provider, in basis points (1/10 000).
///
/// A share is computed on the *cumulative* amount and a payment is the difference of two shares, so that any
/// batching pays the same totals. It is for two payees on purpose: with three, the one who takes the remainder
/// could be owed a negative difference when two rounded shares step at once.
public struct PriceSplit: Hashable, Sendable {
    public let venueBasisPoints: UInt64

    public static let basisPointsMax: UInt64 = 10_000

    /// `nil` above 10 000.
    public init?(venueBasisPoints: UInt64) {
        guard venueBasisPoints <= Self.basisPointsMax else { return nil }
        self.venueBasisPoints = venueBasisPoints
    }

    /// The venue's share of `cumulativeFen`, rounded down; the provider has the rest.
    public func venueShareFen(of cumulativeFen: UInt64) -> UInt64 {
        // The quotient fits: the share is at most the amount.
        let product = cumulativeFen.multipliedFullWidth(by: venueBasisPoints)
        return Self.basisPointsMax.dividingFullWidth(product).quotient
    }

    /// What is due when the cumulative amount grows. The two parts add up to the growth, and neither is negative.
    ///
    /// - Precondition: `fromFen ≤ toFen`.
    public func payment(
        fromFen: UInt64, toFen: UInt64
    ) -> (venueFen: UInt64, providerFen: UInt64) {
        precondition(fromFen <= toFen, "cumulative amounts only grow")
        let venueFen = venueShareFen(of: toFen) - venueShareFen(of: fromFen)
        return (venueFen, toFen - fromFen - venueFen)
    }
}
