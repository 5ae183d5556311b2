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
            call.path == "/v1/epochs/0/views/5/certificates"
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

    private func list(_ certificates: Certificate...) -> [UInt8] {
        var encoder = CBOREncoder()
        encoder.list(certificates)
        return encoder.bytes
    }

    /// The other history's quorum skipped the view, or finalized another block in it.
    @Test(arguments: [VoteKind.nullify, .finalize])
    func whoeverHoldsTheOtherVotesNamesTheCulprits(_ kind: VoteKind) async throws {
        let evidence = try evidence()
        let own = evidence.lower.certificate.view == 5 ? evidence.lower : evidence.higher
        let subject = VoteSubject(fork.common.newest, suite: .ed25519SHA256)
        let statement: VoteStatement =
            kind == .nullify
            ? .nullify(epoch: 0, view: 5) : .finalize(epoch: 0, view: 5, subject)
        let good = fork.common.certificate(statement, signers: [1, 2, 3])
        let few = fork.common.certificate(statement, signers: [1, 2])
        let elsewhere = fork.common.certificate(.nullify(epoch: 0, view: 6))
        let known = try fork.verifier.verifyFork(evidence)
        // The first two lie, or have only what is known.
        for (first, second) in [
            (list(elsewhere), list(few)), (list(own.certificate), [0x40, 1]),
        ] {
            let client = try client([
                Self.nodes[0]: first, Self.nodes[1]: second, Self.nodes[2]: list(good),
            ])
            let (completed, proven) = try #require(try await client.completed(evidence, known))
            #expect(completed == evidence.adding([good]))
            #expect(proven.missing == nil)
            #expect(proven.doubleSigners.map(\.seat) == [1, 2])
            // There is nothing more to add.
            #expect(try await client.completed(completed, proven) == nil)
        }
    }

    @Test func withoutThemNothingIsAdded() async throws {
        let evidence = try evidence()
        let known = try fork.verifier.verifyFork(evidence)
        #expect(known.missing == .votes(epoch: 0, view: 5))
        let elsewhere = list(fork.common.certificate(.nullify(epoch: 0, view: 6)))
        for answers in [[:], [Self.nodes[0]: elsewhere]] {
            #expect(try await client(answers).completed(evidence, known) == nil)
        }
        // Who did not answer may be the one that has them.
        await #expect(throws: ClientError.self) {
            _ = try await client([Self.nodes[1]: [0xFF]]).completed(evidence, known)
        }
    }
}
