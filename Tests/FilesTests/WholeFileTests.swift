import Files
import Foundation
import Testing

@Suite struct WholeFileTests {
    private static func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "huijin-files-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private static func names(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    private static func link(_ path: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(
            atPath: path, withDestinationPath: target)
    }

    @Test func nothingThatIsThereIsOverwritten() throws {
        try Self.inFolder { folder in
            let path = folder.appending(path: "a").path
            try WholeFile.create(path, [1, 2, 3])
            #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3]))
            let link = folder.appending(path: "link").path
            try Self.link(link, to: folder.appending(path: "nothing").path)
            for taken in [path, link, folder.path] {
                let problem = #expect(throws: WholeFile.Problem.self) {
                    try WholeFile.create(taken, [4])
                }
                #expect(problem?.isTaken == true && WholeFile.isTaken(taken))
            }
            #expect(try Data(contentsOf: URL(filePath: path)) == Data([1, 2, 3]))
            #expect(try Self.names(folder) == ["a", "link"])
        }
    }

    @Test func secretsAreTheirOwners() throws {
        try Self.inFolder { folder in
            let path = folder.appending(path: "a").path
            try WholeFile.create(path, [1], mode: 0o600)
            try WholeFile.replace(path, [2], mode: 0o600)
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
    }

    /// What earlier runs left behind, of any name, is in nobody's way.
    @Test func replacesAFileAndNoOther() throws {
        try Self.inFolder { folder in
            let path = folder.appending(path: "a").path
            for name in ["a.new", "a.new1"] {
                try Data().write(to: folder.appending(path: name))
            }
            try WholeFile.replace(path, [1])
            try WholeFile.replace(path, Array(repeating: 7, count: 3_000_000))
            #expect(WholeFile.isThere(path, Array(repeating: 7, count: 3_000_000)))
            #expect(!WholeFile.isThere(path, Array(repeating: 7, count: 2_999_999)))
            #expect(!WholeFile.isThere(path, Array(repeating: 7, count: 2_999_999) + [8]))
            #expect(!WholeFile.isThere(folder.path, []) && !WholeFile.isThere(path + "b", []))
            #expect(throws: WholeFile.Problem.self) { try WholeFile.replace(folder.path, [1]) }
            #expect(try Self.names(folder) == ["a", "a.new", "a.new1"])
        }
    }

    @Test func aLinkStaysALink() throws {
        try Self.inFolder { folder in
            let (path, link) = (
                folder.appending(path: "a").path, folder.appending(path: "link").path
            )
            try WholeFile.create(path, [1])
            try Self.link(link, to: "a")
            try WholeFile.replace(link, [2])
            #expect(WholeFile.isThere(path, [2]))
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link) == "a")
            try FileManager.default.removeItem(atPath: path)
            #expect(throws: WholeFile.Problem.self) { try WholeFile.replace(link, [3]) }
            #expect(try Self.names(folder) == ["link"])
        }
    }

    @Test func aFileIsClaimedOnce() throws {
        try Self.inFolder { folder in
            let (path, link) = (
                folder.appending(path: "a").path, folder.appending(path: "link").path
            )
            try WholeFile.create(path, [1])
            try Self.link(link, to: "a")
            do {
                let claim = try FileClaim(path)
                for name in [path, link] {
                    #expect(throws: FileClaim.Problem.isUsed(path: name)) { try FileClaim(name) }
                }
                // In the other's place is another file; the claim is the name's.
                try WholeFile.replace(path, [2])
                #expect(throws: FileClaim.Problem.isUsed(path: path)) { try FileClaim(path) }
                withExtendedLifetime(claim) {}
            }
            _ = try FileClaim(link)
            #expect(try Self.names(folder) == ["a", "a.lock", "link"])
        }
    }
}
