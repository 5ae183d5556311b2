import Encoding
import Ledger
import LedgerCrypto
import Testing

@Suite struct EnvelopeTests {
    @Test(arguments: Suite.allCases)
    func signedEnvelopeVerifiesOnlyAsItIs(suite: LedgerCrypto.Suite) throws {
        let fixture = try Fixture(suite: suite)
        let bytes = Envelope.sign(
            fixture.transaction, chain: fixture.chain, with: fixture.memberKey)
        let envelope = try Envelope(bytes: bytes, chain: fixture.chain, suite: suite)
        #expect(envelope.transaction == fixture.transaction)
        #expect(envelope.verified(by: fixture.memberKey.publicKey) != nil)
        #expect(envelope.verified(by: fixture.keys[0].publicKey) == nil)
        for index in bytes.indices {
            var changed = bytes
            changed[index] ^= 1
            let accepted = (try? Envelope(bytes: changed, chain: fixture.chain, suite: suite))?
                .verified(by: fixture.memberKey.publicKey)
            #expect(accepted == nil, "byte \(index)")
        }
    }

    @Test func refusalsAreTold() throws {
        let fixture = try Fixture(suite: .ed25519SHA256)
        let other = try Fixture(suite: .sm2SM3)
        let bytes = Envelope.sign(
            fixture.transaction, chain: fixture.chain, with: fixture.memberKey)
        let elsewhere = fixture.suite.digest([0])
        #expect(throws: EnvelopeError.wrongChain(found: fixture.chain, expected: elsewhere)) {
            try Envelope(bytes: bytes, chain: elsewhere, suite: .ed25519SHA256)
        }
        #expect(throws: EnvelopeError.tooLarge(bytes: bytes.count, bytesMax: 100)) {
            try Envelope(
                bytes: bytes, chain: fixture.chain, suite: .ed25519SHA256, bytesMax: 100)
        }
        let foreign = Envelope.sign(
            fixture.transaction, chain: fixture.chain, with: other.memberKey)
        #expect(throws: EnvelopeError.self) {
            try Envelope(bytes: foreign, chain: fixture.chain, suite: .ed25519SHA256)
        }
        let request = CoseSign1.sign(
            protected: SigningContext.request.protectedHeader(
                suite: .ed25519SHA256, keyID: fixture.memberKey.publicKey.keyID,
                chain: fixture.chain),
            payload: fixture.transaction.encoded, detached: false, with: fixture.memberKey)
        #expect(throws: EnvelopeError.wrongContext) {
            try Envelope(bytes: request.encoded, chain: fixture.chain, suite: .ed25519SHA256)
        }
    }

    /// The same payload signed by two keys is one transaction in two envelopes.
    @Test func idIgnoresTheSigner() throws {
        let fixture = try Fixture(suite: .ed25519SHA256)
        let envelopes = try [fixture.memberKey, fixture.keys[0]].map {
            try Envelope(
                bytes: Envelope.sign(fixture.transaction, chain: fixture.chain, with: $0),
                chain: fixture.chain, suite: .ed25519SHA256)
        }
        #expect(envelopes[0].id == envelopes[1].id)
        #expect(envelopes[0].digest != envelopes[1].digest)
    }

    @Test(arguments: Suite.allCases)
    func requestTokenIsBoundToItsRequest(suite: LedgerCrypto.Suite) throws {
        let fixture = try Fixture(suite: suite)
        let key = fixture.memberKey
        let header = RequestToken.header(
            method: "GET", path: "/v1/a?b=1", timeMs: 1_000_000, chain: fixture.chain, with: key)
        let token = try RequestToken(header: header, chain: fixture.chain, suite: suite)
        try token.check(method: "GET", path: "/v1/a?b=1", nowMs: 1_030_000, key: key.publicKey)
        #expect(throws: RequestToken.Failure.otherRequest) {
            try token.check(
                method: "GET", path: "/v1/a?b=2", nowMs: 1_000_000, key: key.publicKey)
        }
        #expect(throws: RequestToken.Failure.stale(differenceMs: 60_001)) {
            try token.check(
                method: "GET", path: "/v1/a?b=1", nowMs: 1_060_001, key: key.publicKey)
        }
        #expect(throws: RequestToken.Failure.badSignature) {
            try token.check(
                method: "GET", path: "/v1/a?b=1", nowMs: 1_000_000,
                key: fixture.keys[0].publicKey)
        }
        #expect(throws: RequestToken.Failure.wrongChain) {
            try RequestToken(header: header, chain: suite.digest([]), suite: suite)
        }
        #expect(throws: RequestToken.Failure.malformed) {
            try RequestToken(header: "Huijin AAAA", chain: fixture.chain, suite: suite)
        }
    }
}
