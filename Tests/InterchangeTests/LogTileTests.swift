import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import TestLedgers
import Testing

@testable import Interchange

/// The log as other people's tools read it (C2SP tlog-tiles and tlog-cosignature).
@Suite struct LogTileTests {
    private static let suite = LedgerCrypto.Suite.ed25519SHA256

    /// What the document says of a tree of 70,000 leaves, and how a number is spelled.
    @Test func filesAreNamedAsTheDocumentSays() {
        var writer = LogTileWriter(Self.suite)
        var paths: [String] = []
        for number in 0..<70_000 {
            paths += writer.append([UInt8(number & 255), UInt8(number >> 8 & 255)]).map(\.path)
        }
        #expect(paths.filter { $0.hasPrefix("tile/0/") }.count == 273)
        #expect(paths.filter { $0.hasPrefix("tile/entries/") }.count == 273)
        #expect(paths.filter { $0.hasPrefix("tile/1/") } == ["tile/1/000"])
        #expect(paths.count == 273 * 2 + 1 && Set(paths).count == paths.count)
        #expect(
            writer.finish().map(\.path) == [
                "tile/0/273.p/112", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112",
            ])
        #expect(LogTileWriter.path("0", 1_234_067) == "tile/0/x001/x234/067")
        #expect(LogTileWriter.path("5", 999) == "tile/5/999")
        #expect(LogTileWriter.path("5", 1_000) == "tile/5/x001/000")
    }

    @Test func bundlesAreWholeLeaves() {
        let leaves: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 7, count: 300)]
        let bytes = LogTileWriter.bundle(of: leaves)
        #expect(bytes.count == 3 * 2 + 303 && bytes.prefix(5) == [0, 3, 1, 2, 3])
        #expect(LogTileWriter.leaves(ofBundle: bytes) == leaves)
        for count in 0..<bytes.count where ![0, 5, 7].contains(count) {
            #expect(LogTileWriter.leaves(ofBundle: Array(bytes.prefix(count))) == nil)
        }
        let full = [[UInt8]](repeating: [1], count: 256)
        #expect(LogTileWriter.leaves(ofBundle: LogTileWriter.bundle(of: full)) == full)
        #expect(LogTileWriter.leaves(ofBundle: LogTileWriter.bundle(of: full + [[1]])) == nil)
    }

    // MARK: A whole log

    private struct Log {
        let chain: TestChain
        let checkpoint: LogCheckpoint
        let cosigners: [LogCosigner]
        let cosignatures: [LogCosignature]

        /// 300 leaves in 75 blocks, cosigned by all four validators at different seconds.
        init() throws {
            let member = TestMember("91310000MA1FL00001", suite, 1)
            var chain = TestChain(suite, members: [member])
            for _ in 0..<75 {
                chain.append(
                    (0..<3).map { _ in chain.step(.evidenceRecord, by: member, touching: []) })
            }
            let checkpoint = try #require(LogCheckpoint(chain.newest, suite: suite))
            let cosigners = chain.validators.validators.map {
                LogCosigner($0, chain: chain.chain)
            }
            cosignatures = zip(cosigners, chain.votingKeys).enumerated().map { index, pair in
                LogCosignature(
                    checkpoint, time: 1_767_225_700 + UInt64(index), cosigner: pair.0,
                    with: pair.1)
            }
            self.chain = chain
            self.checkpoint = checkpoint
            self.cosigners = cosigners
        }

        /// What `huijin export tlog` writes; three of the four cosigned.
        func files() -> [(path: String, bytes: [UInt8])] {
            var writer = LogTileWriter(suite)
            var files: [LogTileWriter.File] = []
            for block in chain.blocks.dropFirst() {
                let parent = LogLeaf.bytes(tag: LogLeaf.headerTag, digest: block.header.parent)
                for leaf in [parent] + block.entries.map({ $0.leafBytes(suite) }) {
                    files += writer.append(leaf)
                }
            }
            files += writer.finish()
            let note = checkpoint.note([cosignatures[0], cosignatures[2], cosignatures[3]])
            return files.map { ($0.path, $0.bytes) } + [
                ("checkpoint", Array(note.utf8)),
                ("policy", Array(chain.validators.logPolicy(chain: chain.chain).utf8)),
            ]
        }
    }

    @Test func theTilesHashToTheHeadersRoot() throws {
        let log = try Log()
        var writer = LogTileWriter(Self.suite)
        for block in log.chain.blocks.dropFirst() {
            let parent = LogLeaf.bytes(tag: LogLeaf.headerTag, digest: block.header.parent)
            _ = writer.append(parent)
            for entry in block.entries { _ = writer.append(entry.leafBytes(Self.suite)) }
            #expect(writer.size == block.header.logSize && writer.root == block.header.logRoot)
        }
        #expect(writer.size == 300)
    }

    @Test func aCosignatureIsOfOneCheckpointAndOneCosigner() throws {
        let log = try Log()
        let older = log.chain.blocks[log.chain.blocks.count - 2].header
        let other = try #require(LogCheckpoint(older, suite: Self.suite))
        for (seat, cosignature) in log.cosignatures.enumerated() {
            let line = String(cosignature.line.dropLast())
            let read = try #require(LogCosignature(line: line))
            #expect(read == cosignature && read.line == cosignature.line)
            for (place, cosigner) in log.cosigners.enumerated() {
                #expect(read.isValid(for: log.checkpoint, by: cosigner) == (place == seat))
            }
            #expect(!read.isValid(for: other, by: log.cosigners[seat]))
            var characters = Array(line.unicodeScalars)
            for index in characters.indices {
                let before = characters[index]
                characters[index] = before == "A" ? "B" : "A"
                var text = String.UnicodeScalarView()
                text.append(contentsOf: characters)
                let altered = LogCosignature(line: String(text))
                let isTaken = altered?.isValid(for: log.checkpoint, by: log.cosigners[seat])
                #expect(isTaken != true, "character \(index)")
                characters[index] = before
            }
            #expect(LogCosignature(line: line + " ") == nil)
            #expect(LogCosignature(line: cosignature.line) == nil)
        }
        #expect(LogCheckpoint(log.chain.newest, suite: .sm2SM3) == nil)
    }

    /// A vote's signed bytes begin with the head of an array, a cosignature's with a letter, so that neither is ever the other.
    @Test func noVoteIsACosignature() throws {
        let log = try Log()
        let subject = VoteSubject(log.chain.newest, suite: Self.suite)
        let key = log.chain.votingKeys[0].publicKey
        for statement in [
            VoteStatement.notarize(epoch: 0, view: 1, subject), .nullify(epoch: 0, view: 1),
            .finalize(epoch: 0, view: 1, subject),
        ] {
            let bytes = statement.signedBytes(
                chain: log.chain.chain, suite: Self.suite, keyID: key.keyID)
            #expect(bytes[0] == 0x84)
            #expect(!key.isValid(signature: log.cosignatures[0].signature, over: bytes))
        }
        let signed = Array("cosignature/v1\ntime 1767225700\n\(log.checkpoint.text)".utf8)
        #expect(key.isValid(signature: log.cosignatures[0].signature, over: signed))
    }

    // MARK: Vector

    private static let file = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Vectors/tlog.hex")

    private static func text() throws -> String {
        try Log().files().map { "\($0.path) \(Hex.encode($0.bytes))\n" }.joined()
    }

    @Test(.enabled(if: ProcessInfo.processInfo.environment["HUIJIN_WRITE_VECTORS"] == "tlog"))
    func write() throws {
        try Data(("# path, bytes: LogTileTests\n" + Self.text()).utf8).write(to: Self.file)
    }

    /// `make interop` shows it to a program that was written from the C2SP documents.
    @Test func theVectorStaysWhatItIs() throws {
        let vector = try String(contentsOf: Self.file, encoding: .utf8)
        #expect(try vector == "# path, bytes: LogTileTests\n" + Self.text())
    }
}
