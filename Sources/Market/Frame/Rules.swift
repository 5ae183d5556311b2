import Encoding
import Ledger
import LedgerCrypto
import Records

/// Runs the rules of one entry on the state: the only caller of `check`, `apply` and `touches`.
public enum MarketRules {
    /// Applies a transaction of a known kind, and writes what became of it into the logs of the assets it touches.
    ///
    /// - Parameter context: its sender is enrolled and its key live.
    /// - Returns: `accepted`, or a recorded refusal after which the state is as before, but for a refusal event.
    public static func apply(
        _ transaction: Transaction, kind: TransactionKind, to state: inout StateView,
        in context: ApplyContext
    ) -> OutcomeCode {
        state.mix(nonce: context.nonce)
        return kind.accept(ApplyVisitor(transaction: transaction, context: context), &state)
    }

    /// Does what is due at a deadline, which is taken off the list.
    public static func apply(
        _ deadline: Deadline, entryDigest: Digest, to state: inout StateView,
        in block: BlockContext
    ) {
        state.begin()
        state.removeDeadline(deadline)
        for touch in deadline.kind.apply(to: deadline.subject, in: &state, block) {
            state.append(
                touch, log: touch.log, kind: .automatic(deadline.kind), code: .accepted,
                transactionID: entryDigest, entryDigest: entryDigest, in: block)
        }
        state.commit()
    }
}

private struct ApplyVisitor: BodyVisitor {
    let transaction: Transaction
    let context: ApplyContext

    func visit<Body: TransactionBody>(
        _ type: Body.Type, _ state: inout StateView
    ) -> OutcomeCode {
        let body: Body
        do throws(CBORError) {
            body = try Body.decode(transaction.body, limits: LedgerLimits.envelope)
        } catch {
            return .malformedBody
        }
        state.begin()
        do throws(OutcomeCode) {
            try checkSender(Body.self)
            try body.check()
            try body.apply(to: &state, in: context)
        } catch {
            state.rollback()
            recordRefusal(of: body, error, in: &state)
            return error
        }
        for touch in body.touches(in: &state, context) {
            append(touch, log: touch.log, code: .accepted, kind: Body.kind, to: &state)
        }
        state.commit()
        return .accepted
    }

    private func checkSender<Body: TransactionBody>(_: Body.Type) throws(OutcomeCode) {
        let sender = context.sender
        guard sender.member.status == .active else { throw .memberSuspended }
        let roles = Body.requiredRoles
        guard roles.isEmpty || roles.contains(where: sender.member.has) else {
            throw .notPermitted
        }
        let mandates = Body.requiredMandates
        guard mandates.isEmpty || mandates.contains(where: sender.key.mandates.contains) else {
            throw .mandateMissing
        }
    }

    private func recordRefusal<Body: TransactionBody>(
        of body: Body, _ code: OutcomeCode, in state: inout StateView
    ) {
        state.begin()
        for touch in body.touches(in: &state, context) where state.asset(touch.asset) != nil {
            append(touch, log: .refusals, code: code, kind: Body.kind, to: &state)
        }
        state.commit()
    }

    private func append(
        _ touch: Touch, log: EventLogKind, code: OutcomeCode, kind: TransactionKind,
        to state: inout StateView
    ) {
        state.append(
            touch, log: log, kind: .transaction(kind), code: code,
            transactionID: context.transactionID, entryDigest: context.entryDigest,
            in: context.block)
    }
}
