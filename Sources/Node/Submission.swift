import Ledger
import LedgerCrypto
import Records

/// How long a submitter wants to wait.
public enum SubmissionWait: Sendable {
    /// Until this node took the envelope into its mempool, which promises nothing.
    case received
    /// Until the transaction is in a block that is final and durable here.
    case final
}

/// What became of one submitted envelope.
public struct SubmissionResult: Sendable, Equatable {
    public enum Status: String, Sendable {
        /// Taken by this node, which does not know yet what becomes of it.
        case received
        /// In a final block; `code` says whether it was accepted or refused there.
        case final
        /// Not taken, or run out before it was in a block; `code` says why. Of a duplicate, a replayed or an expired one an earlier
        /// try may be in a block.
        case refused
    }

    /// `nil` when the envelope does not decode.
    public var id: Digest?
    public var envelopeDigest: Digest
    public var status: Status
    public var code: OutcomeCode
    public var height: UInt64?
    /// Position among the block's entries.
    public var index: UInt64?

    public init(
        id: Digest?, envelopeDigest: Digest, status: Status, code: OutcomeCode,
        height: UInt64? = nil, index: UInt64? = nil
    ) {
        self.id = id
        self.envelopeDigest = envelopeDigest
        self.status = status
        self.code = code
        self.height = height
        self.index = index
    }
}

extension OutcomeCode {
    /// The stable code of an envelope that never gets as far as a signature check.
    public init(_ error: EnvelopeError) {
        switch error {
        case .tooLarge: self = .tooLarge
        case .undecodable, .detachedPayload, .unprotectedHeaders, .batchProof: self = .undecodable
        case .wrongContext: self = .wrongContext
        case .wrongSuite: self = .wrongSuite
        case .wrongChain: self = .wrongChain
        }
    }
}

/// A submission on its way to the replica's thread.
struct Submission: Sendable {
    let envelopes: [Envelope]
    let wait: SubmissionWait
    /// Monotonic; the submitter gets what is known by then.
    let deadlineMs: UInt64
    let finish: @Sendable ([SubmissionResult]) -> Void
}
