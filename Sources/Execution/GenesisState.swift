import Ledger
import LedgerCrypto
import Merkle

/// What a ledger begins with.
public struct GenesisState: Sendable {
    public let delta: StateDelta
    /// The genesis records as a layer on the empty map.
    public let mapLayer: MapLayer
    public let header: Header
    public let headerDigest: Digest

    public var stateRoot: Digest { header.stateRoot }

    public init(_ genesis: Genesis) {
        let suite = genesis.suite
        delta = StateDelta(changes: genesis.records.map { ($0.key, $0.value) })
        let overlay = MapOverlay(base: MemoryMap(suite: suite))
            .applying(delta.mapChanges(suite))
        guard let layer = overlay.layers.last else {
            preconditionFailure("applying changes adds a layer")
        }
        mapLayer = layer
        header = genesis.header(stateRoot: overlay.root)
        headerDigest = header.digest(suite)
    }
}
