import Encoding
import Ledger

/// Who holds a right that has changed hands (权利人). Wire: `[right, member, since height]`.
public struct RightHolder: Hashable, Comparable, Sendable, CBORCodable {
    public let right: DataRight
    public let member: MemberID
    public let sinceHeight: UInt64

    public init(_ right: DataRight, _ member: MemberID, since sinceHeight: UInt64) {
        self.right = right
        self.member = member
        self.sinceHeight = sinceHeight
    }

    /// By right, of which each has one holder.
    public static func < (left: RightHolder, right: RightHolder) -> Bool {
        left.right < right.right
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.value(right)
        encoder.value(member)
        encoder.unsigned(sinceHeight)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        right = try decoder.value()
        member = try decoder.value()
        sinceHeight = try decoder.unsigned()
    }
}

extension AssetRecord {
    /// Who holds the right now: the provider until it has changed hands.
    public func holder(of right: DataRight) -> MemberID {
        holders.first { $0.right == right }?.member ?? provider
    }

    /// Who may make data products of it without a licence: the holder of the processing right, or of the asset itself
    /// where no processing right is registered.
    public var processor: MemberID {
        holder(of: rights.contains(.processing) ? .processing : .holding)
    }

    /// The provider and whoever holds a right now; each once.
    public var concerned: [MemberID] {
        var members = [provider]
        for holder in holders where !members.contains(holder.member) {
            members.append(holder.member)
        }
        return members
    }

    /// Hands registered rights over.
    public mutating func transfer(
        _ rights: [DataRight], to member: MemberID, at height: UInt64
    ) {
        precondition(rights.allSatisfy(self.rights.contains), "only registered rights change hands")
        holders.removeAll { rights.contains($0.right) }
        holders = (holders + rights.map { RightHolder($0, member, since: height) }).sorted()
    }
}
