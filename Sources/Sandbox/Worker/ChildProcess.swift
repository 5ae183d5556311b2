import Glibc

/// How a child ended, and what it said.
struct ChildResult: Sendable {
    enum End: Equatable, Sendable {
        case exited(Int32)
        case signalled(Int32)
        /// Killed by us.
        case timedOut
        case tooMuchOutput
    }

    let end: End
    let output: [UInt8]
    /// At most `ChildProcess.errorBytesMax`.
    let errors: String
}

struct SpawnError: Error, Equatable, CustomStringConvertible {
    let path: String
    let number: Int32

    var description: String {
        "\(path) does not start: \(String(cString: strerror(number))) / 无法启动 \(path)"
    }
}

/// Runs a program to its end with an empty environment and no descriptors but its three; blocks the thread.
///
/// The thread stays, because a child that dies with its parent dies with the thread that made it.
enum ChildProcess {
    static let errorBytesMax = 4_096
    /// Far above what a sandbox has open.
    private static let descriptorsMax = 4_096

    static func run(
        _ path: String, _ arguments: [String], input: [UInt8], timeoutMs: Int, outputBytesMax: Int
    ) throws(SpawnError) -> ChildResult {
        // A child that ends before it has read everything must not end us.
        signal(SIGPIPE, SIG_IGN)
        var pipes: [(read: Int32, write: Int32)] = []
        defer {
            for pipe in pipes {
                if pipe.read >= 0 { close(pipe.read) }
                if pipe.write >= 0 { close(pipe.write) }
            }
        }
        for _ in 0..<3 {
            var ends: [Int32] = [-1, -1]
            guard pipe(&ends) == 0 else { throw SpawnError(path: path, number: errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            pipes.append((ends[0], ends[1]))
        }
        let process = try spawn(
            path, arguments, [pipes[0].read, pipes[1].write, pipes[2].write])
        close(pipes[0].read)
        close(pipes[1].write)
        close(pipes[2].write)
        pipes[0].read = -1
        pipes[1].write = -1
        pipes[2].write = -1
        for descriptor in [pipes[0].write, pipes[1].read, pipes[2].read] {
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
        }
        var talk = Conversation(input: input, outputBytesMax: outputBytesMax)
        let broken = talk.run(&pipes, untilMs: nowMs() + Int64(timeoutMs))
        if broken != nil { kill(process, SIGKILL) }
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0 && errno == EINTR {}
        let code = status & 0x7F
        let end = broken ?? (code == 0 ? .exited((status >> 8) & 0xFF) : .signalled(code))
        return ChildResult(
            end: end, output: talk.output, errors: String(decoding: talk.errors, as: UTF8.self))
    }

    private static func nowMs() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ descriptors: [Int32]
    ) throws(SpawnError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }
        // Some libraries open files without close-on-exec. Closing what is not open is no error.
        for descriptor in 3..<Int32(min(sysconf(Int32(_SC_OPEN_MAX)), descriptorsMax)) {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK))
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
        words.append(nil)
        defer { for word in words { free(word) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var process: pid_t = 0
        let result = posix_spawn(&process, path, &actions, &attributes, words, &environment)
        guard result == 0 else { throw SpawnError(path: path, number: result) }
        return process
    }

    /// Writing and reading at the same time, so that neither side waits for the other.
    private struct Conversation {
        let input: [UInt8]
        let outputBytesMax: Int
        var written = 0
        var output: [UInt8] = []
        var errors: [UInt8] = []

        init(input: [UInt8], outputBytesMax: Int) {
            self.input = input
            self.outputBytesMax = outputBytesMax
        }

        /// - Returns: why it was broken off; nil when the child closed its ends.
        mutating func run(
            _ pipes: inout [(read: Int32, write: Int32)], untilMs: Int64
        ) -> ChildResult.End? {
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while pipes[1].read >= 0 || pipes[2].read >= 0 {
                let left = untilMs - ChildProcess.nowMs()
                guard left > 0 else { return .timedOut }
                var polled = [
                    pollfd(fd: pipes[0].write, events: Int16(POLLOUT), revents: 0),
                    pollfd(fd: pipes[1].read, events: Int16(POLLIN), revents: 0),
                    pollfd(fd: pipes[2].read, events: Int16(POLLIN), revents: 0),
                ]
                let ready = poll(&polled, 3, Int32(clamping: left))
                if ready < 0 && errno != EINTR { return .timedOut }
                guard ready > 0 else { continue }
                if polled[0].revents != 0 { send(&pipes[0].write) }
                if polled[1].revents != 0 {
                    receive(&pipes[1].read, &chunk) { output += $0 }
                    if output.count > outputBytesMax { return .tooMuchOutput }
                }
                if polled[2].revents != 0 {
                    receive(&pipes[2].read, &chunk) { bytes in
                        errors += bytes.prefix(ChildProcess.errorBytesMax - errors.count)
                    }
                }
            }
            return nil
        }

        private mutating func send(_ descriptor: inout Int32) {
            let offset = written
            let count = input.withUnsafeBytes {
                write(descriptor, $0.baseAddress?.advanced(by: offset), $0.count - offset)
            }
            if count > 0 { written += count }
            let isBroken = count < 0 && errno != EINTR && errno != EAGAIN
            if isBroken || written == input.count {
                close(descriptor)
                descriptor = -1
            }
        }

        private func receive(
            _ descriptor: inout Int32, _ chunk: inout [UInt8], _ take: (ArraySlice<UInt8>) -> Void
        ) {
            let count = read(descriptor, &chunk, chunk.count)
            if count > 0 {
                take(chunk[..<count])
            } else if count == 0 || errno != EINTR && errno != EAGAIN {
                close(descriptor)
                descriptor = -1
            }
        }
    }
}
