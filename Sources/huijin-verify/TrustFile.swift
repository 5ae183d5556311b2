import Encoding
import Files
import Ledger
import LedgerCrypto
import LightClient

/// Where trust begins for this run: the genesis, a checkpoint that the user accepts, or what an earlier run wrote down.
struct TrustFile {
    enum Problem: Error {
        case input(FileInput.Problem)
        case notOne(path: String, CBORError)
        case other(path: String, EvidenceProblem)
        case startsElsewhere(path: String)
        case isUsed(FileClaim.Problem)
        case folder(WholeFile.Problem)

        var text: String {
            switch self {
            case .input(let problem): problem.text
            case .notOne(let path, let error):
                "\(path) is not a file of that kind: \(error.english) / 不是所需的文件：\(error.chinese)"
            case .other(let path, let problem): "\(path): \(problem.description)"
            case .startsElsewhere(let path):
                "\(path) starts with another header than the accepted one / \(path) 的信任起点不是所接受的区块头"
            case .isUsed(let problem):
                "\(problem.path): \(problem.english) / \(problem.path) \(problem.chinese)"
            case .folder(let problem): "\(problem.path): \(problem.reason)"
            }
        }
    }

    /// What was trusted when the run began.
    let trust: TrustedChain
    /// Whether the file was there.
    let isKept: Bool
    /// That nobody else replaces the file between reading and writing; where it cannot be claimed it is not written either.
    private let claim: Result<FileClaim, WholeFile.Problem>?

    /// Whichever link was named; nil where none was.
    let path: String?
    /// Evidence beside the file of two certified histories: as long as it is there, the file proves nothing.
    let knownFork: String?

    init(_ arguments: Arguments, genesis: Genesis) throws(Problem) {
        claim = try Self.claim(arguments)
        var start: TrustedChain?
        if let path = arguments.checkpoint, let digest = arguments.accepted {
            start = try Self.checkpoint(path, accepting: digest)
        }
        let kept: TrustedChain?
        if let path = arguments.trust {
            kept = try Self.read(path)
        } else {
            kept = nil
        }
        if let kept, let start, kept.start != start.start {
            throw .startsElsewhere(path: arguments.trust ?? "")
        }
        trust = kept ?? start ?? TrustedChain(genesis: genesis)
        isKept = kept != nil
        do throws(WholeFile.Problem) {
            path = try arguments.trust.map { path throws(WholeFile.Problem) in
                try WholeFile.target(of: path)
            }
            knownFork = try path.flatMap { path throws(WholeFile.Problem) in
                try WholeFile.files(beginningWith: path + EvidenceMark.fork.rawValue).first?.path
            }
        } catch {
            throw .folder(error)
        }
    }

    private static func claim(
        _ arguments: Arguments
    ) throws(Problem) -> Result<FileClaim, WholeFile.Problem>? {
        // In the other modes it is only read.
        guard arguments.mode == .verify, let path = arguments.trust else { return nil }
        do throws(FileClaim.Problem) {
            return .success(try FileClaim(path))
        } catch {
            switch error {
            case .isUsed: throw .isUsed(error)
            case .failed(let problem): return .failure(problem)
            }
        }
    }

    /// The file holds that from now on.
    func replace(with trust: TrustedChain) throws(WholeFile.Problem) {
        guard let claim else { preconditionFailure("who verifies with a trust file claims it") }
        try WholeFile.replace(try claim.get().path, trust.encoded)
    }

    /// `nil` when there is no such file yet.
    private static func read(_ path: String) throws(Problem) -> TrustedChain? {
        guard FileInput.exists(path) else { return nil }
        let bytes = try bytes(of: path, bytesMax: TrustedChain.limits.bytesMax)
        do throws(CBORError) {
            return try TrustedChain.decode(bytes, limits: TrustedChain.limits)
        } catch {
            throw Problem.notOne(path: path, error)
        }
    }

    private static func checkpoint(
        _ path: String, accepting digest: Digest
    ) throws(Problem) -> TrustedChain {
        let bytes = try bytes(of: path, bytesMax: TrustStart.fileBytesMax)
        do throws(EvidenceProblem) {
            return try TrustedChain(accepting: digest, checkpointFile: bytes)
        } catch {
            throw Problem.other(path: path, error)
        }
    }

    private static func bytes(of path: String, bytesMax: Int) throws(Problem) -> [UInt8] {
        do throws(FileInput.Problem) {
            return try FileInput.read(path, bytesMax: bytesMax)
        } catch {
            throw .input(error)
        }
    }
}
