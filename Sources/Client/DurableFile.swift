import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// Files that are there whole, or as they were before.
public enum DurableFile {
    /// Puts a file in the place of what has that name. A crash leaves the older one, and beside it at most one that ends in `.new`.
    public static func replace(_ path: String, _ bytes: [UInt8]) throws(SetupError) {
        let new = path + ".new"
        let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard file >= 0 else { throw problem(path) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                _ = close(file)
                throw problem(path)
            }
            rest = rest.dropFirst(count)
        }
        let isSynced = fsync(file) == 0
        guard close(file) == 0, isSynced, rename(new, path) == 0 else { throw problem(path) }
        // Without this a crash may bring back the name's older file.
        let folder = open(
            URL(filePath: path).deletingLastPathComponent().path,
            O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw problem(path) }
        defer { _ = close(folder) }
        guard fsync(folder) == 0 else { throw problem(path) }
    }

    private static func problem(_ path: String) -> SetupError {
        let reason = String(cString: strerror(errno))
        return SetupError(
            file: path, english: "it cannot be written: \(reason)", chinese: "无法写入：\(reason)")
    }
}
