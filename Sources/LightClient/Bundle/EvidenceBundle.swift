import Encoding
import Ledger
import LedgerCrypto
import Records

/// A file that answers questions about one moment of a ledger and carries every proof of the answers: with the genesis
/// file alone (of a detached one: a header that the reader trusts), and no node, `Verifier` decides whether they hold.
///
/// Deterministic CBOR, and what several answers need is there once. Byte for byte (docs/evidence-bundle.md has the CDDL):
///
/// ```
/// bundle = [ "huijin/evidence/3",
///            chain,          ; bstr .size 32: digest of the canonical genesis
///            [+ question],   ; EvidenceQuestion, ascending by their encoding, each once
///            head,           ; H, the header that all else is proven under
///            [* state],      ; records under H's state root, ascending by key
///            [* ancestor],   ; headers below H, ascending by height, each once however many entries it has
///            [* entry],      ; ascending by (height, position)
///            [* [* log]] ]   ; for each history asked for, its logs; none where there is no such asset
/// head = [ [* epoch-change],  ; from epoch 0 on, one for each epoch before the header's
///          header,
///          certificate ]      ; finalization of H by a quorum of its epoch's validators, or a recovery
///        / digest             ; detached: H is a header that the reader trusts already
/// epoch-change = [header, certificate, validator-set]
/// state    = [key, value / null / [digest], map-proof]
/// ancestor = [header, [* digest]]              ; leaf index = the header's own log size
/// entry    = [height, position, content, code, [* digest], [* digest]]
///            ; results path in the block, log path; leaf index = log size − entry count + position.
///            ; The log path of an entry of H itself leads to H's log root; of an older one only to the peak of its
///            ; block's log that holds it, which is on the path of the block's header (LogPeak)
/// content  = [0, envelope bstr] / [1, action] / [2, envelope digest]
/// log      = [number, [* [event bstr, entry]]] ; the event's bytes are the leaf's data
/// ```
///
/// What must be equal is written once: leaf indices, digests and outcomes are computed by the verifier.
public struct EvidenceBundle: Equatable, Sendable {
    public static let context = "huijin/evidence/3"

    public var chain: ChainID
    /// Ascending, each once, 1 to `EvidenceLimits.questionsMax`.
    public var questions: [EvidenceQuestion]
    public var head: Head
    public var records: [StateEvidence]
    public var ancestors: [HeaderEvidence]
    public var entries: [EntryEvidence]
    /// One item for each question about a history, in their order.
    public var histories: [[LogEvidence]]

    /// The header that all else is proven under, H.
    public enum Head: Equatable, Sendable {
        /// With what shows that it is final: its certificate, under the set that the ends of the epochs before lead to.
        case certified(CertifiedHeader, after: [EpochChange])
        /// Detached: a header that the reader trusts already, by its digest.
        case trusted(Digest)
    }

    public init(
        chain: ChainID, questions: [EvidenceQuestion], head: Head, records: [StateEvidence],
        ancestors: [HeaderEvidence], entries: [EntryEvidence], histories: [[LogEvidence]]
    ) {
        self.chain = chain
        self.questions = questions
        self.head = head
        self.records = records
        self.ancestors = ancestors
        self.entries = entries
        self.histories = histories
    }
}

extension EvidenceBundle {
    /// The same answers for readers who trust the header already: without it, its certificate and the ends of epochs.
    public func detached(_ suite: Suite) -> EvidenceBundle {
        var bundle = self
        bundle.head = .trusted(head.digest(suite))
        return bundle
    }
}

extension EvidenceBundle.Head: CBORCodable {
    /// Of the header.
    public func digest(_ suite: Suite) -> Digest {
        switch self {
        case .certified(let certified, _): certified.header.digest(suite)
        case .trusted(let digest): digest
        }
    }

    public func encode(into encoder: inout CBOREncoder) {
        switch self {
        case .certified(let certified, let changes):
            encoder.array(3)
            encoder.list(changes)
            encoder.value(certified.header)
            encoder.value(certified.certificate)
        case .trusted(let digest): encoder.value(digest)
        }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        guard try decoder.peekIsArray() else {
            self = .trusted(try decoder.value())
            return
        }
        try decoder.array(exactly: 3)
        let changes: [EpochChange] = try decoder.list(max: EvidenceLimits.epochChangesMax)
        self = .certified(
            CertifiedHeader(header: try decoder.value(), certificate: try decoder.value()),
            after: changes)
    }
}

extension EvidenceBundle: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(8)
        encoder.text(EvidenceBundle.context)
        encoder.value(chain)
        encoder.list(questions)
        encoder.value(head)
        encoder.list(records)
        encoder.list(ancestors)
        encoder.list(entries)
        encoder.array(histories.count)
        for logs in histories { encoder.list(logs) }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 8)
        guard try decoder.text(max: 32) == EvidenceBundle.context else {
            throw decoder.invalid("an evidence bundle begins with huijin/evidence/3")
        }
        chain = try decoder.value()
        questions = try decoder.list(max: EvidenceLimits.questionsMax)
        guard !questions.isEmpty, EvidenceQuestion.areAscending(questions) else {
            throw decoder.invalid("the questions ascend, each once, and there is one at least")
        }
        head = try decoder.value()
        records = try decoder.list(max: EvidenceLimits.recordsMax)
        ancestors = try decoder.list()
        entries = try decoder.list()
        let count = try decoder.array(max: questions.count)
        histories = []
        for _ in 0..<count {
            histories.append(try decoder.list(max: EventLogKind.allCases.count))
        }
    }
}
