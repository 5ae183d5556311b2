import Foundation
import LedgerCrypto
import Records
import Testing

@testable import Sandbox

@Suite struct TableTests {
    private func rows(_ text: String, chunk: Int = 7, limits: CSVLimits = CSVLimits()) throws
        -> [String]
    {
        var rest = Array(text.utf8)[...]
        var reader = CSVReader(limits: limits) {
            defer { rest = rest.dropFirst(chunk) }
            return Array(rest.prefix(chunk))
        }
        var found: [String] = []
        while true {
            do {
                guard let row = try reader.next() else { return found }
                found.append("\(row.line):" + row.fields.map(\.text).joined(separator: "|"))
            } catch let bad as BadRow {
                found.append("bad \(bad.line)")
            }
        }
    }

    /// RFC 4180 §2, whatever pieces the file comes in.
    @Test(arguments: 1...9)
    func records(_ chunk: Int) throws {
        let text =
            "\u{FEFF}a,b\r\n\"x \"\"y\"\", z\",\"line\nbreak\"\r\n\r\n,\n\"\",中文\nlast,row"
        #expect(
            try rows(text, chunk: chunk) == [
                "1:a|b", "2:x \"y\", z|line\nbreak", "5:|", "6:|中文", "7:last|row",
            ])
    }

    @Test func badRowsAreNamedAndReadingGoesOn() throws {
        #expect(
            try rows("a\nb\"c\nd\ne\rf\n\"g\"h\ni\n\"open") == [
                "1:a", "bad 2", "3:d", "bad 4", "bad 5", "6:i", "bad 7",
            ])
        var limits = CSVLimits()
        limits.fieldBytesMax = 4
        limits.columnsMax = 2
        limits.rowBytesMax = 11
        #expect(
            try rows("ok,ok\ntoolong,x\na,b,c\n1234,\"1\n2\n3\nfine\n", limits: limits) == [
                "1:ok|ok", "bad 2", "bad 3", "bad 4", "7:fine",
            ])
    }

    @Test(arguments: [
        ("1", ColumnType.integer), ("-5", .integer), ("007", .text), ("+1", .text), ("1.5", .real),
        ("1e5", .real), ("0x10", .text), ("nan", .text), ("1e999", .text), ("-0.5", .real),
        ("9223372036854775807", .integer), ("9223372036854775808", .text), ("1.", .real),
        ("", .text),
        ("2013-01-01", .text), ("1-2", .text), ("--1", .text), ("-", .text), ("00", .text),
        ("0", .integer),
    ])
    func types(_ text: String, _ type: ColumnType) {
        var guess = ColumnGuess()
        guess.see(CSVField(text: text, isQuoted: false))
        #expect(guess.type == type)
        #expect(TableValue(CSVField(text: text, isQuoted: false), as: type) != nil)
    }

    @Test func namesAreSanitised() {
        #expect(
            ColumnNames.sanitised(["A b", "a_B", "", "1x", "温度", "rowid", "??", "x;--"])
                == ["A_b", "a_B_2", "column_3", "_1x", "温度", "rowid_2", "column_7", "x___"])
    }

    @Test func loadingIsIdempotentAndCommitsToTheContent() throws {
        let folder = try TemporaryFolder()
        let data = try SandboxFolder(folder.path + "/data")
        let loader = TableLoader(folder: data, suite: .ed25519SHA256)
        let file = try folder.write("id,v,w\n1,NA,x\n2,3,NA\n3,4,\n")
        let first = try loader.load(file, as: "t")
        #expect(first.isNew && first.table.entityKey == "id" && first.table.rowCount == 3)
        #expect(first.table.columns.map(\.type) == [.integer, .integer, .text])
        let again = try loader.load(
            try folder.write("id,v,w\r\n\"1\",NA,x\r\n2,3,NA\r\n3,4,\r\n"), as: "t")
        #expect(!again.isNew && again.table == first.table)
        let other = try loader.load(try folder.write("id,v,w\n1,NA,x\n2,3,NA\n3,5,\n"), as: "t")
        #expect(other.isNew && other.table.digest != first.table.digest)
        #expect(
            first.table.commitment
                == Salted.commit(
                    salt: first.table.salt, value: first.table.digest.bytes, suite: .ed25519SHA256))
        let sm3 = TableLoader(folder: try SandboxFolder(folder.path + "/sm"), suite: .sm2SM3)
        #expect(try sm3.load(file, as: "t").table.digest != first.table.digest)
    }

    @Test func badFilesAreRefusedOrSkipped() throws {
        let folder = try TemporaryFolder()
        var loader = TableLoader(
            folder: try SandboxFolder(folder.path + "/data"), suite: .ed25519SHA256)
        let file = try folder.write("a,b\n1,2\n3\n4,5\n")
        guard
            case .badRows(let rows)? = #expect(
                throws: LoadError.self,
                performing: {
                    try loader.load(file, as: "t")
                })
        else {
            Issue.record("another error")
            return
        }
        #expect(rows.map(\.line) == [3])
        loader.skipsBadRows = true
        #expect(try loader.load(file, as: "t").table.rowCount == 2)
        #expect(throws: LoadError.self) { try loader.load(folder.path + "/none.csv", as: "t") }
        #expect(throws: LoadError.self) { try loader.load(file, as: "t; DROP") }
        #expect(throws: LoadError.self) { try loader.load(try folder.write("a,b\n"), as: "t") }
        #expect(throws: LoadError.self) { try loader.load(file, as: "t", entityKey: "zz") }
        loader.limits.rowsMax = 1
        #expect(throws: LoadError.self) { try loader.load(file, as: "t") }
    }
}
