import Foundation

/// Where a member's passphrase comes from, by the rules that `huijind` has for a node's: never an argument, since those
/// are visible to every user.
public enum Passphrase {
    public static let variable = "HUIJIN_PASSPHRASE"
    private static let bytesMax = 4_096

    /// - Parameter file: its first line is the passphrase; `nil` reads the environment.
    public static func read(
        file: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(SetupError) -> String {
        if let file {
            let bytes = try SetupFile.read(file, bytesMax: bytesMax)
            let line = bytes.prefix { $0 != 0x0a && $0 != 0x0d }
            guard let text = String(validating: line, as: UTF8.self), !text.isEmpty else {
                throw SetupError(
                    file: file, english: "its first line must be the passphrase, in UTF-8",
                    chinese: "首行应为 UTF-8 口令")
            }
            return text
        }
        guard let text = environment[variable], !text.isEmpty else {
            throw SetupError(
                file: variable,
                english:
                    "there is no passphrase in this environment variable; set it, or name a file with --passphrase-file",
                chinese: "该环境变量中没有口令，请设置，或用 --passphrase-file 指定文件")
        }
        return text
    }
}
