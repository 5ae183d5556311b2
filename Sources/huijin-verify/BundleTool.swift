import Encoding
import Files
import Ledger
import LedgerCrypto
import LightClient

/// `huijin-verify split | merge | redact | detach`: bundles taken apart, put together, with parts withheld, and without the
/// header that their reader trusts. What comes out is verified before it is written, so that nobody passes on what
/// proves nothing.
struct BundleTool {
    enum Mode: String {
        case split
        case merge
        case redact
        case detach
    }

    /// What stands in the way.
    enum Problem: Error {
        case input(FileInput.Problem)
        case notAGenesis(path: String, CBORError)
        case notABundle(path: String, CBORError)
        case bundle(BundleProblem)
        /// What was merged so far is larger than any verifier reads.
        case tooLarge(bytes: Int, max: Int)
        case unproven(EvidenceProblem)
        case trust(TrustFile.Problem)
        /// The evidence of two certified histories beside the trust file.
        case contested(String)
        case output(WholeFile.Problem)
    }

    /// Bundles that are merged at once.
    static let filesMax = 256

    private let mode: Mode
    private var genesis = ""
    private var output = ""
    private var trust = TrustOptions()
    private var files: [String] = []
    private var questions: Set<Int> = []
    private var envelopes: Set<Digest> = []
    private var records: Set<Digest> = []

    init(_ mode: Mode, _ words: ArraySlice<String>) throws(Arguments.Mistake) {
        self.mode = mode
        var rest = words
        var given = GivenOptions()
        while let word = rest.popFirst() {
            try given.note(word)
            switch (word, mode) {
            case ("--help", _), ("-h", _): throw .help
            case ("--genesis", _): genesis = try Arguments.value(of: word, &rest)
            case ("--out", _): output = try Arguments.value(of: word, &rest)
            case ("--trust", _), ("--checkpoint", _), ("--accept", _):
                try trust.take(word, &rest)
            case ("--question", .split):
                let text = try Arguments.value(of: word, &rest)
                guard let number = Int(text), number >= 0 else { throw .notANumber(word) }
                questions.insert(number)
            case ("--envelope", .redact): envelopes.insert(try Arguments.digest(of: word, &rest))
            case ("--record", .redact): records.insert(try Arguments.digest(of: word, &rest))
            default:
                guard !word.hasPrefix("-") else { throw .unknown(word) }
                guard files.count < Self.filesMax else { throw .tooManyFiles(max: Self.filesMax) }
                files.append(word)
            }
        }
        if genesis.isEmpty { throw .missing("--genesis") }
        if output.isEmpty { throw .missing("--out") }
        switch mode {
        case .split:
            if questions.isEmpty { throw .missing("--question") }
        case .redact:
            if envelopes.isEmpty, records.isEmpty { throw .missing("--envelope | --record") }
        case .detach: break
        case .merge:
            if files.count < 2 { throw .missingFile("two bundles", "两个证据包") }
        }
        if files.isEmpty { throw .missingFile("the bundle", "证据包") }
        if mode != .merge, files.count > 1 { throw .unknown(files[1]) }
        try trust.requireAll()
    }

    /// - Returns: the report of what was written.
    func run() throws(Problem) -> EvidenceReport {
        let verifier = try verifier()
        let suite = verifier.suite
        var result = try bundle(files[0])
        if mode == .merge { try merge(into: &result, suite) }
        do throws(BundleProblem) {
            switch mode {
            case .split: result = try result.split(questions, suite)
            case .redact:
                result = try result.withholding(envelopes: envelopes, records: records, suite)
            case .detach, .merge: break
            }
        } catch {
            throw .bundle(error)
        }
        var bytes = result.encoded
        var answer: ProvenAnswer
        do throws(EvidenceProblem) {
            answer = try verifier.verify(bytes)
            if mode == .detach {
                bytes = result.detached(suite).encoded
                answer = try Self.reader(of: answer.checkpoint, verifier.genesis).verify(bytes)
            }
        } catch {
            throw .unproven(error)
        }
        do throws(WholeFile.Problem) {
            try WholeFile.create(output, bytes)
        } catch {
            throw .output(error)
        }
        return EvidenceReport(answer)
    }

