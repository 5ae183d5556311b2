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
            "its blocks do not go on from the final block here, height \(height): the quorum may be back, or this is not the "
                + "newest node; compare with huijind recovery status / 其区块不接本节点的终局高度 \(height)：法定多数可能已恢复，或本节点并非最新，请用 huijind recovery status 比较"
        case .behind(let height, let first):
            "its blocks begin at height \(first), and the final block here is \(height); this node gets them from the others / "
                + "其区块始于高度 \(first)，而本节点终局高度为 \(height)，将由其他节点同步"
        case .laterBlock(let height, let view, let basisView):
            "block \(height) was notarized here in view \(view) and may be final elsewhere, but the recovery goes on from view "
                + "\(basisView); make it from this node / 高度 \(height) 的区块已在视图 \(view) 公证，可能已在他处终局，而该恢复始于视图 \(basisView)，请由本节点生成"
        case .missingBlock(let height):
            "the notarized block \(height) is not here; make the recovery from a node that has it / 缺少已公证的区块 \(height)，请由持有它的节点生成"
        case .badBasis:
            "its basis is not certified by a quorum of the epoch; make it again with huijind recovery make / 其基准未经该届法定多数认证"
        case .aheadOfClock(let timeMs, let nowMs):
            "its block is of the time \(timeMs), and now it is \(nowMs): nothing could follow it until then; set the clock and make it "
                + "again / 其区块时间为 \(timeMs)，而现在为 \(nowMs)，请校正时钟后重新生成"
        case .tooDeep(let blocks, let max):
            "\(blocks) blocks are not final here, and a recovery carries \(max) / 未终局区块 \(blocks) 个，恢复最多携带 \(max) 个"
        case .tooLarge(let bytes, let max):
            "it would take \(bytes) bytes, and \(max) are the most / 需要 \(bytes) 字节，上限为 \(max)"
        case .conflicts(let height):
            "another block \(height) is final here: two recoveries of one epoch, or the wrong data folder. Stop every node that took either "
                + "one, and find out / 本节点高度 \(height) 已终局为另一区块：同一届有两份恢复，或数据文件夹有误；请停止采用任一份的节点并查明"
        case .notExecuted(let height):
            "the blocks up to height \(height) in it are not those of their headers; get the file again / "
                + "其中截至高度 \(height) 的区块与区块头不符，请重新取得该文件"
        case .refused(let code):
            "validator.recover is refused, \(code.rawValue) \(code.name): \(code.messageEn) / 恢复记账交易被拒绝：\(code.messageZh)"
        }
    }
}
