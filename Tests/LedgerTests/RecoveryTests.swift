import Encoding
import Ledger
import LedgerCrypto
import Testing

/// The genesis' rule for a lost quorum, and what is signed under it.
@Suite struct RecoveryTests {
    struct Scene {
        let fixture: Fixture
        let keys: [SigningKey]
        let rule: RecoveryRule
        let genesis: Genesis
        let block: Block
        let basis: Certificate
        let next: ValidatorSet
        let statement: VoteStatement

        init(_ suite: LedgerCrypto.Suite) throws {
            fixture = try Fixture(suite: suite)
            keys = try (0..<3).map {
                try SigningKey(suite: suite, secret: [UInt8](repeating: UInt8(40 + $0), count: 32))
            }
            rule = try unwrap(RecoveryRule(threshold: 2, keys: keys.map(\.publicKey)))
            let plain = fixture.genesis
            genesis = Genesis(
                name: plain.name, suite: suite, timeMs: plain.timeMs, parameters: plain.parameters,
                validators: plain.validators, records: plain.records, recovery: rule)
            let header = fixture.header
            next = try unwrap(ValidatorSet(epoch: 1, validators: plain.validators.validators))
            let last = Header(
                chain: genesis.chain, height: header.height, epoch: 0, parent: header.parent,
                timeMs: header.timeMs, logSize: header.logSize, logRoot: header.logRoot,
                stateRoot: header.stateRoot, resultsRoot: header.resultsRoot, entryCount: 1,
                validators: header.validators, nextValidators: next.digest(suite))
            block = Block(header: last, entries: [.envelope([1, 2, 3])])
            basis = Certificate(
                statement: .notarize(
                    epoch: 0, view: 5,
                    VoteSubject(height: 6, header: header.parent, logRoot: suite.digest([8]))),
                signatures: [
                    CertificateSignature(validator: 1, signature: [UInt8](repeating: 7, count: 64))
                ])
            statement = .recover(epoch: 0, VoteSubject(last, suite: suite))
        }

        func signature(_ index: Int, key: Int? = nil) -> CertificateSignature {
            RecoveryRule.sign(statement, at: index, with: keys[key ?? index], chain: genesis.chain)
        }

        func certificate(_ signatures: [CertificateSignature]) -> Certificate {
            Certificate(statement: statement, signatures: signatures)
        }
    }

