import Encoding
import Ledger
import LedgerCrypto
import Records

/// Verified histories as PROV-JSON (W3C Member Submission of 24 April 2013).
///
/// Every event is an activity, every actor an agent. Each asset is an entity; each accepted event of its rights log
/// generates its next version, derived from the one before (PROV-CONSTRAINTS: an entity is generated at one moment
/// only); each accepted event of the trades log uses the version of its time; refused ones do neither. The first version of a
/// derived asset comes from the versions of its parents that were pinned, or from the parent as such where its
/// history is not proven.
public enum PROVExport {
    /// - Returns: nil for an answer without a history.
    public static func document(_ answer: ProvenAnswer) -> JSONNode? {
        guard !answer.histories.isEmpty else { return nil }
        var export = PROVDocument(answer)
        var known: Set<Digest> = []
        for history in answer.histories where known.insert(history.asset.id).inserted {
            export.add(history.asset, logs: answer.logs(of: history.asset.id), history.parents)
        }
        return export.node
    }
}

extension ProvenAnswer {
    /// All that is proven of the asset, each log once.
    fileprivate func logs(of asset: Digest) -> [ProvenLog] {
        var logs: [ProvenLog] = []
        for history in histories where history.asset.id == asset {
            for log in history.logs where !logs.contains(where: { $0.log == log.log }) {
                logs.append(log)
            }
        }
        return logs.sorted { $0.log < $1.log }
    }
}

/// Collects the records by kind; each kind becomes one object of the document.
private struct PROVDocument {
    private let names: Names
    private let answer: ProvenAnswer
    /// Of the asset that is added.
    private var asset = ""
    private var version: String?
    private var entities: [JSONNode.Member] = []
    private var activities: [JSONNode.Member] = []
    private var agents: [JSONNode.Member] = []
    private var knownAgents: Set<String> = []
    private var namedOnly: Set<Digest> = []
    private var generations: [JSONNode.Member] = []
    private var usages: [JSONNode.Member] = []
    private var associations: [JSONNode.Member] = []
    private var derivations: [JSONNode.Member] = []
    private var specializations: [JSONNode.Member] = []

    init(_ answer: ProvenAnswer) {
        self.answer = answer
        names = Names(chain: answer.checkpoint.header.chain)
    }

    private static func name(of asset: Digest) -> String { "ledger:asset-\(asset.hex)" }

    mutating func add(_ record: AssetRecord, logs: [ProvenLog], _ parents: [ProvenParent]) {
        asset = Self.name(of: record.id)
        version = nil
        entities.append(
            .init(
                asset,
                .members([
                    "prov:type": Self.name("huijin:Asset"),
                    "huijin:titleZh": .text(record.titleZh),
                    "huijin:titleEn": .text(record.titleEn),
                    "huijin:code": .text(record.code),
                    "huijin:completeLogs": .text(
                        logs.map { $0.log.name }.joined(separator: " ")),
                    "huijin:completeToHeight": Self.integer(answer.height),
                    "huijin:completeToTime": Self.time(answer.timeMs),
                    "huijin:certifiedHeader": .text(answer.checkpoint.digest.hex),
                ])))
        let events = logs.flatMap { $0.events }.sorted {
            ($0.entry.height, $0.entry.position, $0.event.log, $0.event.index)
                < ($1.entry.height, $1.entry.position, $1.event.log, $1.event.index)
        }
        for event in events { add(event.event) }
        let first = logs.contains { $0.log == .rights } ? "\(asset)-0" : asset
        for parent in parents { add(parent, of: first) }
    }

    private mutating func add(_ parent: ProvenParent, of child: String) {
        var used = Self.name(of: parent.asset)
        if parent.isIncluded, let pin = parent.pin, pin.rightsSize > 0 {
            used += "-\(pin.rightsSize - 1)"
        } else if !answer.histories.contains(where: { $0.asset.id == parent.asset }),
            namedOnly.insert(parent.asset).inserted
        {
            entities.append(
                .init(
                    used,
                    .members([
                        "prov:type": Self.name("huijin:Asset"), "huijin:proven": .bool(false),
                    ])))
        }
        Self.relate(
            &derivations, "d", ["prov:generatedEntity": child, "prov:usedEntity": used])
    }

