import Glibc

/// Writes new files into a folder; what is there already is never overwritten.
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
        let path = "\(folder)/\(name)"
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
        guard close(file) == 0 else { throw Self.problem(path) }
    }

    private static func problem(_ path: String) -> Problem {
        Problem(path: path, reason: String(cString: strerror(errno)))
    }
}
