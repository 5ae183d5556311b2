import CSQLite

/// A disk in memory for the simulator: SQLite's files as the system's cache shows them, what of them is synced, and
/// every write since then. It can fail between any two writes, and a power cut keeps of the unsynced ones what
/// its seed says: all, none, the first, any of them in any order, or single sectors.
///
/// **Threads**: one at a time, together with the connections that are open on it. Equal seeds and equal uses give
/// equal contents, on every machine.
package final class SimulatedDisk {
    /// What happened since the disk was made.
    package struct Counts: Equatable, Sendable {
        package let writes: UInt64
        package let syncs: UInt64
        /// Unsynced writes that a power cut lost as a whole.
        package let lostWrites: UInt64
        /// Those of which it kept some sectors.
        package let tornWrites: UInt64
        /// Syncs that were confirmed and not done.
        package let unsyncedSyncs: UInt64
    }

    package enum Sector: UInt32, Sendable, CaseIterable {
        case bytes512 = 512
        case bytes4096 = 4_096
    }

    package enum End: Sendable {
        /// The process is killed: the system's cache outlives it.
        case process
        /// Unsynced writes are lost, kept or torn.
        case power
    }

    /// For `Database(path:vfs:)`.
    package static let vfs = SIMDISK_VFS
    /// A folder that holds this disk's files, under `vfs`.
    package let folder: String
    private let disk: OpaquePointer

    package init(seed: UInt64, sector: Sector = .bytes4096) {
        guard simdisk_register() == SQLITE_OK, let made = simdisk_new(seed, sector.rawValue) else {
            preconditionFailure("there is no memory for a disk")
        }
        disk = made
        folder = String(cString: simdisk_folder(made))
    }

    deinit {
        simdisk_release(disk)
    }

    /// Begins the random numbers that SQLite draws in this process anew, so that equal runs write equal bytes.
    package static func seedSQLite(_ seed: UInt64) {
        simdisk_seed_sqlite(Int32(truncatingIfNeeded: seed ^ seed >> 32))
    }

    /// Becomes a copy of what another disk has synced. No file may be open here.
    package func copy(_ other: SimulatedDisk) {
        guard simdisk_copy(disk, other.disk) != 0 else {
            preconditionFailure("there is no memory for a disk")
        }
    }

    /// The disk fails during the write, truncation, sync or deletion after the next so many ones.
    package func fail(afterOperations count: Int) {
        simdisk_arm(disk, Int64(count))
    }

    package func cancelFailure() {
        simdisk_arm(disk, -1)
    }

    /// It has failed so: every call on its files is an error.
    package var hasFailed: Bool { simdisk_is_dead(disk) != 0 }

    /// Ends whatever used the disk: connections that are still open fail at their next call. New ones find what
    /// is left.
    package func end(_ end: End) {
        simdisk_cut(disk, end == .power ? 1 : 0)
    }

    /// Another, empty disk is in its place.
    package func wipe() {
        simdisk_wipe(disk)
    }

    /// One bit of what is stored turns, wherever.
    ///
    /// - Returns: false where nothing is stored.
    @discardableResult
    package func rot() -> Bool {
        simdisk_rot(disk) != 0
    }

    /// Whether syncs are confirmed without being done.
    package func setLying(_ isLying: Bool) {
        simdisk_set_lying(disk, isLying ? 1 : 0)
    }

    package var counts: Counts {
        let counts = simdisk_get_counts(disk)
        return Counts(
            writes: counts.writes, syncs: counts.syncs, lostWrites: counts.lost,
            tornWrites: counts.torn, unsyncedSyncs: counts.lies)
    }
}
