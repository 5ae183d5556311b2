import Encoding
import Ledger
import LedgerCrypto
import Records

/// A question in words, as `huijin audit` takes them: `asset ID --logs rights,trades`, `licence ID --height 12`.
///
/// A bundle brings its own questions along. Whoever gets one from somebody else says with this which question it has to answer.
public struct AskedQuestion: Equatable, Sendable {
    /// The names of the kinds, which come first.
    public enum Kind: String, CaseIterable, Sendable {
        case asset
        case transaction
        case record
        case header
        case licence
        case role
        case output

        /// What stands behind the name, and its options, each at most once and in any place.
        public var form: String {
            switch self {
            case .asset: "asset ID [--logs LOG,…]"
            case .transaction: "transaction ID"
            case .record: "record TYPE ID…"
            case .header: "header HEIGHT [--digest DIGEST]"
            case .licence: "licence ID --height HEIGHT | --time TIME"
            case .role: "role MEMBER ROLE --height HEIGHT | --time TIME"
            case .output: "output JOB"
            }
        }

        var options: [String] {
            switch self {
            case .asset: ["--logs"]
            case .header: ["--digest"]
            case .licence, .role: ["--height", "--time"]
            case .transaction, .record, .output: []
            }
        }

        /// Words that are not options.
        var wordCount: ClosedRange<Int> {
            switch self {
            case .asset, .transaction, .header, .licence, .output: 1...1
            case .role: 2...2
            case .record: 2...(1 + EvidenceQuestion.idPartsMax)
            }
        }
    }

    /// Of an asset the logs are empty where the words name none, which nobody can ask: whoever expects takes any.
    public let question: EvidenceQuestion

    public init(_ text: String) throws(QuestionMistake) {
        let words = text.utf8.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A }
            .map { String(Substring($0)) }
        try self.init(words: words)
    }

    public init(words: [String]) throws(QuestionMistake) {
        let name = words.first ?? ""
        guard let kind = Kind(rawValue: name) else { throw .unknownKind(name) }
        question = try Words(kind, words.dropFirst()).question()
    }

    /// The history of this asset, in whichever logs.
    public init(asset: Digest) {
        question = .assetHistory(asset: asset, logs: [])
    }

    public init(transaction: Digest) {
        question = .transaction(transaction)
    }

    /// Whether whoever asks this has his answer in the answer to that: of an asset further logs may be there; of a header
    /// without a digest any may be the one asked about.
    public func isAnswered(by other: EvidenceQuestion) -> Bool {
        switch (question, other) {
        case (.assetHistory(let asset, let logs), .assetHistory(let shown, let shownLogs)):
            asset == shown && logs.allSatisfy { shownLogs.contains($0) }
        case (.header(let height, nil), .header(let shown, _)): height == shown
        case (.assetHistory, _), (.transaction, _), (.record, _), (.header, _), (.licence, _),
            (.role, _), (.output, _):
            question == other
        }
    }

    /// - Parameter questions: those that a proven bundle answers.
    public func requireAnswer(by questions: [EvidenceQuestion]) throws(EvidenceProblem) {
        guard !questions.contains(where: { isAnswered(by: $0) }) else { return }
        throw EvidenceProblem(
            .bundle, .notAnswered(asked: question.text, answered: questions.map { $0.text }))
    }
}

/// Why words ask no question.
public enum QuestionMistake: Error, Equatable, Sendable {
    case unknownKind(String)
    /// Words are missing or too many, or there is no such option.
    case form(AskedQuestion.Kind)
    /// `name`: as in the form.
    case notADigest(name: String, String)
    case notANumber(name: String, String)
    case notATime(String)
    case notAMember(String)
    case notOneOf(name: String, String, known: [String])
    case notAnID(RecordType, [String])
}

/// The words of one question behind its kind.
private struct Words {
    private let kind: AskedQuestion.Kind
    private var plain: [String] = []
    private var options: [(name: String, value: String)] = []

