import Glibc

/// Writes files: new ones into a folder, where nothing that is there is overwritten, or one in the place of an older.
struct FileOutput {
    struct Problem: Error {
        let path: String
        let reason: String

        var text: String { "cannot write \(path): \(reason) / 无法写入 \(path)" }
    }

    let folder: String

    /// Makes the folder where there is none; its parent must exist.
    init(folder: String) throws(Problem) {
        self.folder = folder
        guard mkdir(folder, 0o755) == 0 || errno == EEXIST else { throw Self.problem(folder) }
    }

    func write(_ bytes: [UInt8], to name: String) throws(Problem) {
        try Self.create("\(folder)/\(name)", bytes, isDurable: false)
    }

    /// In the place of what is there, all or nothing: a crash leaves the older file, and beside it at most one that ends in `.new`
    /// and the process's number.
    static func replace(_ path: String, _ bytes: [UInt8]) throws(Problem) {
        let new = "\(path).new\(getpid())"
        try create(new, bytes)
        guard rename(new, path) == 0 else {
            let failure = problem(path)
            unlink(new)
            throw failure
        }
        try syncFolder(of: path)
    }

    /// A new file; unless the caller can do without, durable when this returns.
    static func create(
        _ path: String, _ bytes: [UInt8], isDurable: Bool = true
    ) throws(Problem) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw Self.problem(path) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                let failure = Self.problem(path)
                _ = close(file)
                throw failure
            }
            rest = rest.dropFirst(count)
        }
        // Some file systems say only here that there was no room.
        let isSynced = !isDurable || fsync(file) == 0
        guard close(file) == 0, isSynced else { throw Self.problem(path) }
    }

    /// Without this a crash may bring back the name's older file.
    private static func syncFolder(of path: String) throws(Problem) {
        let name = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) }
        let folder = open(name ?? ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw problem(path) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw problem(path) }
    }

    private static func problem(_ path: String) -> Problem {
        Problem(path: path, reason: String(cString: strerror(errno)))
    }
}
