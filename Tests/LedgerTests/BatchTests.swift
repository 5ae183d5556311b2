import Encoding
import LedgerCrypto
import Merkle
import Testing

@testable import Ledger

@Suite struct BatchTests {
    private func transactions(_ count: Int, of fixture: Fixture, first: Int = 0) -> [Transaction] {
        (first..<first + count).map { number in
            var nonce = [UInt8](repeating: 9, count: LedgerLimits.nonceBytes)
            nonce[0] = UInt8(truncatingIfNeeded: number)
            nonce[1] = UInt8(truncatingIfNeeded: number >> 8)
            let pattern = fixture.transaction
            return Transaction(
                kind: pattern.kind, nonce: nonce, lastValidHeight: pattern.lastValidHeight,
                member: pattern.member, body: pattern.body)
        }
    }

    private func batch(_ count: Int, of fixture: Fixture, first: Int = 0) -> [[UInt8]] {
        Envelope.signBatch(
            transactions(count, of: fixture, first: first), chain: fixture.chain,
            with: fixture.memberKey)
    }

    private func decoded(_ bytes: [UInt8], _ fixture: Fixture) throws -> Envelope {
        try Envelope(bytes: bytes, chain: fixture.chain, suite: fixture.suite)
    }

    private func isAccepted(_ bytes: [UInt8], _ fixture: Fixture) -> Bool {
        (try? decoded(bytes, fixture))?.verified(by: fixture.memberKey.publicKey) != nil
    }

    /// The same envelope with another proof.
    private func moved(_ bytes: [UInt8], _ fixture: Fixture, to proof: BatchProof) throws -> [UInt8]
    {
        let envelope = try decoded(bytes, fixture)
        return Envelope.batchEnvelope(
            Array(envelope.payload),
            CoseSign1(
                protected: Array(envelope.protected), payload: nil,
                signature: envelope.signature), proof)
    }

    @Test(arguments: Suite.allCases)
    func eachIsValidAloneAndTheTransactionItAlwaysWas(suite: LedgerCrypto.Suite) throws {
        let fixture = try Fixture(suite: suite)
        let stranger = fixture.keys[0].publicKey
        for count in [2, 3, 5, 8, 1_024] {
            let transactions = transactions(count, of: fixture)
            let envelopes = Envelope.signBatch(
                transactions, chain: fixture.chain, with: fixture.memberKey)
            #expect(envelopes.count == count)
            for index in stride(from: 0, to: count, by: max(1, count / 5)) {
                let envelope = try decoded(envelopes[index], fixture)
                let single = try decoded(
                    Envelope.sign(
                        transactions[index], chain: fixture.chain, with: fixture.memberKey),
                    fixture)
                #expect(envelope.transaction == transactions[index])
                #expect(envelope.batchProof?.index == UInt64(index))
                #expect(envelope.id == single.id)
                #expect(envelope.digest != single.digest)
                #expect(single.batchProof == nil)
                #expect(single.batchClaim(under: fixture.memberKey.publicKey) == nil)
                #expect(envelope.verified(by: fixture.memberKey.publicKey) != nil)
                #expect(envelope.verified(by: stranger) == nil)
            }
        }
    }

    /// Nothing in an envelope is free to vary, neither what is signed nor the proof beside it.
    @Test(arguments: Suite.allCases)
    func noBitCanBeChanged(suite: LedgerCrypto.Suite) throws {
        let fixture = try Fixture(suite: suite)
        let bytes = batch(5, of: fixture)[3]
        #expect(isAccepted(bytes, fixture))
        let bits: [UInt8] = suite == .ed25519SHA256 ? (0..<8).map { 1 << $0 } : [1]
        for index in bytes.indices {
            for bit in bits {
                var changed = bytes
                changed[index] ^= bit
                #expect(!isAccepted(changed, fixture), "byte \(index), bit \(bit)")
            }
            #expect(throws: EnvelopeError.self) { try decoded(Array(bytes[..<index]), fixture) }
        }
        #expect(throws: EnvelopeError.self) { try decoded(bytes + [0], fixture) }
    }

