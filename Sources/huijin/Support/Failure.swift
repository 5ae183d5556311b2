import ArgumentParser
import Client
import Files
import LedgerCrypto

/// How a command ends when it does not succeed. The numbers follow sysexits.h where that has one.
enum ExitStatus: Int32 {
    /// The ledger refused; the answer holds its code.
    case refused = 1
    /// Not proven, or not there.
    case notFound = 2
    /// Two certified histories.
    case fork = 3
    case usage = 64
    case badData = 65
    case noInput = 66
    case unavailable = 69
    /// A fault of this program or of the machine.
    case fault = 70
    case notPermitted = 77
    case configuration = 78
}

/// An error with its exit status and what is shown; JSON output gets the object as well.
struct Failure: Error {
    let status: ExitStatus
    let english: String
    let chinese: String
    var answer: JSONValue?

    init(_ status: ExitStatus, _ english: String, _ chinese: String, answer: JSONValue? = nil) {
        self.status = status
        self.english = english
        self.chinese = chinese
        self.answer = answer
    }

    init(_ error: ClientError) {
        let status: ExitStatus =
            switch error {
            case .unreachable, .badAnswer, .stale, .behind: .unavailable
            case .notProven, .notFound: .notFound
            case .invalid: .badData
            case .noIdentity: .usage
            case .refused(_, let http, _, _, _):
                switch http {
                case 401, 403: .notPermitted
                case 404: .notFound
                // 410: it is there, but not on a node that joined by a snapshot.
                case 410, 429, 500...599: .unavailable
                default: .badData
                }
            }
        self.init(status, error.english, error.chinese)
        if case .refused(_, _, let code, _, _) = error {
            answer = ["codeName": .text(code), "message": .text("\(english) / \(chinese)")]
        }
    }

    init(_ error: TrustFileProblem) {
        switch error {
        case .fork: self.init(.fork, error.english, error.chinese)
        case .unusable(let error): self.init(error)
        }
    }

    init(_ error: SetupError) {
        let place = error.field.map { "\(error.file), field \($0)" } ?? error.file
        self.init(
            error.isMissing ? .noInput : .configuration, "\(place): \(error.english)",
            "\(place)：\(error.chinese)")
    }

    init?(_ error: any Error) {
        switch error {
        case let error as Failure: self = error
        case let error as ClientError: self.init(error)
        case let error as SetupError: self.init(error)
        case let error as TrustFileProblem: self.init(error)
        case let error as FileClaim.Problem: self.init(SetupError(error))
        case let error as KeyFileError:
            self.init(.configuration, error.english, error.chinese)
        case is CleanExit, is ValidationError, is ExitCode: return nil
        default:
            // ArgumentParser keeps its own errors to itself; all of them are about usage.
            guard Huijin.exitCode(for: error) == .failure else { return nil }
            self.init(.fault, "\(error)", "内部错误")
        }
    }
}
