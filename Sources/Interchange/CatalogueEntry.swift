import LightClient
import Records

/// What a catalogue line says of a data source, in the form in which an asset is registered.
///
/// All texts keep the limits of `RecordLimits`. What needs randomness or a person's word (salted commitments, the
/// rights claimed) the importer adds.
public struct CatalogueEntry: Equatable, Sendable {
    /// The line in the file, from 1.
    public let line: Int
    /// The record's `id`: with the provider it makes the asset's id, so importing twice finds it again.
    public let code: String
    public let titleZh: String
    public let titleEn: String
    /// Domains, tags and names of contents, each once, at most `RecordLimits.keywordsMax`.
    public let keywords: [String]
    public let source: String
    public let sourceURL: String
    public let ownerClass: OwnerClass
    /// For the description's salted commitment.
    public let descriptionZh: String
    public let descriptionEn: String
    /// The line's exact bytes: what the catalogued asset's data commitment covers.
    public let bytes: [UInt8]
}

/// A line that is not taken in, and why.
public struct CatalogueProblem: Error, Equatable, Sendable {
    /// From 1.
    public let line: Int
    public let reason: Reason

    public init(line: Int, reason: Reason) {
        self.line = line
        self.reason = reason
    }

    public enum Reason: Equatable, Sendable {
        case tooLong(bytes: Int, bytesMax: Int)
        case notJSON
        case notAnObject
        case missing(field: String)
        case wrongType(field: String, expected: ExpectedType)
        case empty(field: String)
        case textTooLong(field: String, bytes: Int, bytesMax: Int)
        case controlCharacter(field: String)
        /// Codes are A-Z a-z 0-9 . -
        case notACode(field: String)
        case notAnAddress(field: String)
        case unknownValue(field: String, value: String)
        case repeated(code: String, firstLine: Int)
    }

    public enum ExpectedType: String, Sendable, CaseIterable {
        case text
        case object
        case textList = "list of texts"
    }
}

extension CatalogueProblem: CustomStringConvertible {
    public var description: String { "line \(line): \(english) / 第 \(line) 行：\(chinese)" }

    public var english: String {
        switch reason {
        case .tooLong(let bytes, let max): "\(bytes) bytes; a line has at most \(max)"
        case .notJSON: "not valid JSON"
        case .notAnObject: "not a JSON object"
        case .missing(let field): "field \(field) is missing"
        case .wrongType(let field, let expected): "field \(field) must be a \(expected.rawValue)"
        case .empty(let field): "field \(field) is empty"
        case .textTooLong(let field, let bytes, let max):
            "field \(field) has \(bytes) bytes of UTF-8; at most \(max) fit"
        case .controlCharacter(let field): "field \(field) has a control character"
        case .notACode(let field):
            "field \(field) must be 1 to \(RecordLimits.codeBytesMax) of A-Z a-z 0-9 . -"
        case .notAnAddress(let field): "field \(field) must be an http or https address"
        case .unknownValue(let field, let value): "field \(field) has the unknown value \(value)"
        case .repeated(let code, let first): "id \(code) stands in line \(first) already"
        }
    }

    public var chinese: String {
        switch reason {
        case .tooLong(let bytes, let max): "共 \(bytes) 字节，每行最多 \(max) 字节"
        case .notJSON: "不是有效的 JSON"
        case .notAnObject: "不是 JSON 对象"
        case .missing(let field): "缺少字段 \(field)"
        case .wrongType(let field, let expected): "字段 \(field) 应为\(expected.chinese)"
        case .empty(let field): "字段 \(field) 为空"
        case .textTooLong(let field, let bytes, let max):
            "字段 \(field) 为 \(bytes) 字节，最多 \(max) 字节"
        case .controlCharacter(let field): "字段 \(field) 含控制字符"
        case .notACode(let field):
            "字段 \(field) 须为 1 至 \(RecordLimits.codeBytesMax) 个 A-Z a-z 0-9 . - 字符"
        case .notAnAddress(let field): "字段 \(field) 须为 http 或 https 网址"
        case .unknownValue(let field, let value): "字段 \(field) 的取值 \(value) 未知"
        case .repeated(let code, let first): "编号 \(code) 已见于第 \(first) 行"
        }
    }
}

extension CatalogueProblem.ExpectedType {
    var chinese: String {
        switch self {
        case .text: "文本"
        case .object: "对象"
        case .textList: "文本列表"
        }
    }
}