    @Test func noOtherPlaceIsAccepted() throws {
        let fixture = try Fixture(suite: .ed25519SHA256)
        for count in 2...9 {
            let envelopes = batch(count, of: fixture)
            for (index, bytes) in envelopes.enumerated() {
                let path = try #require(try decoded(bytes, fixture).batchProof).path
                for size in 1...10 {
                    for other in 0..<size where size != count || other != index {
                        let proof = BatchProof(
                            size: UInt64(size), index: UInt64(other), path: path)
                        #expect(!isAccepted(try moved(bytes, fixture, to: proof), fixture))
                    }
                }
            }
        }
    }

    @Test func aPathOfAnotherBatchLeadsElsewhere() throws {
        let fixture = try Fixture(suite: .ed25519SHA256)
        let key = fixture.memberKey.publicKey
        let (here, there) = (batch(4, of: fixture), batch(4, of: fixture, first: 4))
        let proof = try #require(try decoded(there[1], fixture).batchProof)
        let mixed = try moved(here[1], fixture, to: proof)
        #expect(!isAccepted(mixed, fixture))
        let claim = try #require(try decoded(here[0], fixture).batchClaim(under: key))
        var known = try #require(claim.verified()).batch
        #expect(known.transaction(try decoded(mixed, fixture)) == nil)
        #expect(known.transaction(try decoded(there[1], fixture)) == nil)
        #expect(known.transaction(try decoded(here[1], fixture)) != nil)
    }

