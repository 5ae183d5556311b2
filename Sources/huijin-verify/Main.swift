import Encoding
import Files
import Glibc
import Ledger
import LedgerCrypto
import LightClient

/// `huijin-verify`: the regulator's tool. It opens files, asks nobody, and says what they prove.
@main
enum Main {
    private enum ExitCode: Int32 {
        case proven = 0
        case provenFalse = 1
        case notProven = 2
        case fork = 3
        case usage = 64
        case unreadable = 66
        case unwritable = 73
    }

    static func main() {
        StandardStreams.holdClosed()
        // What cannot be written is an error with a name, and ends nothing half done.
        signal(SIGPIPE, SIG_IGN)
        signal(SIGXFSZ, SIG_IGN)
        do throws(RawArguments.Problem) {
            try RawArguments.check()
        } catch {
            complain("\(error.english) / \(error.chinese)\n")
            exit(ExitCode.usage.rawValue)
        }
        exit(run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }

    private static func run(_ words: [String]) -> ExitCode {
        if let tool = words.first.flatMap({ BundleTool.Mode(rawValue: $0) }) {
            return run(tool, words.dropFirst())
        }
        let arguments: Arguments
        do throws(Arguments.Mistake) {
            arguments = try Arguments(words)
        } catch {
            return misuse(error)
        }
        let genesis: Genesis
        let bytes: [UInt8]
        let note: [UInt8]?
        do throws(FileInput.Problem) {
            let genesisBytes = try FileInput.read(
                arguments.genesis, bytesMax: LedgerLimits.genesis.bytesMax)
            bytes = try FileInput.read(
                arguments.file,
                bytesMax: bytesMax(arguments.mode))
            note = try arguments.note.map { path throws(FileInput.Problem) in
                try FileInput.read(path, bytesMax: LogNote.bytesMax)
            }
            guard let decoded = decodeGenesis(genesisBytes, path: arguments.genesis) else {
                return .unreadable
            }
            genesis = decoded
        } catch {
            complain("\(error.text)\n")
            return .unreadable
        }
        let known: TrustFile
        do throws(TrustFile.Problem) {
            known = try TrustFile(
                arguments.trust, genesis: genesis, isWritten: arguments.mode == .verify)
        } catch {
            complain("\(error.text)\n")
            return exitCode(error)
        }
        do throws(EvidenceProblem) {
            let verifier = try Verifier(genesis: genesis, trust: known.trust)
            switch arguments.mode {
            case .fork: return try judgeFork(bytes, verifier, arguments)
            case .statement:
                if let fork = known.knownFork { return contested(fork) }
                let statement = try verifier.verifyStatement(bytes)
                return show(EvidenceReport(statement), statement.json, arguments, .proven)
            case .receipts:
                if let fork = known.knownFork { return contested(fork) }
                return writeReceipts(bytes, verifier, arguments)
            case .verify: return try judge(bytes, verifier, known, note, arguments)
            }
        } catch {
            return show(EvidenceReport(error), error.json, arguments, exitCode(error))
        }
    }

    private static func run(_ tool: BundleTool.Mode, _ words: ArraySlice<String>) -> ExitCode {
        do throws(Arguments.Mistake) {
            let tool = try BundleTool(tool, words)
            do throws(BundleTool.Problem) {
                let report = try tool.run().text
                return say(report) ? .proven : .unwritable
            } catch {
                complain(error.text)
                return exitCode(error)
            }
        } catch {
            return misuse(error)
        }
    }

    private static func misuse(_ mistake: Arguments.Mistake) -> ExitCode {
        if mistake == .help {
            return say(Arguments.usage) ? .proven : .unwritable
        }
        complain("\(mistake.text)\nhuijin-verify --help: usage / 用法\n")
        return .usage
    }

    private static func exitCode(_ problem: BundleTool.Problem) -> ExitCode {
        switch problem {
        case .bundle, .tooLarge: .usage
        case .input, .notAGenesis, .notABundle: .unreadable
        case .unproven(let problem): exitCode(problem)
        case .trust(let problem): exitCode(problem)
        case .contested: .fork
        case .output: .unwritable
        }
    }

    private static func exitCode(_ problem: TrustFile.Problem) -> ExitCode {
        switch problem {
        case .isUsed, .folder: .unwritable
        case .input, .notATrustFile, .notACheckpoint, .otherCheckpoint, .other, .startsElsewhere:
            .unreadable
        }
    }

    /// Of the file that is to be judged.
    private static func bytesMax(_ mode: Arguments.Mode) -> Int {
        switch mode {
        case .verify, .receipts: EvidenceLimits.standard.bundleBytesMax
        case .fork: ForkEvidence.limits.bytesMax
        case .statement: TransparentStatement.limits.bytesMax
        }
    }

    private static func decodeGenesis(_ bytes: [UInt8], path: String) -> Genesis? {
        do throws(CBORError) {
            return try Genesis.decode(bytes, limits: LedgerLimits.genesis)
        } catch {
            complain(BundleTool.Problem.notAGenesis(path: path, error).text)
            return nil
        }
    }

    private static func judgeFork(
        _ bytes: [UInt8], _ verifier: Verifier, _ arguments: Arguments
    ) throws(EvidenceProblem) -> ExitCode {
        let fork = try verifier.verifyFork(bytes)
        return show(EvidenceReport(fork), fork.json, arguments, .proven)
    }

    private static func judge(
        _ bytes: [UInt8], _ verifier: Verifier, _ known: TrustFile, _ note: [UInt8]?,
        _ arguments: Arguments
    ) throws(EvidenceProblem) -> ExitCode {
        // Beside evidence of a fork nothing is proven, so what is asked and who saw it do not matter.
        let isOpen = known.knownFork == nil
        let inquiry = Inquiry(
            asked: isOpen ? arguments.asked : [],
            testimony: isOpen
                ? note.map { .init(note: $0, witnesses: arguments.witnesses) } : nil,
            isFollowed: known.path != nil || known.trust.start.header != nil)
        let judgement = try verifier.judge(bytes, inquiry, nowMs: nowMs)
        if case .fork(let fork) = judgement, let path = known.path {
            // The evidence first: nobody may be listening.
            let isWritten = writeFork(fork, beside: path, known.trust.suite)
            let code = show(judgement.report, judgement.json, arguments, .fork)
            return isWritten ? code : .unwritable
        }
        if let fork = known.knownFork { return contested(fork) }
        let code = show(
            judgement.report, judgement.json, arguments, judgement.isProven ? .proven : .fork)
        switch judgement {
        case .proven(let answer):
            return code == .proven ? writeFiles(answer, arguments) : code
        case .followed(let followed): return keep(followed, known, code, arguments)
        // What is trusted stays as it was.
        case .fork, .twoHistories: return code
        }
    }

    /// - Parameter code: what became of the report.
    private static func keep(
        _ followed: FollowedAnswer, _ known: TrustFile, _ code: ExitCode, _ arguments: Arguments
    ) -> ExitCode {
        // What a witness cosigns goes on from what was proven to him before; and a header that is not trusted starts nobody else's trust.
        // Before anything is kept: the next run would take an unlinked header for one that was trusted.
        let isWanted =
            (arguments.noteOut == nil || followed.isLinked)
            && (arguments.checkpointOut == nil || followed.isAdded)
        guard isWanted else { return code == .proven ? unlinked() : code }
        if let path = known.path, followed.trust != known.trust || !known.isKept {
            let isWritten = writing { () throws(WholeFile.Problem) in
                try known.replace(with: followed.trust)
            }
            guard isWritten else { return .unwritable }
            if !known.isKept { complain("\(path): trust file begun / 已新建信任文件\n") }
        }
        return code == .proven ? writeFiles(followed.answer, arguments) : code
    }

    private static func unlinked() -> ExitCode {
        complain(
            "proven, but nothing shows that it is of one history with what was trusted: no file is written, and nothing more is trusted\n"
                + "已证明，但未证明与此前所信任者同属一份历史：未写出文件，亦不增加信任\n")
        return .notProven
    }

    private static func contested(_ fork: String) -> ExitCode {
        complain(TrustFile.contested(fork))
        return .fork
    }

    private static func writeFork(
        _ fork: FoundFork, beside path: String, _ suite: Suite
    ) -> Bool {
        let encoded = fork.evidence.encoded
        let mark = fork.isByEndedKeys ? EvidenceMark.oldFork : .fork
        let name = mark.path(beside: path, encoded, suite)
        // What a full disk left of it has the same name.
        if WholeFile.isThere(name, encoded) { return true }
        let isWritten = writing { () throws(WholeFile.Problem) in
            try WholeFile.replace(name, encoded)
        }
        if isWritten { complain("fork evidence / 分叉证据: \(name)\n") }
        return isWritten
    }

    /// What else is wanted of a proven bundle.
    private static func writeFiles(_ answer: ProvenAnswer, _ arguments: Arguments) -> ExitCode {
        var code = writeCheckpoint(answer.checkpoint, arguments)
        if code == .proven { code = writeNote(answer.checkpoint.header, arguments) }
        guard code == .proven, let path = arguments.prov else { return code }
        guard let document = PROVExport.document(answer) else {
            complain(
                "proven, but no history, so nothing is written to \(path) / 已证明，但不含历史，未写出 \(path)\n"
            )
            return .usage
        }
        let isWritten = writing { () throws(WholeFile.Problem) in
            try WholeFile.create(path, Array((document.encodedText + "\n").utf8))
        }
        return isWritten ? .proven : .unwritable
    }

    private static func writeCheckpoint(
        _ checkpoint: Checkpoint, _ arguments: Arguments
    ) -> ExitCode {
        guard let path = arguments.checkpointOut else { return .proven }
        let start = TrustStart.checkpoint(
            header: checkpoint.header, validators: checkpoint.validators)
        let isWritten = writing { () throws(WholeFile.Problem) in
            try WholeFile.create(path, start.encoded)
        }
        guard isWritten else { return .unwritable }
        complain("\(path): --accept \(checkpoint.digest.hex)\n")
        return .proven
    }

    /// What witnesses are to cosign.
    private static func writeNote(_ header: Header, _ arguments: Arguments) -> ExitCode {
        guard let path = arguments.noteOut else { return .proven }
        let isWritten = writing { () throws(WholeFile.Problem) in
            try WholeFile.create(path, Array(LogCheckpoint(witnessing: header).text.utf8))
        }
        return isWritten ? .proven : .unwritable
    }

    private static func writing(_ body: () throws(WholeFile.Problem) -> Void) -> Bool {
        do throws(WholeFile.Problem) {
            try body()
            return true
        } catch {
            complain("\(error.text)\n")
            return false
        }
    }

    /// - Returns: the code, unless the report cannot be written: then nobody has read it.
    private static func show(
        _ report: EvidenceReport, _ json: JSONNode, _ arguments: Arguments, _ code: ExitCode
    ) -> ExitCode {
        let isSaid = say(arguments.json ? json.encodedText + "\n" : report.text)
        guard let path = arguments.html else { return isSaid ? code : .unwritable }
        let isWritten = writing { () throws(WholeFile.Problem) in
            try WholeFile.create(path, Array(report.html.utf8))
        }
        return isSaid && isWritten ? code : .unwritable
    }

    private static func say(_ text: String) -> Bool {
        writing { () throws(WholeFile.Problem) in try FileOutput.say(text) }
    }

    /// Milliseconds of Unix time.
    private static var nowMs: UInt64 {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return UInt64(max(0, now.tv_sec)) * 1_000 + UInt64(max(0, now.tv_nsec)) / 1_000_000
    }

    private static func exitCode(_ problem: EvidenceProblem) -> ExitCode {
        switch problem.standing {
        case .provenFalse: .provenFalse
        case .notProven, .notYet: .notProven
        }
    }

    /// The same bundle as receipts; a bundle that is not proven gives none.
    private static func writeReceipts(
        _ bundle: [UInt8], _ verifier: Verifier, _ arguments: Arguments
    ) -> ExitCode {
        let receipts: BundleReceipts
        do throws(EvidenceProblem) {
            let proven = try verifier.receipts(bundle)
            for asked in arguments.asked { try asked.requireAnswer(by: proven.questions) }
            receipts = proven
        } catch {
            complain(EvidenceReport(error).text)
            return exitCode(error)
        }
        guard receipts.entryCount > 0 else {
            complain(
                "proven, but the bundle shows no entry of the log / 已证明，但该证据包不含日志条目\n")
            return .notProven
        }
        do throws(WholeFile.Problem) {
            let summary = try ReceiptFiles(receipts, folder: arguments.output).write()
            return say(summary) ? .proven : .unwritable
        } catch {
            complain("\(error.text)\n")
            return .unwritable
        }
    }

    private static func complain(_ text: String) {
        // Where there is no standard error there is nobody to tell.
        // Names that a caller wrote are in some.
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let printable = lines.map { String($0).printable }.joined(separator: "\n")
        _ = WholeFile.write(Array(printable.utf8), to: STDERR_FILENO)
    }
}
