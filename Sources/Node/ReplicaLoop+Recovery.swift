import Ledger
import Replica

extension ReplicaLoop {
    /// Goes on with a recovery after the loss of a quorum, or stops where it is not for this node. What has been taken already, as
    /// by a service that always starts with it, changes nothing; a node that is behind follows those who take it.
    func take(_ recovery: Recovery) {
        let header = recovery.last.header
        switch replica.refusal(of: recovery) {
        case .otherEpoch(let found, let expected) where found < expected:
            logger.notice("the recovery was taken before / 该恢复此前已采用")
        case .behind(let finalHeight, _):
            logger.notice(
                "behind the recovery, which comes from the others / 落后于该恢复，将由其他节点同步",
                metadata: ["height": "\(finalHeight)"])
        case let refusal?: stop(.recovery(refusal))
        case nil:
            drive(.recovery(recovery))
            logger.notice(
                "went on by a recovery under the genesis' rule / 已依创世恢复规则继续",
                metadata: ["height": "\(header.height)", "epoch": "\(header.epoch + 1)"])
        }
    }
}
