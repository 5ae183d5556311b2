import Encoding
import Ledger
import LedgerCrypto

/// A header with its finalization, as it comes: nothing is checked yet. Wire: `[header, certificate]`, which is also
/// what a node answers to `GET /v1/checkpoint`.
public struct CertifiedHeader: Equatable, Sendable, CBORCodable {
    public let header: Header
    public let certificate: Certificate

    public init(header: Header, certificate: Certificate) {
        self.header = header
        self.certificate = certificate
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        encoder.value(header)
        encoder.value(certificate)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        header = try decoder.value()
        certificate = try decoder.value()
    }
}

extension EpochChange {
    public var certified: CertifiedHeader {
        CertifiedHeader(header: header, certificate: certificate)
    }
}

/// Why two finalized headers cannot belong to one history, whatever else is true.
public enum Contradiction: String, Sendable, CaseIterable {
    case sameHeight = "same-height"
    /// The lower one ends their epoch, and the higher one is of the same epoch.
    case beyondEpochEnd = "beyond-epoch-end"
    /// The higher one is of an earlier epoch.
    case epochGoesBack = "epoch-goes-back"
    /// Each block adds a leaf at least, but the higher one's log is not the longer one.
    case logDoesNotGrow = "log-does-not-grow"
    /// Each block is later than the one before, but the higher one is not the later one.
    case timeDoesNotAdvance = "time-does-not-advance"
    /// The higher one's log holds another header of the lower one's height.
    case otherAncestor = "other-ancestor"

    /// As far as the headers alone show it; the order of the two does not matter.
    static func between(_ one: Header, _ other: Header) -> Contradiction? {
        if one.height == other.height { return one == other ? nil : .sameHeight }
        let (low, high) = one.height < other.height ? (one, other) : (other, one)
        if high.epoch < low.epoch { return .epochGoesBack }
        if high.epoch == low.epoch, low.nextValidators != nil { return .beyondEpochEnd }
        if high.logSize <= low.logSize { return .logDoesNotGrow }
        return high.timeMs <= low.timeMs ? .timeDoesNotAdvance : nil
    }
}
