import Replica

extension RecoveryRefusal: CustomStringConvertible {
    /// English / 中文: what is wrong, and what would be right.
    public var description: String {
        switch self {
        case .noRule:
            "the genesis has no recovery rule, so nobody may begin an epoch / 创世文件没有恢复规则"
        case .otherChain: "the recovery is of another ledger / 该恢复属于另一账本"
        case .otherEpoch(let found, let expected):
            "the recovery ends epoch \(found), and epoch \(expected) is the present one / 该恢复结束第 \(found) 届，而现为第 \(expected) 届"
        case .notCertified(let signatures, let threshold):
            "\(signatures) signatures, not all valid or fewer than the \(threshold) that the genesis demands; sign with huijind "
                + "recovery sign / 有 \(signatures) 个签名，其中有无效者或不足创世文件要求的 \(threshold) 个"
        case .notFollowing(let height):
            "its blocks do not go on from the final block here, height \(height); make it from the node that is furthest / "
                + "其区块不接本节点的终局高度 \(height)，请由进度最新的节点生成"
        case .behind(let height, let first):
            "its blocks begin at height \(first), and the final block here is \(height); this node gets them from the others / "
                + "其区块始于高度 \(first)，而本节点终局高度为 \(height)，将由其他节点同步"
        case .laterBlock(let height, let view, let basisView):
            "block \(height) was notarized here in view \(view) and may be final elsewhere, but the recovery goes on from view "
                + "\(basisView); make it from this node / 高度 \(height) 的区块已在视图 \(view) 公证，可能已在他处终局，而该恢复始于视图 \(basisView)，请由本节点生成"
        case .missingBlock(let height):
            "the notarized block \(height) is not here; make the recovery from a node that has it / 缺少已公证的区块 \(height)，请由持有它的节点生成"
        case .refused(let code):
            "the seats are refused, \(code.rawValue) \(code.name): \(code.messageEn) / 席位被拒绝：\(code.messageZh)"
        }
    }
}
