import LedgerCrypto
import LightClient

/// The command line of `huijin-verify`, read without any library.
struct Arguments: Equatable {
    var genesis = ""
    /// What is to be judged: a bundle or fork evidence.
    var file = ""
    var mode = Mode.verify
    var json = false
    /// What the caller wants to know, when he says so: the bundle must answer all of it.
    var asked: [AskedQuestion] = []
    /// What is known of the ledger beforehand.
    var trust = TrustOptions()
    /// A checkpoint that others cosigned, and of whom the caller wants to know that they did.
    var note: String?
    var witnesses: [LogCosigner] = []
    /// Where the proven log's checkpoint goes, for witnesses to cosign.
    var noteOut: String?
    /// Where the proven header goes, for others to start from.
    var checkpointOut: String?
    /// Where the report goes as a page, and the proven histories as PROV-JSON.
    var html: String?
    var prov: String?
    /// The folder for the bundle's receipts.
    var output = ""

    enum Mode: String {
        case verify
        case fork
        case receipts
        case statement
    }

    enum Mistake: Error, Equatable {
        case help
        case missing(String)
        case missingFile(String, String)
        case unknown(String)
        case valueMissing(String)
        /// Which of the two was meant, nobody knows.
        case givenTwice(String)
        case notADigest(String)
        case notANumber(String)
        case notAQuestion(option: String, QuestionMistake)
        case notAWitness(option: String)
        case witnessTwice(name: String)
        case tooManyWitnesses
        case tooManyFiles(max: Int)
    }

    init(_ words: [String]) throws(Mistake) {
        var rest = words[...]
        if let first = rest.first, let named = Mode(rawValue: first), named != .verify {
            mode = named
            rest = rest.dropFirst()
        }
        var given = GivenOptions()
        while let word = rest.popFirst() {
            try given.note(word)
            switch (word, mode) {
            case ("--help", _), ("-h", _): throw .help
            case ("--genesis", _): genesis = try Self.value(of: word, &rest)
            case ("--bundle", .verify), ("--bundle", .receipts):
                file = try Self.value(of: word, &rest)
            case ("--expect", .verify), ("--expect", .receipts):
                asked.append(try Self.question(of: word, &rest))
            case ("--asset", .verify), ("--asset", .receipts):
                asked.append(AskedQuestion(asset: try Self.digest(of: word, &rest)))
            case ("--transaction", .verify), ("--transaction", .receipts):
                asked.append(AskedQuestion(transaction: try Self.digest(of: word, &rest)))
            case ("--json", .verify), ("--json", .fork), ("--json", .statement): json = true
            case ("--trust", _), ("--checkpoint", _), ("--accept", _):
                try trust.take(word, &rest)
            case ("--witnessed", .verify): note = try Self.value(of: word, &rest)
            case ("--witness", .verify):
                guard witnesses.count < LogNote.witnessesMax else { throw .tooManyWitnesses }
                let text = try Self.value(of: word, &rest)
                guard let witness = LogCosigner(verifierKey: text) else {
                    throw .notAWitness(option: word)
                }
                guard !witnesses.contains(where: { $0.key == witness.key }) else {
                    throw .witnessTwice(name: witness.name)
                }
                witnesses.append(witness)
            case ("--note-out", .verify): noteOut = try Self.value(of: word, &rest)
            case ("--checkpoint-out", .verify): checkpointOut = try Self.value(of: word, &rest)
            case ("--html", .verify), ("--html", .fork), ("--html", .statement):
                html = try Self.value(of: word, &rest)
            case ("--prov", .verify): prov = try Self.value(of: word, &rest)
            case ("--out", .receipts): output = try Self.value(of: word, &rest)
            default:
                guard mode != .verify, file.isEmpty, !word.hasPrefix("-") else {
                    throw .unknown(word)
                }
                file = word
            }
        }
        try requireAll()
    }

    private func requireAll() throws(Mistake) {
        if genesis.isEmpty { throw .missing("--genesis") }
        if file.isEmpty {
            switch mode {
            case .verify: throw .missing("--bundle")
            case .receipts: throw .missingFile("the bundle", "证据包")
            case .fork: throw .missingFile("the fork evidence", "分叉证据")
            case .statement: throw .missingFile("the transparent statement", "透明陈述")
            }
        }
        if mode == .receipts, output.isEmpty { throw .missing("--out") }
        if note != nil, witnesses.isEmpty { throw .missing("--witness") }
        if note == nil, !witnesses.isEmpty { throw .missing("--witnessed") }
        try trust.requireAll()
    }

    static func value(
        of word: String, _ rest: inout ArraySlice<String>
    ) throws(Mistake) -> String {
        guard let value = rest.popFirst(), !value.isEmpty else { throw .valueMissing(word) }
        return value
    }

    static func digest(
        of word: String, _ rest: inout ArraySlice<String>
    ) throws(Mistake) -> Digest {
        guard let digest = Digest(hex: try value(of: word, &rest)) else {
            throw .notADigest(word)
        }
        return digest
    }

    private static func question(
        of word: String, _ rest: inout ArraySlice<String>
    ) throws(Mistake) -> AskedQuestion {
        let text = try value(of: word, &rest)
        do throws(QuestionMistake) {
            return try AskedQuestion(text)
        } catch {
            throw .notAQuestion(option: word, error)
        }
    }
}

extension Arguments.Mistake {
    var text: String {
        switch self {
        case .help: ""
        case .missing(let option): "missing: \(option) / 缺少：\(option)"
        case .missingFile(let english, let chinese): "missing: \(english) / 缺少：\(chinese)"
        case .unknown(let word): "unknown argument \(word) / 未知参数 \(word)"
        case .givenTwice(let option): "\(option) is given twice / \(option) 重复给出"
        case .valueMissing(let option): "\(option) needs a value / \(option) 后须有值"
        case .notADigest(let option):
            "\(option) takes 64 lower-case hexadecimal digits / \(option) 后须为 64 位小写十六进制数"
        case .notANumber(let option): "\(option) takes a number / \(option) 后须为数字"
        case .notAQuestion(let option, let mistake):
            "\(option): \(mistake.english) / \(option)：\(mistake.chinese)"
        case .witnessTwice(let name):
            "--witness: \(WitnessFault.askedTwice(name).english) / --witness：\(WitnessFault.askedTwice(name).chinese)"
        case .tooManyFiles(let max): "at most \(max) files / 最多 \(max) 个文件"
        case .tooManyWitnesses:
            "--witness: at most \(LogNote.witnessesMax) / --witness：最多 \(LogNote.witnessesMax) 个"
        case .notAWitness(let option):
            "\(option) takes a verifier key, name+hash+key (c2sp.org/signed-note), of type 04: Ed25519, cosignature/v1"
                + " / \(option) 后须为核验密钥：名称+标识+密钥（c2sp.org/signed-note），04 型，即 Ed25519、cosignature/v1"
        }
    }
}

/// Options that were given so far: each once, but those that list things.
struct GivenOptions {
    private static let lists: Set<String> = [
        "--expect", "--asset", "--transaction", "--witness", "--question", "--envelope", "--record",
    ]

    private var words: Set<String> = []

    mutating func note(_ word: String) throws(Arguments.Mistake) {
        guard word.hasPrefix("--"), !GivenOptions.lists.contains(word) else { return }
        guard words.insert(word).inserted else { throw .givenTwice(word) }
    }
}
