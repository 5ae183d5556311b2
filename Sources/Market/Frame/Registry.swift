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
        case .assetRegister: preconditionFailure("not compiled in")
        case .assetApprove: preconditionFailure("not compiled in")
        case .assetAttest: preconditionFailure("not compiled in")
        case .offerPublish: preconditionFailure("not compiled in")
        case .offerAdmit: preconditionFailure("not compiled in")
        case .licenceRequest: preconditionFailure("not compiled in")
        case .licenceAgree: preconditionFailure("not compiled in")
        case .licenceClose: preconditionFailure("not compiled in")
        case .depositConfirm: visitor.visit(DepositConfirm.self, &argument)
        case .withdrawalRequest: visitor.visit(WithdrawalRequest.self, &argument)
        case .withdrawalConfirm: visitor.visit(WithdrawalConfirm.self, &argument)
        case .jobSubmit: preconditionFailure("not compiled in")
        case .jobHold: preconditionFailure("not compiled in")
        case .outputRelease: preconditionFailure("not compiled in")
        case .outputReject: preconditionFailure("not compiled in")
        case .jobRefuse: preconditionFailure("not compiled in")
        case .evidenceRecord: visitor.visit(RecordEvidence.self, &argument)
        }
    }
}
