import SQLite
import Testing

/// The disk under the simulator: what SQLite promises must hold on it, and what nobody promises must not.
struct SimulatedDiskTests {
    private func open(_ disk: SimulatedDisk, synchronous: String = "FULL") throws -> Database {
        let database = try Database(path: disk.folder + "/a.db", vfs: SimulatedDisk.vfs)
        try database.setPragma("locking_mode", "EXCLUSIVE")
        #expect(try database.setPragma("journal_mode", "wal") == "wal")
        try database.setPragma("synchronous", synchronous)
        try database.setPragma("wal_autocheckpoint", "8")
        try database.execute(
            "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v BLOB NOT NULL) STRICT")
        return database
    }

    private func count(_ database: Database) throws -> Int64 {
        let rows = try database.prepare("SELECT id, v FROM t ORDER BY id", isKept: false)
        var count: Int64 = 0
        while try rows.step() {
            count += 1
            #expect(rows.integer(0) == count)
            #expect(rows.bytes(1) == bytes(count))
        }
        #expect(try database.pragma("integrity_check") == "ok")
        return count
    }

    private func bytes(_ number: Int64) -> [UInt8] {
        [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 300)
    }

    private func insert(_ database: Database, _ number: Int64) throws {
        let insert = try database.prepare("INSERT INTO t VALUES (?1, ?2)", isKept: false)
        try insert.bind(1, number)
        try insert.bind(2, bytes(number))
        try insert.run()
    }

    /// Writes rows until the disk fails at that operation, and says how many were acknowledged.
    private func write(_ disk: SimulatedDisk, failingAt operation: Int) -> Int64 {
        disk.fail(afterOperations: operation)
        var acknowledged: Int64 = 0
        do {
            let database = try open(disk)
            acknowledged = try count(database)
            while acknowledged < 60 {
                try insert(database, acknowledged + 1)
                acknowledged += 1
            }
        } catch {}
        return acknowledged
    }

    @Test(arguments: [SimulatedDisk.Sector.bytes512, .bytes4096])
    func whatWasAcknowledgedSurvivesEveryPowerCut(sector: SimulatedDisk.Sector) throws {
        var lost: UInt64 = 0
        var torn: UInt64 = 0
        for operation in 0..<160 {
            let disk = SimulatedDisk(seed: UInt64(operation), sector: sector)
            let acknowledged = write(disk, failingAt: operation)
            #expect(disk.hasFailed)
            disk.end(.power)
            let found = try count(open(disk))
            #expect(found == acknowledged || found == acknowledged + 1, "operation \(operation)")
            lost += disk.counts.lostWrites
            torn += disk.counts.tornWrites
        }
        #expect(lost > 100)
        // 512 bytes are less than any write of a page, 4096 more than most.
        #expect(torn > 0 || sector == .bytes4096)
    }

    @Test func aKilledProcessLeavesWhatItWrote() throws {
        let disk = SimulatedDisk(seed: 1)
        let database = try open(disk, synchronous: "OFF")
        for number: Int64 in 1...20 { try insert(database, number) }
        disk.end(.process)
        #expect(throws: SQLiteError.self) { try insert(database, 21) }
        #expect(try count(open(disk)) == 20)
    }

    @Test func whatWasNotSyncedMayBeLost() throws {
        var lost = 0
        for seed: UInt64 in 0..<20 {
            let disk = SimulatedDisk(seed: seed)
            let database = try open(disk)
            try insert(database, 1)
            disk.setLying(true)
            for number: Int64 in 2...3 { try insert(database, number) }
            #expect(disk.counts.unsyncedSyncs > 0)
            disk.end(.power)
            let found = try count(open(disk))
            #expect(found >= 1, "what was synced stays")
            if found < 3 { lost += 1 }
        }
        #expect(lost > 0)
    }

    @Test func oneConnectionHasTheFile() throws {
        let disk = SimulatedDisk(seed: 1)
        let first = try open(disk)
        try insert(first, 1)
        #expect(throws: SQLiteError.self) { try open(disk) }
    }

    @Test func copiesAndEmptyDisks() throws {
        let disk = SimulatedDisk(seed: 1)
        #expect(!disk.rot(), "nothing is stored")
        do {
            let database = try open(disk)
            try insert(database, 1)
        }
        let copy = SimulatedDisk(seed: 2)
        copy.copy(disk)
        #expect(try count(open(copy)) == 1)
        disk.wipe()
        #expect(try count(open(disk)) == 0)
        copy.end(.process)
        #expect(copy.rot())
    }

    @Test func equalSeedsGiveEqualDisks() throws {
        func run() throws -> SimulatedDisk.Counts {
            let disk = SimulatedDisk(seed: 9, sector: .bytes512)
            _ = write(disk, failingAt: 77)
            disk.end(.power)
            _ = try count(open(disk))
            return disk.counts
        }
        #expect(try run() == run())
    }
}