    mutating func add(_ event: AssetEvent) {
        let activity = "\(asset)-\(event.log.name)-\(event.index)"
        activities.append(
            .init(
                activity,
                .members([
                    "prov:startTime": Self.bareTime(event.timeMs),
                    "prov:endTime": Self.bareTime(event.timeMs),
                    "prov:type": Self.name("huijin:\(event.kind.name)"),
                    "huijin:log": .text(event.log.name),
                    "huijin:index": Self.integer(event.index),
                    "huijin:height": Self.integer(event.height),
                    "huijin:transaction": .text(event.transactionID.hex),
                    "huijin:entry": .text(event.entryDigest.hex),
                    "huijin:outcome": .text(event.code.name),
                    "huijin:detail": .text(event.detail.diagnostic),
                ])))
        let agent = add(event.actor)
        Self.relate(&associations, "a", ["prov:activity": activity, "prov:agent": agent])
        guard event.code == .accepted else { return }
        switch event.log {
        case .rights: addVersion(event, by: activity)
        case .trades: addUse(by: activity)
        case .refusals: break
        }
    }

    private mutating func addVersion(_ event: AssetEvent, by activity: String) {
        let next = "\(asset)-\(event.index)"
        entities.append(.init(next, .members(["prov:type": Self.name("huijin:AssetVersion")])))
        Self.relate(
            &specializations, "s", ["prov:specificEntity": next, "prov:generalEntity": asset])
        Self.relate(&generations, "g", ["prov:entity": next, "prov:activity": activity])
        if let version {
            addUse(by: activity)
            Self.relate(
                &derivations, "d",
                [
                    "prov:generatedEntity": next, "prov:usedEntity": version,
                    "prov:activity": activity,
                ])
        }
        version = next
    }

    private mutating func addUse(by activity: String) {
        Self.relate(
            &usages, "u", ["prov:activity": activity, "prov:entity": version ?? asset])
    }

    /// Relations have no identity of their own: blank nodes, numbered.
    private static func relate(
        _ relations: inout [JSONNode.Member], _ letter: String,
        _ ends: KeyValuePairs<String, String>
    ) {
        let members = ends.map { JSONNode.Member($0.key, .text($0.value)) }
        relations.append(.init("_:\(letter)\(relations.count)", .object(members)))
    }

    private mutating func add(_ actor: EventActor) -> String {
        let id: String
        let type: String
        let extra: JSONNode.Member
        switch actor {
        case .member(let member):
            id = "ledger:member-\(Names.escaped(member.text))"
            type = "prov:Organization"
            extra = .init("huijin:member", .text(member.text))
        case .pseudonym(let bytes):
            id = "ledger:pseudonym-\(Hex.encode(bytes))"
            type = "prov:Organization"
            extra = .init("huijin:pseudonym", .text(Hex.encode(bytes)))
        case .ledger:
            id = "ledger:rules"
            type = "prov:SoftwareAgent"
            extra = .init("huijin:member", .text("ledger"))
        }
        if knownAgents.insert(id).inserted {
            agents.append(.init(id, .object([.init("prov:type", Self.name(type)), extra])))
        }
        return id
    }

    var node: JSONNode {
        .object(
            [
                .init(
                    "prefix",
                    .members([
                        "ledger": .text(names.prefix), "huijin": .text(Names.terms),
                    ])),
                .init("entity", .object(entities)),
            ]
                + [
                    ("activity", activities), ("agent", agents), ("wasGeneratedBy", generations),
                    ("used", usages), ("wasAssociatedWith", associations),
                    ("wasDerivedFrom", derivations),
                    ("specializationOf", specializations),
                ].filter { !$0.1.isEmpty }.map { .init($0.0, .object($0.1)) })
    }

    // MARK: Literals

    private static func name(_ qualified: String) -> JSONNode {
        .members(["$": .text(qualified), "type": .text("prov:QUALIFIED_NAME")])
    }

    private static func integer(_ number: UInt64) -> JSONNode {
        .members(["$": .text("\(number)"), "type": .text("xsd:unsignedLong")])
    }

    private static func time(_ unixMs: UInt64) -> JSONNode {
        .members(["$": bareTime(unixMs), "type": .text("xsd:dateTime")])
    }

    private static func bareTime(_ unixMs: UInt64) -> JSONNode {
        .text(ShanghaiTime.dateTime(unixMs: unixMs) ?? "9999-12-31T23:59:59.999+08:00")
    }
}
