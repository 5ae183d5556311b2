import Encoding
import Ledger
import LedgerCrypto
import Records

/// What an accepted transaction decides that questions about a moment ask for.
enum Decision: Hashable {
    /// Its end before its time.
    case endOfLicence(Digest)
    /// Its job's submission, holding or decision.
    case stepOfOutput(job: Digest)

    /// Bodies are maps with small numbers as keys, of which these kinds have the subject under 1 (docs/transactions.md).
    init?(id: Digest, _ transaction: Transaction) {
        guard let kind = TransactionKind(rawValue: transaction.kind) else { return nil }
        self.init(kind, id: id) { _ in transaction.subject }
    }

    /// The same of an event of the asset's log.
    init?(_ event: AssetEvent) {
        guard event.code == .accepted, case .transaction(let kind) = event.kind else { return nil }
        self.init(kind, id: event.transactionID) { event.detail(named: $0) }
    }

    /// - Parameter subject: of what is so called in events.
    private init?(_ kind: TransactionKind, id: Digest, subject: (String) -> Digest?) {
        if kind == .jobSubmit {
            self = .stepOfOutput(job: id)
        } else if kind == .licenceClose, let licence = subject("agreement") {
            self = .endOfLicence(licence)
        } else if Self.laterSteps.contains(kind), let job = subject("job") {
            self = .stepOfOutput(job: job)
        } else {
            return nil
        }
    }

    private static let laterSteps: [TransactionKind] = [
        .jobHold, .jobRefuse, .outputRelease, .outputReject,
    ]
}

extension EvidenceQuestion {
    /// What the entries decide that it needs beside a record.
    var decision: Decision? {
        switch self {
        case .licence(let licence, _): .endOfLicence(licence)
        case .output(let job): .stepOfOutput(job: job)
        case .assetHistory, .transaction, .record, .header, .role: nil
        }
    }
}

/// Which entries of a bundle its questions ask for, found in one pass however many questions there are.
struct EntryIndex {
    private let transactions: Set<Digest>
    private let decisions: Set<Decision>
    private var numberOfTransaction: [Digest: Int] = [:]
    private var numbersOfDecision: [Decision: [Int]] = [:]

    init(for questions: [EvidenceQuestion]) {
        transactions = Set(
            questions.compactMap { if case .transaction(let id) = $0 { id } else { nil } })
        decisions = Set(questions.compactMap { $0.decision })
    }

    /// Entries are added in their order.
    ///
    /// - Parameters:
    ///   - id: as events name it: of a transaction, or an automatic action's digest.
    ///   - transaction: nil for an automatic action.
    mutating func add(_ number: Int, id: Digest, _ transaction: Transaction?, code: UInt64) {
        if transactions.contains(id), numberOfTransaction[id] == nil {
            numberOfTransaction[id] = number
        }
        guard !decisions.isEmpty, code == OutcomeCode.accepted.rawValue, let transaction,
            let decision = Decision(id: id, transaction), decisions.contains(decision)
        else { return }
        numbersOfDecision[decision, default: []].append(number)
    }

    /// The first entry of that id, shown.
    func number(of transaction: Digest) -> Int? { numberOfTransaction[transaction] }

    /// Ascending; of accepted transactions that are shown.
    func numbers(deciding question: EvidenceQuestion) -> [Int] {
        question.decision.flatMap { numbersOfDecision[$0] } ?? []
    }
}

extension EntryIndex {
    init(_ entries: [ProvenEntry], for questions: [EvidenceQuestion]) {
        self.init(for: questions)
        for (number, entry) in entries.enumerated() {
            switch entry.content {
            case .transaction(let id, let transaction, _):
                add(number, id: id, transaction, code: entry.code)
            case .automatic: add(number, id: entry.digest, nil, code: entry.code)
            case .withheld: break
            }
        }
    }
}

extension Transaction {
    /// The digest under key 1 of the body.
    fileprivate var subject: Digest? {
        guard case .map(let fields)? = try? CBORValue.decode(body, limits: AssetEvent.limits),
            case .bytes(let bytes)? = fields.first(where: { $0.0 == .unsigned(1) })?.1
        else { return nil }
        return Digest(bytes: bytes)
    }
}

extension AssetEvent {
    fileprivate func detail(named name: String) -> Digest? {
        guard case .map(let fields) = detail,
            case .bytes(let bytes)? = fields.first(where: { $0.0 == .text(name) })?.1
        else { return nil }
        return Digest(bytes: bytes)
    }
}
