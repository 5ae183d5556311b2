import Encoding
import Ledger
import LedgerCrypto
import Records

/// Where a job stands here. The numbers are stored.
enum JobStage: Int64, Sendable {
    /// Neither checked nor run. A crash here repeats both.
    case queued = 1
    /// The output is on disk, sealed; the ledger may not know yet.
    case holding = 2
    case held = 3
    case released = 4
    /// Decided; the ledger may not know yet.
    case refusing = 5
    case refused = 6
    case rejected = 7
    /// The ledger will never take the hold or refusal; somebody must see to it.
    case stopped = 8

    /// Whether there is still something to do without anybody asking.
    var isPending: Bool {
        switch self {
        case .queued, .holding, .refusing: true
        case .held, .released, .refused, .rejected, .stopped: false
        }
    }

    static let pending: [JobStage] = [.queued, .holding, .refusing]
    /// Those that take up room: what is held waits for a reviewer with its output.
    static let open: [JobStage] = pending + [.held]

    /// As the HTTP forms have it.
    var name: String {
        switch self {
        case .queued: "queued"
        case .holding, .refusing: "running"
        case .held: "held"
        case .released: "released"
        case .refused: "refused"
        case .rejected: "rejected"
        case .stopped: "stopped"
        }
    }
}

/// A job in the sandbox's own table.
struct JobRow: Sendable {
    let id: Digest
    let agreement: Digest
    let buyer: MemberID
    /// Of the data; a reviewer must not belong to its group.
    let provider: MemberID
    let purpose: String
    var stage: JobStage
    /// Sealed `SealedQuery`.
    let query: [UInt8]
    /// Sealed `SealedOutput`.
    var output: [UInt8]?
    var commitment: Digest?
    var groups: UInt64 = 0
    var rowsRead: UInt64 = 0
    var code: OutcomeCode?
    var messageEn: String?
    var messageZh: String?
    /// The hold or refusal that was signed for the ledger.
    var envelope: [UInt8]?

    mutating func refuse(_ refusal: GateRefusal) {
        stage = .refusing
        code = refusal.code
        messageEn = refusal.messageEn
        messageZh = refusal.messageZh
        output = nil
        commitment = nil
        envelope = nil
    }

    /// Keeps the output or the refusal: the next start tries once more.
    mutating func stop(_ answer: OutcomeCode) {
        if stage == .holding { code = answer }
        stage = .stopped
        envelope = nil
    }
}

/// The query's text with the salt of its commitment.
struct SealedQuery: Equatable, CBORCodable {
    let sql: String
    let salt: [UInt8]

    init(sql: String, salt: [UInt8]) {
        self.sql = sql
        self.salt = salt
    }

    func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.text(sql)
        encoder.bytes(salt)
    }

    init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        sql = try decoder.text(max: QueryGate.sqlBytesMax)
        salt = try decoder.bytes(exactly: Salted.saltBytes)
    }
}

/// An output's bytes with the salt of its commitment.
struct SealedOutput: Equatable, CBORCodable {
    let bytes: [UInt8]
    let salt: [UInt8]

    init(bytes: [UInt8], salt: [UInt8]) {
        self.bytes = bytes
        self.salt = salt
    }

    func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.bytes(bytes)
        encoder.bytes(salt)
    }

    init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        bytes = try decoder.bytes()
        salt = try decoder.bytes(exactly: Salted.saltBytes)
    }
}
