public import Encoding

/// What is wrong with a key file: the field, and what to do about it.
public enum KeyFileError: Error, Equatable, Sendable {
    /// It does not start like a key file.
    case notAKeyFile
    /// It ends early (or one of its lengths was altered).
    case truncated(byteCount: Int)
    /// Larger than any key file.
    case tooLong(byteCount: Int, max: Int)
    /// A field is not what the format says.
    case malformed(field: String, reason: CBORError)
    /// The checksum does not fit the content: bytes were changed after it was written.
    case altered
    /// Made by a newer program.
    case unsupportedVersion(UInt64)
    /// A cost that would exhaust this machine, or protect nothing.
    case costRefused(field: String, value: UInt64, min: UInt64, max: UInt64)
    /// The file is whole, but the passphrase does not open it.
    case wrongPassphrase
    case emptyPassphrase
    /// Another kind of secret than the one asked for.
    case wrongKind(expected: KeyFileKind, found: KeyFileKind)
    /// The secret inside does not give the public key that the file states.
    case publicKeyMismatch
    case labelTooLong(bytes: Int, max: Int)
    /// The key derivation could not get its memory.
    case outOfMemory(kibibytes: UInt64)
}

extension KeyFileError: CustomStringConvertible {
    public var description: String { "\(english) / \(chinese)" }

    public var english: String {
        switch self {
        case .notAKeyFile:
            "field magic: this is not a huijin key file; check the path"
        case .truncated(let byteCount):
            "the file ends early, after \(byteCount) bytes; restore it from a backup"
        case .tooLong(let byteCount, let max):
            "the file has \(byteCount) bytes, a key file at most \(max); check the path"
        case .malformed(let field, let reason):
            "field \(field): \(reason.english); restore the file from a backup"
        case .altered:
            "field checksum: the file was altered after it was written; restore it from a backup"
        case .unsupportedVersion(let version):
            "field version: \(version) is not supported, only 1 is; use a newer huijin"
        case .costRefused(let field, let value, let min, let max):
            "field \(field): \(value) is outside \(min) to \(max); "
                + "make the file again with a cost in that range"
        case .wrongPassphrase:
            "field passphrase: it does not open this key file; try again with the right one"
        case .emptyPassphrase:
            "field passphrase: it is empty; give one of at least one character"
        case .wrongKind(let expected, let found):
            "field kind: the file holds \(found.english), \(expected.english) is needed; "
                + "check the path"
        case .publicKeyMismatch:
            "field public key: it does not belong to the secret; restore the file from a backup"
        case .labelTooLong(let bytes, let max):
            "field label: it has \(bytes) bytes, at most \(max) are allowed; shorten it"
        case .outOfMemory(let kibibytes):
            "field kdf memory: \(kibibytes) KiB could not be had; free memory and try again"
        }
    }

    public var chinese: String {
        switch self {
        case .notAKeyFile: "文件标识：不是汇津密钥文件，请检查路径"
        case .truncated(let byteCount): "文件在第 \(byteCount) 字节处提前结束，请从备份恢复"
        case .tooLong(let byteCount, let max):
            "文件有 \(byteCount) 字节，密钥文件最多 \(max) 字节，请检查路径"
        case .malformed(let field, let reason):
            "字段 \(field)：\(reason.chinese)，请从备份恢复"
        case .altered: "校验和：文件写入后被改动，请从备份恢复"
        case .unsupportedVersion(let version):
            "版本：不支持 \(version)，仅支持 1，请使用更新版本的 huijin"
        case .costRefused(let field, let value, let min, let max):
            "字段 \(field)：\(value) 超出范围 \(min) 至 \(max)，请用范围内的参数重新生成"
        case .wrongPassphrase: "口令：不能打开此密钥文件，请输入正确口令"
        case .emptyPassphrase: "口令：不能为空，请至少输入一个字符"
        case .wrongKind(let expected, let found):
            "类型：文件内是\(found.chinese)，需要\(expected.chinese)，请检查路径"
        case .publicKeyMismatch: "公钥：与私钥不符，请从备份恢复"
        case .labelTooLong(let bytes, let max):
            "标签：有 \(bytes) 字节，最多 \(max) 字节，请缩短"
        case .outOfMemory(let kibibytes):
            "密钥派生内存：无法取得 \(kibibytes) KiB，请释放内存后重试"
        }
    }
}

/// What a key file holds. The raw value is the wire tag.
public enum KeyFileKind: UInt64, Sendable, Equatable, CaseIterable {
    case signingKey = 1
    case encryptionKey = 2
    /// Any other secret, such as a TLS private key in PEM.
    case bytes = 3

    public var english: String {
        switch self {
        case .signingKey: "a signing key"
        case .encryptionKey: "an encryption key"
        case .bytes: "secret bytes"
        }
    }

    public var chinese: String {
        switch self {
        case .signingKey: "签名密钥"
        case .encryptionKey: "加密密钥"
        case .bytes: "机密数据"
        }
    }
}

extension KeyFileKind: CBORCodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.unsigned(rawValue)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        guard let kind = KeyFileKind(rawValue: try decoder.unsigned()) else {
            throw decoder.invalid("kind must be 1 (signing), 2 (encryption) or 3 (bytes)")
        }
        self = kind
    }
}
