import Foundation
import Synchronization

/// A value behind a lock, and a way to wait until it is what a test needs.
///
/// A wait ends with `CancellationError` when its test has run out of time, so that the test fails where it waits and
/// holds up no other.
public final class Watched<Value: Sendable>: Sendable {
    private struct Waiter {
        let isEnough: @Sendable (Value) -> Bool
        let continuation: CheckedContinuation<Value, any Error>
    }

    private struct State {
        var value: Value
        var waiters: [UUID: Waiter] = [:]
    }

    private let state: Mutex<State>

    public init(_ value: Value) { state = Mutex(State(value: value)) }

    public func withLock<Result: Sendable>(
        _ body: (inout Value) throws -> Result
    ) rethrows -> Result {
        let (result, value, done) = try state.withLock { state in
            let result = try body(&state.value)
            let value = state.value
            let done = state.waiters.filter { $0.value.isEnough(value) }
            for id in done.keys { state.waiters[id] = nil }
            return (result, value, done.values)
        }
        for waiter in done { waiter.continuation.resume(returning: value) }
        return result
    }

    @discardableResult
    public func wait(_ isEnough: @escaping @Sendable (Value) -> Bool) async throws -> Value {
        let id = UUID()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let now: Result<Value, any Error>? = state.withLock { state in
                    if isEnough(state.value) { return .success(state.value) }
                    // Cancelled before it waits; whoever is cancelled later finds it among the waiters.
                    if Task.isCancelled { return .failure(CancellationError()) }
                    state.waiters[id] = Waiter(isEnough: isEnough, continuation: continuation)
                    return nil
                }
                if let now { continuation.resume(with: now) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: id) }
            waiter?.continuation.resume(throwing: CancellationError())
        }
    }
}
