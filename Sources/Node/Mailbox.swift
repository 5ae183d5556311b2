import Dispatch
import Foundation
import Synchronization

/// What many threads put and one thread takes, in order.
///
/// The taker gets everything that waits at once, so that a busy node pays for one lock per batch, not per item. The
/// putters ring only a taker that sleeps. Bounds are the putters' affair: they count what they have outstanding.
final class Mailbox<Item: Sendable>: Sendable {
    private struct Contents {
        var items: [Item] = []
        var isTakerAsleep = false
        var isClosed = false

        mutating func takeAll() -> [Item] {
            var taken: [Item] = []
            swap(&taken, &items)
            return taken
        }
    }

    private let contents = Mutex(Contents())
    private let bell = DispatchSemaphore(value: 0)

    /// - Returns: `false` when nobody will take it, because the mailbox is closed.
    @discardableResult
    func put(_ item: Item) -> Bool {
        let (isPut, mustRing) = contents.withLock { contents in
            guard !contents.isClosed else { return (false, false) }
            contents.items.append(item)
            let mustRing = contents.isTakerAsleep
            contents.isTakerAsleep = false
            return (true, mustRing)
        }
        if mustRing { bell.signal() }
        return isPut
    }

    /// Whatever waits, or nothing when the deadline passed or the mailbox was closed. For the one taker's thread.
    func take(until deadline: DispatchTime) -> [Item] {
        let now: [Item]? = contents.withLock { contents in
            guard contents.items.isEmpty, !contents.isClosed else { return contents.takeAll() }
            contents.isTakerAsleep = true
            return nil
        }
        if let now { return now }
        if bell.wait(timeout: deadline) == .timedOut {
            let wasRung = contents.withLock { contents in
                let wasRung = !contents.isTakerAsleep
                contents.isTakerAsleep = false
                return wasRung
            }
            // A putter that found the taker asleep has rung or is about to: use up its ring.
            if wasRung { bell.wait() }
        }
        return contents.withLock { $0.takeAll() }
    }

    /// Whatever waits, at once. For the one taker's thread.
    func takeNow() -> [Item] { contents.withLock { $0.takeAll() } }

    /// Puts fail from now on. Returns what nobody took.
    func close() -> [Item] {
        let (left, mustRing) = contents.withLock { contents in
            contents.isClosed = true
            let mustRing = contents.isTakerAsleep
            contents.isTakerAsleep = false
            return (contents.takeAll(), mustRing)
        }
        if mustRing { bell.signal() }
        return left
    }

    var isClosed: Bool { contents.withLock { $0.isClosed } }
}

/// A thread of one's own, off the cooperative pool, where waiting and writing to disk are allowed.
enum DedicatedThread {
    /// Runs `body` on a new thread with a stack for deep decoders.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let thread = Thread {
            // From within: set from outside, the system never hears of it and profiles show no names.
            Thread.current.name = name
            body()
        }
        thread.stackSize = stackBytes
        thread.start()
    }

    private static let stackBytes = 4 * 1_048_576
}
