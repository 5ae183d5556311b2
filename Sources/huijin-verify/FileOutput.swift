import Files
import Glibc

enum FileOutput {
    /// What is written to where no file was named.
    static let standardOutput = "-"

    /// All of a text on standard output.
    static func say(_ text: String) throws(WholeFile.Problem) {
        guard WholeFile.write(Array(text.utf8), to: STDOUT_FILENO) else {
            throw WholeFile.Problem(path: standardOutput, reason: .last)
        }
    }
}

extension WholeFile.Problem {
    var text: String {
        let isOutput = path == FileOutput.standardOutput
        return "cannot write \(isOutput ? "standard output" : path): \(reason.english) / "
            + "无法写入\(isOutput ? "标准输出" : " \(path)")：\(reason.chinese)"
    }
}
