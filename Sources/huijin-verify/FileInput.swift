import Files
import Glibc

/// Reads a whole file, up to a limit.
enum FileInput {
    enum Problem: Error {
        case unreadable(path: String, SystemReason)
        case tooLarge(path: String, bytesMax: Int)

        var text: String {
            switch self {
            case .unreadable(let path, let reason):
                "cannot read \(path): \(reason.english) / 无法读取文件 \(path)：\(reason.chinese)"
            case .tooLarge(let path, let bytesMax):
                "\(path) is larger than \(bytesMax) bytes / 文件 \(path) 超过 \(bytesMax) 字节"
            }
        }
    }

    /// For what is not there.
    static func missing(_ path: String) -> Problem {
        .unreadable(path: path, SystemReason(number: ENOENT))
    }

    /// Whether anything has that name, readable or not.
    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 || errno != ENOENT }

    /// - Throws: for what exists and is no regular file, as a pipe that nobody may ever write to.
    static func requireRegular(_ path: String) throws(Problem) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw unreadable(path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .unreadable(
                path: path, SystemReason("it is not a regular file", "不是普通文件"))
        }
    }

    private static let chunkBytes = 1_048_576

    static func read(_ path: String, bytesMax: Int) throws(Problem) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw unreadable(path) }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: chunkBytes)
        while true {
            let count = Glibc.read(file, &chunk, chunkBytes)
            if count < 0 {
                if errno == EINTR { continue }
                throw unreadable(path)
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= bytesMax else {
                throw .tooLarge(path: path, bytesMax: bytesMax)
            }
        }
    }

    private static func unreadable(_ path: String) -> Problem {
        .unreadable(path: path, .last)
    }
}
