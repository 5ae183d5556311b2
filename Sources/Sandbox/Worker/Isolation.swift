import Encoding
import Foundation
import Glibc
import LedgerCrypto
import Policy
import Records

/// Why there is no isolated worker.
public enum IsolationError: Error, Equatable, Sendable, CustomStringConvertible {
    case noBubblewrap
    /// It does not start here.
    case doesNotStart(String)
    /// A worker reached these.
    case leaks([String])

    public var description: String {
        switch self {
        case .noBubblewrap:
            "bubblewrap (bwrap) is not installed; jobs never run without it: apt-get install bubblewrap / 未安装 bubblewrap，作业不会在无隔离下运行，请执行 apt-get install bubblewrap"
        case .doesNotStart(let reason):
            "a worker does not start under bubblewrap; allow user namespaces (sysctl kernel.unprivileged_userns_clone=1) or run as root: \(reason) / 隔离进程无法启动，请允许用户命名空间：\(reason)"
        case .leaks(let reached):
            "a worker reached what it must not: \(reached.joined(separator: ", ")) / 隔离失效，进程可访问：\(reached.joined(separator: "、"))"
        }
    }
}

/// Runs workers: this program again, under bubblewrap, with one table and nothing else.
///
/// Own user, network, process, IPC, host name and cgroup namespaces; no capabilities; an empty environment; a read-only
/// root that holds the program, the libraries that it is linked with, and the table. It never runs a job without.
public struct Isolation: Sendable {
    private static let places = ["/usr/bin/bwrap", "/bin/bwrap", "/usr/local/bin/bwrap"]
    private static let tablePlace = "/table.db"
    private static let nobody = "65534"
    private static let loaders = ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"]
    private static let selfTestMs = 20_000
    /// Set for a worker, and for nobody else.
    public static let workerVariable = "HUIJIN_SANDBOX_WORKER"

    private let bubblewrap: String
    private let program: String
    private let binds: [(source: String, target: String)]

    /// - Parameters:
    ///   - program: the executable that has the `worker` command; nil for this process's own.
    ///   - bubblewrap: nil looks in the usual places.
    public init(program: String? = nil, bubblewrap: String? = nil) throws(IsolationError) {
        let candidates = bubblewrap.map { [$0] } ?? Isolation.places
        guard let found = candidates.first(where: { access($0, X_OK) == 0 }) else {
            throw .noBubblewrap
        }
        self.bubblewrap = found
        guard let program = program ?? Isolation.realPath("/proc/self/exe") else {
            throw .doesNotStart("/proc/self/exe")
        }
        self.program = program
        binds = Isolation.libraries() + [(program, program)]
    }

