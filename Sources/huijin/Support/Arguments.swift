import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Policy
import Records

/// Turns words of the command line into values, or says what would be right.
enum Arguments {
    static let textFileBytesMax = 1_048_576

    static func digest(_ text: String, _ name: String) throws -> Digest {
        guard let digest = Digest(hex: text) else {
            throw Failure(
                .usage, "\(name) must be 64 lower-case hexadecimal digits, not \(text)",
                "\(name) 应为 64 位小写十六进制：\(text)")
        }
        return digest
    }

    static func member(_ text: String, _ name: String) throws -> MemberID {
        guard let id = MemberID(text) else {
            throw Failure(
                .usage,
                "\(name) must be a member id such as an 18-character social credit code, not \(text)",
                "\(name) 应为成员编号，例如 18 位统一社会信用代码：\(text)")
        }
        return id
    }

    static func named<Case: NumberedCase>(_ text: String, _ name: String) throws -> Case {
        guard let value = Case(name: text) else {
            let known = Case.allCases.map(\.name).joined(separator: ", ")
            throw Failure(
                .usage, "\(name) must be one of \(known), not \(text)", "\(name) 可取 \(known)")
        }
        return value
    }

    static func named<Case: NumberedCase>(_ texts: [String], _ name: String) throws -> [Case] {
        let values: [Case] = try texts.map { try named($0, name) }
        return Array(Set(values)).sorted()
    }

    /// Sorted as the wire wants it, each once.
    static func set(_ texts: [String]) -> [String] {
        Set(texts).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// The content of a file where there is one of that name, else the text itself.
    static func textOrFile(_ argument: String) throws -> [UInt8] {
        if FileManager.default.fileExists(atPath: argument) {
            return try SetupFile.read(argument, bytesMax: textFileBytesMax)
        }
        return Array(argument.utf8)
    }

    /// Commits to something that stays off the chain: the opening is kept in the member's folder.
    static func commit(
        _ value: [UInt8], label: String, folder: MemberFolder?, suite: Suite
    ) throws -> Digest {
        let salt = SecureRandom.bytes(Salted.saltBytes)
        let commitment = Salted.commit(salt: salt, value: value, suite: suite)
        let opening: JSONValue = [
            "label": .text(label), "commitment": .hex(commitment),
            "salt": .text(Hex.encode(salt)), "value": .text(Base64URL.encode(value)),
        ]
        let file = URL(filePath: try openingFile(commitment, folder))
        try IdentityMaker.write([UInt8](opening.pretty().utf8), to: file, isSecret: true)
        return commitment
    }

    private static func openingFile(
        _ commitment: Digest, _ folder: MemberFolder?
    ) throws -> String {
        guard let folder else { throw ClientError.noIdentity }
        return Paths.join(folder.directory, "openings/\(commitment.hex).json")
    }

    /// What `commit` kept: the salt and the value.
    static func opening(
        of commitment: Digest, folder: MemberFolder?
    ) throws -> (salt: [UInt8], value: [UInt8]) {
        let file = try openingFile(commitment, folder)
        let json = try SetupFile.json(file, bytesMax: 2 * textFileBytesMax)
        guard let salt = json["salt"]?.text.flatMap({ Hex.decode($0) }),
            let value = json["value"]?.text.flatMap({ Base64URL.decode($0) })
        else {
            throw SetupError(
                file: file, english: "it holds no salt and value", chinese: "缺少盐值或内容")
        }
        return (salt, value)
    }
}
