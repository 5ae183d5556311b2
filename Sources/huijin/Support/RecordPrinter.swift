import Client
import Encoding
import LedgerCrypto
import Records

/// Shows a record that the client proved, with the height it is proven at.
struct RecordPrinter {
    let options: NodeOptions

    func show(_ type: RecordType, _ id: [CBORValue]) async throws {
        // Records that are not public need a signed request; anybody may ask for the others.
        let client = try options.client(signing: try options.folder() != nil)
        let proven = try await client.record(type, id: id)
        guard let record = proven.value else {
            throw Failure(
                .notFound, "proven: there is no such \(type.name) at height \(proven.height)",
                "经证明：高度 \(proven.height) 没有此\(type.titleZh)")
        }
        try Output.show(
            record.json.adding([
                .init("provenAtHeight", .unsigned(proven.height)),
                .init("provenAtMs", .unsigned(proven.timeMs)),
            ]), as: options.format)
    }

    func show(_ type: RecordType, _ id: String) async throws {
        try await show(type, [.bytes(try Arguments.digest(id, "ID").bytes)])
    }
}
