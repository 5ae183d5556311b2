import Foundation
import Glibc

extension Process {
    /// Runs it, and ends it when it has run for far longer than any of these tests takes: nothing else would end a test that waits
    /// for it, and all that come after.
    public func runForAWhile() throws {
        try run()
        DispatchQueue.global().asyncAfter(deadline: .now() + 600) { [self] in
            if isRunning { kill(processIdentifier, SIGKILL) }
        }
    }
}
