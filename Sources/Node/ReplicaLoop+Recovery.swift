import Ledger
import Replica
import Storage

extension ReplicaLoop {
    /// Goes on with a recovery after the loss of a quorum, or stops where it is not for this node. One that has been taken already, as
    /// by a service that always starts with it, changes nothing; a node that is behind follows those who take it.
    func take(_ recovery: Recovery) {
        let header = recovery.last.header
        switch replica.refusal(of: recovery, nowMs: Clock.wallMs()) {
        case .otherEpoch(let found, let expected) where found < expected:
            do throws(StorageError) {
                // Nil below the first block of a node that joined by a snapshot, which took what the others had.
                guard let held = try store.header(header.height), held != header else {
                    return logger.notice("the recovery was taken before / 该恢复此前已采用")
                }
                stop(.recovery(.conflicts(height: header.height)))
            } catch {
                stop(.storage(error))
            }
        case .behind(let finalHeight, _):
            logger.notice(
                "behind the recovery, which comes from the others / 落后于该恢复，将由其他节点同步",
                metadata: ["height": "\(finalHeight)"])
        case let refusal?: stop(.recovery(refusal))
        case nil:
            drive(.recovery(recovery))
            guard replica.finalDigest == header.digest(genesis.suite) else {
                return stop(.recovery(.notExecuted(height: header.height)))
            }
            logger.notice(
                "went on by a recovery under the genesis' rule / 已依创世恢复规则继续",
                metadata: ["height": "\(header.height)", "epoch": "\(header.epoch + 1)"])
        }
    }
}
