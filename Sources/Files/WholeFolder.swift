import Glibc

/// A folder of new files that is there whole or not at all.
///
/// The files are written into a folder beside it, whose name ends in `.new`, and that takes the name at last. A crash leaves nothing of that name,
/// and at most the other one; none is in the way later.
public struct WholeFolder {
    /// Whichever link was named.
    public let path: String
    private let new: String

    /// - Parameter path: nothing has that name, or an empty folder.
    public init(_ path: String) throws(WholeFile.Problem) {
        self.path = try Self.vacant(path)
        let random = UInt64.random(in: .min ... .max)
        new = "\(self.path).\(String(random, radix: 16)).new"
        var status = stat()
        // Nobody reads what the empty folder kept from him.
        let mode = stat(self.path, &status) == 0 ? status.st_mode & 0o777 : 0o755
        guard mkdir(new, mode) == 0 else { throw WholeFile.Problem(self.path) }
    }

    /// The name without what follows it, or where a link to an empty folder leads.
    private static func vacant(_ path: String) throws(WholeFile.Problem) -> String {
        var name = path
        while name.count > 1, name.hasSuffix("/") { name.removeLast() }
        // Else it would be the folder that one is in.
        guard !name.isEmpty else {
            errno = ENOENT
            throw WholeFile.Problem(path)
        }
        guard WholeFile.isTaken(name) else { return name }
        guard let resolved = realpath(name, nil) else { throw WholeFile.Problem(path) }
        defer { free(resolved) }
        let target = String(cString: resolved)
        // A file, and a folder with something in it, would be refused at last anyway.
        guard try isEmpty(target, named: path) else {
            errno = ENOTEMPTY
            throw WholeFile.Problem(path)
        }
        return target
    }

    private static func isEmpty(
        _ folder: String, named path: String
    ) throws(WholeFile.Problem) -> Bool {
        guard let entries = opendir(folder) else { throw WholeFile.Problem(path) }
        defer { closedir(entries) }
        var count = 0
        while readdir(entries) != nil { count += 1 }
        // Itself and the one above.
        return count <= 2
    }

    /// - Parameter name: of no other file here; with the folders that it is in, which are made.
    public func write(_ bytes: [UInt8], to name: String) throws(WholeFile.Problem) {
        var folder = new
        for part in name.split(separator: "/").dropLast() {
            folder += "/\(part)"
            guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
                throw WholeFile.Problem("\(path)/\(name)")
            }
        }
        do throws(WholeFile.Problem) {
            try WholeFile.create("\(new)/\(name)", bytes, isDurable: false)
        } catch {
            throw WholeFile.Problem(
                path: "\(path)/\(name)", reason: error.reason, isTaken: error.isTaken)
        }
    }

    /// All files are there from now on, and stay when the power fails.
    public func finish() throws(WholeFile.Problem) {
        try flush()
        guard rename(new, path) == 0 else { throw WholeFile.Problem(path) }
        try WholeFile.syncFolder(of: path)
    }

    /// Written one by one and brought to the disk together: the first of these calls does the most for all of them.
    private func flush() throws(WholeFile.Problem) {
        for name in try names() + ["."] {
            let file = open("\(new)/\(name)", O_RDONLY | O_CLOEXEC)
            guard file >= 0 else { throw WholeFile.Problem("\(path)/\(name)") }
            defer { close(file) }
            // Some file systems sync no folders and say so.
            guard fsync(file) == 0 || errno == EINVAL else {
                throw WholeFile.Problem("\(path)/\(name)")
            }
        }
    }

    /// Nothing of it is left, as far as that can be done.
    public func discard() {
        for name in (try? names()) ?? [] { remove("\(new)/\(name)") }
        rmdir(new)
    }

    /// Of all files and folders in it, each before the folder that it is in.
    private func names(in folder: String = "") throws(WholeFile.Problem) -> [String] {
        guard let entries = opendir(new + "/" + folder) else { throw WholeFile.Problem(path) }
        defer { closedir(entries) }
        var names: [String] = []
        while let entry = readdir(entries) {
            let name = WholeFile.name(of: entry)
            guard name != ".", name != ".." else { continue }
            var status = stat()
            if lstat("\(new)/\(folder)\(name)", &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                names += try self.names(in: folder + name + "/")
            }
            names.append(folder + name)
        }
        return names
    }
}
