import Client
import Files
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import TestLedgers
import Testing

/// What a program trusts that only reads the file which `huijin watch` keeps.
@Suite struct TrustFileTests {
    private static func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "huijin-trust-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private static func trust(_ chain: TestChain, height: Int) throws -> TrustedChain {
        let step = try TrustedChain(genesis: chain.genesis).advance(to: chain.certified(height))
        guard case .trusted(let trust, _) = step else { throw Unexpected() }
        return trust
    }

    private struct Unexpected: Error {}

    @Test func evidenceOfAForkComesFirst() throws {
        let chain = Fork(.ed25519SHA256).left
        try Self.inFolder { folder in
            let path = folder.appending(path: "trust").path
            let file = TrustFile(path)
            let none = #expect(throws: TrustFileProblem.self) { try file.read() }
            guard case .unusable(let missing) = none else { throw Unexpected() }
            #expect(missing.isMissing && missing.file == path)
            let trust = try Self.trust(chain, height: 4)
            try WholeFile.create(path, trust.encoded)
            #expect(try file.read() == trust)
            // Another history by keys of long ago, and half a file, say nothing.
            try WholeFile.create(path + ".old-fork-00", [1])
            try WholeFile.create(path + ".fork-00.12.new", [1])
            #expect(try file.read() == trust)
            // By whatever name it is read.
            let link = folder.appending(path: "link").path
            try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
            try WholeFile.create(path + ".fork-00", [1])
            for name in [path, link] {
                let problem = #expect(throws: TrustFileProblem.self) { try TrustFile(name).read() }
                guard case .fork(let evidence) = problem else { throw Unexpected() }
                #expect(evidence.hasSuffix("/trust.fork-00"))
            }
            try WholeFile.replace(path, [1, 2, 3])
            #expect(throws: TrustFileProblem.fork(evidence: path + ".fork-00")) { try file.read() }
            try FileManager.default.removeItem(atPath: path + ".fork-00")
            let problem = #expect(throws: TrustFileProblem.self) { try file.read() }
            guard case .unusable(let junk) = problem else { throw Unexpected() }
            #expect(!junk.isMissing && junk.english.contains("not a trust file"))
            #expect(junk.chinese.contains("不是信任文件"))
        }
    }

    @Test func aLongRunFollowsTheFile() throws {
        let chain = Fork(.ed25519SHA256).left
        try Self.inFolder { folder in
            let path = folder.appending(path: "trust").path
            let client = try HuijinClient(
                nodes: ["http://127.0.0.1:1"], genesis: chain.genesis)
            #expect(throws: TrustFileProblem.self) {
                _ = try TrustingClient(client, TrustFile(path))
            }
            try WholeFile.create(path, try Self.trust(chain, height: 2).encoded)
            let trusting = try TrustingClient(client, TrustFile(path))
            let first = try trusting.current()
            #expect(first.verifier.trust.height == 2 && first.provenHeight == 2)
            #expect(try trusting.current() === first)
            // Somebody else brings it up to date.
            try WholeFile.replace(path, try Self.trust(chain, height: 4).encoded)
            #expect(try trusting.current().verifier.trust.height == 4)
            // What was proven is not forgotten when an older copy is put back.
            try WholeFile.replace(path, try Self.trust(chain, height: 3).encoded)
            #expect(try trusting.current().provenHeight == 4)
            // Nothing is asked while two histories are known, or the file is none.
            try WholeFile.create(path + ".fork-00", [1])
            let contested = #expect(throws: ClientError.self) { try trusting.current() }
            #expect(contested?.english.contains(".fork-00") == true)
            try FileManager.default.removeItem(atPath: path + ".fork-00")
            #expect(try trusting.current().verifier.trust.height == 3)
            try WholeFile.replace(path, [1, 2, 3])
            #expect(throws: ClientError.self) { try trusting.current() }
            let stranger = TrustedChain(genesis: Fixture(.ed25519SHA256).chain.genesis)
            try WholeFile.replace(path, stranger.encoded)
            #expect(throws: ClientError.self) { try trusting.current() }
            try WholeFile.replace(path, try Self.trust(chain, height: 4).encoded)
            #expect(try trusting.current().verifier.trust.height == 4)
        }
    }
}
