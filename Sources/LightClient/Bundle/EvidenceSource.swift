import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

/// Where a bundle's parts are read: a node's store, or a chain in memory.
///
/// All answers belong to one moment: the state, the log and the events are those at `checkpoint`, or for events and
/// headers at least reach it. A source that cannot read answers `nil`, and keeps its own error for its owner.
public protocol EvidenceSource {
    var suite: Suite { get }
    /// The newest final header and its finalization certificate; `nil` while there is only genesis.
    func checkpoint() -> (header: Header, certificate: Certificate)?
    /// The ends of all epochs before the checkpoint's, oldest first.
    func epochChanges() -> [EpochChange]?
    func block(height: UInt64) -> Block?
    func outcomes(height: UInt64) -> [EntryOutcome]?
    /// RFC 9162 inclusion path of a leaf in the chain's log of `size` leaves.
    func logPath(index: UInt64, size: UInt64) -> [Digest]?
    /// What the checkpoint's state holds under the key (`nil`: nothing), with the proof.
    func stateProof(key: Digest) -> (value: [UInt8]?, proof: MapProof)?
    /// The encoded events of one of an asset's logs, from number 0 on; may reach beyond the checkpoint.
    func events(asset: Digest, log: EventLogKind) -> [[UInt8]]?
    /// The block and the position among its entries of a final transaction, or of an automatic action by its digest.
    func locate(transaction id: Digest) -> (height: UInt64, position: UInt64)?
}

/// Why a bundle cannot be made from a source.
public enum EvidenceSourceError: Error, Equatable, Sendable {
    /// No block is final yet.
    case nothingFinal
    /// No final block holds the transaction.
    case unknownTransaction
    /// The index of events or transactions has not caught up with the checkpoint; later it will.
    case indexBehind
    /// The logs that the questions need have more than the caller allows.
    case tooManyEvents
    /// The source lacks something that it must have, or could not read it.
    case missing(String)
    /// Bytes of the source are not what they should be.
    case damaged(String)
}

extension EvidenceSourceError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .nothingFinal: "no block is final yet / 尚无终局区块"
        case .unknownTransaction: "no final block holds this transaction / 终局区块中没有该交易"
        case .indexBehind: "the index has not caught up yet; try again / 索引尚未追上，请稍后再试"
        case .tooManyEvents:
            "the logs that this needs are too long; ask for less at once / 所需日志过长，请减少一次所提问题"
        case .missing(let what): "the store lacks \(what) / 存储缺少：\(what)"
        case .damaged(let what): "the store holds a damaged \(what) / 存储中已损坏：\(what)"
        }
    }
}

extension EvidenceBundle {
    /// Which envelopes a bundle may show; the others appear by digest only.
    public typealias Disclosure = (Transaction) -> Bool

    /// The answers to all these questions, at the source's newest final header.
    ///
    /// - Parameters:
    ///   - questions: 1 to `EvidenceLimits.questionsMax`, in any order.
    ///   - eventsMax: that are read, of all logs together; each log is read once.
    public static func answering(
        _ questions: [EvidenceQuestion], from source: some EvidenceSource,
        eventsMax: Int = .max, disclosing: @escaping Disclosure = { _ in true }
    ) throws(EvidenceSourceError) -> EvidenceBundle {
        let questions = EvidenceQuestion.sorted(questions)
        precondition((1...EvidenceLimits.questionsMax).contains(questions.count))
        var assembly = try EvidenceAssembly(
            source: source, disclosing: disclosing, eventsMax: eventsMax)
        for question in questions { try assembly.gather(question) }
        return try assembly.bundle(questions)
    }
}
