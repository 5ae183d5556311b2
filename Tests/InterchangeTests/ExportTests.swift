import Encoding
import Foundation
import Interchange
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import Testing

@Suite struct ExportTests {
    static let suite = LedgerCrypto.Suite.ed25519SHA256
    static let names = Names(chain: suite.digest([0]))
    static let provider = MemberID("91310000MA1FL00001")!
    static let buyer = MemberID("LEI:5493001KJTIIGC8Y1R12")!

    static var asset: AssetRecord {
        AssetRecord(
            id: suite.digest([1]), code: "weather", provider: provider, titleZh: "逐时气象\"观测\"",
            titleEn: "Hourly weather", keywords: ["气象", "weather"],
            columns: [Column("hour", .integer), Column("temp", .real), Column("origin", .text)],
            entityKey: "origin", rowCount: 26_115, dataCommitment: suite.digest([2]),
            source: "NOAA", sourceURL: "https://example.org/a", ownerClass: .publicData,
            level: .raw, grade: .general, rights: [.holding, .operating], status: .registered,
            registeredHeight: 9, registrar: MemberID("REG-1"), rightsLog: EventLog(suite),
            tradesLog: EventLog(suite), refusalsLog: EventLog(suite))
    }

    static func parse(_ node: JSONNode) throws -> [String: Any] {
        let parsed = try JSONSerialization.jsonObject(with: Data(node.encodedText.utf8))
        return try #require(parsed as? [String: Any])
    }

    @Test func anAssetIsADataset() throws {
        let json = try Self.parse(DCATExport.dataset(Self.asset, names: Self.names))
        let chain = Self.names.chain.hex
        #expect(json["@id"] as? String == "urn:huijin:\(chain):asset-\(Self.asset.id.hex)")
        #expect(json["@type"] as? String == "dcat:Dataset")
        let titles = try #require(json["dct:title"] as? [[String: String]])
        #expect(titles[0] == ["@value": "逐时气象\"观测\"", "@language": "zh"])
        #expect(titles[1] == ["@value": "Hourly weather", "@language": "en"])
        #expect((json["dcat:landingPage"] as? [String: String])?["@id"] == "https://example.org/a")
        let schema = try #require(json["dct:conformsTo"] as? [String: Any])
        let columns = try #require(
            (schema["csvw:column"] as? [String: Any])?["@list"] as? [[String: String]])
        #expect(columns.map { $0["csvw:datatype"] } == ["integer", "double", "string"])
        // Every prefix that is used is declared, so no tool has to fetch a context.
        let context = try #require(json["@context"] as? [String: String])
        for name in json.keys where !name.hasPrefix("@") {
            #expect(context[String(name.prefix { $0 != ":" })] != nil, "\(name)")
        }
        var odd = Self.asset
        odd.sourceURL = "javascript:alert(1)"
        let shown = try Self.parse(DCATExport.dataset(odd, names: Self.names))
        #expect(shown["dcat:landingPage"] == nil)
    }

    static var offer: OfferRecord {
        OfferRecord(
            id: suite.digest([3]), asset: suite.digest([1]), provider: provider,
            venue: MemberID("VENUE-1")!, sandboxOperator: provider, priceFen: 120_005,
            purposes: ["research", "weather-service"], columns: ["hour", "temp"],
            durationMs: 2_592_000_000, usesMax: 10, groupMinimum: 5, status: .admitted,
            publishedHeight: 4)
    }

    @Test func anOfferIsAPolicy() throws {
        let json = try Self.parse(ODRLExport.policy(of: Self.offer, names: Self.names))
        #expect(json["@type"] as? String == "Offer")
        #expect(json["assignee"] == nil)
        let rule = try #require((json["permission"] as? [[String: Any]])?.first)
        let constraints = try Self.constraints(rule)
        #expect(constraints["count"]?["@value"] as? String == "10")
        #expect(constraints["elapsedTime"]?["@value"] as? String == "P30D")
        #expect(constraints["urn:huijin:terms:groupMinimum"]?["@value"] as? String == "5")
        let text = ODRLExport.policy(of: Self.offer, names: Self.names).encodedText
        #expect(text.contains(#""@value":"1200.05","@type":"xsd:decimal""#))
        #expect(text.contains("urn:huijin:terms:purpose-weather-service"))
        #expect(text.contains(#""prohibition":[{"action":"extract"},{"action":"distribute"}]"#))
    }

    static func constraints(_ rule: [String: Any]) throws -> [String: [String: Any]] {
        var found: [String: [String: Any]] = [:]
        for item in try #require(rule["constraint"] as? [[String: Any]]) {
            let name = try #require(item["leftOperand"] as? String)
            let comparison = try #require(item["operator"] as? String)
            let value = item["rightOperand"] as? [String: Any] ?? [:]
            found[found[name] == nil ? name : "\(name) \(comparison)"] = value
        }
        return found
    }

    @Test func anAgreementNamesItsPartiesAndItsPeriod() throws {
        var agreement = AgreementRecord(
            id: Self.suite.digest([4]), offer: Self.offer.id, asset: Self.offer.asset,
            provider: Self.provider, buyer: Self.buyer, venue: MemberID("VENUE-1")!,
            sandboxOperator: Self.provider, bank: MemberID("BANK-1")!, purpose: "research",
            columns: ["temp"], priceFen: 1, usesMax: 3, durationMs: 1_500, groupMinimum: 5,
            venueFeeBasisPoints: 300, pseudonymSalt: [UInt8](repeating: 0, count: 16),
            statementCommitment: .zero, requestedHeight: 6)
        func rule() throws -> [String: Any] {
            let json = try Self.parse(ODRLExport.policy(of: agreement, names: Self.names))
            #expect(
                (json["assignee"] as? String)?.hasSuffix("member-LEI%3A5493001KJTIIGC8Y1R12")
                    == true)
            return try #require((json["permission"] as? [[String: Any]])?.first)
        }
        #expect(try Self.constraints(try rule())["elapsedTime"]?["@value"] as? String == "PT1.500S")
        agreement.startsMs = 1_767_225_600_000
        agreement.expiresMs = agreement.startsMs + 1_500
        let period = try Self.constraints(try rule())
        #expect(period["dateTime"]?["@value"] as? String == "2026-01-01T08:00:00.000+08:00")
        #expect(period["dateTime lt"]?["@value"] as? String == "2026-01-01T08:00:01.500+08:00")
        // Salts and amounts in escrow are nobody else's business.
        let text = ODRLExport.policy(of: agreement, names: Self.names).encodedText
        #expect(!text.contains("alt"))
        #expect(!text.contains("escrow"))
    }
}
