import CSQLite
import Synchronization

/// Stops whatever its connection is running, from any thread.
public final class Interrupter: Sendable {
    /// The connection as a number, because a pointer is not `Sendable`; 0 once it is closed.
    private let address: Mutex<UInt>

    init(_ handle: OpaquePointer) {
        address = Mutex(UInt(bitPattern: handle))
    }

    /// Statements that are running fail with `SQLiteError.isInterrupted`; a transaction that was
    /// writing rolls back. Does nothing where none runs, or the connection is closed.
    public func interrupt() {
        // Held during the call, so that the connection cannot close under it.
        address.withLock { address in
            if let handle = OpaquePointer(bitPattern: address) { sqlite3_interrupt(handle) }
        }
    }

    func close() {
        address.withLock { $0 = 0 }
    }
}
