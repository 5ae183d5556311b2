import Encoding

/// A time in which a member held a role (角色任期). Wire: `[role, from height, until height / null]`.
///
/// It is held in the states of the blocks `fromHeight ..< untilHeight`. Within a block that begins or ends a period, the
/// order of the entries decides.
public struct RolePeriod: Hashable, Comparable, Sendable, CBORCodable {
    public let role: Role
    /// Height of the block that enrolled the member with the role or granted it.
    public let fromHeight: UInt64
    /// Height of the block that withdrew it; nil while it is held.
    public var untilHeight: UInt64?

    /// - Precondition: it does not end before it begins.
    public init(_ role: Role, from fromHeight: UInt64, until untilHeight: UInt64? = nil) {
        precondition(fromHeight <= untilHeight ?? .max, "a period ends after it begins")
        self.role = role
        self.fromHeight = fromHeight
        self.untilHeight = untilHeight
    }

    public func contains(_ height: UInt64) -> Bool {
        fromHeight <= height && height < untilHeight ?? .max
    }

    /// By role and beginning, which no two periods of a member share.
    public static func < (left: RolePeriod, right: RolePeriod) -> Bool {
        (left.role, left.fromHeight) < (right.role, right.fromHeight)
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.value(role)
        encoder.unsigned(fromHeight)
        if let untilHeight { encoder.unsigned(untilHeight) } else { encoder.null() }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        role = try decoder.value()
        fromHeight = try decoder.unsigned()
        switch try CBORValue(from: &decoder) {
        case .null: untilHeight = nil
        case .unsigned(let height) where height >= fromHeight: untilHeight = height
        case .unsigned, .negative, .text, .bytes, .array, .map, .tag, .bool:
            throw decoder.invalid("a period ends at its beginning or later, or not yet (null)")
        }
    }
}

extension MemberRecord {
    /// Whether the state of the block of that height gave it the role, as far as this record knows: up to the block
    /// whose state holds the record.
    public func held(_ role: Role, at height: UInt64) -> Bool {
        let periods = rolePeriods.filter { $0.role == role }
        guard periods.isEmpty else { return periods.contains { $0.contains(height) } }
        return roles.contains(role) && enrolledHeight <= height
    }
}
