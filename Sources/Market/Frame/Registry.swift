import Records

extension TransactionKind {
    /// The one place that says which body belongs to which kind. A switch and not a table, so that the compiler
    /// finds a kind that has none, and each `visit` is compiled for its body.
    public func accept<Visitor: BodyVisitor>(_ visitor: inout Visitor) -> Visitor.Result {
        switch self {
        case .memberEnrol: visitor.visit(MemberEnrol.self)
        case .keyRegister: visitor.visit(KeyRegister.self)
        case .keyRevoke: visitor.visit(KeyRevoke.self)
        case .policySet: visitor.visit(PolicySet.self)
        case .assetRegister: preconditionFailure("not compiled in")
        case .assetApprove: preconditionFailure("not compiled in")
        case .assetAttest: preconditionFailure("not compiled in")
        case .offerPublish: preconditionFailure("not compiled in")
        case .offerAdmit: preconditionFailure("not compiled in")
        case .licenceRequest: preconditionFailure("not compiled in")
        case .licenceAgree: preconditionFailure("not compiled in")
        case .licenceClose: preconditionFailure("not compiled in")
        case .depositConfirm: visitor.visit(DepositConfirm.self)
        case .withdrawalRequest: visitor.visit(WithdrawalRequest.self)
        case .withdrawalConfirm: visitor.visit(WithdrawalConfirm.self)
        case .jobSubmit: preconditionFailure("not compiled in")
        case .jobHold: preconditionFailure("not compiled in")
        case .outputRelease: preconditionFailure("not compiled in")
        case .outputReject: preconditionFailure("not compiled in")
        case .jobRefuse: preconditionFailure("not compiled in")
        case .evidenceRecord: visitor.visit(RecordEvidence.self)
        }
    }
}
