import Foundation

/// Where the passphrase of encrypted key files comes from. Never an argument: those are visible to every user.
public enum Passphrase {
    public static let variable = "HUIJIN_PASSPHRASE"
    private static let bytesMax = 4_096

    /// - Parameter file: its first line is the passphrase; `nil` reads the environment.
    public static func read(
        file: String?, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(ConfigurationError) -> String {
        if let file {
            let bytes = try FileBytes.read(file, bytesMax: bytesMax, file: file, field: nil)
            let line = bytes.prefix { $0 != 0x0a && $0 != 0x0d }
            guard let text = String(validating: line, as: UTF8.self), !text.isEmpty else {
                throw ConfigurationError(
                    file: file, problem: "its first line holds no passphrase",
                    problemZh: "首行没有口令", remedy: "write the passphrase as UTF-8 in its first line",
                    remedyZh: "请在首行以 UTF-8 写入口令")
            }
            return text
        }
        guard let text = environment[variable], !text.isEmpty else {
            throw ConfigurationError(
                file: "environment / 环境变量", field: variable,
                problem: "there is no passphrase for the key files", problemZh: "没有密钥口令",
                remedy: "set it, or name a file with --passphrase-file",
                remedyZh: "请设置该变量，或用 --passphrase-file 指定文件")
        }
        return text
    }
}
