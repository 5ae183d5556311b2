import Foundation

/// `node.json` as it is written, before anything that it names is opened.
///
/// Paths are relative to the file. Unknown fields are refused, because a misspelt one would be ignored.
struct NodeFile: Decodable {
    struct Peer: Decodable {
        let validator: String
        let address: String
        /// Hexadecimal DER SubjectPublicKeyInfo; needed where genesis does not have the key.
        let transportKey: String?
        /// The key that the peer is about to change to; both are accepted until it has shown this one.
        let nextTransportKey: String?

        static let fields: Set<String> = [
            "validator", "address", "transportKey", "nextTransportKey",
        ]
    }

    struct Observer: Decodable {
        let name: String
        let transportKey: String

        static let fields: Set<String> = ["name", "transportKey"]
    }

    let genesis: String
    let data: String
    /// The three are those of any node but an observer.
    let validator: String?
    let votingKey: String?
    let listen: String?
    /// The name of a node that only follows and serves.
    let observer: String?
    let transportKey: String
    let transportCertificate: String
    let api: String
    let peers: [Peer]
    /// Whom this validator lets follow.
    let observers: [Observer]?
    /// True for a node whose keys or seat are not those of genesis; false when absent.
    let followsChain: Bool?
    /// Final blocks from one snapshot to the next; 0 makes none. 10,000 when absent.
    let snapshotEveryBlocks: UInt64?
    /// An empty node takes a snapshot that is ahead by more than this; 0 never does. Twice the replay window when absent.
    let joinAheadBlocks: UInt64?
    /// trace, debug, info, notice, warning, error or critical; `info` when absent.
    let log: String?

    static let fields: Set<String> = [
        "genesis", "data", "validator", "votingKey", "transportKey", "transportCertificate",
        "listen", "api", "peers", "observer", "observers", "followsChain",
        "snapshotEveryBlocks", "joinAheadBlocks", "log",
    ]
    static let bytesMax = 1_048_576

    static func read(_ path: String) throws(ConfigurationError) -> NodeFile {
        let bytes = try FileBytes.read(path, bytesMax: bytesMax, file: path, field: nil)
        let data = Data(bytes)
        let object: Any
        do {
            object = try JSONSerialization.jsonObject(with: data)
        } catch {
            throw ConfigurationError(
                file: path, problem: "it is not JSON (\(detail(error)))", problemZh: "不是有效的 JSON",
                remedy: "correct it, or make a new one with huijin network init",
                remedyZh: "请改正，或用 huijin network init 重新生成")
        }
        guard let map = object as? [String: Any] else {
            throw mismatch(path, nil, "an object", "对象")
        }
        try refuseUnknown(map, fields, path, prefix: "")
        for (index, peer) in (map["peers"] as? [[String: Any]] ?? []).enumerated() {
            try refuseUnknown(peer, Peer.fields, path, prefix: "peers[\(index)].")
        }
        for (index, observer) in (map["observers"] as? [[String: Any]] ?? []).enumerated() {
            try refuseUnknown(observer, Observer.fields, path, prefix: "observers[\(index)].")
        }
        do {
            return try JSONDecoder().decode(NodeFile.self, from: data)
        } catch let error as DecodingError {
            throw describe(error, path)
        } catch {
            throw mismatch(path, nil, "a node configuration", "节点配置")
        }
    }

    private static func detail(_ error: any Error) -> String {
        let details = (error as NSError).userInfo["NSDebugDescription"] as? String
        return details ?? "syntax error"
    }

    private static func refuseUnknown(
        _ map: [String: Any], _ known: Set<String>, _ path: String, prefix: String
    ) throws(ConfigurationError) {
        guard let stranger = map.keys.filter({ !known.contains($0) }).min() else { return }
        throw ConfigurationError(
            file: path, field: prefix + stranger, problem: "there is no such field",
            problemZh: "没有这个字段",
            remedy: "remove it, or use one of \(known.sorted().joined(separator: ", "))",
            remedyZh: "请删除，或改为上列字段之一")
    }

    private static func describe(_ error: DecodingError, _ path: String) -> ConfigurationError {
        switch error {
        case .keyNotFound(let key, let context):
            let name = fieldName(context.codingPath + [key])
            return ConfigurationError(
                file: path, field: name, problem: "it is missing", problemZh: "缺少该字段",
                remedy: "add it; docs/operations.md lists the fields",
                remedyZh: "请补上；字段见 docs/operations.md")
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            return mismatch(path, fieldName(context.codingPath), typeName(type), "上述类型")
        case .dataCorrupted(let context):
            return mismatch(path, fieldName(context.codingPath), "valid JSON", "有效的 JSON")
        @unknown default:
            return mismatch(path, nil, "a node configuration", "节点配置")
        }
    }

    private static func typeName(_ type: Any.Type) -> String {
        type == String.self
            ? "a text" : type == Bool.self ? "true or false" : "a list or an object"
    }

    private static func fieldName(_ path: [any CodingKey]) -> String? {
        var name = ""
        for key in path {
            if let index = key.intValue {
                name += "[\(index)]"
            } else {
                name += name.isEmpty ? key.stringValue : "." + key.stringValue
            }
        }
        return name.isEmpty ? nil : name
    }

    private static func mismatch(
        _ path: String, _ field: String?, _ what: String, _ whatZh: String
    ) -> ConfigurationError {
        ConfigurationError(
            file: path, field: field, problem: "it must be \(what)", problemZh: "应为\(whatZh)",
            remedy: "correct it", remedyZh: "请改正")
    }
}

/// Whole small files, with errors that name the field that named the file.
enum FileBytes {
    static func read(
        _ path: String, bytesMax: Int, file: String, field: String?
    ) throws(ConfigurationError) -> [UInt8] {
        let what = field == nil ? "it" : "\(path)"
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            let data = try handle.read(upToCount: bytesMax + 1) ?? Data()
            guard data.count <= bytesMax else {
                throw ConfigurationError(
                    file: file, field: field,
                    problem: "\(what) is longer than \(bytesMax) bytes",
                    problemZh: "文件超过 \(bytesMax) 字节", remedy: "check the path",
                    remedyZh: "请检查路径")
            }
            return [UInt8](data)
        } catch let error as ConfigurationError {
            throw error
        } catch {
            throw ConfigurationError(
                file: file, field: field, problem: "\(what) cannot be read",
                problemZh: "无法读取 \(path)", remedy: "check the path and its permissions",
                remedyZh: "请检查路径和权限")
        }
    }
}
