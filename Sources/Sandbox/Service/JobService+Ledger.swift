import Client
import Ledger
import LedgerCrypto
import Logging
import Market
import Policy
import Records

/// A step that is to be repeated later.
struct StillOpen: Error, CustomStringConvertible {
    let code: OutcomeCode

    var description: String { "the ledger has not decided yet (\(code.name))" }
}

extension JobService {
    private func body(of row: JobRow) throws(ClientError) -> [UInt8] {
        if row.stage == .holding, let commitment = row.commitment {
            return try ledger.sign(
                JobHold(
                    job: row.id, outputCommitment: commitment, rowsRead: row.rowsRead,
                    groups: row.groups))
        }
        return try ledger.sign(JobRefuse(job: row.id, reason: row.code ?? .prohibited))
    }

    /// Posts the hold or refusal until the proven record shows a decision.
    func settleOnLedger(_ pending: JobRow) async throws {
        var row = pending
        if row.envelope == nil {
            row.envelope = try body(of: row)
            // On disk before it leaves: after a crash the same transaction goes out again.
            try await save(row)
        }
        guard let envelope = row.envelope else { return }
        let answer = try await ledger.post(envelope)
        if let record = try fresh(try await ledger.job(row.id)),
            JobService.settle(&row, record)
        {
            try await save(row)
            logger.info(
                "job \(row.stage.name) / 作业状态", metadata: ["job": "\(row.id.hex)"])
            return
        }
        switch JobService.next(after: answer.code, in: row.stage) {
        case .wait: break
        case .signAnew:
            row.envelope = nil
            try await save(row)
        case .refuse:
            row.refuse(GateRefusal(.licenceEnded, "the licence ended", "许可已结束"))
            try await save(row)
        case .stop:
            row.stop(answer.code)
            try await save(row)
            logger.error(
                "the ledger will not take a job's decision; see to it and start again / 账本不接受作业结论，请处理后重新启动",
                metadata: ["job": "\(row.id.hex)", "code": "\(answer.code.name)"])
            return
        }
        // Not decided yet: the pump comes back to it.
        throw StillOpen(code: answer.code)
    }

    /// Takes over what the ledger has decided of a job.
    ///
    /// - Returns: whether it changed anything.
    static func settle(_ row: inout JobRow, _ record: JobRecord) -> Bool {
        let before = row.stage
        switch record.status {
        case .submitted: return false
        case .held:
            guard row.commitment == record.outputCommitment else {
                // Another instance with the operator's key holds an output that we do not have.
                row.stage = .refused
                row.code = .wrongState
                return true
            }
            row.stage = .held
        case .released:
            // Only what was reviewed leaves.
            row.stage = row.commitment == record.outputCommitment ? .released : .refused
        case .rejected:
            row.stage = .rejected
            row.code = record.refusal.flatMap { OutcomeCode(rawValue: $0) }
            row.output = nil
        case .refused:
            row.stage = .refused
            row.code = record.refusal.flatMap { OutcomeCode(rawValue: $0) }
            row.output = nil
        case .lapsed:
            row.stage = .refused
            row.code = row.code ?? .licenceEnded
            row.output = nil
        }
        return row.stage != before
    }

    enum Next {
        /// The same envelope goes out again: what is on the ledger already is not entered twice.
        case wait
        case signAnew
        case refuse
        case stop
    }

    /// What to do with a hold or refusal that a node answered like this while the proven record is still open.
    static func next(after code: OutcomeCode, in stage: JobStage) -> Next {
        switch code {
        case .accepted, .duplicate, .replayed, .wrongState:
            // Decided: the proven state is some blocks behind.
            .wait
        case .busy, .overQuota, .unavailable, .tooFarAhead:
            // Never on the ledger, and the node may take it later.
            .wait
        case .expired: .signAnew
        case .licenceEnded: stage == .holding ? .refuse : .stop
        case .undecodable, .tooLarge, .wrongSuite, .wrongChain, .wrongContext, .unknownKey,
            .badSignature, .unknownKind:
            .stop
        case .malformedBody, .notPermitted, .memberUnknown, .memberSuspended, .keyPurpose,
            .mandateMissing, .alreadyExists, .valueNotAllowed, .badChecksum, .conflictOfInterest,
            .lastKey, .epochFull, .validatorCount, .tooEarly, .alreadyConvicted,
            .notEquivocation, .proofsFull, .lastGovernor, .roleInUse, .roleHistoryFull:
            // Each signature anew would be one more entry with the same end.
            .stop
        case .unknownAsset, .unknownOffer, .unknownAgreement, .unknownJob, .unknownKeyRecord,
            .unknownWithdrawal, .unknownPolicy, .unknownValidator, .unknownTransfer:
            .stop
        case .purposeNotPermitted, .scopeNotPermitted, .usesNotPermitted, .licenceExhausted,
            .jobOpen, .prohibited, .assetFrozen, .parentChanged, .derivationNotPermitted,
            .rightNotHeld, .transferExpired:
            .stop
        case .insufficientFunds, .amountOutOfRange, .bankFrozen, .bankUnknown: .stop
        case .rowLevelOutput, .groupTooSmall, .sqlRefused, .dominantContributor, .resourceLimit,
            .outputTooLarge:
            .stop
        case .timerFull: .stop
        }
    }
}
