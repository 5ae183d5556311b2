import SQLite

/// Held by the one process that serves a sandbox's folder: two would run and hold the same jobs. The system lets go of
/// it when the process ends, however it ends.
public final class SandboxLock {
    private let database: Database

    public enum Failure: Error, Equatable, Sendable, CustomStringConvertible {
        case inUse(path: String)
        case failed(path: String, reason: String)

        public var description: String {
            switch self {
            case .inUse(let path):
                "\(path): another huijin-sandboxd serves this folder; stop that one first / 该文件夹正被另一沙箱进程使用，请先停止该进程"
            case .failed(let path, let reason):
                "\(path): cannot be locked: \(reason); check the path and its permissions / 无法加锁，请检查路径和权限"
            }
        }
    }

    public init(_ folder: SandboxFolder) throws(Failure) {
        let path = folder.path + "/sandbox.lock"
        do throws(SQLiteError) {
            database = try Database(path: path)
            try database.setBusyTimeout(milliseconds: 0)
            try database.execute("BEGIN EXCLUSIVE")
        } catch {
            if error.isBusy { throw .inUse(path: folder.path) }
            throw .failed(path: path, reason: error.message)
        }
    }
}
