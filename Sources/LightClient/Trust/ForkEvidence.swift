import Encoding
import Ledger
import LedgerCrypto

/// Two histories of one ledger, both finalized by quorums: a file that shows it to anyone who has the genesis.
///
/// Deterministic CBOR (docs/evidence-bundle.md):
///
/// ```
/// fork = [ "huijin/fork/2", chain,
///          [* epoch-change],    ; from where trust starts on, up to the later of the two headers' epochs
///          checkpoint,          ; the lower one: [header, certificate]
///          checkpoint,          ; the higher one; of equal heights the greater digest
///          [header, path] / null, ; the ancestor of the lower one's height that the higher one's log holds
///          [*64 certificate] ]  ; more votes, ascending by (epoch, view, kind, header)
/// ```
///
/// That ancestor is there when, and only when, the two headers alone do not contradict each other.
public struct ForkEvidence: Equatable, Sendable {
    public static let context = "huijin/fork/2"
    /// Further certificates in one file.
    public static let certificatesMax = 64

    public var chain: ChainID
    public var epochChanges: [EpochChange]
    public var lower: CertifiedHeader
    public var higher: CertifiedHeader
    /// Of the higher header, at the lower one's height.
    public var ancestor: HeaderEvidence?
    /// Nullifications, notarizations or finalizations that name more double-signers.
    public var more: [Certificate]

    public init(
        chain: ChainID, epochChanges: [EpochChange], lower: CertifiedHeader,
        higher: CertifiedHeader, ancestor: HeaderEvidence? = nil, more: [Certificate] = []
    ) {
        self.chain = chain
        self.epochChanges = epochChanges
        self.lower = lower
        self.higher = higher
        self.ancestor = ancestor
        self.more = more
    }

    /// Puts the two in order, and keeps the epoch changes that they need.
    ///
    /// - Parameter changes: the ends of the epochs, from the start on.
    init(
        _ one: CertifiedHeader, _ other: CertifiedHeader, ancestor: HeaderEvidence?,
        changes: [EpochChange], suite: Suite
    ) {
        let ordered =
            ForkEvidence.order(one.header, suite) < ForkEvidence.order(other.header, suite)
        let last = max(one.header.epoch, other.header.epoch)
        self.init(
            chain: one.header.chain,
            epochChanges: Array(changes.prefix { $0.header.epoch < last }),
            lower: ordered ? one : other, higher: ordered ? other : one, ancestor: ancestor)
    }

    static func order(_ header: Header, _ suite: Suite) -> (UInt64, Digest) {
        (header.height, header.digest(suite))
    }

    static func order(_ certificate: Certificate) -> (UInt64, UInt64, UInt64, Digest) {
        let statement = certificate.statement
        return (
            statement.epoch, statement.view, statement.kind.rawValue,
            statement.subject?.header ?? .zero
        )
    }

    /// The same evidence with these certificates as well, in order, each statement once.
    public func adding(_ certificates: [Certificate]) -> ForkEvidence {
        var result = self
        let sorted = (more + certificates).sorted {
            ForkEvidence.order($0) < ForkEvidence.order($1)
        }
        result.more = []
        for certificate in sorted {
            if let last = result.more.last,
                ForkEvidence.order(last) == ForkEvidence.order(certificate)
            {
                continue
            }
            result.more.append(certificate)
        }
        return result
    }
}

extension ForkEvidence: CBOREncodable, CBORDecodable {
    /// 64 MiB, like what is trusted: the epochs are most of it.
    public static let limits = TrustedChain.limits

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(7)
        encoder.text(ForkEvidence.context)
        encoder.value(chain)
        encoder.list(epochChanges)
        encoder.value(lower)
        encoder.value(higher)
        encoder.optional(ancestor)
        encoder.list(more)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 7)
        guard try decoder.text(max: 32) == ForkEvidence.context else {
            throw decoder.invalid("fork evidence begins with huijin/fork/2")
        }
        chain = try decoder.value()
        epochChanges = try decoder.list(max: TrustedChain.epochsMax)
        lower = try decoder.value()
        higher = try decoder.value()
        ancestor = try decoder.optional(HeaderEvidence.self)
        more = try decoder.list(max: ForkEvidence.certificatesMax)
    }
}
