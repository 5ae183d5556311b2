import Encoding
import Ledger
import LedgerCrypto
import Records

/// One of the things that a bundle answers.
///
/// Wire: `[0, asset, [log…]]`, `[1, transaction id]`, `[2, record type, [id part…]]`, `[3, height, header digest / null]`,
/// `[4, licence, moment]`, `[5, member, role, moment]` or `[6, job]`.
public enum EvidenceQuestion: Equatable, Sendable {
    /// All events of these logs of the asset, up to the certified height. The logs ascend.
    case assetHistory(asset: Digest, logs: [EventLogKind])
    /// What became of the transaction with this id.
    case transaction(Digest)
    /// What the state holds there, or that it holds nothing. The parts are the record's own id, as in `StateKey`.
    case record(type: RecordType, id: [CBORValue])
    /// Which header the ledger had at a height, and that the ledger of then is the beginning of the one now. With the
    /// digest of an older checkpoint: whether the two are consistent.
    case header(height: UInt64, digest: Digest?)
    /// Whether a licence was live then.
    case licence(Digest, at: Moment)
    /// Whether a member held a role then.
    case role(Role, of: MemberID, at: Moment)
    /// Whether a job's output was reviewed and released.
    case output(job: Digest)

    public static let idPartsMax = 2

    /// Whether the encodings ascend, which gives a list of questions one order.
    public static func areAscending(_ questions: [EvidenceQuestion]) -> Bool {
        let encoded = questions.map { $0.encoded }
        return zip(encoded, encoded.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) }
    }

    /// In that order, each once.
    public static func sorted(_ questions: [EvidenceQuestion]) -> [EvidenceQuestion] {
        var sorted: [EvidenceQuestion] = []
        for (question, _) in questions.map({ ($0, $0.encoded) })
            .sorted(by: { $0.1.lexicographicallyPrecedes($1.1) }) where sorted.last != question
        {
            sorted.append(question)
        }
        return sorted
    }

    /// The state map's key of the record that the question is about; transactions have none.
    public func stateKey(_ suite: Suite) -> Digest? {
        switch self {
        case .assetHistory(let asset, _):
            StateKey.digest(.asset, asset, suite: suite)
        case .transaction, .header: nil
        case .record(let type, let id):
            Self.stateKey(type: type, id: id, suite: suite)
        case .licence(let id, _): StateKey.digest(.agreement, id, suite: suite)
        case .role(_, let member, _): StateKey.member(member, suite)
        case .output(let job): StateKey.digest(.job, job, suite: suite)
        }
    }

    /// Whether such a record can be kept under such an id. Otherwise an id of the wrong shape, under which nothing can
    /// ever be, would "prove" the absence of a record that exists.
    public static func isID(_ id: [CBORValue], of type: RecordType) -> Bool {
        switch (type, id.count, id.first, id.last) {
        case (.member, 1, .text(let text)?, _), (.bank, 1, .text(let text)?, _):
            MemberID(text) != nil
        case (.account, 2, .text(let member)?, .text(let bank)?):
            MemberID(member) != nil && MemberID(bank) != nil
        case (.policy, 1, .text(let name)?, _): PolicyRecord.isName(name)
        case (.key, 1, .bytes(let bytes)?, _), (.votingKey, 1, .bytes(let bytes)?, _):
            bytes.count == KeyID.byteCount
        case (.asset, 1, .bytes(let bytes)?, _), (.attestation, 1, .bytes(let bytes)?, _),
            (.transfer, 1, .bytes(let bytes)?, _),
            (.offer, 1, .bytes(let bytes)?, _), (.agreement, 1, .bytes(let bytes)?, _),
            (.withdrawal, 1, .bytes(let bytes)?, _), (.job, 1, .bytes(let bytes)?, _),
            (.evidence, 1, .bytes(let bytes)?, _):
            bytes.count == Digest.byteCount
        case (.timerIndex, 1, .unsigned(let number)?, _),
            (.validators, 1, .unsigned(let number)?, _):
            number == 0
        case (.timerDay, 1, .unsigned?, _), (.timerHour, 1, .unsigned?, _): true
        default: false
        }
    }

    /// A number, bytes or a text, no longer than any id's: nothing else is decoded, whatever it would take to hold it.
    private static func idPart(_ decoder: inout CBORDecoder) throws(CBORError) -> CBORValue {
        do throws(CBORError) {
            switch try decoder.peekType() {
            case .unsigned: return .unsigned(try decoder.unsigned())
            case .bytes: return .bytes(try decoder.bytes(max: Digest.byteCount))
            case .text: return .text(try decoder.text(max: LedgerLimits.memberIDBytesMax))
            default: throw decoder.invalid("a part of an id is a number, bytes or a text")
            }
        } catch {
            // Longer than anything can be, which is not the same as longer than is read here.
            guard case .tooMany = error else { throw error }
            throw decoder.invalid("a part of an id is 32 bytes or a text of 64 bytes at most")
        }
    }

    /// `StateKey` for ids that come as values: `H(["huijin/state", type, part…])`.
    public static func stateKey(type: RecordType, id: [CBORValue], suite: Suite) -> Digest {
        var encoder = CBOREncoder(reserving: 160)
        encoder.array(2 + id.count)
        encoder.text(StateKey.context)
        encoder.unsigned(type.rawValue)
        for part in id { encoder.value(part) }
        return suite.digest(encoder.bytes)
    }
}

