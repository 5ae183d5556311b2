import Client
import Ledger
import Market
import Records

/// What a network is made from: `genesis/demo/network.json` is one.
///
/// `{"name", "parameters": {…}, "validators": [{"nameZh", "nameEn", "group", "code"?}], "governor": {…},
/// "policies": {name: {entry: number}}, "members": […]}`. Members are not part of the genesis; whoever runs the network enrols them.
struct NetworkTemplate {
    struct Organisation {
        let nameZh: String
        let nameEn: String
        let group: String
        /// The unified social credit code; one is made up for demonstrations where it is absent.
        let code: String?
    }

    let name: String
    let parameters: Parameters
    let validators: [Organisation]
    let governor: Organisation
    let policies: [PolicyRecord]

    static let fileBytesMax = 1_048_576

    init(reading path: String) throws(SetupError) {
        let json = try SetupFile.json(path, bytesMax: NetworkTemplate.fileBytesMax)
        let reader = TemplateReader(file: path)
        try reader.refuseStrangers(
            json, ["name", "parameters", "validators", "governor", "policies", "members"], in: "")
        name = try reader.text(json, "name", in: "")
        guard name.utf8.count <= Genesis.nameBytesMax else {
            throw reader.problem(
                "name", "at most \(Genesis.nameBytesMax) bytes", "最多 \(Genesis.nameBytesMax) 字节")
        }
        parameters = try reader.parameters(json["parameters"])
        guard let seats = json["validators"]?.list, !seats.isEmpty,
            seats.count <= LedgerLimits.validatorsMax
        else {
            throw reader.problem(
                "validators", "a list of 1 to \(LedgerLimits.validatorsMax) organisations",
                "应为 1 到 \(LedgerLimits.validatorsMax) 个机构的列表")
        }
        var validators: [Organisation] = []
        for (index, seat) in seats.enumerated() {
            validators.append(try reader.organisation(seat, "validators[\(index)]"))
        }
        self.validators = validators
        guard let founder = json["governor"] else {
            throw reader.problem("governor", "it is missing", "缺少治理机构")
        }
        governor = try reader.organisation(founder, "governor")
        policies = try reader.policies(json["policies"])
    }
}

private struct TemplateReader {
    let file: String

    func problem(_ field: String, _ english: String, _ chinese: String) -> SetupError {
        SetupError(file: file, field: field, english: english, chinese: chinese)
    }

    func refuseStrangers(
        _ json: JSONValue, _ known: Set<String>, in place: String
    ) throws(SetupError) {
        guard let members = json.members else {
            throw problem(place, "it must be an object", "应为 JSON 对象")
        }
        for member in members where !known.contains(member.name) {
            throw problem(
                place.isEmpty ? member.name : "\(place).\(member.name)",
                "there is no such field; remove it", "没有这个字段，请删除")
        }
    }

    func text(_ json: JSONValue, _ name: String, in place: String) throws(SetupError) -> String {
        guard let text = json[name]?.text, !text.isEmpty else {
            throw problem(
                place.isEmpty ? name : "\(place).\(name)", "it must be a text", "应为文本")
        }
        return text
    }

    func organisation(
        _ json: JSONValue, _ place: String
    ) throws(SetupError) -> NetworkTemplate.Organisation {
        try refuseStrangers(json, ["nameZh", "nameEn", "group", "code"], in: place)
        return NetworkTemplate.Organisation(
            nameZh: try text(json, "nameZh", in: place),
            nameEn: try text(json, "nameEn", in: place), group: json["group"]?.text ?? "",
            code: json["code"]?.text)
    }

    private static let parameterFields: [(String, WritableKeyPath<Parameters, UInt64> & Sendable)] =
        [
            ("blockBytesMax", \.blockBytesMax), ("entriesPerBlockMax", \.entriesPerBlockMax),
            ("entriesPerMemberPerBlockMax", \.entriesPerMemberPerBlockMax),
            ("transactionBytesMax", \.transactionBytesMax),
            ("replayWindowBlocksMax", \.replayWindowBlocksMax),
            ("automaticActionsPerBlockMax", \.automaticActionsPerBlockMax),
            ("heartbeatMs", \.heartbeatMs), ("driftMs", \.driftMs),
            ("viewTimeoutMs", \.viewTimeoutMs),
        ]

    func parameters(_ json: JSONValue?) throws(SetupError) -> Parameters {
        var parameters = Parameters()
        guard let json else { return parameters }
        try refuseStrangers(
            json, Set(TemplateReader.parameterFields.map(\.0)), in: "parameters")
        for (name, field) in TemplateReader.parameterFields {
            guard let value = json[name] else { continue }
            guard let number = value.unsigned else {
                throw problem("parameters.\(name)", "it must be a whole number", "应为整数")
            }
            parameters[keyPath: field] = number
        }
        if let complaint = parameters.problem {
            throw problem("parameters", complaint, "参数超出范围：\(complaint)")
        }
        return parameters
    }

    /// The standard policies with the template's numbers in place of theirs.
    func policies(_ json: JSONValue?) throws(SetupError) -> [PolicyRecord] {
        var policies = StandardPolicies.all
        for change in json?.members ?? [] {
            guard let index = policies.firstIndex(where: { $0.name == change.name }) else {
                let known = policies.map(\.name).joined(separator: ", ")
                throw problem(
                    "policies.\(change.name)", "there is no such policy; there are \(known)",
                    "没有这项规则；已有 \(known)")
            }
            var entries = policies[index].entries
            for entry in change.value.members ?? [] {
                guard let number = entry.value.unsigned, number <= UInt64(Int64.max),
                    let place = entries.firstIndex(where: { $0.name == entry.name })
                else {
                    let known = entries.map(\.name).joined(separator: ", ")
                    throw problem(
                        "policies.\(change.name).\(entry.name)",
                        "entries are \(known), whole numbers", "可用条目为 \(known)，取整数")
                }
                entries[place] = PolicyEntry(entry.name, .number(Int64(number)))
            }
            let old = policies[index]
            policies[index] = PolicyRecord(
                name: old.name, version: old.version, tag: old.tag, entries: entries,
                setHeight: old.setHeight)
        }
        return policies
    }
}
