import Encoding
import Ledger
import LedgerCrypto
import Records

// Alerts for programs: one JSON object each. Digests are lower-case hexadecimal, times Unix milliseconds.
extension FollowerAlert {
    /// - Parameter evidence: name of the file that the driver wrote, for alerts that come with evidence.
    public func json(evidence: String? = nil) -> JSONNode {
        var members = [
            JSONNode.Member("alert", .text(topic.rawValue)),
            JSONNode.Member("text", .both(texts.english, texts.chinese)),
        ]
        members += details
        if let evidence { members.append(JSONNode.Member("evidence", .text(evidence))) }
        return .object(members)
    }

    /// What is to be written to a file, to be judged by anyone, and of which kind it is.
    public var evidence: (mark: EvidenceMark, bytes: [UInt8])? {
        switch self {
        case .fork(let evidence, _, _): (.fork, evidence.encoded)
        case .oldFork(let evidence, _): (.oldFork, evidence.encoded)
        case .refused(_, _, let bytes): bytes.map { (.refused, $0) }
        case .record, .unreadable, .event, .unseen, .rewritten, .epoch, .recovery, .silent,
            .behind, .well, .stale, .fresh:
            nil
        }
    }

    private var details: [JSONNode.Member] {
        switch self {
        case .record(let type, let id, let facts, let height):
            [
                .init("record", .text(type.name)), .init("id", .text(Self.text(id))),
                .init("height", .number(height)), .init("facts", .list(facts.map { $0.json })),
            ]
        case .unreadable(let type, let id, _):
            [.init("record", .text(type.name)), .init("id", .text(Self.text(id)))]
        case .event(let asset, let event): [.init("asset", .hex(asset))] + Self.members(event)
        case .unseen(let asset, let log, let range, _):
            [
                .init("asset", .hex(asset)), .init("log", .text(log.name)),
                .init("first", .number(range.lowerBound)),
                .init("count", .number(UInt64(range.count))),
            ]
        case .rewritten(let asset, let log, let from, let to):
            [
                .init("asset", .hex(asset)), .init("log", .text(log.name)),
                .init("before", .members(["size": .number(from.size), "root": .hex(from.root)])),
                .init("after", .members(["size": .number(to.size), "root": .hex(to.root)])),
            ]
        case .epoch(let epoch): [.init("epoch", epoch.json)]
        case .recovery(let epoch, let height, let signatures, let rule):
            [
                .init("epoch", .number(epoch)), .init("height", .number(height)),
                .init("signatures", .number(UInt64(signatures))),
                .init("keys", .number(UInt64(rule.keys.count))),
                .init("threshold", .number(UInt64(rule.threshold))),
            ]
        case .fork(let evidence, let provider, let side):
            [
                .init("provider", .text(provider)), .init("against", side.json),
                .init("lower", .number(evidence.lower.header.height)),
                .init("higher", .number(evidence.higher.header.height)),
            ]
        case .oldFork(let evidence, let provider):
            [
                .init("provider", .text(provider)),
                .init("lower", .number(evidence.lower.header.height)),
                .init("higher", .number(evidence.higher.header.height)),
            ]
        case .refused(let provider, let problem, _):
            [.init("provider", .text(provider)), .init("problem", problem.json)]
        case .silent(let provider, _), .well(let provider):
            [.init("provider", .text(provider))]
        case .behind(let provider, let height, let newest):
            [
                .init("provider", .text(provider)), .init("height", .number(height)),
                .init("newest", .number(newest)),
            ]
        case .stale(let height, let ageMs):
            [.init("height", .number(height)), .init("ageMs", .number(ageMs))]
        case .fresh(let height): [.init("height", .number(height))]
        }
    }

    private static func members(_ event: AssetEvent) -> [JSONNode.Member] {
        [
            .init("log", .text(event.log.name)), .init("index", .number(event.index)),
            .init("kind", .text(event.kind.name)), .init("transaction", .hex(event.transactionID)),
            .init("height", .number(event.height)), .init("timeMs", .number(event.timeMs)),
            .init("actor", .text(event.actor.texts.english)),
            .init("code", .number(event.code.rawValue)),
        ]
    }
}

extension RecordFact {
    fileprivate var json: JSONNode {
        .members(["fact": .text(name), "text": .both(texts.english, texts.chinese)])
    }
}

extension ProviderComparison.Side {
    fileprivate var json: JSONNode {
        switch self {
        case .trusted: .text("trusted")
        case .provider(let name): .members(["provider": .text(name)])
        }
    }
}
