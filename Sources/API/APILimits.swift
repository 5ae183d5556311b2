import Ledger
import LightClient

/// Bounds on everything that comes from outside. Sizes in bytes, times in milliseconds.
public struct APILimits: Sendable {
    /// Envelopes in one submission.
    public var envelopesMax = 100
    /// Path with query.
    public var pathBytesMax = 2_048
    /// All header fields together, and one of them.
    public var headerBytesMax = 32_768
    public var headerFieldBytesMax = 16_384
    public var headerFieldsMax = 64
    public var connectionsMax = 2_048
    /// A connection without a request, and a request that does not go on, are closed after this.
    public var idleMs: UInt64 = 60_000
    /// For requests in progress when the server stops.
    public var stoppingMs: UInt64 = 3_000
    /// Longest wait for finality that a submitter may ask for.
    public var waitMsMax: UInt64 = 60_000
    public var waitMsStandard: UInt64 = 10_000
    /// Bytes of a search text.
    public var queryBytesMax = 256
    public var searchResultsMax = 200
    public var searchResultsStandard = 50
    /// Events of all logs in one bundle.
    public var bundleEventsMax = 10_000
    /// Events read for one bundle: those of closed licences and of outputs are looked for in their asset's logs.
    public var bundleEventsReadMax: Int { 4 * bundleEventsMax }
    /// Events of one log that may be asked for at once; an answer has as many as fit (`EventLeaves.bytesMax`).
    public var newEventsMax = UInt64(EventLeaves.countMax)
    /// A posted list of questions.
    public var questionsBytesMax = 65_536
    /// Records read for one answer, proofs included: an event may bring its sender's key and the record that its
    /// transaction names.
    public var stateKeysMax: Int { 2 * bundleEventsMax }
    /// Proofs that the replica makes at a stretch; doubled after every `stateTriesMax` times that a block became
    /// final in between, at most `stateDoublingsMax` times.
    public var stateSliceKeysMax = 256
    public var stateTriesMax = 4
    public var stateDoublingsMax = 3
    /// Generations of an asset's ancestors that one bundle follows; older ones its verifier names as unproven.
    public var ancestorGenerationsMax = 48
    /// A read asks the replica again for what it found missing, at most this often: once for each generation of an asset's
    /// ancestors, and a few times more.
    public var stateRoundsMax: Int { ancestorGenerationsMax + 16 }

    public init() {}

    /// A submission's body: the envelopes with their CBOR heads.
    func submissionBytesMax(_ parameters: Parameters) -> Int {
        envelopesMax * (Int(parameters.transactionBytesMax) + 64)
    }
}
