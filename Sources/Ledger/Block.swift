import Encoding
import LedgerCrypto
import Merkle

/// What validators certify. Certificates stand outside, so a header's digest never depends on who signed.
///
/// Wire: an array of thirteen items that begins with the text `huijin/header/1`.
public struct Header: Hashable, Sendable {
    public let chain: ChainID
    public let height: UInt64
    public let epoch: UInt64
    /// Digest of the parent's header; zero for the genesis header alone.
    public let parent: Digest
    /// Milliseconds of Unix time, greater than the parent's.
    public let timeMs: UInt64
    /// Size and root of the chain's log with this block's own leaves in it.
    public let logSize: UInt64
    public let logRoot: Digest
    /// Root of the state map after this block.
    public let stateRoot: Digest
    /// RFC 9162 root over the block's `EntryOutcome`s.
    public let resultsRoot: Digest
    /// Number of entries in the block.
    public let entryCount: UInt64
    /// Digest of the set that certifies this block.
    public let validators: Digest
    /// At an epoch's last block, the set of the next epoch.
    public let nextValidators: Digest?

    public static let context = "huijin/header/1"

    public init(
        chain: ChainID, height: UInt64, epoch: UInt64, parent: Digest, timeMs: UInt64,
        logSize: UInt64, logRoot: Digest, stateRoot: Digest, resultsRoot: Digest,
        entryCount: UInt64, validators: Digest, nextValidators: Digest? = nil
    ) {
        self.chain = chain
        self.height = height
        self.epoch = epoch
        self.parent = parent
        self.timeMs = timeMs
        self.logSize = logSize
        self.logRoot = logRoot
        self.stateRoot = stateRoot
        self.resultsRoot = resultsRoot
        self.entryCount = entryCount
        self.validators = validators
        self.nextValidators = nextValidators
    }

    public func digest(_ suite: Suite) -> Digest { suite.digest(encoded) }
}

extension Header: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(13)
        encoder.text(Header.context)
        encoder.value(chain)
        encoder.unsigned(height)
        encoder.unsigned(epoch)
        encoder.value(parent)
        encoder.unsigned(timeMs)
        encoder.unsigned(logSize)
        encoder.value(logRoot)
        encoder.value(stateRoot)
        encoder.value(resultsRoot)
        encoder.unsigned(entryCount)
        encoder.value(validators)
        encoder.optional(nextValidators)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 13)
        guard try decoder.text(max: 32) == Header.context else {
            throw decoder.invalid("a header begins with huijin/header/1")
        }
        chain = try decoder.value()
        height = try decoder.unsigned()
        epoch = try decoder.unsigned()
        parent = try decoder.value()
        timeMs = try decoder.unsigned()
        logSize = try decoder.unsigned()
        logRoot = try decoder.value()
        stateRoot = try decoder.value()
        resultsRoot = try decoder.value()
        entryCount = try decoder.unsigned()
        validators = try decoder.value()
        nextValidators = try decoder.optional(Digest.self)
    }
}

/// A header and the entries under it. Wire: `[header, [entry…]]`.
public struct Block: Sendable, Equatable {
    public let header: Header
    public let entries: [Entry]

    public init(header: Header, entries: [Entry]) {
        self.header = header
        self.entries = entries
    }
}

extension Block: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(header)
        encoder.list(entries)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        header = try decoder.value()
        entries = try decoder.list(max: LedgerLimits.entriesPerBlockMax)
    }
}

/// Where the chain's log stands after a block, enough to append the next one's leaves.
extension LogFrontier {
    /// The log with a block's leaves: its parent's header, then its entries in order.
    public func grown(parent: Digest, entryLeaves: [Digest], suite: Suite) -> LogGrowth {
        LogGrowth(
            of: self, by: [LogLeaf.header(parent, suite: suite)] + entryLeaves, suite: suite)
    }
}

/// The results root of a block.
public func resultsRoot(_ outcomes: [EntryOutcome], suite: Suite) -> Digest {
    var frontier = LogFrontier()
    var encoder = CBOREncoder(reserving: 48)
    for outcome in outcomes {
        encoder.removeAll()
        encoder.value(outcome)
        frontier.append(leafHash: suite.leafDigest(encoder.bytes), suite: suite)
    }
    return frontier.root(suite)
}
