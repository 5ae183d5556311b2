import ArgumentParser
import Client
import Files
import LedgerCrypto
import LightClient
import Records

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
    /// A file: no room, no permission, one of that name, or another program uses it.
    case cannotWrite = 73
    case notPermitted = 77
    case configuration = 78

    /// As JSON output has it where nobody else named the failure.
    var name: String {
        switch self {
        case .refused: "refused"
        case .notFound: "not-proven"
        case .fork: "fork"
        case .usage: "usage"
        case .badData: "bad-data"
        case .noInput: "no-input"
        case .unavailable: "unavailable"
        case .fault: "fault"
        case .cannotWrite: "cannot-write"
        case .notPermitted: "not-permitted"
        case .configuration: "configuration"
        }
    }
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

    /// What JSON output holds of it.
    var json: JSONValue {
        answer ?? ["codeName": .text(status.name), "message": .text("\(english) / \(chinese)")]
    }

    init(_ error: ClientError) {
        if let remedy = Self.remedy(error) {
            self = remedy
            return
        }
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
        if case .refused(_, _, let code, _, _) = error { self = named(code) }
    }

    /// The same under the code that a node gave.
    private func named(_ code: String) -> Failure {
        Failure(
            status, english, chinese,
            answer: ["codeName": .text(code), "message": .text("\(english) / \(chinese)")])
    }

    /// Of a request that was refused for who asked it: what to do here, which the node cannot know.
    private static func remedy(_ error: ClientError) -> Failure? {
        guard let code = error.code else { return nil }
        if code == "needs-identity" {
            return Failure(
                .notPermitted,
                "\(error.english); ask as a member, with --identity DIR or HUIJIN_IDENTITY",
                "\(error.chinese)；请以成员身份查询，用 --identity 指定成员文件夹或设置 HUIJIN_IDENTITY"
            ).named(code)
        }
        if code == OutcomeCode.wrongChain.name {
            return Failure(
                .configuration,
                "\(error.english); it is the genesis that is another ledger's: "
                    + "name that of the node's ledger with --genesis, or in member.json",
                "\(error.chinese)；所用创世文件属于另一账本，请用 --genesis 或在 member.json 中指定该节点所属账本的创世文件"
            ).named(code)
        }
        return nil
    }

    /// What is wrong with the words of a question, and what would be right.
    init(_ mistake: QuestionMistake) {
        switch mistake {
        case .notAnID(let type, let parts) where type == .saltSeed:
            self.init(
                .usage, "nobody may ask for \(type.name) \(parts.joined(separator: " "))",
                "不可查询“\(type.titleZh)”")
        case .notAnID(let type, _):
            let form = type.idForm
            self.init(
                .usage, "\(mistake.english): \(form.english)",
                "\(mistake.chinese)：\(form.chinese)")
        case .notOneOf("TYPE", let text, _):
            let known = RecordType.readable.map(\.name).joined(separator: ", ")
            self.init(
                .usage, "TYPE must be one of \(known), not \(text)", "TYPE 可取 \(known)：\(text)")
        case .unknownKind, .form, .notADigest, .notANumber, .notATime, .notAMember, .notOneOf:
            self.init(.usage, mistake.english, mistake.chinese)
        }
    }

    init(_ error: TrustFileProblem) {
        switch error {
        case .fork: self.init(.fork, error.english, error.chinese)
        case .unusable(let error): self.init(error)
        }
    }

    init(_ error: SetupError) {
        let status: ExitStatus =
            error.isMissing ? .noInput : error.isUnwritable ? .cannotWrite : .configuration
        self.init(status, error.texts.english, error.texts.chinese)
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
            self.init(.fault, "internal fault: \(error)", "内部错误：\(error)")
        }
    }
}
