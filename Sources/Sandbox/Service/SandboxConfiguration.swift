import Client
import Ledger

/// `sandbox.json`; paths are relative to the file. docs/sandbox.md describes each field.
public struct SandboxConfiguration: Sendable {
    public let file: String
    public let genesis: Genesis
    /// What is trusted since the genesis (`huijin watch` keeps it); `nil`: the genesis alone.
    public let trust: TrustFile?
    /// `http://host:port` each.
    public let nodes: [String]
    /// Member folder of the operator.
    public let identity: String
    public let data: String
    public let host: String
    public let port: Int
    public let limits: WorkerLimits

    private static let fileBytesMax = 65_536
    private static let fields: Set<String> = [
        "genesis", "trust", "node", "identity", "data", "listen", "stepsMax", "wallMsMax",
        "memoryBytesMax", "outputBytesMax",
    ]

    public init(reading file: String) throws(SetupError) {
        let json = try SetupFile.json(file, bytesMax: SandboxConfiguration.fileBytesMax)
        guard let members = json.members else {
            throw SetupError(file: file, english: "it must be an object", chinese: "应为 JSON 对象")
        }
        for member in members where !SandboxConfiguration.fields.contains(member.name) {
            throw SetupError(
                file: file, field: member.name, english: "there is no such field; remove it",
                chinese: "没有这个字段，请删除")
        }
        let folder = SandboxConfiguration.folder(of: file)
        func path(_ name: String) throws(SetupError) -> String {
            guard let text = json[name]?.text, !text.isEmpty else {
                throw SetupError(
                    file: file, field: name, english: "it must be a path", chinese: "应为路径")
            }
            return Paths.join(folder, text)
        }
        func number(_ name: String, _ standard: Int, _ range: ClosedRange<Int>) throws(SetupError)
            -> Int
        {
            guard let value = json[name] else { return standard }
            guard let number = value.unsigned.flatMap({ Int(exactly: $0) }), range.contains(number)
            else {
                throw SetupError(
                    file: file, field: name,
                    english: "it must be from \(range.lowerBound) to \(range.upperBound)",
                    chinese: "取值应在 \(range.lowerBound) 至 \(range.upperBound) 之间")
            }
            return number
        }
        self.file = file
        genesis = try SetupFile.genesis(try path("genesis"))
        trust = json["trust"] == nil ? nil : TrustFile(try path("trust"))
        identity = try path("identity")
        data = try path("data")
        guard let node = json["node"], let nodes = node.texts ?? node.text.map({ [$0] }),
            !nodes.isEmpty
        else {
            throw SetupError(
                file: file, field: "node",
                english: "it must be a list of node addresses such as http://127.0.0.1:8001",
                chinese: "应为节点地址列表，例如 http://127.0.0.1:8001")
        }
        self.nodes = nodes
        guard let listen = json["listen"]?.text, let colon = listen.lastIndex(of: ":"),
            let port = UInt16(listen[listen.index(after: colon)...]), colon > listen.startIndex
        else {
            throw SetupError(
                file: file, field: "listen",
                english: "it must be host:port, such as 127.0.0.1:9001",
                chinese: "应为 主机:端口，例如 127.0.0.1:9001")
        }
        host = String(listen[..<colon])
        self.port = Int(port)
        var limits = WorkerLimits()
        limits.stepsMax = try number("stepsMax", limits.stepsMax, 10_000...1_000_000_000_000)
        limits.wallMsMax = try number("wallMsMax", limits.wallMsMax, 100...3_600_000)
        limits.memoryBytesMax = try number(
            "memoryBytesMax", limits.memoryBytesMax, 1_048_576...68_719_476_736)
        // An output is sealed as one piece of at most 1 MiB.
        limits.outputBytesMax = try number(
            "outputBytesMax", limits.outputBytesMax, 1_024...1_000_000)
        self.limits = limits
    }

    private static func folder(of file: String) -> String {
        guard let slash = file.lastIndex(of: "/") else { return "." }
        return slash == file.startIndex ? "/" : String(file[..<slash])
    }
}
