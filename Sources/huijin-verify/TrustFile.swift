import Encoding
import Files
import Ledger
import LedgerCrypto
import LightClient

/// The options that say what is known of the ledger beforehand.
struct TrustOptions: Equatable {
    /// Where what is trusted is kept.
    var file: String?
    /// Where trust starts instead of the genesis, and the header's digest that the caller believes.
    var checkpoint: String?
    var accepted: Digest?

    /// - Parameter word: `--trust`, `--checkpoint` or `--accept`.
    mutating func take(
        _ word: String, _ rest: inout ArraySlice<String>
    ) throws(Arguments.Mistake) {
        switch word {
        case "--trust": file = try Arguments.value(of: word, &rest)
        case "--checkpoint": checkpoint = try Arguments.value(of: word, &rest)
        case "--accept": accepted = try Arguments.digest(of: word, &rest)
        default: throw .unknown(word)
        }
    }

    func requireAll() throws(Arguments.Mistake) {
        if checkpoint != nil, accepted == nil { throw .missing("--accept") }
        if checkpoint == nil, accepted != nil { throw .missing("--checkpoint") }
    }
}

/// Where trust begins for this run: the genesis, a checkpoint that the user accepts, or what an earlier run wrote down.
struct TrustFile {
    enum Problem: Error {
        case input(FileInput.Problem)
        case notATrustFile(path: String, CBORError)
        case notACheckpoint(path: String, CBORError)
        case otherCheckpoint(path: String, accepted: Digest)
        case other(path: String, EvidenceProblem)
        case startsElsewhere(path: String)
        case isUsed(FileClaim.Problem)
        case folder(WholeFile.Problem)

        var text: String {
            switch self {
            case .input(let problem): problem.text
            case .notACheckpoint(let path, let error):
                "\(path) is not a checkpoint file: \(error.english) / \(path) 不是检查点文件：\(error.chinese)"
            case .otherCheckpoint(let path, let accepted):
                "\(path) does not hold the accepted header, \(accepted.hex), but another header or none / \(path) 所含并非所接受的区块头 \(accepted.hex)"
            case .notATrustFile(let path, let error):
                "\(path) is not a trust file: \(error.english) / \(path) 不是信任文件：\(error.chinese)"
            case .other(let path, let problem): "\(path): \(problem.description)"
            case .startsElsewhere(let path):
                "\(path) starts with another header than the accepted one / \(path) 的信任起点不是所接受的区块头"
            case .isUsed(let problem):
                "\(problem.path): \(problem.english) / \(problem.path) \(problem.chinese)"
            case .folder(let problem):
                "\(problem.path): \(problem.reason.english) / \(problem.path)：\(problem.reason.chinese)"
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

    /// - Parameter isWritten: it is claimed, to be brought up to date; otherwise it is only read.
    init(_ options: TrustOptions, genesis: Genesis, isWritten: Bool) throws(Problem) {
        claim = isWritten ? try options.file.map(Self.claim) : nil
        var start: TrustedChain?
        if let path = options.checkpoint, let digest = options.accepted {
            start = try Self.checkpoint(path, accepting: digest)
        }
        let kept: TrustedChain?
        if let path = options.file {
            kept = try Self.read(path, isBegun: isWritten)
        } else {
            kept = nil
        }
        guard let trust = TrustedChain(kept: kept, accepted: start, genesis: genesis) else {
            throw .startsElsewhere(path: options.file ?? "")
        }
        self.trust = trust
        isKept = kept != nil
        do throws(WholeFile.Problem) {
            path = try options.file.map { path throws(WholeFile.Problem) in
                try WholeFile.target(of: path)
            }
            knownFork = try path.flatMap { path throws(WholeFile.Problem) in
                try WholeFile.first(beside: path, marked: EvidenceMark.fork.rawValue)
            }
        } catch {
            throw .folder(error)
        }
    }

    private static func claim(
        _ path: String
    ) throws(Problem) -> Result<FileClaim, WholeFile.Problem> {
        do throws(FileClaim.Problem) {
            return .success(try FileClaim(path))
        } catch {
            switch error {
            case .isUsed: throw .isUsed(error)
            case .failed(let problem): return .failure(problem)
            }
        }
    }

    /// - Parameter fork: the evidence beside the file.
    static func contested(_ fork: String) -> String {
        "two certified histories are known, see \(fork): as long as it is there, this trust file proves nothing\n"
            + "已知存在两份经认证的历史，见 \(fork)：该证据仍在时，不以该信任文件作任何证明\n"
    }

    /// The file holds that from now on.
    func replace(with trust: TrustedChain) throws(WholeFile.Problem) {
        guard let claim else { preconditionFailure("who verifies with a trust file claims it") }
        try WholeFile.replace(try claim.get().path, trust.encoded)
    }

    /// `nil` when there is no such file yet.
    ///
    /// - Parameter isBegun: otherwise a file that is not there is a slip: nothing would be compared with what was trusted.
    private static func read(_ path: String, isBegun: Bool) throws(Problem) -> TrustedChain? {
        guard FileInput.exists(path) else {
            guard isBegun else { throw .input(FileInput.missing(path)) }
            return nil
        }
        do throws(FileInput.Problem) {
            try FileInput.requireRegular(path)
        } catch {
            throw .input(error)
        }
        let bytes = try bytes(of: path, bytesMax: TrustedChain.limits.bytesMax)
        do throws(CBORError) {
            return try TrustedChain.decode(bytes, limits: TrustedChain.limits)
        } catch {
            throw Problem.notATrustFile(path: path, error)
        }
    }

    private static func checkpoint(
        _ path: String, accepting digest: Digest
    ) throws(Problem) -> TrustedChain {
        let bytes = try bytes(of: path, bytesMax: TrustStart.fileBytesMax)
        do throws(EvidenceProblem) {
            return try TrustedChain(accepting: digest, checkpointFile: bytes)
        } catch {
            if case .undecodable(let error) = error.fault {
                throw Problem.notACheckpoint(path: path, error)
            }
            if case .otherHeader = error.fault {
                throw Problem.otherCheckpoint(path: path, accepted: digest)
            }
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
