import Encoding
import Files
import Foundation
import Ledger
import LedgerCrypto

/// What is wrong with a file or a setting: which file, which field, and the remedy.
public struct SetupError: Error, Equatable, Sendable, CustomStringConvertible {
    public let file: String
    public let field: String?
    public let english: String
    public let chinese: String
    /// There is no such file, or it cannot be read.
    public let isMissing: Bool
    /// It cannot be written, or not now: there is such a file already, no room, or another program has it.
    public let isUnwritable: Bool

    public init(
        file: String, field: String? = nil, english: String, chinese: String,
        isMissing: Bool = false, isUnwritable: Bool = false
    ) {
        self.file = file
        self.field = field
        self.english = english
        self.chinese = chinese
        self.isMissing = isMissing
        self.isUnwritable = isUnwritable
    }

    public init(_ problem: WholeFile.Problem) {
        self.init(
            file: problem.path, english: problem.english, chinese: problem.chinese,
            isUnwritable: true)
    }

    public init(_ problem: FileClaim.Problem) {
        self.init(
            file: problem.path, english: problem.english, chinese: problem.chinese,
            isUnwritable: true)
    }

    /// What is wrong, behind the file and the field that it is about.
    public var texts: Bilingual {
        Bilingual(
            "\(field.map { "\(file), field \($0)" } ?? file): \(english)",
            "\(field.map { "\(file)，字段 \($0)" } ?? file)：\(chinese)")
    }

    public var description: String { "\(texts.english) / \(texts.chinese)" }
}

/// A member with the key that signs for it.
public struct Identity: Sendable {
    public let member: MemberID
    public let key: SigningKey

    public init(member: MemberID, key: SigningKey) {
        self.member = member
        self.key = key
    }
}

/// A member's folder: `member.json` and the encrypted key beside it.
///
/// `{"member", "nameZh", "nameEn", "key": "signing.key", "node": ["http://…"], "genesis": "../../genesis.cbor"}`; paths are
/// relative to the folder.
public struct MemberFolder: Sendable, Equatable {
    public static let fileName = "member.json"
    public static let fileBytesMax = 65_536

    public var directory: String
    public var member: MemberID
    public var nameZh: String
    public var nameEn: String
    public var key: String
    public var nodes: [String]
    public var genesis: String?

    public init(
        directory: String, member: MemberID, nameZh: String, nameEn: String,
        key: String = "signing.key", nodes: [String], genesis: String?
    ) {
        self.directory = directory
        self.member = member
        self.nameZh = nameZh
        self.nameEn = nameEn
        self.key = key
        self.nodes = nodes
        self.genesis = genesis
    }

    private static let fields: Set<String> = [
        "member", "nameZh", "nameEn", "key", "node", "genesis",
    ]

    public init(reading directory: String) throws(SetupError) {
        let file = Paths.join(directory, MemberFolder.fileName)
        let json = try SetupFile.json(file, bytesMax: MemberFolder.fileBytesMax)
        guard let members = json.members else {
            throw SetupError(file: file, english: "it must be an object", chinese: "应为 JSON 对象")
        }
        if let stranger = members.first(where: { !MemberFolder.fields.contains($0.name) }) {
            throw SetupError(
                file: file, field: stranger.name, english: "there is no such field; remove it",
                chinese: "没有这个字段，请删除")
        }
        guard let text = json["member"]?.text, let member = MemberID(text) else {
            throw SetupError(
                file: file, field: "member",
                english: "it must be a member id, such as an 18-character social credit code",
                chinese: "应为成员编号，例如 18 位统一社会信用代码")
        }
        guard let key = json["key"]?.text, !key.isEmpty else {
            throw SetupError(
                file: file, field: "key", english: "it must name the key file, such as signing.key",
                chinese: "应为密钥文件名，例如 signing.key")
        }
        let nodes = json["node"] ?? []
        guard let nodes = nodes.texts ?? nodes.text.map({ [$0] }) else {
            throw SetupError(
                file: file, field: "node", english: "it must be a list of node addresses",
                chinese: "应为节点地址列表")
        }
        self.init(
            directory: directory, member: member, nameZh: json["nameZh"]?.text ?? "",
            nameEn: json["nameEn"]?.text ?? "", key: key, nodes: nodes,
            genesis: json["genesis"]?.text)
    }

    public var json: JSONValue {
        [
            "member": .member(member), "nameZh": .text(nameZh), "nameEn": .text(nameEn),
            "key": .text(key), "node": .texts(nodes), "genesis": .optional(genesis),
        ]
    }

    /// Opens the key; slow on purpose, as the key derivation is.
    public func identity(passphrase: String) throws(SetupError) -> Identity {
        let file = Paths.join(directory, key)
        let bytes = try SetupFile.read(file, bytesMax: EncryptedKeyFile.fileBytesMax)
        do {
            return Identity(
                member: member, key: try EncryptedKeyFile.open(bytes, passphrase: passphrase))
        } catch {
            throw SetupError(file: file, english: error.english, chinese: error.chinese)
        }
    }

    public func readGenesis() throws(SetupError) -> Genesis {
        guard let genesis else {
            throw SetupError(
                file: Paths.join(directory, MemberFolder.fileName), field: "genesis",
                english: "it is missing; give --genesis FILE", chinese: "缺少该字段，请用 --genesis 指定")
        }
        return try SetupFile.genesis(Paths.join(directory, genesis))
    }
}

public enum Paths {
    /// `name` beside what lies in `directory`, unless it is absolute.
    public static func join(_ directory: String, _ name: String) -> String {
        name.hasPrefix("/") ? name : URL(filePath: directory).appending(path: name).path
    }
}

/// Small files read whole.
public enum SetupFile {
    public static func read(_ path: String, bytesMax: Int) throws(SetupError) -> [UInt8] {
        let data: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? handle.close() }
            data = try handle.read(upToCount: bytesMax + 1) ?? Data()
        } catch {
            throw SetupError(
                file: path, english: "it cannot be read; check the path and its permissions",
                chinese: "无法读取，请检查路径和权限", isMissing: true)
        }
        guard data.count <= bytesMax else {
            throw SetupError(
                file: path, english: "it is longer than \(bytesMax) bytes; check the path",
                chinese: "超过 \(bytesMax) 字节，请检查路径")
        }
        return [UInt8](data)
    }

    public static func json(_ path: String, bytesMax: Int) throws(SetupError) -> JSONValue {
        let bytes = try read(path, bytesMax: bytesMax)
        do {
            return try JSONValue.parse(bytes)
        } catch {
            throw SetupError(
                file: path, english: "it is not JSON: \(error); correct it",
                chinese: "不是有效的 JSON（第 \(error.offset) 字节），请改正")
        }
    }

    public static func genesis(_ path: String) throws(SetupError) -> Genesis {
        let bytes = try read(path, bytesMax: LedgerLimits.genesisBytesMax)
        do throws(CBORError) {
            return try Genesis.decode(bytes, limits: LedgerLimits.genesis)
        } catch {
            throw SetupError(
                file: path,
                english: "it is not a genesis (\(error.english)); use the network's genesis.cbor",
                chinese: "不是创世文件（\(error.chinese)），请使用建网时的 genesis.cbor")
        }
    }
}
