import Ledger
import LedgerCrypto
import LightClient
import Records

/// An asset as a `dcat:Dataset` (W3C DCAT 3, JSON-LD 1.1), for catalogues of other markets.
public enum DCATExport {
    /// - Parameter publisher: the provider's record, where at hand; else it is named by its id only.
    /// - Returns: one JSON-LD object that needs no remote context.
    public static func dataset(
        _ asset: AssetRecord, publisher: MemberRecord? = nil, names: Names
    ) -> JSONNode {
        var members: [JSONNode.Member] = [
            .init("@context", context),
            .init("@id", .text(names.asset(asset.id))),
            .init("@type", .text("dcat:Dataset")),
            .init("dct:identifier", .text(asset.id.hex)),
            .init("dct:alternative", .text(asset.code)),
            .init("dct:title", .inBoth(zh: asset.titleZh, en: asset.titleEn)),
            .init("dcat:keyword", .list(asset.keywords.map { .text($0) })),
            .init("dct:publisher", agent(asset.provider, publisher, names)),
            .init("dct:provenance", source(asset.source)),
        ]
        if Names.isWebAddress(asset.sourceURL) {
            members.append(.init("dcat:landingPage", .reference(asset.sourceURL)))
        }
        if !asset.columns.isEmpty { members.append(.init("dct:conformsTo", schema(asset))) }
        members += [
            .init("huijin:rowCount", .typed("\(asset.rowCount)", "integer")),
            .init("huijin:dataCommitment", .text(asset.dataCommitment.hex)),
            .init("huijin:ownerClass", .text(asset.ownerClass.name)),
            .init("huijin:level", .text(asset.level.name)),
            .init("huijin:grade", .text(asset.grade.name)),
            .init("huijin:right", .list(asset.rights.map { .text($0.name) })),
            .init("huijin:status", .text(asset.status.name)),
        ]
        if let registrar = asset.registrar, let height = asset.registeredHeight {
            members.append(.init("huijin:registrar", .reference(names.member(registrar))))
            members.append(.init("huijin:registeredHeight", .typed("\(height)", "integer")))
        }
        return .object(members)
    }

    private static let context: JSONNode = .members([
        "dcat": .text("http://www.w3.org/ns/dcat#"),
        "dct": .text("http://purl.org/dc/terms/"),
        "foaf": .text("http://xmlns.com/foaf/0.1/"),
        "csvw": .text("http://www.w3.org/ns/csvw#"),
        "rdfs": .text("http://www.w3.org/2000/01/rdf-schema#"),
        "xsd": .text("http://www.w3.org/2001/XMLSchema#"),
        "huijin": .text(Names.terms),
    ])

    private static func agent(
        _ id: MemberID, _ record: MemberRecord?, _ names: Names
    ) -> JSONNode {
        var members: [JSONNode.Member] = [
            .init("@id", .text(names.member(id))), .init("@type", .text("foaf:Organization")),
            .init("dct:identifier", .text(id.text)),
        ]
        if let record, record.id == id {
            members.append(.init("foaf:name", .inBoth(zh: record.nameZh, en: record.nameEn)))
        }
        return .object(members)
    }

    private static func source(_ text: String) -> JSONNode {
        .members(["@type": .text("dct:ProvenanceStatement"), "rdfs:label": .text(text)])
    }

    /// CSV on the Web (W3C): the columns in their order.
    private static func schema(_ asset: AssetRecord) -> JSONNode {
        let columns = asset.columns.map { column -> JSONNode in
            .members([
                "@type": .text("csvw:Column"), "csvw:name": .text(column.name),
                "csvw:datatype": .text(datatype(column.type)),
            ])
        }
        var members: [JSONNode.Member] = [
            .init("@type", .text("csvw:Schema")),
            .init("csvw:column", .members(["@list": .list(columns)])),
        ]
        if let entityKey = asset.entityKey {
            members.append(.init("huijin:entityKey", .text(entityKey)))
        }
        return .object(members)
    }

    private static func datatype(_ type: ColumnType) -> String {
        switch type {
        case .text: "string"
        case .integer: "integer"
        case .real: "double"
        }
    }
}
