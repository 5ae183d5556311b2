/// The kinds of transactions that members sign. `Sources/Market` holds one file for each.
public enum TransactionKind: UInt64, NumberedCase {
    case memberEnrol = 1
    case keyRegister = 2
    case keyRevoke = 3
    case policySet = 4
    case memberGrant = 5
    case memberWithdraw = 6
    case assetRegister = 10
    case assetApprove = 11
    case assetAttest = 12
    case assetDerive = 13
    case assetFreeze = 14
    case assetUnfreeze = 15
    case rightTransfer = 16
    case rightAccept = 17
    case rightApprove = 18
    case rightCancel = 19
    case offerPublish = 20
    case offerAdmit = 21
    case licenceRequest = 30
    case licenceAgree = 31
    case licenceClose = 32
    case licenceRevoke = 33
    case depositConfirm = 40
    case withdrawalRequest = 41
    case withdrawalConfirm = 42
    case jobSubmit = 50
    case jobHold = 51
    case outputRelease = 52
    case outputReject = 53
    case jobRefuse = 54
    case evidenceRecord = 60
    case validatorJoin = 70
    case validatorLeave = 71
    case validatorReplace = 72
    case validatorEquivocation = 73
    case validatorRecover = 74

    public var name: String { titles.name }
    public var titleEn: String { titles.en }
    public var titleZh: String { titles.zh }

    private var titles: (name: String, en: String, zh: String) {
        switch self {
        case .memberEnrol: ("member.enrol", "Enrol a member", "成员入网")
        case .keyRegister: ("key.register", "Register a key", "登记密钥")
        case .keyRevoke: ("key.revoke", "Revoke a key", "注销密钥")
        case .policySet: ("policy.set", "Set a policy", "制定规则")
        case .memberGrant: ("member.grant", "Grant a role", "授予角色")
        case .memberWithdraw: ("member.withdraw", "Withdraw a role", "收回角色")
        case .assetRegister: ("asset.register", "Claim a data asset", "登记申请")
        case .assetApprove: ("asset.approve", "Register a data asset", "确权登记")
        case .assetAttest: ("asset.attest", "Attest a data asset", "评估")
        case .assetDerive: ("asset.derive", "Claim a derived data asset", "衍生登记")
        case .assetFreeze: ("asset.freeze", "Freeze a data asset", "冻结数据资产")
        case .assetUnfreeze: ("asset.unfreeze", "Lift a freeze", "解除冻结")
        case .rightTransfer: ("right.transfer", "Offer a transfer of rights", "权利转让")
        case .rightAccept: ("right.accept", "Accept a transfer of rights", "接受转让")
        case .rightApprove: ("right.approve", "Register a transfer of rights", "转让登记")
        case .rightCancel: ("right.cancel", "Cancel a transfer of rights", "取消转让")
        case .offerPublish: ("offer.publish", "Publish an offer", "发布报价")
        case .offerAdmit: ("offer.admit", "Admit an offer", "准入上架")
        case .licenceRequest: ("licence.request", "Request a licence", "申请许可")
        case .licenceAgree: ("licence.agree", "Agree to a licence", "同意许可")
        case .licenceClose: ("licence.close", "Close and settle a licence", "结清许可")
        case .licenceRevoke: ("licence.revoke", "Revoke and settle a licence", "撤销许可")
        case .depositConfirm: ("deposit.confirm", "Confirm a deposit", "确认入金")
        case .withdrawalRequest: ("withdrawal.request", "Request a withdrawal", "申请出金")
        case .withdrawalConfirm: ("withdrawal.confirm", "Confirm a withdrawal", "确认出金")
        case .jobSubmit: ("job.submit", "Submit a job", "提交作业")
        case .jobHold: ("job.hold", "Hold an output for review", "输出待审")
        case .outputRelease: ("output.release", "Release an output", "放行输出")
        case .outputReject: ("output.reject", "Reject an output", "驳回输出")
        case .jobRefuse: ("job.refuse", "Refuse a job", "拒绝作业")
        case .evidenceRecord: ("evidence.record", "Record evidence", "存证")
        case .validatorJoin: ("validator.join", "Seat a validator", "记账节点加入")
        case .validatorLeave: ("validator.leave", "Unseat a validator", "记账节点退出")
        case .validatorReplace: ("validator.replace", "Replace a validator's keys", "更换席位密钥")
        case .validatorEquivocation:
            ("validator.equivocation", "Prove that a validator contradicted itself", "记账节点双签举证")
        case .validatorRecover:
            ("validator.recover", "Seat validators after the loss of a quorum", "恢复记账")
        }
    }
}

/// What the ledger does by itself when a deadline passes.
public enum AutomaticKind: UInt64, NumberedCase {
    case licenceExpire = 1

    public var name: String {
        switch self {
        case .licenceExpire: "licence.expire"
        }
    }

    public var titleEn: String {
        switch self {
        case .licenceExpire: "A licence expires and is settled"
        }
    }

    public var titleZh: String {
        switch self {
        case .licenceExpire: "许可到期结算"
        }
    }
}