    init(_ kind: AskedQuestion.Kind, _ words: ArraySlice<String>) throws(QuestionMistake) {
        self.kind = kind
        var rest = words
        while let word = rest.popFirst() {
            guard word.hasPrefix("--") else {
                plain.append(word)
                continue
            }
            guard kind.options.contains(word), option(word) == nil, let value = rest.popFirst()
            else { throw .form(kind) }
            options.append((word, value))
        }
        guard kind.wordCount.contains(plain.count) else { throw .form(kind) }
    }

    private func option(_ name: String) -> String? {
        options.first { $0.name == name }?.value
    }

    func question() throws(QuestionMistake) -> EvidenceQuestion {
        switch kind {
        case .asset:
            .assetHistory(asset: try digest("ID", plain[0]), logs: try logs())
        case .transaction: .transaction(try digest("ID", plain[0]))
        case .record: try record()
        case .header:
            if let text = option("--digest") {
                .header(
                    height: try number("HEIGHT", plain[0]), digest: try digest("--digest", text))
            } else {
                .header(height: try number("HEIGHT", plain[0]), digest: nil)
            }
        case .licence: .licence(try digest("ID", plain[0]), at: try moment())
        case .role:
            .role(try named("ROLE", plain[1]), of: try member(plain[0]), at: try moment())
        case .output: .output(job: try digest("JOB", plain[0]))
        }
    }

    private func record() throws(QuestionMistake) -> EvidenceQuestion {
        let type: RecordType = try named("TYPE", plain[0])
        let parts = Array(plain.dropFirst())
        guard let id = EvidenceQuestion.id(parts, of: type) else { throw .notAnID(type, parts) }
        return .record(type: type, id: id)
    }

    /// Ascending, each once; none where none is named.
    private func logs() throws(QuestionMistake) -> [EventLogKind] {
        guard let text = option("--logs") else { return [] }
        var named: [EventLogKind] = []
        for word in text.utf8.split(separator: 0x2C, omittingEmptySubsequences: false) {
            named.append(try self.named("--logs", String(Substring(word))))
        }
        return EventLogKind.allCases.filter { named.contains($0) }
    }

    private func moment() throws(QuestionMistake) -> Moment {
        switch (option("--height"), option("--time")) {
        case (let height?, nil): return .height(try number("--height", height))
        case (nil, let time?):
            guard let timeMs = ShanghaiTime.unixMs(dateTime: time) else { throw .notATime(time) }
            return .time(timeMs)
        case (nil, nil), (_?, _?): throw .form(kind)
        }
    }

    private func digest(_ name: String, _ text: String) throws(QuestionMistake) -> Digest {
        guard let digest = Digest(hex: text) else { throw .notADigest(name: name, text) }
        return digest
    }

    private func number(_ name: String, _ text: String) throws(QuestionMistake) -> UInt64 {
        guard let number = UInt64(text) else { throw .notANumber(name: name, text) }
        return number
    }

    private func member(_ text: String) throws(QuestionMistake) -> MemberID {
        guard let member = MemberID(text) else { throw .notAMember(text) }
        return member
    }

    private func named<Case: NumberedCase>(
        _ name: String, _ text: String
    ) throws(QuestionMistake) -> Case {
        guard let value = Case(name: text) else {
            throw .notOneOf(name: name, text, known: Case.allCases.map { $0.name })
        }
        return value
    }
}

extension QuestionMistake {
    public var english: String {
        switch self {
        case .unknownKind(let kind):
            "a question is one of \(Self.kinds), not \(kind)"
        case .form(let kind): "the question is asked as \(kind.form)"
        case .notADigest(let name, let text):
            "\(name) must be 64 lower-case hexadecimal digits, not \(text)"
        case .notANumber(let name, let text): "\(name) must be a number, not \(text)"
        case .notATime(let text):
            "--time must be a time such as 2026-03-01T09:30:00+08:00, not \(text)"
        case .notAMember(let text):
            "MEMBER must be a member id such as an 18-character social credit code, not \(text)"
        case .notOneOf(let name, let text, let known):
            "\(name) must be one of \(known.joined(separator: ", ")), not \(text)"
        case .notAnID(let type, let parts):
            "\(parts.joined(separator: " ")) is not the id of a record of type \(type.name)"
        }
    }

