import Encoding
import Glibc

/// The worker's side: one request on standard input, one answer on standard output, then the end.
///
/// It runs inside bubblewrap, where it finds its own program and libraries and one table, and nothing else; it then
/// takes from itself what it does not need.
public enum WorkerProgram {
    /// Beyond SQLite's heap, for the program itself.
    private static let baseMemoryBytes = 67_108_864

    /// - Returns: the exit status.
    public static func main() -> Int32 {
        bound(.cpu, 60)
        bound(.core, 0)
        bound(.fileSize, 0)
        bound(.files, 16)
        bound(.processes, 0)
        guard let input = readAll(),
            let request = try? WorkerRequest.decode(input, limits: WorkerRequest.limits)
        else { return 65 }
        let answer: WorkerAnswer
        switch request {
        case .selfTest(let port, let files, let process):
            answer = .selfTest(reached: SelfTest(port, files, process).reached())
        case .run(let job):
            bound(.cpu, UInt(job.limits.wallMsMax / 1_000 + 1))
            bound(.data, UInt(job.limits.memoryBytesMax + baseMemoryBytes))
            answer = QueryRun(job: job).answer()
        }
        return writeAll(answer.encoded) ? 0 : 74
    }

    private enum Bound { case cpu, core, fileSize, files, processes, data }

    /// Lowers a limit for good. A limit that cannot be set leaves the outer ones: namespaces, wall clock, step budget.
    private static func bound(_ what: Bound, _ value: UInt) {
        var limit = rlimit(rlim_cur: rlim_t(value), rlim_max: rlim_t(value))
        switch what {
        case .cpu: _ = setrlimit(__rlimit_resource_t(RLIMIT_CPU.rawValue), &limit)
        case .core: _ = setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit)
        case .fileSize: _ = setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
        case .files: _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        case .processes: _ = setrlimit(__rlimit_resource_t(__RLIMIT_NPROC.rawValue), &limit)
        case .data: _ = setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit)
        }
    }

    private static func readAll() -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0, bytes.count + count <= WorkerRequest.limits.bytesMax else {
                return nil
            }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
    }

    private static func writeAll(_ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                write(STDOUT_FILENO, $0.baseAddress?.advanced(by: offset), $0.count - offset)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            offset += count
        }
        return true
    }
}

/// Tries what an isolated worker must not be able to do.
struct SelfTest {
    private let port: UInt16
    private let files: [String]
    private let process: Int64

    init(_ port: UInt16, _ files: [String], _ process: Int64) {
        self.port = port
        self.files = files
        self.process = process
    }

    func reached() -> [String] {
        var reached: [String] = []
        if connects() { reached.append("network") }
        for file in files where opens(file) { reached.append("file \(file)") }
        if seesParent() { reached.append("process \(process)") }
        if writes() { reached.append("writable root") }
        if getuid() == 0 { reached.append("uid 0") }
        return reached
    }

    /// To the port on which the parent listens.
    private func connects() -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private func opens(_ file: String) -> Bool {
        let descriptor = open(file, O_RDONLY)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }

    private func seesParent() -> Bool {
        // Small numbers are the worker's own few processes in its own namespace.
        guard let number = pid_t(exactly: process), number > 16 else { return false }
        return kill(number, 0) == 0 || errno == EPERM
    }

    private func writes() -> Bool {
        let descriptor = open("/probe", O_CREAT | O_WRONLY, 0o600)
        guard descriptor >= 0 else { return false }
        close(descriptor)
        return true
    }
}