    private static func realPath(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The shared libraries that this process has mapped, each also under the links that the loader finds it by.
    private static func libraries() -> [(source: String, target: String)] {
        // Files in /proc state no size, so they are read piece by piece.
        var bytes: [UInt8] = []
        let handle = FileHandle(forReadingAtPath: "/proc/self/maps")
        while let piece = try? handle?.read(upToCount: 65_536), !piece.isEmpty { bytes += piece }
        let maps = String(decoding: bytes, as: UTF8.self)
        var files: Set<String> = []
        for line in maps.split(separator: "\n") {
            guard let slash = line.firstIndex(of: "/") else { continue }
            let path = String(line[slash...])
            let name = path.split(separator: "/").last ?? ""
            if name.hasSuffix(".so") || name.contains(".so.") { files.insert(path) }
        }
        var binds: [(source: String, target: String)] = []
        for folder in Set(files.map { ($0 as NSString).deletingLastPathComponent }).sorted() {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for name in names.sorted() where name.contains(".so") {
                let path = folder + "/" + name
                if let real = realPath(path), files.contains(real) { binds.append((real, path)) }
            }
        }
        for loader in loaders {
            if let real = realPath(loader) { binds.append((real, loader)) }
        }
        return binds
    }

    private func arguments(table: String?) -> [String] {
        var arguments = [
            "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent",
            "--new-session", "--clearenv", "--uid", Isolation.nobody, "--gid", Isolation.nobody,
            "--cap-drop", "ALL", "--hostname", "worker",
        ]
        let folders = Set(binds.map { ($0.target as NSString).deletingLastPathComponent }).sorted()
        arguments += ["--setenv", "LD_LIBRARY_PATH", folders.joined(separator: ":")]
        arguments += ["--setenv", Isolation.workerVariable, "1"]
        for bind in binds { arguments += ["--ro-bind", bind.source, bind.target] }
        if let table { arguments += ["--ro-bind", table, Isolation.tablePlace] }
        return arguments + ["--remount-ro", "/", "--chdir", "/", "--", program, "worker"]
    }

    // MARK: Self-test

    /// Starts a worker that tries to reach this process's port, files and process, and expects it to fail.
    ///
    /// - Parameter files: ours, which it must not read.
    public func check(files: [String]) throws(IsolationError) {
        guard let listener = Listener() else { throw .doesNotStart("no port for the self-test") }
        defer { listener.stop() }
        let request = WorkerRequest.selfTest(
            port: listener.port, files: files + ["/etc/shadow", "/etc/passwd", "/proc/self/maps"],
            process: Int64(getpid()))
        let result = try run(request, table: nil, Isolation.selfTestMs, outputBytesMax: 65_536)
        guard case .exited(0) = result.end,
            case .selfTest(let reached)? = try? WorkerAnswer.decode(result.output)
        else { throw .doesNotStart("\(result.end) \(result.errors)") }
        guard reached.isEmpty else { throw .leaks(reached) }
    }

    private func run(
        _ request: WorkerRequest, table: String?, _ timeoutMs: Int, outputBytesMax: Int
    ) throws(IsolationError) -> ChildResult {
        do throws(SpawnError) {
            return try ChildProcess.run(
                bubblewrap, arguments(table: table), input: request.encoded, timeoutMs: timeoutMs,
                outputBytesMax: outputBytesMax)
        } catch {
            throw .doesNotStart(error.description)
        }
    }

    // MARK: Jobs

    /// Runs a gated query over a table file. Blocks the thread for at most `wallMsMax`.
    ///
    /// - Throws: `GateRefusal` for every reason why there is no output; `IsolationError` when no worker starts.
    public func run(
        _ query: GatedQuery, table: String, rules: DisclosureRules, limits: WorkerLimits
    ) throws -> JobOutput {
        let job = WorkerJob(
            tablePath: Isolation.tablePlace, query: query, rules: rules, limits: limits)
        let result = try run(
            .run(job), table: table, limits.wallMsMax,
            outputBytesMax: limits.outputBytesMax + WorkerAnswer.overheadBytes)
        switch result.end {
        case .timedOut:
            throw GateRefusal(
                .resourceLimit, "it ran longer than \(limits.wallMsMax) ms",
                "运行超过 \(limits.wallMsMax) 毫秒")
        case .tooMuchOutput:
            throw GateRefusal(
                .outputTooLarge, "more than \(limits.outputBytesMax) bytes of output",
                "输出超过 \(limits.outputBytesMax) 字节")
        case .signalled, .exited:
            let answerLimits = WorkerAnswer.limits(outputBytesMax: limits.outputBytesMax)
            guard result.end == .exited(0),
                let answer = try? WorkerAnswer.decode(result.output, limits: answerLimits)
            else {
                // bubblewrap passes a killing signal on as 128 and its number: processor time or memory ran out.
                if case .exited(let code) = result.end, code < 128, !result.errors.isEmpty {
                    throw IsolationError.doesNotStart(result.errors)
                }
                throw GateRefusal(
                    .resourceLimit, "the worker was ended: out of memory or processor time",
                    "工作进程因内存或处理器时间超限而终止")
            }
            switch answer {
            case .output(let output): return output
            case .refused(let code, let english, let chinese):
                throw GateRefusal(code, english, chinese)
            case .selfTest: throw IsolationError.doesNotStart("an answer to another question")
            }
        }
    }
}

/// A port of ours that a worker must not reach.
private struct Listener {
    let port: UInt16
    private let descriptor: Int32

    init?() {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isReady = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 4) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isReady else {
            close(descriptor)
            return nil
        }
        port = UInt16(bigEndian: address.sin_port)
    }

    func stop() { close(descriptor) }
}
