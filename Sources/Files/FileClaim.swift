import Glibc

/// A file that one program at a time may read and replace, claimed until this value is gone or the program ends.
///
/// The claim is a lock (`flock`) on `….lock` beside it, which stays behind empty: whoever removed it could remove one that
/// another program has just locked.
public final class FileClaim: Sendable {
    public enum Problem: Error, Equatable, Sendable {
        /// Another program has claimed it.
        case isUsed(path: String)
        case failed(WholeFile.Problem)

        public var path: String {
            switch self {
            case .isUsed(let path): path
            case .failed(let problem): problem.path
            }
        }

        public var english: String {
            switch self {
            case .isUsed: "another program uses it; one at a time may"
            case .failed(let problem): problem.english
            }
        }

        public var chinese: String {
            switch self {
            case .isUsed: "正被另一程序使用，同时只能供一个程序使用"
            case .failed(let problem): problem.chinese
            }
        }
    }

    /// The file that is claimed, whichever link the caller named it by.
    public let path: String
    private let lock: Int32

    /// Waits for nobody.
    public init(_ path: String) throws(Problem) {
        let target: String
        do throws(WholeFile.Problem) {
            // Two names of one file are one claim.
            target = try WholeFile.target(of: path)
        } catch {
            throw .failed(error)
        }
        let name = target + ".lock"
        // For writing, which some network file systems ask of whoever locks.
        let lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw .failed(WholeFile.Problem(name)) }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            let problem: Problem =
                errno == EWOULDBLOCK ? .isUsed(path: path) : .failed(WholeFile.Problem(name))
            close(lock)
            throw problem
        }
        self.path = target
        self.lock = lock
    }

    deinit { close(lock) }
}
