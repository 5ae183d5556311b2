import Dispatch
import Foundation
import Glibc
import Synchronization

/// Programs that this one has started and folders that it has made: none is left behind when a signal ends it, be it one that
/// stands still or one that was just about to be started.
enum Belongings {
    private struct State {
        var processes: [Process] = []
        var folders: [URL] = []
        var isEnding = false
    }

    private static let state = Mutex(State())

    /// Once, before anything is started.
    nonisolated(unsafe) private static let sources: [any DispatchSourceSignal] =
        [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { end(by: number) }
            source.resume()
            return source
        }

    static func make(_ folder: URL) throws {
        _ = sources
        state.withLock { $0.folders.append(folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    static func start(_ process: Process) throws {
        try state.withLock { state in
            guard !state.isEnding else { throw CancellationError() }
            try process.run()
            state.processes.removeAll { !$0.isRunning }
            state.processes.append(process)
        }
    }

    private static func end(by number: Int32) {
        let (processes, folders) = state.withLock { state in
            state.isEnding = true
            return (state.processes.filter(\.isRunning), state.folders)
        }
        // At once, since nothing of theirs is kept. By their ids: others may run nodes as well.
        for process in processes { kill(process.processIdentifier, SIGKILL) }
        for process in processes { process.waitUntilExit() }
        for folder in folders { try? FileManager.default.removeItem(at: folder) }
        // As a shell has it.
        exit(128 + number)
    }
}
