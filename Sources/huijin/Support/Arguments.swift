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
                .usage, "\(name) must be 64 hexadecimal digits, not \(text)",
                "\(name) 应为 64 位十六进制：\(text)")
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
        guard let folder else { throw ClientError.noIdentity }
        let opening: JSONValue = [
            "label": .text(label), "commitment": .hex(commitment),
            "salt": .text(Hex.encode(salt)), "value": .text(Base64URL.encode(value)),
        ]
        let file = URL(filePath: folder.directory).appending(
            path: "openings/\(commitment.hex).json")
        try IdentityMaker.write([UInt8](opening.pretty().utf8), to: file, isSecret: true)
        return commitment
    }
}
