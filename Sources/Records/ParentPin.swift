import Encoding
import Ledger
import LedgerCrypto

/// What a derived asset says of one of its parents (衍生来源): which, where the parent's rights log stood just before, and on
/// what ground it was derived. Wire: `[asset, rights size, rights root, basis / null]`.
public struct ParentPin: Hashable, Comparable, Sendable, CBORCodable {
    public let asset: Digest
    public let rightsSize: UInt64
    public let rightsRoot: Digest
    /// The deriver's licence on the parent; nil when it holds the parent's processing right itself.
    public let basis: Digest?

    public init(asset: Digest, rightsSize: UInt64, rightsRoot: Digest, basis: Digest? = nil) {
        self.asset = asset
        self.rightsSize = rightsSize
        self.rightsRoot = rightsRoot
        self.basis = basis
    }

    /// The parent as it stands now.
    public init(_ parent: AssetRecord, basis: Digest? = nil) {
        self.init(
            asset: parent.id, rightsSize: parent.rightsLog.size,
            rightsRoot: parent.rightsLog.root, basis: basis)
    }

    public func isPresent(in parent: AssetRecord) -> Bool {
        parent.rightsLog.size == rightsSize && parent.rightsLog.root == rightsRoot
    }

    /// By asset, of which each is a parent once.
    public static func < (left: ParentPin, right: ParentPin) -> Bool { left.asset < right.asset }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(4)
        encoder.value(asset)
        encoder.unsigned(rightsSize)
        encoder.value(rightsRoot)
        if let basis { encoder.value(basis) } else { encoder.null() }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 4)
        asset = try decoder.value()
        rightsSize = try decoder.unsigned()
        rightsRoot = try decoder.value()
        switch try CBORValue(from: &decoder) {
        case .null: basis = nil
        case .bytes(let bytes):
            guard let digest = Digest(bytes: bytes) else {
                throw decoder.invalid("a licence's id is a digest")
            }
            basis = digest
        case .unsigned, .negative, .text, .array, .map, .tag, .bool:
            throw decoder.invalid("a basis is a licence's id or null")
        }
    }

    /// As an event shows it: `[asset, rights size, rights root, basis / null]`.
    public var shown: CBORValue {
        .array([
            .bytes(asset.bytes), .unsigned(rightsSize), .bytes(rightsRoot.bytes),
            basis.map { .bytes($0.bytes) } ?? .null,
        ])
    }
}
