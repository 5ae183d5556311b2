import Encoding
import Ledger
import LedgerCrypto
import Records

/// A file that answers questions about one moment of a ledger and carries every proof of the answers: with the genesis
/// file alone, and no node, `Verifier` decides whether they hold.
///
/// Deterministic CBOR, and what several answers need is there once. Byte for byte (docs/evidence-bundle.md has the CDDL):
///
/// ```
/// bundle = [ "huijin/evidence/2",
///            chain,          ; bstr .size 32: digest of the canonical genesis
///            [+ question],   ; EvidenceQuestion, ascending by their encoding, each once
///            [* epoch-change], ; from epoch 0 on, one for each epoch before the certified header's
///            header,         ; H, the certified one
///            certificate,    ; finalization of H by a quorum of its epoch's validators
///            [* state],      ; records under H's state root, ascending by key
///            [* ancestor],   ; headers below H, ascending by height, each once however many entries it has
///            [* entry],      ; ascending by (height, position)
///            [* [* log]] ]   ; for each history asked for, its logs; none where there is no such asset
/// epoch-change = [header, certificate, validator-set]
/// state    = [key, value / null / [digest], map-proof]
/// ancestor = [header, [* digest]]              ; leaf index = the header's own log size
/// entry    = [height, position, content, code, [* digest], [* digest]]
///            ; results path in the block, log path; leaf index = log size − entry count + position
/// content  = [0, envelope bstr] / [1, action] / [2, envelope digest]
/// log      = [number, [* [event bstr, entry]]] ; the event's bytes are the leaf's data
/// ```
///
/// What must be equal is written once: leaf indices, digests and outcomes are computed by the verifier.
public struct EvidenceBundle: Equatable, Sendable {
    public static let context = "huijin/evidence/2"

    public var chain: ChainID
    /// Ascending, each once, 1 to `EvidenceLimits.questionsMax`.
    public var questions: [EvidenceQuestion]
    public var epochChanges: [EpochChange]
    public var header: Header
    public var certificate: Certificate
    public var records: [StateEvidence]
    public var ancestors: [HeaderEvidence]
    public var entries: [EntryEvidence]
    /// One item for each question about a history, in their order.
    public var histories: [[LogEvidence]]

    public init(
        chain: ChainID, questions: [EvidenceQuestion], epochChanges: [EpochChange],
        header: Header, certificate: Certificate, records: [StateEvidence],
        ancestors: [HeaderEvidence], entries: [EntryEvidence], histories: [[LogEvidence]]
    ) {
        self.chain = chain
        self.questions = questions
        self.epochChanges = epochChanges
        self.header = header
        self.certificate = certificate
        self.records = records
        self.ancestors = ancestors
        self.entries = entries
        self.histories = histories
    }
}

extension EvidenceBundle: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(10)
        encoder.text(EvidenceBundle.context)
        encoder.value(chain)
        encoder.list(questions)
        encoder.list(epochChanges)
        encoder.value(header)
        encoder.value(certificate)
        encoder.list(records)
        encoder.list(ancestors)
        encoder.list(entries)
        encoder.array(histories.count)
        for logs in histories { encoder.list(logs) }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 10)
        guard try decoder.text(max: 32) == EvidenceBundle.context else {
            throw decoder.invalid("an evidence bundle begins with huijin/evidence/2")
        }
        chain = try decoder.value()
        questions = try decoder.list(max: EvidenceLimits.questionsMax)
        guard !questions.isEmpty, EvidenceQuestion.areAscending(questions) else {
            throw decoder.invalid("the questions ascend, each once, and there is one at least")
        }
        epochChanges = try decoder.list(max: EvidenceLimits.epochChangesMax)
        header = try decoder.value()
        certificate = try decoder.value()
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
