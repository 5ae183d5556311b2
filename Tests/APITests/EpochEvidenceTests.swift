import Client
import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records
import Testing

@testable import API

/// After a change of the validator set a proof leads from genesis through the epochs, and the genesis file still
/// suffices to check it.
@Suite(.serialized, .timeLimit(.minutes(1))) struct EpochEvidenceTests {
    @Test(arguments: LedgerCrypto.Suite.allCases)
    func proofsCrossEpochs(_ suite: LedgerCrypto.Suite) async throws {
        try await Market1.with(suite: suite) { market in
            let governor = try market.client(.governor)
            let genesisSeat = market.genesis.validators.validators[0]
            for epoch in UInt64(1)...3 {
                var transportKey = genesisSeat.transportKey
                transportKey[90] ^= UInt8(epoch)
                // The same voting key, so that the one node goes on.
                let answer = try await governor.submit(
                    ValidatorReplace(
                        replacedKey: genesisSeat.votingKey.keyID, votingKey: genesisSeat.votingKey,
                        transportKey: transportKey))
                #expect(answer.code == .accepted, "\(answer)")
                let id: [CBORValue] = [.unsigned(0)]
                let question = EvidenceQuestion.record(type: .validators, id: id)
                // The next height is of the new epoch.
                var proven = try await governor.bundle(question)
                while proven.answer.checkpoint.header.epoch < epoch {
                    proven = try await governor.bundle(question)
                }
                #expect(proven.answer.checkpoint.validators.epoch == epoch)
                let bundle = try EvidenceBundle.decode(proven.bytes)
                guard case .certified(let certified, let changes) = bundle.head else {
                    Issue.record("a node certifies its bundles")
                    return
                }
                #expect(changes.map(\.next.epoch) == Array(1...epoch))
                guard case .record(.record(.validators(let record))) = proven.finding else {
                    Issue.record("the set is proven: \(proven.finding)")
                    return
                }
                #expect(record.set == proven.answer.checkpoint.validators)
                #expect(record.set.validators[0].transportKey == transportKey)
                // What a shorter chain would leave out is missed.
                var short = bundle
                short.head = .certified(certified, after: changes.dropLast())
                #expect(throws: EvidenceProblem.self) {
                    try Verifier(genesis: market.genesis).verify(short)
                }
            }
        }
    }
}