    public var chinese: String {
        switch self {
        case .unknownKind(let kind): "问题可取 \(Self.kinds)：\(kind)"
        case .form(let kind): "该问题的写法：\(kind.form)"
        case .notADigest(let name, let text): "\(name) 应为 64 位小写十六进制：\(text)"
        case .notANumber(let name, let text): "\(name) 应为数字：\(text)"
        case .notATime(let text): "--time 应为时间，如 2026-03-01T09:30:00+08:00：\(text)"
        case .notAMember(let text):
            "MEMBER 应为成员编号，例如 18 位统一社会信用代码：\(text)"
        case .notOneOf(let name, let text, let known):
            "\(name) 可取 \(known.joined(separator: ", "))：\(text)"
        case .notAnID(let type, let parts):
            "\(parts.joined(separator: " ")) 不是“\(type.titleZh)”的编号"
        }
    }

    private static var kinds: String {
        AskedQuestion.Kind.allCases.map { $0.rawValue }.joined(separator: ", ")
    }
}

extension EvidenceQuestion {
    /// In the words of `AskedQuestion`.
    public var text: String {
        switch self {
        case .assetHistory(let asset, let logs):
            "asset \(asset.hex)"
                + (logs.isEmpty ? "" : " --logs " + logs.map { $0.name }.joined(separator: ","))
        case .transaction(let id): "transaction \(id.hex)"
        case .record(let type, let id):
            "record \(type.name) "
                + Self.texts(ofID: id).map(Self.visible).joined(separator: " ")
        case .header(let height, let digest):
            "header \(height)" + (digest.map { " --digest \($0.hex)" } ?? "")
        case .licence(let id, let moment): "licence \(id.hex) \(moment.text)"
        case .role(let role, let member, let moment):
            "role \(member) \(role.name) \(moment.text)"
        case .output(let job): "output \(job.hex)"
        }
    }

    /// The name of a record that is not there may be anything, also what a terminal would obey.
    private static func visible(_ text: String) -> String {
        text.utf8.allSatisfy { (0x21...0x7E).contains($0) } ? text : CBORValue.text(text).diagnostic
    }

    /// A record's id out of its parts in words: texts, hexadecimal bytes or numbers.
    ///
    /// - Returns: nil where no record of that type can have such an id.
    public static func id(_ parts: [String], of type: RecordType) -> [CBORValue]? {
        let id: [CBORValue]
        switch type {
        case .member, .bank, .policy, .account: id = parts.map { .text($0) }
        case .key, .votingKey, .asset, .attestation, .transfer, .offer, .agreement, .withdrawal,
            .job, .evidence:
            guard parts.count == 1, let bytes = Hex.decode(parts[0]) else { return nil }
            id = [.bytes(bytes)]
        case .validators, .timerIndex, .timerDay, .timerHour, .saltSeed:
            guard parts.count == 1, let number = UInt64(parts[0]) else { return nil }
            id = [.unsigned(number)]
        }
        return isID(id, of: type) ? id : nil
    }

    /// Its inverse.
    ///
    /// - Precondition: `isID`.
    public static func texts(ofID id: [CBORValue]) -> [String] {
        id.map { part in
            switch part {
            case .text(let text): text
            case .bytes(let bytes): Hex.encode(bytes)
            case .unsigned(let number): "\(number)"
            case .negative, .array, .map, .tag, .bool, .null:
                preconditionFailure("an id is made of texts, bytes and numbers")
            }
        }
    }
}

extension Moment {
    /// As `--height 12` or `--time 2026-03-01T09:30:00.000+08:00`; beyond the year 9999 the time is its number of milliseconds,
    /// which nobody can ask in words.
    var text: String {
        switch self {
        case .height(let height): "--height \(height)"
        case .time(let timeMs):
            "--time \(ShanghaiTime.dateTime(unixMs: timeMs) ?? ShanghaiTime.text(unixMs: timeMs))"
        }
    }
}
