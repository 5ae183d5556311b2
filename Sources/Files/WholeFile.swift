import Glibc

/// Files that are there whole or not at all, whatever happens in between.
public enum WholeFile {
    public struct Problem: Error, Equatable, Sendable {
        public let path: String
        public let reason: SystemReason
        /// Something has that name already.
        public let isTaken: Bool

        public init(path: String, reason: SystemReason, isTaken: Bool = false) {
            self.path = path
            self.reason = reason
            self.isTaken = isTaken
        }

        /// As the last system call left it.
        init(_ path: String) {
            let number = errno
            self.init(path: path, reason: SystemReason(number: number), isTaken: number == EEXIST)
        }

        public var english: String { "it cannot be written: \(reason.english)" }
        public var chinese: String { "无法写入：\(reason.chinese)" }
    }

    /// A new file. Where anything has that name, be it a link to nothing, nothing is changed.
    ///
    /// A crash leaves no such file, and beside it at most one whose name ends in `.new`; none is in the way later. Only a file system
    /// without hard links can keep an empty file of that name, if the crash comes between two calls.
    ///
    /// - Parameter isDurable: on the disk when this returns; who makes many files may do without.
    public static func create(
        _ path: String, _ bytes: [UInt8], mode: mode_t = 0o644, isDurable: Bool = true
    ) throws(Problem) {
        // Nothing is made beside what is there already, which may be a device.
        guard !isTaken(path) else {
            errno = EEXIST
            throw Problem(path)
        }
        let new = try writeNew(path, bytes, mode: mode, isDurable: isDurable)
        defer { unlink(new) }
        try give(path, to: new)
        if isDurable { try syncFolder(of: path) }
    }

    /// In the place of what is there, which must be a file or a link to one; a link stays and leads to the new content.
    ///
    /// A crash leaves the older file, and beside it at most one whose name ends in `.new`.
    public static func replace(
        _ path: String, _ bytes: [UInt8], mode: mode_t = 0o644
    ) throws(Problem) {
        let target = try target(of: path)
        let new = try writeNew(target, bytes, mode: mode, isDurable: true)
        guard rename(new, target) == 0 else {
            let problem = Problem(path)
            unlink(new)
            throw problem
        }
        try syncFolder(of: target)
    }

    /// Whether anything has that name, be it a link to nothing.
    public static func isTaken(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    /// Whether the file holds these bytes and nothing else; not where it cannot be read.
    public static func isThere(_ path: String, _ bytes: [UInt8]) -> Bool {
        let file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size == bytes.count
        else { return false }
        var chunk = [UInt8](repeating: 0, count: min(max(bytes.count, 1), 1_048_576))
        var rest = bytes[...]
        while true {
            let count = read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 && rest.isEmpty }
            guard rest.starts(with: chunk[..<count]) else { return false }
            rest = rest.dropFirst(count)
        }
    }

    /// Regular files whose paths begin so, ascending. What a crash left half written, whose name ends in `.new`, is
    /// passed over.
    public static func files(
        beginningWith path: String
    ) throws(Problem) -> [(path: String, bytes: Int)] {
        let end = path.lastIndex(of: "/").map { path.index(after: $0) } ?? path.startIndex
        let (folder, prefix) = (path[..<end], path[end...])
        guard let open = opendir(folder.isEmpty ? "." : String(folder)) else { throw Problem(path) }
        defer { closedir(open) }
        var names: [String] = []
        while let entry = readdir(open) {
            let name = name(of: entry)
            if name.hasPrefix(prefix), !name.hasSuffix(".new") { names.append(name) }
        }
        return names.sorted().compactMap { name in
            var status = stat()
            guard lstat(folder + name, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                return nil
            }
            return (folder + name, Int(status.st_size))
        }
    }

    static func name(of entry: UnsafeMutablePointer<dirent>) -> String {
        withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) {
                String(cString: $0)
            }
        }
    }

    /// The first of the files whose names go on with that mark from the name of the file that `path` leads to.
    public static func first(
        beside path: String, marked mark: String
    ) throws(Problem) -> String? {
        try files(beginningWith: target(of: path) + mark).first?.path
    }

    /// Where the bytes of that name are: the name itself, or what a link leads to.
    public static func target(of path: String) throws(Problem) -> String {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw Problem(path) }
            return path
        }
        var target = path
        if status.st_mode & S_IFMT == S_IFLNK {
            guard let resolved = realpath(path, nil) else {
                guard errno == ENOENT else { throw Problem(path) }
                throw Problem(
                    path: path, reason: SystemReason("a link to nothing", "该符号链接指向的文件不存在"))
            }
            defer { free(resolved) }
            target = String(cString: resolved)
            guard lstat(target, &status) == 0 else { throw Problem(path) }
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Problem(path: path, reason: SystemReason("not a regular file", "不是普通文件"))
        }
        return target
    }

    /// - Returns: the name of the file beside `path`, which nobody else has.
    private static func writeNew(
        _ path: String, _ bytes: [UInt8], mode: mode_t, isDurable: Bool
    ) throws(Problem) -> String {
        let random = UInt64.random(in: .min ... .max)
        let new = "\(path).\(String(random, radix: 16)).new"
        let file = open(new, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard file >= 0 else { throw Problem(path) }
        var problem: Problem?
        if !write(bytes, to: file) || (isDurable && fsync(file) != 0) { problem = Problem(path) }
        // Some file systems say only here that there was no room.
        if close(file) != 0, problem == nil { problem = Problem(path) }
        guard let problem else { return new }
        unlink(new)
        throw problem
    }

    /// All of the bytes.
    ///
    /// - Returns: false with the reason in `errno`.
    public static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                return false
            }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Gives the file a name that nothing has.
    private static func give(_ path: String, to new: String) throws(Problem) {
        if link(new, path) == 0 { return }
        guard errno == EPERM || errno == EOPNOTSUPP || errno == ENOSYS else { throw Problem(path) }
        // A file system without hard links, such as that of a memory stick: the name is taken by an empty file for a moment.
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Problem(path) }
        guard close(file) == 0, rename(new, path) == 0 else {
            let problem = Problem(path)
            unlink(path)
            throw problem
        }
    }

    /// Without this a crash may bring back what the name stood for before.
    static func syncFolder(of path: String) throws(Problem) {
        let name = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) }
        let folder = open(name ?? ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Problem(path) }
        defer { close(folder) }
        // Some file systems sync no folders and say so.
        guard fsync(folder) == 0 || errno == EINVAL else { throw Problem(path) }
    }
}
