import Client
import Encoding
import Ledger
import LedgerCrypto
import LightClient
import TestLedgers
import Testing

/// Nodes by their addresses, each with what it answers.
private struct FixedTransport: HTTPTransport {
    let answers: [String: [UInt8]]

    func perform(_ call: HTTPCall) async throws(ClientError) -> HTTPAnswer {
        guard let (_, body) = answers.first(where: { call.base == $0.key }),
            call.path == "/v1/epochs/0/nullifications/5"
        else {
            let text =
                #"{"error": {"code": "not-found", "message": {"en": "none", "zh": "无"}}}"#
            return HTTPAnswer(
                status: 404, contentType: "application/json", body: Array(text.utf8))
        }
        return HTTPAnswer(status: 200, contentType: "application/cbor", body: body)
    }
}

/// Nodes that kept the nullification of a skipped view name those who made a fork.
@Suite struct ForkTests {
    private let fork = Fork(.ed25519SHA256)
    private static let nodes = (1...3).map { "http://127.0.0.1:\($0)" }

    /// Finalized in views 5 and 9.
    private func evidence() throws -> ForkEvidence {
        let left = try fork.trust.advance(to: fork.left.certified(4, view: 5))
        guard case .trusted(let trust, _) = left,
            case .fork(let evidence) = try trust.advance(to: fork.right.certified(4, view: 9))
        else { throw CancellationError() }
        return evidence
    }

    private func client(_ answers: [String: [UInt8]]) throws -> HuijinClient {
        try HuijinClient(
            nodes: Self.nodes, genesis: fork.common.genesis,
            transport: FixedTransport(answers: answers))
    }

    @Test func whoeverKeptItNamesTheCulprits() async throws {
        let evidence = try evidence()
        let true5 = fork.common.certificate(.nullify(epoch: 0, view: 5), signers: [1, 2, 3])
        let other = fork.common.certificate(.nullify(epoch: 0, view: 6), signers: [1, 2, 3])
        let few = fork.common.certificate(.nullify(epoch: 0, view: 5), signers: [1, 2])
        // The first two lie.
        for (first, second) in [(other.encoded, few.encoded), (few.encoded, [0x40, 1])] {
            let client = try client([
                Self.nodes[0]: first, Self.nodes[1]: second, Self.nodes[2]: true5.encoded,
            ])
            let (completed, proven) = try await client.completed(evidence)
            #expect(completed == evidence.adding([true5]))
            #expect(proven.missing == nil)
            #expect(proven.doubleSigners.map(\.seat) == [1, 2])
            // There is nothing more to add.
            #expect(try await client.completed(completed).evidence == completed)
        }
    }

    @Test func withoutItNothingIsAdded() async throws {
        let evidence = try evidence()
        let other = fork.common.certificate(.nullify(epoch: 0, view: 6), signers: [1, 2, 3])
        for answers in [[:], [Self.nodes[0]: other.encoded]] {
            let (completed, proven) = try await client(answers).completed(evidence)
            #expect(completed == evidence)
            #expect(proven.missing == .nullification(epoch: 0, view: 5))
        }
        var damaged = evidence
        damaged.lower = damaged.higher
        await #expect(throws: EvidenceProblem.self) {
            try await client([:]).completed(damaged)
        }
    }
}
