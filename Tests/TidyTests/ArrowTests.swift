import Foundation
import Testing

/// Imports only go down (docs/architecture.md), and the pure rooms import no I/O.
@Suite struct ArrowTests {
    /// Each room's floor; an import goes to a lower floor.
    static let floors: [String: Int] = [
        "CSodium": 0, "COpenSSL": 0, "CSQLite": 0, "CVerifyLibrary": 0,
        "Encoding": 1, "LedgerCrypto": 2, "Merkle": 3,
        "Ledger": 4, "Records": 5,
        "Policy": 6, "Market": 7,
        "Consensus": 8, "Mempool": 8, "Execution": 8, "LightClient": 8, "Replica": 9,
        "Files": 10, "SQLite": 10, "Storage": 11, "Transport": 11,
        "Node": 12, "Simulator": 12,
        "Interchange": 13, "Client": 13, "API": 14, "Sandbox": 14, "Programs": 14,
        "huijind": 15, "huijin": 15, "huijin-sandboxd": 15, "huijin-verify": 15, "huijin-sim": 15,
        "VerifyLibrary": 15, "VerifyPage": 15,
    ]

    static let pure: Set<String> = [
        "Encoding", "Merkle", "Ledger", "Records", "Policy", "Market", "Consensus", "Mempool",
        "Execution", "Replica", "LightClient", "VerifyPage",
    ]

    /// Libraries without I/O.
    static let pureLibraries: Set<String> = ["DequeModule"]

    static let lightClientMayImport: Set<String> = [
        "Encoding", "LedgerCrypto", "Merkle", "Ledger", "Records",
    ]

    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    struct Import: Hashable {
        let room: String
        let file: String
        let module: String
    }

    static func imports() throws -> [Import] {
        var found: [Import] = []
        let sources = root.appending(path: "Sources")
        let pattern =
            try Regex(
                #"^(?:@\w+(?:\([^)]*\))? +)*(?:(?:public|package|internal|private) +)?import +(?:struct +|enum +|class +|func +)?(\w+)"#
            ).anchorsMatchLineEndings()
        for room in try FileManager.default.contentsOfDirectory(atPath: sources.path) {
            let folder = sources.appending(path: room)
            guard let walker = FileManager.default.enumerator(atPath: folder.path) else { continue }
            for case let file as String in walker where file.hasSuffix(".swift") {
                let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
                for match in text.matches(of: pattern) {
                    guard let module = match.output[1].substring else { continue }
                    found.append(Import(room: room, file: file, module: String(module)))
                }
            }
        }
        return found
    }

    @Test func everyRoomHasAFloor() throws {
        let rooms = try FileManager.default.contentsOfDirectory(
            atPath: Self.root.appending(path: "Sources").path)
        #expect(Set(rooms).subtracting(Self.floors.keys) == [])
        #expect(try !Self.imports().isEmpty)
    }

    @Test func importsOnlyGoDown() throws {
        for line in try Self.imports() {
            guard let from = Self.floors[line.room], let to = Self.floors[line.module] else {
                continue
            }
            #expect(from > to, "\(line.room)/\(line.file) imports \(line.module)")
        }
    }

    @Test func pureRoomsImportOnlyOurOwn() throws {
        for line in try Self.imports()
        where Self.pure.contains(line.room) && !Self.pureLibraries.contains(line.module) {
            #expect(
                Self.floors[line.module] != nil, "\(line.room)/\(line.file) imports \(line.module)")
        }
    }

    @Test func lightClientStandsOnTheGroundAndTheLedger() throws {
        for line in try Self.imports() where line.room == "LightClient" {
            #expect(Self.lightClientMayImport.contains(line.module), "\(line)")
        }
        let above: [String: Set<String>] = [
            "huijin-verify": ["LightClient", "Files"],
            "VerifyLibrary": ["LightClient", "CVerifyLibrary"],
        ]
        for line in try Self.imports() where Self.floors[line.module] != nil {
            guard let more = above[line.room] else { continue }
            #expect(Self.lightClientMayImport.union(more).contains(line.module), "\(line)")
        }
    }

    /// The page compiles these rooms as Embedded Swift, which has no key paths; `make test` does not build the page.
    @Test func whatThePageCompilesHasNoKeyPaths() throws {
        let keyPath = try Regex(#"\(\\\."#)
        for room in Self.lightClientMayImport.union(["LightClient", "VerifyLibrary", "VerifyPage"])
        {
            let folder = Self.root.appending(path: "Sources/\(room)")
            guard let walker = FileManager.default.enumerator(atPath: folder.path) else {
                Issue.record("no \(folder.path)")
                continue
            }
            for case let file as String in walker where file.hasSuffix(".swift") {
                let text = try String(contentsOf: folder.appending(path: file), encoding: .utf8)
                #expect(!text.contains(keyPath), "\(room)/\(file)")
            }
        }
    }

    @Test func filesStayShort() throws {
        let sources = Self.root.appending(path: "Sources")
        guard let walker = FileManager.default.enumerator(atPath: sources.path) else { return }
        for case let file as String in walker where file.hasSuffix(".swift") {
            let text = try String(contentsOf: sources.appending(path: file), encoding: .utf8)
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false).count
            #expect(lines <= 401, "\(file) has \(lines) lines; 400 is the limit")
        }
    }
}
