import Encoding
import Ledger
import LedgerCrypto

/// Where trust begins: what its owner accepts without proof.
public enum TrustStart: Equatable, Sendable {
    /// The validators in the genesis.
    case genesis(ValidatorSet)
    /// A header that the owner accepts by its digest, and its epoch's set, which the header names.
    case checkpoint(header: Header, validators: ValidatorSet)

    /// Bytes of a checkpoint file: a header and at most 128 validators.
    public static let fileBytesMax = 131_072

    public static var limits: CBORLimits {
        var limits = LedgerLimits.genesis
        limits.bytesMax = fileBytesMax
        return limits
    }

    public var validators: ValidatorSet {
        switch self {
        case .genesis(let validators), .checkpoint(_, let validators): validators
        }
    }

    public var header: Header? {
        switch self {
        case .genesis: nil
        case .checkpoint(let header, _): header
        }
    }
}

/// What somebody who follows a ledger trusts: where trust began, the ends of all epochs since, and some newest final
/// headers. A value: it asks nobody, and whoever keeps it writes down what `encoded` gives.
///
/// What is trusted is never replaced: `advance` (TrustedChain+Advance.swift) adds what a quorum certified, or shows that
/// it contradicts what is here, which is evidence of a fork. Signatures are checked when something is added, and not again when
/// it is read back: the file is its owner's, to be kept like the genesis file. Digests are checked again.
///
/// Deterministic CBOR (docs/evidence-bundle.md):
///
/// ```
/// trust = [ "huijin/trust/1", chain,
///           start,            ; [0, validator-set] / [1, header, validator-set]
///           [* epoch-change], ; from the start's epoch on, without a gap
///           [*16 checkpoint] ] ; [header, certificate], ascending by height
/// ```
public struct TrustedChain: Equatable, Sendable {
    public static let context = "huijin/trust/1"
    /// Epochs that one value follows; with four validators an epoch takes about 1.2 KB.
    public static let epochsMax = 16_384
    /// Final headers that are kept.
    public static let headersMax = 16
    /// How far a header's time may be ahead of the caller's clock, in milliseconds.
    public static let clockDriftMsMax: UInt64 = 10_000
    /// How long after the end of an epoch a history that its keys certified is still taken for one that may be true: a day. What comes
    /// later against a trusted end is the work of keys that were not destroyed.
    public static let keyLifeMs: UInt64 = 86_400_000

    public let chain: ChainID
    public let start: TrustStart
    /// The ends of the epochs from the start's on, each proven by the one before.
    public internal(set) var epochChanges: [EpochChange]
    /// Ascending by height; each was certified by a quorum of its epoch's set, or by a recovery.
    public internal(set) var headers: [CertifiedHeader]
    /// The genesis' rule, without which no recovery is believed. Not kept in the file: whoever has a trust file has the genesis.
    public var recovery: RecoveryRule?

    public init(genesis: Genesis) {
        chain = genesis.chain
        start = .genesis(genesis.validators)
        epochChanges = []
        headers = []
        recovery = genesis.recovery
    }

    /// Where trust begins for somebody who may have kept some and may accept a checkpoint: what was kept, else the checkpoint, else
    /// the genesis. `nil` where what was kept starts with another header than the accepted one.
    public init?(kept: TrustedChain?, accepted: TrustedChain?, genesis: Genesis) {
        if let kept, let accepted, kept.start != accepted.start { return nil }
        self = kept ?? accepted ?? TrustedChain(genesis: genesis)
    }

    /// Trust from a header on whose digest the caller knows from somebody he believes.
    ///
    /// - Parameter validators: the set of the header's epoch, from anywhere: the header fixes it.
    /// - Throws: `.otherHeader` when the header is another one than the accepted, `.otherValidators` for another set.
    public init(
        accepting digest: Digest, header: Header, validators: ValidatorSet
    ) throws(EvidenceProblem) {
        guard header.digest(validators.suite) == digest else {
            throw EvidenceProblem(.start, .otherHeader)
        }
        guard Self.isOf(header, validators) else {
            throw EvidenceProblem(.start, .otherValidators)
        }
        chain = header.chain
        start = .checkpoint(header: header, validators: validators)
        epochChanges = []
        headers = []
    }

    /// Trust from a checkpoint file: `TrustStart` in its second form, from anybody.
    ///
    /// - Parameter bytes: at most `TrustStart.fileBytesMax`.
    /// - Throws: `.undecodable` for something else, and as the above.
    public init(
        accepting digest: Digest, checkpointFile bytes: [UInt8]
    ) throws(EvidenceProblem) {
        let start: TrustStart
        do throws(CBORError) {
            start = try TrustStart.decode(bytes, limits: TrustStart.limits)
        } catch {
            throw EvidenceProblem(.start, .undecodable(error))
        }
        guard let header = start.header else { throw EvidenceProblem(.start, .otherHeader) }
        try self.init(accepting: digest, header: header, validators: start.validators)
    }

    public var suite: Suite { start.validators.suite }
    public var newest: CertifiedHeader? { headers.last }
    /// Of the newest trusted header; 0 while that is none but genesis.
    public var height: UInt64 { (newest?.header ?? start.header)?.height ?? 0 }
    /// The newest set that is proven; a header of its epoch can be checked.
    public var validators: ValidatorSet { epochChanges.last?.next ?? start.validators }

    /// The set of an epoch; `nil` before the start or after what is proven.
    public func validators(of epoch: UInt64) -> ValidatorSet? {
        if epoch == start.validators.epoch { return start.validators }
        guard epoch > start.validators.epoch else { return nil }
        let passed = epoch - start.validators.epoch
        return passed <= UInt64(epochChanges.count) ? epochChanges[Int(passed) - 1].next : nil
    }

