import LedgerCrypto
import Merkle

/// The map overlays of the newest executed blocks, so that a child's layer is computed on its parent's as it stands.
///
/// Whatever is not here is computed again from the blocks' deltas: the cache changes how long it takes, nothing else.
final class OverlayCache<Base: CommittedState> {
    /// Unfinalized blocks are a few deep, with a few forks.
    static var overlaysMax: Int { 16 }

    private struct Kept {
        let block: Digest
        let height: UInt64
        let overlay: MapOverlay<Base>
    }

    private var overlays: [Kept] = []

    /// The state map after the parent block.
    func overlay(of parent: ParentState<Base>) -> MapOverlay<Base> {
        var overlay = MapOverlay(base: parent.base)
        if let kept = overlays.first(where: { $0.block == parent.headerDigest })?.overlay {
            overlay = trimmed(kept, for: parent)
        } else {
            for layer in parent.layers {
                overlay = overlay.applying(layer.delta.mapChanges(parent.base.suite))
            }
        }
        precondition(overlay.root == parent.header.stateRoot, "the overlay is the parent's state")
        return overlay
    }

    func keep(_ overlay: MapOverlay<Base>, of block: Digest, at height: UInt64) {
        overlays.removeAll { $0.block == block }
        if overlays.count == Self.overlaysMax { overlays.removeFirst() }
        overlays.append(Kept(block: block, height: height, overlay: overlay))
    }

    /// Of blocks below the newest final one, which get no more children.
    func forget(below height: UInt64) {
        overlays.removeAll { $0.height < height }
    }

    /// Without the layers that the base has absorbed since.
    private func trimmed(
        _ overlay: MapOverlay<Base>, for parent: ParentState<Base>
    ) -> MapOverlay<Base> {
        let absorbed = overlay.layers.count - parent.layers.count
        guard absorbed > 0 else { return overlay }
        let oldest = parent.layers.first?.mapLayer.base ?? parent.header.stateRoot
        // A caller may be ahead of the base or behind it; then the layers stay, and read the same.
        guard oldest == parent.base.top.root else { return overlay }
        return overlay.rebased(onto: parent.base, droppingOldest: absorbed)
    }
}
