import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records

/// A verified history as PROV-JSON (W3C Member Submission of 24 April 2013).
///
/// Every event is an activity, every actor an agent. The asset is an entity; each accepted event of the rights log
/// generates its next version, derived from the one before (PROV-CONSTRAINTS: an entity is generated at one moment
/// only); each accepted event of the trades log uses the version of its time; refused ones do neither.
public enum PROVExport {
    /// - Returns: nil for an answer that is no history.
    public static func document(_ answer: ProvenAnswer) -> JSONNode? {
        guard let history = answer.histories.first else { return nil }
        var export = PROVDocument(answer, history)
        let events = history.logs.flatMap(\.events).sorted {
            ($0.entry.height, $0.entry.position, $0.event.log, $0.event.index)
                < ($1.entry.height, $1.entry.position, $1.event.log, $1.event.index)
        }
        for event in events { export.add(event.event) }
        return export.node
    }
}

/// Collects the records by kind; each kind becomes one object of the document.
private struct PROVDocument {
    private let names: Names
    private let asset: String
    private var version: String?
    private var entities: [JSONNode.Member] = []
    private var activities: [JSONNode.Member] = []
    private var agents: [JSONNode.Member] = []
    private var knownAgents: Set<String> = []
    private var generations: [JSONNode.Member] = []
    private var usages: [JSONNode.Member] = []
    private var associations: [JSONNode.Member] = []
    private var derivations: [JSONNode.Member] = []
    private var specializations: [JSONNode.Member] = []

    init(_ answer: ProvenAnswer, _ history: AssetHistory) {
        let record = history.asset
        names = Names(chain: answer.checkpoint.header.chain)
        asset = "ledger:asset-\(record.id.hex)"
        entities = [
            .init(
                asset,
                .members([
                    "prov:type": Self.name("huijin:Asset"),
                    "huijin:titleZh": .text(record.titleZh),
                    "huijin:titleEn": .text(record.titleEn),
                    "huijin:code": .text(record.code),
                    "huijin:completeLogs": .text(
                        history.logs.map(\.log.name).joined(separator: " ")),
                    "huijin:completeToHeight": Self.integer(answer.height),
                    "huijin:completeToTime": Self.time(answer.timeMs),
                    "huijin:certifiedHeader": .text(answer.checkpoint.digest.hex),
                ]))
        ]
    }

    mutating func add(_ event: AssetEvent) {
        let activity = "ledger:event-\(event.log.name)-\(event.index)"
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
        .text(dateTime(unixMs: unixMs) ?? "9999-12-31T23:59:59.999+08:00")
    }
}
