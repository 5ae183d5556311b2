import Encoding

/// Two votes of one validator that no honest validator signs together: proof against its key by themselves.
///
/// Wire: `[first vote, second vote]`.
public struct Equivocation: Sendable, Hashable, CBORCodable {
    public let first: Vote
    public let second: Vote

    /// `nil` unless the two are of one validator, one epoch and one view, and contradict one another: two different
    /// votes of one kind, or a nullify beside a finalize vote.
    public init?(_ first: Vote, _ second: Vote) {
        let one = first.statement
        let other = second.statement
        guard first.validator == second.validator, one.epoch == other.epoch,
            one.view == other.view, one != other
        else { return nil }
        let kinds = Set([one.kind, other.kind])
        guard kinds.count == 1 || kinds == [.nullify, .finalize] else { return nil }
        self.first = first
        self.second = second
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(first)
        encoder.value(second)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        let first: Vote = try decoder.value()
        let second: Vote = try decoder.value()
        guard let pair = Equivocation(first, second) else {
            throw decoder.invalid("two votes that contradict one another")
        }
        self = pair
    }
}
