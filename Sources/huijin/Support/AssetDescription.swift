import Client
import LedgerCrypto
import Market
import Records

/// The file behind `asset register --description`.
struct AssetDescription {
    static let fileBytesMax = 1_048_576

    private let file: String
    private let json: JSONValue

    private static let fields: Set<String> = [
        "code", "titleZh", "titleEn", "keywords", "columns", "entityKey", "rowCount",
        "dataCommitment", "dataSalt", "source", "sourceURL", "ownerClass", "level", "grade",
        "rights",
    ]

    init(reading file: String) throws {
        self.file = file
        json = try SetupFile.json(file, bytesMax: AssetDescription.fileBytesMax)
        guard let members = json.members else {
            throw SetupError(file: file, english: "it must be an object", chinese: "应为 JSON 对象")
        }
        for member in members where !AssetDescription.fields.contains(member.name) {
            throw SetupError(
                file: file, field: member.name, english: "there is no such field; remove it",
                chinese: "没有这个字段，请删除")
        }
    }

    func body() throws -> AssetRegister {
        guard let rows = json["rowCount"]?.unsigned else {
            throw problem("rowCount", "it must be a whole number", "应为整数")
        }
        guard let commitment = json["dataCommitment"]?.text.flatMap({ Digest(hex: $0) }) else {
            throw problem(
                "dataCommitment", "it must be 64 lower-case hexadecimal digits", "应为 64 位小写十六进制")
        }
        let rights: [DataRight] = try Arguments.named(json["rights"]?.texts ?? [], "rights")
        return AssetRegister(
            code: try text("code"), titleZh: try text("titleZh"), titleEn: try text("titleEn"),
            keywords: Arguments.set(json["keywords"]?.texts ?? []), columns: try columns(),
            entityKey: json["entityKey"]?.text, rowCount: rows, dataCommitment: commitment,
            source: try text("source"), sourceURL: json["sourceURL"]?.text ?? "",
            ownerClass: try Arguments.named(try text("ownerClass"), "ownerClass"),
            level: try Arguments.named(try text("level"), "level"),
            grade: try Arguments.named(try text("grade"), "grade"), rights: rights)
    }

    private func problem(_ field: String, _ english: String, _ chinese: String) -> SetupError {
        SetupError(file: file, field: field, english: english, chinese: chinese)
    }

    private func text(_ name: String) throws -> String {
        guard let text = json[name]?.text else {
            throw problem(name, "it must be a text", "应为文本")
        }
        return text
    }

    private func columns() throws -> [Column] {
        try (json["columns"]?.list ?? []).enumerated().map { index, column in
            guard let name = column["name"]?.text, let type = column["type"]?.text else {
                throw problem(
                    "columns[\(index)]", "it must be {\"name\", \"type\"}",
                    "应为 {\"name\", \"type\"}")
            }
            return Column(name, try Arguments.named(type, "columns[\(index)].type"))
        }
    }
}
