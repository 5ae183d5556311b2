import Hummingbird
import Interchange
import LedgerCrypto

extension Routes {
    func logCheckpoint(_ request: Request) throws -> Response {
        let query = try Query(request, known: ["height"])
        let height: UInt64? =
            query["height"] == nil ? nil : try query.number("height", standard: 0, max: .max)
        guard let found = reads.node.checkpoint(height: height) else {
            throw APIError.noLogCheckpoint
        }
        return .bytes(Array(found.note.utf8), type: "text/plain; charset=utf-8")
    }

    /// Its leaves are digests of headers, envelopes and automatic actions, which tell nobody what is in them
    /// (docs/decisions/0012-checkpoints.md).
    func logBundle(_ context: BasicRequestContext) async throws -> Response {
        guard reads.suite == .ed25519SHA256 else { throw APIError.noLogCheckpoint }
        let width = UInt64(LogTileWriter.width)
        guard let text = context.parameters.get("number"), let number = UInt64(text),
            number < .max / width
        else { throw APIError.badPath }
        let (leaves, first) = try await reads.history {
            (
                try $0.store.leafData(from: number * width, countMax: LogTileWriter.width),
                $0.store.firstHeight
            )
        }
        guard let leaves else { throw APIError.notHeld(from: first) }
        guard !leaves.isEmpty else { throw APIError.notFound }
        return .bytes(LogTileWriter.bundle(of: leaves), type: Route.octets)
    }
}
