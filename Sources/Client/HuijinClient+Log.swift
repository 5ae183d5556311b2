import Ledger
import LedgerCrypto
import LightClient

extension HuijinClient {
    /// A note is the checkpoint's text and one line.
    private static let noteBytesMax = 4_096

    /// Valid cosignatures of distinct validators for this checkpoint, by their numbers.
    ///
    /// Asks all nodes at the same time for their own, and those that do not have it yet again for `patienceMs`, until there is
    /// a quorum or everybody answered. A node that answers something else is not asked again.
    public func cosignatures(
        of log: LogCheckpoint, at checkpoint: Checkpoint
    ) async -> [Int: LogCosignature] {
        let cosigners = checkpoint.validators.validators.map { LogCosigner($0, chain: chain) }
        let path = "/v1/log/checkpoint?height=\(checkpoint.header.height)"
        let deadline = HuijinClient.nowMs() + limits.patienceMs
        var found: [Int: LogCosignature] = [:]
        var waiting = nodes
        while true {
            let notes = await notes(at: path, of: waiting)
            for line in notes.values.joined(separator: "\n").split(separator: "\n") {
                guard let cosignature = LogCosignature(line: String(line)),
                    let seat = cosigners.firstIndex(where: {
                        cosignature.isValid(for: log, by: $0)
                    })
                else { continue }
                found[seat] = cosignature
            }
            waiting.removeAll { notes[$0] != nil }
            guard found.count < checkpoint.validators.quorum, !waiting.isEmpty,
                HuijinClient.nowMs() < deadline
            else { return found }
            try? await Task.sleep(for: .milliseconds(200))
        }
    }

    /// What those of the nodes answer that do.
    private func notes(at path: String, of nodes: [String]) async -> [String: String] {
        await withTaskGroup(of: (String, String?).self) { group in
            for node in nodes {
                group.addTask { (node, await self.note(at: path, from: node)) }
            }
            var notes: [String: String] = [:]
            for await (node, note) in group { notes[node] = note }
            return notes
        }
    }

    // Apart from the group's closure, as in `status(of:)`.
    private func note(at path: String, from node: String) async -> String? {
        let answer = try? await request(
            node, path, accept: "text/plain", answerBytesMax: Self.noteBytesMax)
        return answer.map { String(decoding: $0.body, as: UTF8.self) }
    }

    /// A bundle of the log's leaves as some node gives it; nothing in it is proven.
    public func logBundle(_ number: UInt64) async throws(ClientError) -> [UInt8] {
        try await patiently { (node) throws(ClientError) in
            try await request(node, "/v1/log/bundles/\(number)", accept: "application/octet-stream")
                .body
        }
    }
}
