import Encoding
import Ledger
import LedgerCrypto
import Testing

/// Every wire type: round trip, truncation at each byte, a trailing byte.
func expectStrict<T: CBORCodable & Equatable>(
    _ value: T, limits: CBORLimits = LedgerLimits.block,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let bytes = value.encoded
    #expect(try T.decode(bytes, limits: limits) == value, sourceLocation: sourceLocation)
    for length in 0..<bytes.count {
        #expect(throws: CBORError.self, sourceLocation: sourceLocation) {
            try T.decode(Array(bytes[..<length]), limits: limits)
        }
    }
    #expect(throws: CBORError.self, sourceLocation: sourceLocation) {
        try T.decode(bytes + [0], limits: limits)
    }
}

@Suite struct WireTests {
    @Test(arguments: Suite.allCases)
    func everyTypeIsStrict(suite: LedgerCrypto.Suite) throws {
        let fixture = try Fixture(suite: suite)
        let subject = VoteSubject(fixture.header, suite: suite)
        try expectStrict(fixture.header)
        try expectStrict(fixture.transaction)
        try expectStrict(fixture.validators)
        try expectStrict(fixture.genesis, limits: LedgerLimits.genesis)
        try expectStrict(subject)
        let action = AutomaticAction(kind: 1, deadlineMs: 5, subject: suite.digest([1]))
        let block = Block(
            header: fixture.header, entries: [.automatic(action), .envelope([1, 2, 3])])
        try expectStrict(block)
        try expectStrict(EntryOutcome(entryDigest: suite.digest([1]), code: 301))
        for statement: VoteStatement in [
            .notarize(epoch: 0, view: 9, subject), .nullify(epoch: 0, view: 9),
            .finalize(epoch: 0, view: 9, subject),
        ] {
            let votes = (0..<3).map { fixture.vote(statement, by: $0) }
            try expectStrict(votes[0])
            let certificate = Certificate(
                statement: statement,
                signatures: votes.map {
                    CertificateSignature(validator: $0.validator, signature: $0.signature)
                })
            try expectStrict(certificate)
        }
    }

    @Test func memberIDRefusesOtherCharacters() {
        #expect(MemberID("") == nil)
        #expect(MemberID(String(repeating: "A", count: 65)) == nil)
        #expect(MemberID("91350211m000100y43") == nil)
        #expect(MemberID("公司") == nil)
        #expect(MemberID("LEI:5493001KJTIIGC8Y1R12") != nil)
    }

    /// The digests that can't change later: a change here is a change of the wire format.
    @Test func goldenDigests() throws {
        let fixture = try Fixture(suite: .ed25519SHA256)
        let subject = VoteSubject(fixture.header, suite: fixture.suite)
        let found = [
            "chain": fixture.chain.hex,
            "header": fixture.header.digest(fixture.suite).hex,
            "transaction id": Transaction.id(
                payload: fixture.transaction.encoded, chain: fixture.chain, suite: fixture.suite
            ).hex,
            "envelope": fixture.suite.digest(
                Envelope.sign(fixture.transaction, chain: fixture.chain, with: fixture.memberKey)
            ).hex,
            "finalize": Hex.encode(
                fixture.vote(.finalize(epoch: 0, view: 9, subject), by: 0).signature),
            "entry leaf": LogLeaf.entry(.envelope([1, 2, 3]), suite: fixture.suite).hex,
        ]
        #expect(found == goldenValues)
    }
}
