import LedgerCrypto

/// The state map of an unfinalized block: a committed base, and one layer for each unfinalized
/// block up to this one. A value; building a child leaves its parent as it was.
///
/// When the base has absorbed the oldest layer (`MapTop.absorb`), `rebased` lets it go here; until
/// then the overlay reads the same either way. But one whose layers are not on the base's chain
/// (another fork, or an earlier state) reads wrongly once the base has moved: throw it away.
public struct MapOverlay<Base: MapReader> {
    public let base: Base
    /// Oldest first.
    public private(set) var layers: [MapLayer]

    /// The committed state itself.
    public init(base: Base) {
        self.base = base
        layers = []
    }

    /// Root of the map; `Digest.zero` when it is empty.
    public var root: Digest { layers.last?.root ?? base.top.root }

    /// This state with changes applied. They ascend by key, each key once.
    public func applying(_ changes: [MapChange]) -> MapOverlay {
        for (change, next) in zip(changes, changes.dropFirst()) {
            precondition(change.key < next.key, "map changes ascend by key, each key once")
        }
        var child = self
        var view = view
        child.layers.append(view.layer(changes))
        return child
    }

    /// The same state on top of a base that has absorbed this overlay's oldest layers since.
    public func rebased(onto base: Base, droppingOldest count: Int = 1) -> MapOverlay {
        precondition(count <= layers.count, "only layers that are there can be dropped")
        var rest = MapOverlay(base: base)
        rest.layers.append(contentsOf: layers.dropFirst(count))
        precondition(
            rest.layers.first.map { $0.base == base.top.root } ?? true,
            "the base is the state that the oldest remaining layer was built on")
        return rest
    }

    /// The commitment to the key's value; nil when the key is absent.
    public func valueHash(for key: Digest) -> Digest? {
        var view = view
        return view.valueHash(for: key)
    }

    /// What the map holds at the key, with the proof of it against `root`.
    public func proof(for key: Digest) -> (valueHash: Digest?, proof: MapProof) {
        var view = view
        return view.proof(for: key)
    }

    private var view: MapView {
        let base = self.base
        return MapView(suite: base.suite, top: base.top, layers: layers) {
            base.leaves(ofBucket: $0)
        }
    }
}

extension MapOverlay: Sendable where Base: Sendable {}
