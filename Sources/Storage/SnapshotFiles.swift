import Foundation
import Glibc

/// Whole files of a snapshot's folder, written so that a crash leaves either none or all of each.
enum SnapshotFiles {
    static func create(folder: String) throws(StorageError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw .cannotOpen(path: folder, reason: "\(error.localizedDescription)")
        }
    }

    /// Writes a new file; with `isDurable` it is on disk when this returns.
    static func write(
        _ bytes: [UInt8], to path: String, isDurable: Bool
    ) throws(StorageError) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        guard file >= 0 else { throw failed(path) }
        defer { close(file) }
        var start = 0
        while start < bytes.count {
            let written = bytes.withUnsafeBytes {
                Glibc.write(file, $0.baseAddress?.advanced(by: start), bytes.count - start)
            }
            guard written > 0 else { throw failed(path) }
            start += written
        }
        if isDurable, fsync(file) != 0 { throw failed(path) }
    }

    /// Nil where there is no such file, or a longer one.
    static func read(_ path: String, bytesMax: Int) -> [UInt8]? {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_size >= 0, status.st_size <= bytesMax else {
            return nil
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var start = 0
        while start < bytes.count {
            let count = bytes.count
            let taken = bytes.withUnsafeMutableBytes {
                Glibc.read(file, $0.baseAddress?.advanced(by: start), count - start)
            }
            guard taken > 0 else { return nil }
            start += taken
        }
        return bytes
    }

    static func rename(_ from: String, to: String) throws(StorageError) {
        guard Glibc.rename(from, to) == 0 else { throw failed(from) }
    }

    /// Makes the names in a folder durable.
    static func sync(folder: String) throws(StorageError) {
        let file = open(folder, O_RDONLY | O_DIRECTORY)
        guard file >= 0 else { throw failed(folder) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw failed(folder) }
    }

    static func names(in folder: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    }

    /// Removes a file or a folder with what is in it; whether it was there does not matter.
    static func remove(_ path: String) {
        try? FileManager.default.removeItem(atPath: path)
    }

    private static func failed(_ path: String) -> StorageError {
        let reason = String(cString: strerror(errno))
        return errno == ENOSPC || errno == EDQUOT
            ? .diskFull(path: path) : .cannotOpen(path: path, reason: reason)
    }
}
