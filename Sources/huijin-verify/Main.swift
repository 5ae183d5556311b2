import Encoding
import Glibc
import Ledger
import LightClient

/// `huijin-verify`: the regulator's tool. It opens two files, asks nobody, and says what they prove.
@main
enum Main {
    private enum ExitCode: Int32 {
        case proven = 0
        case provenFalse = 1
        case notProven = 2
        case usage = 64
        case unreadable = 66
        case unwritable = 73
    }

    static func main() {
        exit(run(Array(CommandLine.arguments.dropFirst())).rawValue)
    }

    private static func run(_ words: [String]) -> ExitCode {
        let arguments: Arguments
        do throws(Arguments.Mistake) {
            arguments = try Arguments(words)
        } catch {
            if error == .help {
                print(Arguments.usage, terminator: "")
                return .proven
            }
            complain("\(error.text)\n\n\(Arguments.usage)")
            return .usage
        }
        let genesis: Genesis
        let bundle: [UInt8]
        do throws(FileInput.Problem) {
            let bytes = try FileInput.read(
                arguments.genesis, bytesMax: LedgerLimits.genesis.bytesMax)
            bundle = try FileInput.read(
                arguments.bundle, bytesMax: EvidenceLimits.standard.bundleBytesMax)
            guard let decoded = decodeGenesis(bytes, path: arguments.genesis) else {
                return .unreadable
            }
            genesis = decoded
        } catch {
            complain("\(error.text)\n")
            return .unreadable
        }
        guard let folder = arguments.output else {
            return judge(bundle, genesis: genesis, arguments: arguments)
        }
        return writeReceipts(bundle, genesis: genesis, arguments: arguments, folder: folder)
    }

    private static func decodeGenesis(_ bytes: [UInt8], path: String) -> Genesis? {
        do throws(CBORError) {
            return try Genesis.decode(bytes, limits: LedgerLimits.genesis)
        } catch {
            complain("\(path) is not a genesis file: \(error.english) / 不是创世文件：\(error.chinese)\n")
            return nil
        }
    }

    private static func judge(
        _ bundle: [UInt8], genesis: Genesis, arguments: Arguments
    ) -> ExitCode {
        do throws(EvidenceProblem) {
            let answer = try Verifier(genesis: genesis).verify(bundle)
            try checkAsked(answer.question, arguments: arguments)
            if arguments.json {
                print(answer.json.encodedText)
            } else {
                print(EvidenceReport(answer).text, terminator: "")
            }
            return .proven
        } catch {
            if arguments.json {
                print(error.json.encodedText)
            } else {
                print(EvidenceReport(error).text, terminator: "")
            }
            return exitCode(error)
        }
    }

    private static func exitCode(_ problem: EvidenceProblem) -> ExitCode {
        switch problem.standing {
        case .provenFalse: .provenFalse
        case .notProven, .notYet: .notProven
        }
    }

    /// The same bundle as receipts; a bundle that is not proven gives none.
    private static func writeReceipts(
        _ bundle: [UInt8], genesis: Genesis, arguments: Arguments, folder: String
    ) -> ExitCode {
        let receipts: BundleReceipts
        do throws(EvidenceProblem) {
            let verifier = Verifier(genesis: genesis)
            let proven = try verifier.receipts(bundle)
            try checkAsked(proven.question, arguments: arguments)
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
        do throws(FileOutput.Problem) {
            print(try ReceiptFiles(receipts, folder: folder).write(), terminator: "")
            return .proven
        } catch {
            complain("\(error.text)\n")
            return .unwritable
        }
    }

    private static func checkAsked(
        _ question: EvidenceQuestion, arguments: Arguments
    ) throws(EvidenceProblem) {
        switch question {
        case .assetHistory(let asset, _):
            guard arguments.transaction == nil, arguments.asset ?? asset == asset else { break }
            return
        case .transaction(let id):
            guard arguments.asset == nil, arguments.transaction ?? id == id else { break }
            return
        case .record, .header:
            guard arguments.asset == nil, arguments.transaction == nil else { break }
            return
        }
        throw EvidenceProblem(.question, .otherQuestion)
    }

    private static func complain(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(STDERR_FILENO, bytes, bytes.count)
    }
}