    @Test func limitsAreCheckedBeforeAnythingIsHashed() throws {
        let fixture = try Fixture(suite: .ed25519SHA256)
        let path = [Digest](repeating: .zero, count: LedgerLimits.batchPathMax)
        let payload = fixture.transaction.encoded
        func refusal(_ proof: BatchProof, signed: UInt64? = nil) -> EnvelopeError? {
            let key = fixture.memberKey
            let header = BatchHeader(
                algorithm: fixture.suite.coseAlgorithm, keyID: key.publicKey.keyID,
                chain: fixture.chain, size: signed ?? proof.size)
            let sign1 = CoseSign1.sign(
                protected: header.encoded, payload: [], detached: true, with: key)
            do throws(EnvelopeError) {
                _ = try Envelope(
                    bytes: Envelope.batchEnvelope(payload, sign1, proof), chain: fixture.chain,
                    suite: fixture.suite)
                return nil
            } catch {
                return error
            }
        }
        #expect(refusal(BatchProof(size: 1_024, index: 1_023, path: path)) == nil)
        #expect(refusal(BatchProof(size: 1_024, index: 1_024, path: path)) == .batchProof)
        #expect(refusal(BatchProof(size: 1_025, index: 0, path: path)) == .batchProof)
        #expect(refusal(BatchProof(size: .max, index: 0, path: path)) == .batchProof)
        #expect(refusal(BatchProof(size: 1, index: 0, path: [])) == .batchProof)
        #expect(refusal(BatchProof(size: 0, index: 0, path: [])) == .batchProof)
        #expect(refusal(BatchProof(size: 512, index: 0, path: path)) == .batchProof)
        #expect(
            refusal(BatchProof(size: 1_024, index: 0, path: path), signed: 1_023) == .batchProof)
        let long = refusal(BatchProof(size: 1_024, index: 0, path: path + [.zero]))
        guard case .undecodable = long else {
            Issue.record("a path of 11 digests: \(String(describing: long))")
            return
        }
    }

    /// Neither form passes for the other, and a root signed for anything else is no batch.
    @Test func contextsAreKeptApart() throws {
        let fixture = try Fixture(suite: .ed25519SHA256)
        let key = fixture.memberKey
        let envelope = try decoded(batch(2, of: fixture)[0], fixture)
        let root = try #require(envelope.batchClaim(under: key.publicKey)).root
        let attached = CoseSign1.sign(
            protected: Array(envelope.protected), payload: fixture.transaction.encoded, with: key)
        #expect(throws: EnvelopeError.self) { try decoded(attached.encoded, fixture) }
        for context in SigningContext.allCases {
            let size: UInt64 = 2
            for extra in [[], [size.encoded]] {
                let header = context.protectedHeader(
                    suite: fixture.suite, keyID: key.publicKey.keyID, chain: fixture.chain,
                    extra: extra)
                let signed = CoseSign1.sign(
                    protected: header, payload: root.bytes, detached: true, with: key)
                let proof = try #require(envelope.batchProof)
                let bytes = Envelope.batchEnvelope(Array(envelope.payload), signed, proof)
                #expect(!isAccepted(bytes, fixture), "\(context)")
                let claimed = CoseSign1(
                    protected: Array(envelope.protected), payload: nil,
                    signature: signed.signature)
                #expect(
                    !isAccepted(
                        Envelope.batchEnvelope(Array(envelope.payload), claimed, proof), fixture))
            }
        }
    }

    /// With or without what is known of the batch, in any order, the same envelopes are accepted.
    @Test(arguments: Suite.allCases)
    func aKnownBatchAcceptsWhatStandsAlone(suite: LedgerCrypto.Suite) throws {
        let fixture = try Fixture(suite: suite)
        let key = fixture.memberKey.publicKey
        for count in [2, 3, 6, 7, 13, 1_000] {
            let envelopes = try batch(count, of: fixture).map { try decoded($0, fixture) }
            let claims = envelopes.compactMap { $0.batchClaim(under: key) }
            #expect(Set(claims.map(\.digest)).count == 1)
            #expect(Set(claims.map(\.signature)).count == 1)
            var known = try #require(claims[count / 2].verified()).batch
            // A step that shares no factor with any of the counts goes through all of them.
            for step in 0..<count {
                let index = step * 509 % count
                let envelope = envelopes[index]
                if step % max(1, count / 13) == 0 {
                    for forged in try forgeries(of: envelope, fixture) {
                        #expect(known.transaction(forged) == nil)
                        #expect(forged.verified(by: key) == nil)
                    }
                }
                let found = known.transaction(envelope)
                #expect(found?.value == SignedTransaction(envelope: envelope, key: key))
            }
            for envelope in envelopes { #expect(known.transaction(envelope) != nil) }
            for forged in try forgeries(of: envelopes[0], fixture) {
                #expect(known.transaction(forged) == nil)
            }
        }
    }

    /// Each digest of the path changed in turn, and a payload changed under a good path.
    private func forgeries(of envelope: Envelope, _ fixture: Fixture) throws -> [Envelope] {
        let proof = try #require(envelope.batchProof)
        let signed = CoseSign1(
            protected: Array(envelope.protected), payload: nil, signature: envelope.signature)
        var forged: [[UInt8]] = []
        for step in proof.path.indices {
            for other in [Digest.zero, proof.path[step ^ 1 < proof.path.count ? step ^ 1 : 0]]
            where other != proof.path[step] {
                var path = proof.path
                path[step] = other
                forged.append(
                    Envelope.batchEnvelope(
                        Array(envelope.payload), signed,
                        BatchProof(size: proof.size, index: proof.index, path: path)))
            }
        }
        forged.append(
            Envelope.batchEnvelope(
                fixture.transaction.encoded, signed, proof))
        return try forged.map { try decoded($0, fixture) }
    }

    @Test func proofIsStrictOnTheWire() throws {
        let suite = Suite.ed25519SHA256
        try expectStrict(BatchProof(size: 5, index: 4, path: [suite.digest([1])]))
        try expectStrict(
            BatchProof(size: 1_024, index: 7, path: (0..<10).map { suite.digest([$0]) }))
    }
}
