// One table, one line or two for each code; exhaustive, so that no code is ever without its texts.
extension OutcomeCode {
    var texts: OutcomeTexts {
        switch self {
        case .undecodable:
            .init("undecodable", "the bytes are not a well-formed transaction", "交易字节无法解码")
        case .tooLarge: .init("too-large", "the transaction is larger than allowed", "交易超过允许的大小")
        case .wrongSuite:
            .init("wrong-suite", "signed with another suite than the chain's", "签名的密码套件与本链不符")
        case .wrongChain: .init("wrong-chain", "signed for another chain", "交易属于另一条链")
        case .wrongContext: .init("wrong-context", "signed for another purpose", "签名用途不符")
        case .unknownKey:
            .init("unknown-key", "not signed by an enrolled live key of that member", "签名密钥未登记或已注销")
        case .badSignature: .init("bad-signature", "the signature is not valid", "签名无效")
        case .expired: .init("expired", "its last valid height has passed", "交易已过最后有效高度")
        case .tooFarAhead:
            .init("too-far-ahead", "its last valid height is too far ahead", "最后有效高度超出窗口")
        case .replayed: .init("replayed", "the same transaction is final already", "同一交易已经上链")
        case .duplicate: .init("duplicate", "the same transaction is waiting already", "同一交易正在等待")
        case .overQuota:
            .init("over-quota", "the member's quota is used up; try later", "成员配额已用完，请稍后再试")
        case .busy: .init("busy", "the node's mempool is full; try later", "节点交易池已满，请稍后再试")
        case .unknownKind:
            .init("unknown-kind", "there is no such kind of transaction", "没有这种交易种类")
        case .unavailable:
            .init("unavailable", "the node does not accept transactions now", "节点暂不接收交易")
        case .accepted: .init("accepted", "accepted", "已接受")
        case .malformedBody:
            .init("malformed-body", "the body is not of its kind's form", "交易内容格式不符")
        case .notPermitted:
            .init("not-permitted", "the member's roles do not permit this", "成员角色无此权限")
        case .memberUnknown: .init("member-unknown", "no such member is enrolled", "成员未入网")
        case .memberSuspended: .init("member-suspended", "the member is suspended", "成员已停用")
        case .keyPurpose: .init("key-purpose", "the key serves another purpose", "密钥用途不符")
        case .mandateMissing:
            .init("mandate-missing", "the key's mandates do not permit this", "密钥授权不足")
        case .alreadyExists: .init("already-exists", "a record of that name exists", "同名记录已存在")
        case .wrongState:
            .init("wrong-state", "the record's status does not permit this", "记录当前状态不允许此操作")
        case .valueNotAllowed:
            .init("value-not-allowed", "a field's value is not allowed", "字段取值不允许")
        case .badChecksum:
            .init(
                "bad-checksum", "the unified social credit code's checksum is wrong",
                "统一社会信用代码校验码错误")
        case .conflictOfInterest:
            .init(
                "conflict-of-interest", "the signer belongs to a party's own group", "签署方与当事方属同一集团")
        case .lastKey: .init("last-key", "a member keeps at least one live key", "成员至少保留一个有效密钥")
        case .epochFull:
            .init(
                "epoch-full", "no more validators can change in this epoch; try in the next",
                "本届记账节点变更已满，请在下一届重试")
        case .validatorCount:
            .init(
                "validator-count", "the validator set would become too small or too large",
                "记账节点集合将过小或过大")
        case .tooEarly:
            .init(
                "too-early", "too soon after the last change; the governor may do it now",
                "距上次变更过近；治理机构可立即办理")
        case .alreadyConvicted:
            .init("already-convicted", "the voting key is convicted already", "该投票密钥已被认定双签")
        case .notEquivocation:
            .init(
                "not-equivocation",
                "the two votes are not both that key's, of an epoch in which it has a seat",
                "两票并非该密钥在其任期内所签")
        case .proofsFull:
            .init(
                "proofs-full", "no more proofs are checked in this block; try again",
                "本区块内举证核验已满，请重试")
        case .lastGovernor:
            .init(
                "last-governor",
                "a governor does not withdraw its own office, so that one always stays",
                "治理机构不得收回自身的治理角色，以保证始终有一家")
        case .roleInUse:
            .init(
                "role-in-use", "a validator's seat or clients' money still depends on the role",
                "记账席位或客户资金仍依赖该角色")
        case .roleHistoryFull:
            .init(
                "role-history-full", "the member's record keeps no more periods of roles",
                "成员记录的角色任期已满")
        case .unknownAsset: .init("unknown-asset", "no such asset", "数据资产不存在")
        case .unknownOffer: .init("unknown-offer", "no such offer", "报价不存在")
        case .unknownAgreement: .init("unknown-agreement", "no such agreement", "许可协议不存在")
        case .unknownJob: .init("unknown-job", "no such job", "作业不存在")
        case .unknownKeyRecord: .init("unknown-key-record", "no such key", "密钥不存在")
        case .unknownWithdrawal: .init("unknown-withdrawal", "no such withdrawal", "出金申请不存在")
        case .unknownPolicy: .init("unknown-policy", "no such policy", "规则不存在")
        case .unknownValidator:
            .init("unknown-validator", "no validator has this voting key", "没有使用该投票密钥的记账节点")
        case .unknownTransfer: .init("unknown-transfer", "no such transfer", "转让不存在")
        case .purposeNotPermitted:
            .init("purpose-not-permitted", "the purpose is not a licensed one", "用途不在许可范围内")
        case .scopeNotPermitted:
            .init("scope-not-permitted", "the columns exceed the licensed scope", "列超出许可范围")
        case .usesNotPermitted:
            .init("uses-not-permitted", "the number of uses exceeds the offer", "使用次数超出报价")
        case .licenceEnded: .init("licence-ended", "the licence has ended", "许可已结束")
        case .licenceExhausted:
            .init("licence-exhausted", "no use of the licence is left", "许可次数已用完")
        case .jobOpen: .init("job-open", "a job of the licence is still open", "许可下仍有未结作业")
        case .prohibited: .init("prohibited", "the usage policy prohibits this", "使用规则禁止")
        case .assetFrozen: .init("asset-frozen", "the asset is frozen", "数据资产已冻结")
        case .parentChanged:
            .init(
                "parent-changed",
                "a parent's rights log stands elsewhere than stated; read it again",
                "来源资产的权属日志与所述不符，请重新读取")
        case .derivationNotPermitted:
            .init(
                "derivation-not-permitted",
                "neither a right nor a licence permits to derive from a parent",
                "既无权利也无许可可据以衍生")
        case .rightNotHeld:
            .init(
                "right-not-held", "the right is not, or no longer, that member's", "该成员不持有或不再持有该权利")
        case .transferExpired:
            .init("transfer-expired", "the transfer was not accepted in time", "转让未在期限内接受")
        case .insufficientFunds: .init("insufficient-funds", "not enough funds", "余额不足")
        case .amountOutOfRange:
            .init("amount-out-of-range", "the amount is out of range", "金额超出范围")
        case .bankFrozen: .init("bank-frozen", "the bank's withdrawals are frozen", "该清结算机构出金已冻结")
        case .bankUnknown: .init("bank-unknown", "no such settlement bank", "清结算机构不存在")
        case .rowLevelOutput:
            .init("row-level-output", "the job would output single rows", "作业将输出单行数据")
        case .groupTooSmall:
            .init("group-too-small", "a group is smaller than the policy allows", "分组小于规则下限")
        case .sqlRefused: .init("sql-refused", "the SQL is not permitted", "SQL 语句不被允许")
        case .dominantContributor:
            .init("dominant-contributor", "one entity dominates a group", "单一主体在分组中占比过高")
        case .resourceLimit:
            .init("resource-limit", "the job exceeded its time or memory", "作业超出资源限额")
        case .outputTooLarge: .init("output-too-large", "the output is too large", "输出过大")
        case .timerFull:
            .init("timer-full", "too many deadlines fall into that hour", "该时段的到期事项已满")
        }
    }
}