    /// The end of an epoch, if it is known.
    public func end(of epoch: UInt64) -> EpochChange? {
        guard epoch >= start.validators.epoch else { return nil }
        let passed = epoch - start.validators.epoch
        return passed < UInt64(epochChanges.count) ? epochChanges[Int(passed)] : nil
    }

    /// The trusted header with this digest: where trust starts (which came without votes), one of the newest, or the last
    /// of an epoch.
    func trusted(_ digest: Digest) -> (header: Header, certificate: Certificate?)? {
        if let header = start.header, header.digest(suite) == digest { return (header, nil) }
        for certified in headers + epochChanges.map({ $0.certified })
        where certified.header.digest(suite) == digest {
            return (certified.header, certified.certificate)
        }
        return nil
    }

    private static func isOf(_ header: Header, _ validators: ValidatorSet) -> Bool {
        header.epoch == validators.epoch && header.validators == validators.digest(validators.suite)
    }
}

/// An epoch whose keys an answer rests on.
public struct EpochTrust: Equatable, Sendable {
    public enum Basis: Equatable, Sendable {
        case genesis
        /// The user accepted this header.
        case checkpoint(height: UInt64, header: Digest)
        /// A quorum of the epoch before handed over at this height.
        case handedOver(height: UInt64)
        /// So many of the keys of the genesis' recovery rule began the epoch after this height: no quorum of the epoch before
        /// says so.
        case recovered(height: UInt64, signatures: Int, rule: RecoveryRule)
    }

    public let epoch: UInt64
    /// Digest of the set.
    public let validators: Digest
    public let count: Int
    public let quorum: Int
    public let basis: Basis
}

extension TrustedChain {
    /// The epochs whose keys are trusted when a header of `epoch` is believed, oldest first.
    public func epochs(through epoch: UInt64) -> [EpochTrust] {
        let first = start.validators
        let basis: EpochTrust.Basis =
            switch start {
            case .genesis: .genesis
            case .checkpoint(let header, _):
                .checkpoint(height: header.height, header: header.digest(suite))
            }
        var trusted = [
            EpochTrust(
                epoch: first.epoch, validators: first.digest(suite), count: first.count,
                quorum: first.quorum, basis: basis)
        ]
        for change in epochChanges {
            guard change.next.epoch <= epoch else { break }
            trusted.append(
                EpochTrust(
                    epoch: change.next.epoch, validators: change.header.nextValidators ?? .zero,
                    count: change.next.count, quorum: change.next.quorum,
                    basis: beginning(after: change)))
        }
        return trusted
    }

    private func beginning(after change: EpochChange) -> EpochTrust.Basis {
        let height = change.header.height
        guard change.certificate.kind == .recover, let recovery else {
            return .handedOver(height: height)
        }
        return .recovered(
            height: height, signatures: change.certificate.signatures.count, rule: recovery)
    }
}

extension TrustStart: CBOREncodable, CBORDecodable {
    public func encode(into encoder: inout CBOREncoder) {
        switch self {
        case .genesis(let validators):
            encoder.array(2)
            encoder.unsigned(0)
            encoder.value(validators)
        case .checkpoint(let header, let validators):
            encoder.array(3)
            encoder.unsigned(1)
            encoder.value(header)
            encoder.value(validators)
        }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        let count = try decoder.array(max: 3)
        switch (try decoder.unsigned(), count) {
        case (0, 2): self = .genesis(try decoder.value())
        case (1, 3):
            self = .checkpoint(header: try decoder.value(), validators: try decoder.value())
        default:
            throw decoder.invalid("trust starts with [0, validators] or [1, header, validators]")
        }
    }
}

extension TrustedChain: CBOREncodable, CBORDecodable {
    /// 64 MiB: `epochsMax` epochs of about twenty validators each.
    public static let limits = CBORLimits(
        bytesMax: 67_108_864, depthMax: 16, itemsMax: epochsMax, stringBytesMax: 4_096)

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(5)
        encoder.text(TrustedChain.context)
        encoder.value(chain)
        encoder.value(start)
        encoder.list(epochChanges)
        encoder.list(headers)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 5)
        guard try decoder.text(max: 32) == TrustedChain.context else {
            throw decoder.invalid("a trusted chain begins with huijin/trust/1")
        }
        chain = try decoder.value()
        start = try decoder.value()
        epochChanges = try decoder.list(max: TrustedChain.epochsMax)
        headers = try decoder.list(max: TrustedChain.headersMax)
        guard holdsTogether else {
            throw decoder.invalid("the parts of a trusted chain lead to one another")
        }
    }

    private func isFinalization(_ certified: CertifiedHeader) -> Bool {
        let statement = certified.certificate.statement
        return statement.kind.makesFinal && statement.epoch == certified.header.epoch
            && statement.subject == VoteSubject(certified.header, suite: suite)
    }

    /// All that digests can show, without a signature.
    private var holdsTogether: Bool {
        var validators = start.validators
        var height: UInt64 = 0
        if let header = start.header {
            guard header.chain == chain, Self.isOf(header, validators) else { return false }
        }
        for change in epochChanges {
            let header = change.header
            guard header.chain == chain, Self.isOf(header, validators), header.height > height,
                isFinalization(change.certified), change.next.suite == suite,
                header.nextValidators == change.next.digest(suite),
                validators.epoch < .max, change.next.epoch == validators.epoch + 1
            else { return false }
            height = header.height
            validators = change.next
        }
        var last: UInt64 = 0
        for item in headers {
            let header = item.header
            guard header.chain == chain, header.height > last,
                let validators = self.validators(of: header.epoch), Self.isOf(header, validators),
                isFinalization(item)
            else { return false }
            last = header.height
        }
        return true
    }
}
