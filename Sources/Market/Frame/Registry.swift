import Records

extension TransactionKind {
    /// The one place that says which body belongs to which kind. A switch and not a table, so that the compiler
    /// finds a kind that has none, and each `visit` is compiled for its body.
    public func accept<Visitor: BodyVisitor>(
        _ visitor: Visitor, _ argument: inout Visitor.Argument
    ) -> Visitor.Result {
        switch self {
        case .memberEnrol: visitor.visit(MemberEnrol.self, &argument)
        case .keyRegister: visitor.visit(KeyRegister.self, &argument)
        case .keyRevoke: visitor.visit(KeyRevoke.self, &argument)
        case .policySet: visitor.visit(PolicySet.self, &argument)
        case .memberGrant: visitor.visit(MemberGrant.self, &argument)
        case .memberWithdraw: visitor.visit(MemberWithdraw.self, &argument)
        case .assetRegister: visitor.visit(AssetRegister.self, &argument)
        case .assetApprove: visitor.visit(AssetApprove.self, &argument)
        case .assetAttest: visitor.visit(AssetAttest.self, &argument)
        case .assetDerive: visitor.visit(AssetDerive.self, &argument)
        case .assetFreeze: visitor.visit(AssetFreeze.self, &argument)
        case .assetUnfreeze: visitor.visit(AssetUnfreeze.self, &argument)
        case .rightTransfer: visitor.visit(RightTransfer.self, &argument)
        case .rightAccept: visitor.visit(RightAccept.self, &argument)
        case .rightApprove: visitor.visit(RightApprove.self, &argument)
        case .rightCancel: visitor.visit(RightCancel.self, &argument)
        case .offerPublish: visitor.visit(OfferPublish.self, &argument)
        case .offerAdmit: visitor.visit(OfferAdmit.self, &argument)
        case .licenceRequest: visitor.visit(LicenceRequest.self, &argument)
        case .licenceAgree: visitor.visit(LicenceAgree.self, &argument)
        case .licenceClose: visitor.visit(LicenceClose.self, &argument)
        case .licenceRevoke: visitor.visit(LicenceRevoke.self, &argument)
        case .depositConfirm: visitor.visit(DepositConfirm.self, &argument)
        case .withdrawalRequest: visitor.visit(WithdrawalRequest.self, &argument)
        case .withdrawalConfirm: visitor.visit(WithdrawalConfirm.self, &argument)
        case .jobSubmit: visitor.visit(JobSubmit.self, &argument)
        case .jobHold: visitor.visit(JobHold.self, &argument)
        case .outputRelease: visitor.visit(OutputRelease.self, &argument)
        case .outputReject: visitor.visit(OutputReject.self, &argument)
        case .jobRefuse: visitor.visit(JobRefuse.self, &argument)
        case .evidenceRecord: visitor.visit(RecordEvidence.self, &argument)
        case .validatorJoin: visitor.visit(ValidatorJoin.self, &argument)
        case .validatorLeave: visitor.visit(ValidatorLeave.self, &argument)
        case .validatorReplace: visitor.visit(ValidatorReplace.self, &argument)
        case .validatorEquivocation: visitor.visit(ValidatorEquivocation.self, &argument)
        case .validatorRecover: visitor.visit(ValidatorRecover.self, &argument)
        }
    }
}
