import Files
import Glibc

/// Writes new files into a folder, where nothing that is there is overwritten.
struct FileOutput {
    let folder: String

    /// Makes the folder where there is none; its parent must exist.
    init(folder: String) throws(WholeFile.Problem) {
        self.folder = folder
        guard mkdir(folder, 0o755) == 0 || errno == EEXIST else {
            throw WholeFile.Problem(path: folder, reason: String(cString: strerror(errno)))
        }
    }

    func write(_ bytes: [UInt8], to name: String) throws(WholeFile.Problem) {
        try WholeFile.create("\(folder)/\(name)", bytes, isDurable: false)
    }

    /// All of a text on standard output.
    static func say(_ text: String) throws(WholeFile.Problem) {
        guard WholeFile.write(Array(text.utf8), to: STDOUT_FILENO) else {
            throw WholeFile.Problem(
                path: "standard output / 标准输出", reason: String(cString: strerror(errno)))
        }
    }
}

extension WholeFile.Problem {
    var text: String { "cannot write \(path): \(reason) / 无法写入 \(path)" }
}
