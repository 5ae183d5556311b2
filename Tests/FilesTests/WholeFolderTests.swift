import Files
import Foundation
import Testing

@Suite struct WholeFolderTests {
    private static func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "huijin-folders-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private static func names(_ folder: URL) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    }

    @Test func itIsThereWhenItIsWhole() throws {
        try Self.inFolder { folder in
            let path = folder.appending(path: "out")
            let whole = try WholeFolder(path.path + "//")
            try whole.write([1], to: "a")
            try whole.write([2, 3], to: "b")
            try whole.write([4], to: "c/d/e")
            #expect(!WholeFile.isTaken(path.path))
            try whole.finish()
            #expect(try Self.names(folder) == ["out"])
            #expect(try Self.names(path) == ["a", "b", "c"])
            #expect(try Data(contentsOf: path.appending(path: "b")) == Data([2, 3]))
            #expect(try Data(contentsOf: path.appending(path: "c/d/e")) == Data([4]))
        }
    }

    @Test func nothingIsLeftOfWhatFailed() throws {
        try Self.inFolder { folder in
            let path = folder.appending(path: "out").path
            let whole = try WholeFolder(path)
            try whole.write([1], to: "a")
            try whole.write([1], to: "b/c")
            let problem = #expect(throws: WholeFile.Problem.self) { try whole.write([2], to: "a") }
            #expect(problem?.path == path + "/a")
            whole.discard()
            #expect(try Self.names(folder) == [])
        }
    }

    @Test func onlyAnEmptyFolderIsReplaced() throws {
        try Self.inFolder { folder in
            let path = folder.appending(path: "out")
            try FileManager.default.createDirectory(
                at: path, withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700])
            let whole = try WholeFolder(path.path)
            try whole.write([1], to: "a")
            try whole.finish()
            let attributes = try FileManager.default.attributesOfItem(atPath: path.path)
            #expect(attributes[.posixPermissions] as? Int == 0o700)
            // Something in it, a file, a link to nothing.
            try Data([1]).write(to: folder.appending(path: "file"))
            try FileManager.default.createSymbolicLink(
                atPath: folder.appending(path: "link").path, withDestinationPath: "nothing")
            let before = try Self.names(folder)
            #expect(throws: WholeFile.Problem.self) { _ = try WholeFolder("") }
            for name in ["out", "file", "link", "away/out"] {
                #expect(throws: WholeFile.Problem.self) {
                    _ = try WholeFolder(folder.appending(path: name).path)
                }
            }
            #expect(try Self.names(folder) == before)
            // Filled while the files were written.
            let other = folder.appending(path: "other")
            let late = try WholeFolder(other.path)
            try late.write([1], to: "a")
            try FileManager.default.createDirectory(at: other, withIntermediateDirectories: false)
            try Data([2]).write(to: other.appending(path: "b"))
            #expect(throws: WholeFile.Problem.self) { try late.finish() }
            late.discard()
            #expect(try Self.names(other) == ["b"])
            #expect(try Self.names(folder) == (before + ["other"]).sorted())
        }
    }

    @Test func aLinkLeadsToTheFolder() throws {
        try Self.inFolder { folder in
            let (path, link) = (folder.appending(path: "out"), folder.appending(path: "link"))
            try FileManager.default.createDirectory(at: path, withIntermediateDirectories: false)
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: path)
            let whole = try WholeFolder(link.path)
            try whole.write([1], to: "a")
            try whole.finish()
            #expect(try Self.names(path) == ["a"] && Self.names(link) == ["a"])
        }
    }
}
