/// A value whose signatures were checked, or which this process made itself.
///
/// Only the functions that check make one, beside `init(assumingValid:)`, whose callers answer for it: they read
/// the value back from their own durable store, or they just signed it.
public struct Verified<Value: Sendable>: Sendable {
    public let value: Value

    /// For values that this replica itself stored or signed.
    public init(assumingValid value: Value) {
        self.value = value
    }

    init(checked value: Value) {
        self.value = value
    }
}

extension Verified: Equatable where Value: Equatable {}
