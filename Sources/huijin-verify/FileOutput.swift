import Files
import Glibc

enum FileOutput {
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
