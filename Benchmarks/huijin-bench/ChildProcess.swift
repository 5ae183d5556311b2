import Foundation
import Glibc

/// A program that is run to its end, and what it took.
struct ChildProcess {
    let exitCode: Int32
    /// Resident at most, in KiB: the kernel's VmHWM, read every 100 µs. What `wait4` says has in it what this process held when it
    /// made the other one.
    let residentKiBMax: Int
    /// User and system.
    let cpuSeconds: Double

    struct Failed: Error, CustomStringConvertible {
        let description: String
    }

    /// Its standard output and error are thrown away.
    init(_ program: String, _ arguments: [String]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_WRONLY, 0)
        }
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        guard posix_spawn(&process, program, &actions, nil, &words, environ) == 0 else {
            throw Failed(description: "\(program) does not start")
        }
        var status: Int32 = 0
        var usage = rusage()
        var resident = 0
        var ended: pid_t = 0
        while ended == 0 {
            resident = max(resident, Self.residentKiBMax(process, program))
            usleep(100)
            ended = wait4(process, &status, WNOHANG, &usage)
        }
        guard ended == process, status & 0x7F == 0 else {
            throw Failed(description: "\(program) ended by a signal")
        }
        exitCode = status >> 8 & 0xFF
        residentKiBMax = resident
        cpuSeconds = [usage.ru_utime, usage.ru_stime].reduce(0) {
            $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6
        }
    }

    /// 0 when it has ended, or does not run the program yet.
    private static func residentKiBMax(_ process: pid_t, _ program: String) -> Int {
        let folder = "/proc/\(process)"
        let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/exe")
        guard
            link.map({ URL(filePath: $0).lastPathComponent })
                == URL(filePath: program).lastPathComponent,
            let text = try? String(contentsOfFile: "\(folder)/status", encoding: .utf8),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM") })
        else { return 0 }
        return line.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0
    }
}
