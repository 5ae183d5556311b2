import Encoding
import Ledger
import LedgerCrypto
import LightClient
import TestLedgers
import Testing

/// Finalize votes with their inclusion paths, as receipts that other tools check (RFC 9942).
@Suite struct ReceiptTests {
    private struct World {
        let fixture: Fixture
        let bundle: EvidenceBundle
        let receipts: BundleReceipts

        init(_ suite: LedgerCrypto.Suite) throws {
            fixture = Fixture(suite)
            bundle = try fixture.history()
            receipts = try fixture.verifier.receipts(bundle.encoded)
        }

        func verify(
            _ receipt: Receipt, leaf: [UInt8], certified: Header? = nil
        ) throws(ReceiptFault) -> Receipt.Finding {
            try receipt.verified(
                leaf: leaf, chain: fixture.chain.chain, validators: fixture.chain.validators,
                certified: certified)
        }
    }

    @Test(arguments: Suite.allCases)
    func everySignerGivesOneForEachEntry(_ suite: LedgerCrypto.Suite) throws {
        let world = try World(suite)
        #expect(world.receipts.entryCount == world.bundle.entries.count)
        #expect(world.receipts.entryCount > 3 && world.receipts.signers == [0, 1, 2])
        var seenAutomatic = false
        for number in 0..<world.receipts.entryCount {
            let entry = world.receipts.entry(number)
            seenAutomatic = seenAutomatic || entry.leaf[1] == 2
            #expect(entry.receipts.count == 3)
            for (signer, receipt) in zip(world.receipts.signers, entry.receipts) {
                let finding = try world.verify(
                    Receipt.decode(receipt.encoded), leaf: entry.leaf,
                    certified: world.bundle.header)
                #expect(finding.validator == signer)
                #expect(finding.root == world.bundle.header.logRoot)
                // Any tool that knows COSE decides the same, with the root as the detached payload.
                let message = try CoseSign1.decode(receipt.encoded, limits: Receipt.limits)
                let key = world.fixture.chain.validators.validators[signer].votingKey
                #expect(message.isValid(key: key, detachedPayload: finding.root.bytes))
            }
        }
        #expect(seenAutomatic)
    }

    @Test(arguments: Suite.allCases)
    func whatItDoesNotShowIsRefused(_ suite: LedgerCrypto.Suite) throws {
        let world = try World(suite)
        let (entry, next) = (world.receipts.entry(0), world.receipts.entry(1))
        let receipt = entry.receipts[1]
        #expect(throws: ReceiptFault.badSignature(receipt.keyID)) {
            try world.verify(receipt, leaf: next.leaf)
        }
        let chain = world.fixture.chain
        #expect(throws: ReceiptFault.otherLedger(found: chain.chain, expected: .zero)) {
            try receipt.verified(leaf: entry.leaf, chain: .zero, validators: chain.validators)
        }
        let others = TestChain.set((0..<4).map { TestChain.key(suite, 300 + $0) }, epoch: 0)
        #expect(throws: ReceiptFault.unknownKey(receipt.keyID)) {
            try receipt.verified(leaf: entry.leaf, chain: chain.chain, validators: others)
        }
        let later = TestChain.set((0..<4).map { TestChain.key(suite, 100 + $0) }, epoch: 1)
        #expect(throws: ReceiptFault.otherEpoch(found: 0, expected: 1)) {
            try receipt.verified(leaf: entry.leaf, chain: chain.chain, validators: later)
        }
        let otherSuite: LedgerCrypto.Suite = suite == .sm2SM3 ? .ed25519SHA256 : .sm2SM3
        let foreign = TestChain.set([TestChain.key(otherSuite, 100)], epoch: 0)
        #expect(throws: ReceiptFault.otherSuite) {
            try receipt.verified(leaf: entry.leaf, chain: chain.chain, validators: foreign)
        }
        let ancestor = try #require(world.bundle.ancestors.first).header
        #expect(throws: ReceiptFault.otherHeader) {
            try world.verify(receipt, leaf: entry.leaf, certified: ancestor)
        }
    }

    /// A size that gives the same path is caught by whoever has the header; any other size, index or path by everybody.
    @Test func theProofsPlaceIsChecked() throws {
        let world = try World(.ed25519SHA256)
        let entry = world.receipts.entry(0)
        let vote = world.bundle.certificate.votes[0]
        let size = world.bundle.header.logSize
        let right = entry.receipts[0]
        func receipt(size: UInt64, index: UInt64, path: [Digest]) throws -> Receipt {
            try #require(
                Receipt(
                    vote: vote, chain: right.chain, suite: right.suite, keyID: right.keyID,
                    size: size, index: index, path: path))
        }
        var sameRoot = 0
        for other in 0..<64 where UInt64(other) != size {
            let changed = try receipt(size: UInt64(other), index: right.index, path: right.path)
            if (try? world.verify(changed, leaf: entry.leaf)) != nil { sameRoot += 1 }
            #expect(throws: ReceiptFault.self, "size \(other)") {
                try world.verify(changed, leaf: entry.leaf, certified: world.bundle.header)
            }
        }
        #expect(sameRoot > 0, "the test shows that the header is needed to know the size")
        for index in 0..<64 where UInt64(index) != right.index {
            let changed = try receipt(size: size, index: UInt64(index), path: right.path)
            #expect(throws: ReceiptFault.self, "index \(index)") {
                try world.verify(changed, leaf: entry.leaf)
            }
        }
        #expect(throws: ReceiptFault.malformedProof) {
            try world.verify(
                receipt(size: size, index: right.index, path: right.path.dropLast()),
                leaf: entry.leaf)
        }
        let notarize = Vote(
            statement: .notarize(
                epoch: 0, view: 1, VoteSubject(world.bundle.header, suite: .ed25519SHA256)),
            validator: 0, signature: vote.signature)
        #expect(
            Receipt(
                vote: notarize, chain: right.chain, suite: right.suite, keyID: right.keyID,
                size: size, index: 0, path: []) == nil)
    }

    @Test(arguments: Suite.allCases)
    func nothingShorterLongerOrAlteredDecidesTheSame(_ suite: LedgerCrypto.Suite) throws {
        let world = try World(suite)
        let entry = world.receipts.entry(2)
        let good = entry.receipts[2].encoded
        #expect(try Receipt.decode(good) == entry.receipts[2])
        #expect(throws: ReceiptFault.self) { try Receipt.decode(good + [0]) }
        for count in good.indices {
            #expect(throws: ReceiptFault.self) { try Receipt.decode(Array(good[..<count])) }
        }
        // SM2 costs too much to alter every byte.
        for offset in stride(from: 0, to: good.count, by: suite == .sm2SM3 ? 7 : 1) {
            var altered = good
            altered[offset] ^= 1
            #expect(throws: ReceiptFault.self, "byte \(offset)") {
                try world.verify(
                    Receipt.decode(altered), leaf: entry.leaf, certified: world.bundle.header)
            }
        }
    }

    @Test func nothingUnprovenBecomesAReceipt() throws {
        let world = try World(.ed25519SHA256)
        var unsigned = world.bundle
        unsigned.certificate = world.fixture.chain.certificate(
            for: world.fixture.chain.newest, signers: [1])
        #expect(throws: EvidenceProblem.self) {
            try world.fixture.verifier.receipts(unsigned.encoded)
        }
    }
}
