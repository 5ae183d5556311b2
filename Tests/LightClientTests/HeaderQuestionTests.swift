import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import TestLedgers
import Testing

/// Any ancestor of a certified header, and whether an older checkpoint's ledger is the beginning of it.
@Suite struct HeaderQuestionTests {
    @Test(arguments: Suite.allCases) func everyAncestorIsProven(suite: LedgerCrypto.Suite) throws {
        let fixture = Fixture(suite)
        let verifier = fixture.verifier
        for block in fixture.chain.blocks {
            let height = block.header.height
            let digest = block.header.digest(suite)
            let bundle = try EvidenceBundle.header(
                height: height, digest: digest, from: fixture.chain)
            let answer = try verifier.verify(
                bundle.encoded, asked: [.header(height: height, digest: digest)])
            guard case .header(let proven) = answer.findings[0] else {
                Issue.record("a header is asked for and given")
                continue
            }
            #expect(proven.header == block.header && proven.digest == digest)
            #expect(EvidenceReport(answer).text.contains("高度 \(height) 的区块头"))
            var other = bundle
            other.questions = [.header(height: height, digest: suite.digest([7]))]
            #expect(problem(other, verifier)?.fault == .otherHeader)
            // The bundle shows this header and the newest one, at height 5.
            other.questions = [.header(height: height + 1, digest: nil)]
            let next = problem(other, verifier)?.fault
            #expect(height == 4 ? next == nil : next == .headerNotIncluded)
        }
        #expect(throws: EvidenceSourceError.indexBehind) {
            try EvidenceBundle.header(height: 6, from: fixture.chain)
        }
    }

    @Test func theFormIsExact() throws {
        for question in [
            EvidenceQuestion.header(height: 7, digest: nil),
            .header(height: .max, digest: Suite.ed25519SHA256.digest([1])),
        ] {
            #expect(decodesExactly(question, limits: .standard))
        }
        #expect(Hex.encode(EvidenceQuestion.header(height: 7, digest: nil).encoded) == "830307f6")
    }

    /// A log of a million leaves, of which some are real headers whose logs are its beginnings.
    struct LongLog {
        static let count: UInt64 = 1_000_000
        let base: TestChain
        private(set) var log: LogTree
        private(set) var headers: [Header] = []
        private(set) var newest: Header

        init(real heights: [UInt64], lyingAt lie: UInt64? = nil) {
            let suite = Suite.ed25519SHA256
            base = TestChain(suite, members: TestChain.members(suite))
            log = LogTree(suite: suite)
            newest = base.newest
            let fillers = (0..<256).map {
                Digest(bytes: [UInt8](repeating: UInt8($0), count: 32)) ?? .zero
            }
            let heights = Set(heights)
            for height in 1...Self.count {
                // The leaf of the block before: the ledger's own rules play no part here.
                let isReal = heights.contains(height - 1) && height > 1
                let leaf =
                    isReal
                    ? LogLeaf.header(newest.digest(suite), suite: suite)
                    : fillers[Int(height & 0xFF)]
                log.append(leafHash: leaf)
                guard heights.contains(height) || height == Self.count else { continue }
                let root = height == lie ? suite.digest([1]) : log.root
                newest = header(height, root)
                headers.append(newest)
            }
        }

        private func header(_ height: UInt64, _ root: Digest) -> Header {
            Header(
                chain: base.chain, height: height, epoch: 0, parent: .zero, timeMs: height,
                logSize: height, logRoot: root, stateRoot: .zero, resultsRoot: .zero,
                entryCount: 0, validators: base.validators.digest(base.suite))
        }

        func bundle(_ header: Header) -> EvidenceBundle {
            let certified = base.certified(newest)
            let path = log.inclusionPath(index: header.logSize, size: newest.logSize)
            return EvidenceBundle(
                chain: base.chain, questions: [.header(height: header.height, digest: nil)],
                head: .certified(certified, after: []), records: [],
                ancestors: [HeaderEvidence(header: header, path: path)],
                entries: [], histories: [])
        }
    }

    @Test func oneProofReachesAnyOfAMillionBlocks() throws {
        let long = LongLog(
            real: [1, 2, 3, 65_535, 65_536, 524_288, 700_001, 999_967, 999_998, 999_999],
            lyingAt: 700_001)
        let verifier = Verifier(genesis: long.base.genesis)
        for header in long.headers.dropLast() {
            let bundle = long.bundle(header)
            let bytes = bundle.encoded
            // Two headers, a certificate of three signatures, and at most 20 digests of 34 bytes.
            #expect(
                bundle.ancestors[0].path.count <= 20 && bytes.count < 1_700,
                "\(bytes.count) bytes for height \(header.height)")
            if header.height == 700_001 {
                // Certified and in the log, but its own log is another one.
                #expect(problem(bundle, verifier)?.fault == .notAPrefix)
                continue
            }
            let answer = try verifier.verify(bytes)
            guard case .header(let proven) = answer.findings[0] else {
                Issue.record("a header is asked for and given")
                continue
            }
            #expect(proven.header == header)
            var shortened = bundle
            shortened.ancestors[0] = HeaderEvidence(
                header: header, path: bundle.ancestors[0].path.dropLast())
            #expect(problem(shortened, verifier)?.fault == .headerNotInLog)
        }
    }
}