    private func bundle(_ file: String) throws(Problem) -> EvidenceBundle {
        let limits = EvidenceLimits.standard.decoding
        let bytes = try Self.read(file, limits)
        do throws(CBORError) {
            return try EvidenceBundle.decode(bytes, limits: limits)
        } catch {
            throw .notABundle(path: file, error)
        }
    }

    /// One file after the other, so that two bundles at most are in memory.
    private func merge(into result: inout EvidenceBundle, _ suite: Suite) throws(Problem) {
        let bytesMax = EvidenceLimits.standard.bundleBytesMax
        // No less than it has: what two bundles share is in the merged one once.
        var bytes = result.encoded.count
        for file in files.dropFirst() {
            let other = try bundle(file)
            bytes += other.encoded.count
            do throws(BundleProblem) {
                result = try result.merged(with: other, suite)
            } catch {
                throw .bundle(error)
            }
            if bytes > bytesMax { bytes = result.encoded.count }
            guard bytes <= bytesMax else { throw .tooLarge(bytes: bytes, max: bytesMax) }
        }
    }

    /// With what is trusted; a bundle that is detached from one of those headers is verified under it.
    private func verifier() throws(Problem) -> Verifier {
        let genesis = try ledger()
        let known: TrustFile
        do throws(TrustFile.Problem) {
            known = try TrustFile(trust, genesis: genesis, isWritten: false)
        } catch {
            throw .trust(error)
        }
        if let fork = known.knownFork { throw .contested(fork) }
        do throws(EvidenceProblem) {
            return try Verifier(genesis: genesis, trust: known.trust)
        } catch {
            throw .unproven(error)
        }
    }

    /// Somebody who trusts that header and nothing else.
    private static func reader(
        of checkpoint: Checkpoint, _ genesis: Genesis
    ) throws(EvidenceProblem) -> Verifier {
        try Verifier(
            genesis: genesis,
            trust: TrustedChain(
                accepting: checkpoint.digest, header: checkpoint.header,
                validators: checkpoint.validators))
    }

    private func ledger() throws(Problem) -> Genesis {
        let bytes = try Self.read(genesis, LedgerLimits.genesis)
        do throws(CBORError) {
            return try Genesis.decode(bytes, limits: LedgerLimits.genesis)
        } catch {
            throw .notAGenesis(path: genesis, error)
        }
    }

    private static func read(_ path: String, _ limits: CBORLimits) throws(Problem) -> [UInt8] {
        do throws(FileInput.Problem) {
            return try FileInput.read(path, bytesMax: limits.bytesMax)
        } catch {
            throw .input(error)
        }
    }
}

extension BundleTool.Problem {
    var text: String {
        switch self {
        case .input(let problem): problem.text + "\n"
        case .notAGenesis(let path, let error):
            "\(path) is not a genesis file: \(error.english) / \(path) 不是创世文件：\(error.chinese)\n"
        case .notABundle(let path, let error):
            "\(path) is not an evidence bundle: \(error.english) / \(path) 不是证据包：\(error.chinese)\n"
        case .bundle(let problem): problem.description + "\n"
        case .tooLarge(let bytes, let max):
            "nothing written: merged, they have \(bytes) bytes, and at most \(max) are read / 未写出文件：合并后共 \(bytes) 字节，最多可读取 \(max) 字节\n"
        case .unproven(let problem): "nothing written / 未写出文件\n" + EvidenceReport(problem).text
        case .trust(let problem): problem.text + "\n"
        case .contested(let fork): TrustFile.contested(fork)
        case .output(let problem): problem.text + "\n"
        }
    }
}
