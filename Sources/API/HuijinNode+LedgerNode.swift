import Ledger
import LedgerCrypto
import Merkle
import Node
import Storage

extension HuijinNode: LedgerNode {
    public func certifiedState(_ keys: [Digest]) async throws -> CertifiedState {
        do {
            return try await read { view in
                let store = view.store
                let map = MapOverlay(base: store)
                let items = keys.map {
                    CertifiedState.Item(
                        value: store.value(for: $0), proof: map.proof(for: $0).proof)
                }
                let certified = try store.finalization(from: view.height)
                return CertifiedState(
                    header: view.header,
                    finalization: certified?.height == view.height ? certified?.certificate : nil,
                    items: items)
            }
        } catch let error as NodeError {
            throw Self.unavailable(error)
        }
    }

    public func history<Value: Sendable>(
        _ body: @escaping @Sendable (ArchiveReader) throws -> Value
    ) async throws -> Value {
        do {
            return try await history { (view: ArchiveView) in
                try body(ArchiveReader(store: view.reader, index: view.index))
            }
        } catch let error as NodeError {
            throw Self.unavailable(error)
        }
    }

    private static func unavailable(_ error: NodeError) -> any Error {
        switch error {
        case .busy: NodeUnavailable.busy
        case .storage(let error): error
        case .network, .stopped: NodeUnavailable.stopping
        }
    }

    /// Links that are up.
    private var linked: (peers: Int, observers: Int) {
        let up = peers.filter(\.isSending)
        let observers = up.count(where: \.isObserver)
        return (up.count - observers, observers)
    }

    public func status() async -> LedgerStatus {
        let status = self.status
        return LedgerStatus(
            header: status.header, firstHeight: status.firstHeight, view: status.view,
            peers: linked.peers,
            validators: status.validators.count, isCatchingUp: status.isCatchingUp,
            contradictedAt: status.contradiction?.height, votes: status.votes,
            version: NodeVersion.text)
    }

    public func metrics() async -> String {
        let status = self.status
        let own: [(name: String, value: UInt64, help: String)] = [
            ("huijin_height", status.height, "newest final height / 最新终局高度"),
            ("huijin_first_height", status.firstHeight, "lowest block held / 最低保存高度"),
            ("huijin_view", status.view, "present view / 当前视图"),
            (
                "huijin_mempool_transactions", UInt64(status.mempoolCount),
                "waiting transactions / 待处理交易"
            ),
            (
                "huijin_catching_up", status.isCatchingUp ? 1 : 0,
                "1 while so many final blocks are missing that no transaction is taken / 追赶区块期间为 1，不接收交易"
            ),
            (
                "huijin_recovery_contradictions", status.contradiction == nil ? 0 : 1,
                "1 when a recovery ended this epoch with a block that is not of the history here / 恢复以不属于本节点历史的区块结束本届时为 1"
            ),
            ("huijin_peers", UInt64(linked.peers), "links that are up / 已连通对端"),
            (
                "huijin_observers", UInt64(linked.observers),
                "observers that are connected / 已连接的观察节点"
            ),
            (
                "huijin_peer_offences_total", offences.values.reduce(0, +),
                "times that a peer was cut off for misbehaviour / 因行为不当断开对端的次数"
            ),
            (
                "huijin_undecodable_frames_total", undecodableFrames,
                "frames and envelopes of peers that did not decode / 无法解码的对端帧和信封"
            ),
        ]
        var text = ""
        for line in own + metrics.lines + snapshots.lines {
            let type = line.name.hasSuffix("_total") ? "counter" : "gauge"
            text += "# HELP \(line.name) \(line.help)\n# TYPE \(line.name) \(type)\n"
            text += "\(line.name) \(line.value)\n"
        }
        return text
    }
}
