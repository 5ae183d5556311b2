import Ledger
import LedgerCrypto
import LightClient
import Merkle
import SQLite
import Storage

/// What is checked once a seed is over.
extension Simulation {
    func checkEnd() {
        var checked: Int?
        for node in nodes where isHonest(node.seat) {
            guard let store = node.store else { continue }
            if let fault = checker.check(store, seat: node.seat)
                ?? checker.checkAll(store, seat: node.seat)
            {
                // Found when it is looked for; nobody else was misled by it.
                guard mayBeDamaged(node.seat) else { return fail(fault) }
                counts[.damageFound] += 1
            } else if isSound(node.seat), store.watermark.height >= calmHeight {
                checked = node.seat
            }
        }
        guard let checked else { return fail("nobody holds what was acknowledged") }
        checkLightClient(checked)
        reopenAll()
    }

    /// Everything acknowledged is there once more after the power goes for all, one last time.
    private func reopenAll() {
        for seat in nodes.indices where isSound(seat) {
            nodes[seat].disk.end(.power)
            nodes[seat].replica = nil
            nodes[seat].store = nil
            var options = Store.Options()
            options.vfs = SimulatedDisk.vfs
            do throws(StorageError) {
                let store = try Store(
                    folder: nodes[seat].disk.folder, genesis: workload.genesis, options: options)
                if let fault = checker.restarted(
                    store, seat: seat, chain: workload.chain, mayLackBlocks: false)
                    ?? checker.checkAll(store, seat: seat)
                {
                    return fail(fault)
                }
                nodes[seat].store = store
            } catch {
                return fail("v\(seat): \(error.english)")
            }
        }
    }
}
