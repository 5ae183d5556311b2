import Ledger
import LedgerCrypto
import LightClient
import Records

/// The policy of an offer or an agreement in ODRL 2.2 (W3C), JSON-LD.
///
/// Permitted is use in the sandbox for the purposes and columns named, so many times, so long, against payment; what
/// leaves the sandbox are reviewed aggregates, so extraction and distribution of the data are prohibited. Operands
/// that ODRL has no word for (columns, least group size) are terms of the profile `urn:huijin:terms:odrl`.
public enum ODRLExport {
    public static let profile = "\(Names.terms)odrl"

    public static func policy(of offer: OfferRecord, names: Names) -> JSONNode {
        let constraints = [
            purposes(offer.purposes), columns(offer.columns), count(offer.usesMax),
            constraint("elapsedTime", "lteq", .typed(duration(ms: offer.durationMs), "duration")),
            groupMinimum(offer.groupMinimum),
        ]
        return document([
            .init("uid", .text(names.offer(offer.id))),
            .init("@type", .text("Offer")),
            .init("profile", .text(profile)),
            .init("target", .text(names.asset(offer.asset))),
            .init("assigner", .text(names.member(offer.provider))),
            .init("permission", permission(constraints, priceFen: offer.priceFen)),
            .init("prohibition", prohibitions),
            .init("huijin:venue", .reference(names.member(offer.venue))),
            .init("huijin:sandboxOperator", .reference(names.member(offer.sandboxOperator))),
            .init("huijin:status", .text(offer.status.name)),
        ])
    }

    /// The same of a licence; its parties and its period are known.
    public static func policy(of agreement: AgreementRecord, names: Names) -> JSONNode {
        var constraints = [
            purposes([agreement.purpose]), columns(agreement.columns), count(agreement.usesMax),
            groupMinimum(agreement.groupMinimum),
        ]
        if agreement.startsMs > 0, let starts = ShanghaiTime.dateTime(unixMs: agreement.startsMs),
            let expires = ShanghaiTime.dateTime(unixMs: agreement.expiresMs)
        {
            constraints.append(constraint("dateTime", "gteq", .typed(starts, "dateTime")))
            constraints.append(constraint("dateTime", "lt", .typed(expires, "dateTime")))
        } else {
            let period = duration(ms: agreement.durationMs)
            constraints.append(constraint("elapsedTime", "lteq", .typed(period, "duration")))
        }
        return document([
            .init("uid", .text(names.agreement(agreement.id))),
            .init("@type", .text("Agreement")),
            .init("profile", .text(profile)),
            .init("target", .text(names.asset(agreement.asset))),
            .init("assigner", .text(names.member(agreement.provider))),
            .init("assignee", .text(names.member(agreement.buyer))),
            .init("permission", permission(constraints, priceFen: agreement.priceFen)),
            .init("prohibition", prohibitions),
            .init("dct:source", .reference(names.offer(agreement.offer))),
            .init("huijin:venue", .reference(names.member(agreement.venue))),
            .init("huijin:sandboxOperator", .reference(names.member(agreement.sandboxOperator))),
            .init("huijin:usesMetered", .typed("\(agreement.usesMetered)", "integer")),
            .init("huijin:status", .text(agreement.status.name)),
        ])
    }

    private static func document(_ members: [JSONNode.Member]) -> JSONNode {
        let context: JSONNode = .list([
            .text("http://www.w3.org/ns/odrl.jsonld"),
            .members([
                "dct": .text("http://purl.org/dc/terms/"),
                "xsd": .text("http://www.w3.org/2001/XMLSchema#"),
                "huijin": .text(Names.terms),
            ]),
        ])
        return .object([.init("@context", context)] + members)
    }

    // MARK: Rules

    private static func permission(_ constraints: [JSONNode], priceFen: UInt64) -> JSONNode {
        .list([
            .members([
                "action": .text("use"), "constraint": .list(constraints),
                "duty": .list([payment(priceFen)]),
            ])
        ])
    }

    /// For each use.
    private static func payment(_ priceFen: UInt64) -> JSONNode {
        let amount = constraint(
            "payAmount", "eq", .typed(yuan(fen: priceFen), "decimal"),
            unit: "http://dbpedia.org/resource/Renminbi")
        let action: JSONNode = .members([
            "rdf:value": .reference("odrl:compensate"), "refinement": .list([amount]),
        ])
        return .members(["action": .list([action])])
    }

    private static var prohibitions: JSONNode {
        .list([
            .members(["action": .text("extract")]), .members(["action": .text("distribute")]),
        ])
    }

    // MARK: Constraints

    private static func constraint(
        _ left: String, _ comparison: String, _ right: JSONNode, unit: String? = nil
    ) -> JSONNode {
        var members: [JSONNode.Member] = [
            .init("leftOperand", .text(left)), .init("operator", .text(comparison)),
            .init("rightOperand", right),
        ]
        if let unit { members.append(.init("unit", .text(unit))) }
        return .object(members)
    }

    private static func purposes(_ codes: [String]) -> JSONNode {
        constraint(
            "purpose", "isAnyOf",
            .list(codes.map { .reference("\(Names.terms)purpose-\($0)") }))
    }

    private static func columns(_ names: [String]) -> JSONNode {
        constraint("\(Names.terms)column", "isAnyOf", .list(names.map { .text($0) }))
    }

    private static func count(_ uses: UInt64) -> JSONNode {
        constraint("count", "lteq", .typed("\(uses)", "integer"))
    }

    private static func groupMinimum(_ entities: UInt64) -> JSONNode {
        constraint("\(Names.terms)groupMinimum", "gteq", .typed("\(entities)", "integer"))
    }

    // MARK: Amounts

    /// `xsd:decimal` of fen as yuan, exact.
    static func yuan(fen: UInt64) -> String {
        let rest = fen % 100
        return "\(fen / 100).\(rest < 10 ? "0" : "")\(rest)"
    }

    /// `xsd:duration` (ISO 8601) of milliseconds, exact.
    static func duration(ms: UInt64) -> String {
        let days = ms / 86_400_000
        let seconds = ms % 86_400_000 / 1_000
        let rest = ms % 1_000
        var text = "P"
        if days > 0 { text += "\(days)D" }
        guard seconds > 0 || rest > 0 || days == 0 else { return text }
        let fraction = String("\(1_000 + rest)".dropFirst())
        return text + "T\(seconds)" + (rest > 0 ? ".\(fraction)" : "") + "S"
    }
}