extension EvidenceQuestion: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        switch self {
        case .assetHistory(let asset, let logs):
            encoder.array(3)
            encoder.unsigned(0)
            encoder.value(asset)
            encoder.list(logs)
        case .transaction(let id):
            encoder.array(2)
            encoder.unsigned(1)
            encoder.value(id)
        case .record(let type, let id):
            encoder.array(3)
            encoder.unsigned(2)
            encoder.value(type)
            encoder.list(id)
        case .header(let height, let digest):
            encoder.array(3)
            encoder.unsigned(3)
            encoder.unsigned(height)
            encoder.optional(digest)
        case .licence(let id, let moment):
            encoder.array(3)
            encoder.unsigned(4)
            encoder.value(id)
            encoder.value(moment)
        case .role(let role, let member, let moment):
            encoder.array(4)
            encoder.unsigned(5)
            encoder.value(member)
            encoder.value(role)
            encoder.value(moment)
        case .output(let job):
            encoder.array(2)
            encoder.unsigned(6)
            encoder.value(job)
        }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        let count = try decoder.array(max: 4)
        let form = try decoder.unsigned()
        switch (form, count) {
        case (0, 3):
            let asset: Digest = try decoder.value()
            let logs: [EventLogKind] = try decoder.list(max: EventLogKind.allCases.count)
            for (left, right) in zip(logs, logs.dropFirst()) where left >= right {
                throw decoder.invalid("the logs asked for ascend, each once")
            }
            guard !logs.isEmpty else { throw decoder.invalid("at least one log is asked for") }
            self = .assetHistory(asset: asset, logs: logs)
        case (1, 2): self = .transaction(try decoder.value())
        case (2, 3):
            let type: RecordType = try decoder.value()
            var id: [CBORValue] = []
            for _ in 0..<(try decoder.array(max: Self.idPartsMax)) {
                id.append(try Self.idPart(&decoder))
            }
            guard Self.isID(id, of: type) else {
                throw decoder.invalid("the id is not one of a record of that type")
            }
            self = .record(type: type, id: id)
        case (3, 3):
            self = .header(
                height: try decoder.unsigned(), digest: try decoder.optional(Digest.self))
        case (4, 3): self = .licence(try decoder.value(), at: try decoder.value())
        case (5, 4):
            let member: MemberID = try decoder.value()
            self = .role(try decoder.value(), of: member, at: try decoder.value())
        case (6, 2): self = .output(job: try decoder.value())
        default:
            throw decoder.invalid(
                "a question is [0, asset, logs], [1, transaction], [2, type, id], [3, height, header], "
                    + "[4, licence, moment], [5, member, role, moment] or [6, job]")
        }
    }
}

/// What somebody asks of a node: `[+ question]`, in any order.
public struct QuestionList: Equatable, Sendable, CBORCodable {
    public let questions: [EvidenceQuestion]

    /// - Precondition: 1 to `EvidenceLimits.questionsMax`.
    public init(_ questions: [EvidenceQuestion]) {
        precondition((1...EvidenceLimits.questionsMax).contains(questions.count))
        self.questions = questions
    }

    public func encode(into encoder: inout CBOREncoder) { encoder.list(questions) }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        questions = try decoder.list(max: EvidenceLimits.questionsMax)
        guard !questions.isEmpty else { throw decoder.invalid("one question at least") }
    }
}