    @Test(arguments: Suite.allCases)
    func wireForms(suite: LedgerCrypto.Suite) throws {
        let scene = try Scene(suite)
        try expectStrict(scene.rule)
        try expectStrict(scene.genesis, limits: LedgerLimits.genesis)
        #expect(scene.genesis.chain != scene.fixture.chain)
        let certificate = scene.certificate([scene.signature(0), scene.signature(2)])
        try expectStrict(certificate, limits: LedgerLimits.certificate)
        let recovery = try unwrap(
            Recovery(
                suite: suite, basis: scene.basis, next: scene.next, blocks: [scene.block],
                certificate: certificate))
        try expectStrict(recovery, limits: Recovery.limits)
        // The plain genesis with the other's name, and the other way round.
        var plain = CBOREncoder()
        plain.value(scene.fixture.genesis)
        let renamed = plain.bytes.replacing("huijin/genesis/1".utf8, with: "huijin/genesis/2".utf8)
        #expect(throws: CBORError.self) {
            try Genesis.decode(renamed, limits: LedgerLimits.genesis)
        }
        let other = scene.genesis.encoded.replacing(
            "huijin/genesis/2".utf8, with: "huijin/genesis/1".utf8)
        #expect(throws: CBORError.self) { try Genesis.decode(other, limits: LedgerLimits.genesis) }
    }

    /// What cannot change later, in the suite whose signatures are deterministic.
    @Test func goldenDigests() throws {
        let scene = try Scene(.ed25519SHA256)
        let suite = scene.fixture.suite
        let certificate = scene.certificate([scene.signature(0), scene.signature(2)])
        let recovery = try unwrap(
            Recovery(
                suite: suite, basis: scene.basis, next: scene.next, blocks: [scene.block],
                certificate: certificate))
        let found = [
            "chain": scene.genesis.chain.hex,
            "signature": suite.digest(scene.signature(0).signature).hex,
            "recovery": suite.digest(recovery.encoded).hex,
        ]
        #expect(found == goldenRecoveryValues)
    }

    @Test func rulesHaveAMajority() throws {
        let keys = try Scene(.ed25519SHA256).keys.map(\.publicKey)
        let sm2 = try Scene(.sm2SM3).keys[0].publicKey
        #expect(RecoveryRule(threshold: 1, keys: []) == nil)
        #expect(RecoveryRule(threshold: 1, keys: keys) == nil)
        #expect(RecoveryRule(threshold: 4, keys: keys) == nil)
        #expect(RecoveryRule(threshold: 1, keys: Array(keys[..<2])) == nil)
        #expect(RecoveryRule(threshold: 2, keys: [keys[0], keys[0]]) == nil)
        #expect(RecoveryRule(threshold: 2, keys: [keys[0], sm2]) == nil)
        #expect(RecoveryRule(threshold: 1, keys: [keys[0]]) != nil)
        #expect(RecoveryRule(threshold: 3, keys: keys) != nil)
    }

    @Test(arguments: Suite.allCases)
    func onlyTheRulesKeysCount(suite: LedgerCrypto.Suite) throws {
        let scene = try Scene(suite)
        let chain = scene.genesis.chain
        func isGood(_ signatures: [CertificateSignature]) -> Bool {
            scene.certificate(signatures).verified(chain: chain, rule: scene.rule) != nil
        }
        #expect(isGood([scene.signature(0), scene.signature(2)]))
        #expect(isGood([scene.signature(0), scene.signature(1), scene.signature(2)]))
        #expect(!isGood([scene.signature(0)]))
        #expect(!isGood([scene.signature(0), scene.signature(0)]))
        #expect(!isGood([scene.signature(0), scene.signature(1, key: 2)]))
        #expect(!isGood([scene.signature(0), scene.signature(3, key: 2)]))
        #expect(
            scene.certificate([scene.signature(0), scene.signature(2)])
                .verified(chain: suite.digest([7]), rule: scene.rule) == nil)
        // Voting keys in the same places, and a certificate of recovery keys among votes.
        let votes = try (0..<3).map { index in
            let key = try SigningKey(
                suite: suite, secret: [UInt8](repeating: UInt8(index + 1), count: 32))
            return RecoveryRule.sign(scene.statement, at: index, with: key, chain: chain)
        }
        #expect(!isGood(votes))
        #expect(
            scene.certificate(votes).verified(
                chain: chain, validators: scene.fixture.validators) == nil)
        let certificate = scene.certificate([scene.signature(0), scene.signature(2)])
        func isFinal(_ header: Header, _ set: ValidatorSet, _ rule: RecoveryRule?) -> Bool {
            certificate.verifiedFinal(of: header, chain: chain, validators: set, rule: rule) != nil
        }
        let header = scene.block.header
        #expect(isFinal(header, scene.fixture.validators, scene.rule))
        #expect(!isFinal(header, scene.fixture.validators, nil))
        #expect(!isFinal(scene.fixture.header, scene.fixture.validators, scene.rule))
        let next = try unwrap(
            ValidatorSet(epoch: 1, validators: scene.fixture.validators.validators))
        #expect(!isFinal(header, next, scene.rule))
        let vote = Vote(statement: scene.statement, validator: 0, signature: votes[0].signature)
        #expect(vote.verified(chain: chain, validators: scene.fixture.validators) == nil)
        #expect(throws: CBORError.self) {
            try Vote.decode(vote.encoded, limits: LedgerLimits.certificate)
        }
    }

    @Test func aFileHoldsTogether() throws {
        let scene = try Scene(.ed25519SHA256)
        let suite = scene.fixture.suite
        let certificate = scene.certificate([])
        func make(_ blocks: [Block], _ certificate: Certificate) -> Recovery? {
            Recovery(
                suite: suite, basis: nil, next: scene.next, blocks: blocks, certificate: certificate
            )
        }
        #expect(make([scene.block], certificate) != nil)
        #expect(make([], certificate) == nil)
        // The last block ends no epoch; the certificate is another's; the blocks do not follow one another.
        let plain = Block(header: scene.fixture.header, entries: [])
        let named = Certificate(
            statement: .recover(epoch: 0, VoteSubject(plain.header, suite: suite)), signatures: [])
        #expect(make([plain], named) == nil)
        #expect(make([scene.block], named) == nil)
        #expect(make([plain, scene.block], certificate) == nil)
        let notarized = Certificate(
            statement: .notarize(epoch: 0, view: 0, VoteSubject(scene.block.header, suite: suite)),
            signatures: [])
        #expect(make([scene.block], notarized) == nil)
        // The basis is of something else, or of another epoch, or says something else.
        let subject = scene.basis.statement.subject
        for statement: VoteStatement in [
            .notarize(epoch: 0, view: 5, VoteSubject(plain.header, suite: suite)),
            .notarize(epoch: 1, view: 5, try unwrap(subject)), .nullify(epoch: 0, view: 5),
            .recover(epoch: 0, try unwrap(subject)),
        ] {
            let basis = Certificate(statement: statement, signatures: [])
            #expect(
                Recovery(
                    suite: suite, basis: basis, next: scene.next, blocks: [scene.block],
                    certificate: certificate) == nil)
        }
        // Other seats than the signed header names, whatever a body says; and the right seats of another epoch.
        let seats = scene.next.validators
        for (epoch, named) in [(1, Array(seats.dropLast())), (2, seats)] as [(UInt64, [Validator])]
        {
            let other = try unwrap(ValidatorSet(epoch: epoch, validators: named))
            #expect(
                Recovery(
                    suite: suite, basis: nil, next: other, blocks: [scene.block],
                    certificate: certificate) == nil)
        }
        // A statement of a view is none.
        var bytes = CBOREncoder()
        bytes.array(4)
        bytes.unsigned(4)
        bytes.unsigned(0)
        bytes.unsigned(9)
        bytes.value(VoteSubject(scene.block.header, suite: suite))
        #expect(throws: CBORError.self) {
            try VoteStatement.decode(bytes.bytes, limits: LedgerLimits.certificate)
        }
    }
}
