import Ledger
import LedgerCrypto
import Policy
import Records

/// A licence as a usage policy: what the ledger decides a job by, and the sandbox before it runs one.
extension AgreementRecord {
    public var usagePolicy: UsagePolicy {
        let term: [UsageConstraint] = [
            .live, .notBefore(startsMs), .before(expiresMs), .purpose([purpose]),
        ]
        var constraints = term + [.usesFewerThan(usesMax)]
        if let scope = Scope(columns) { constraints.append(.columns(scope)) }
        var rules = [
            UsageRule(
                .permission, .compute, assignee: buyer, constraints: constraints,
                duties: [.lockPrice]),
            UsageRule(.prohibition, .readRows),
            UsageRule(.prohibition, .distribute),
        ]
        if purpose == Purpose.productDevelopment.code {
            // Out of outputs that a reviewer has released; so at least one.
            rules.append(
                UsageRule(
                    .permission, .derive, assignee: buyer, constraints: term,
                    duties: [.lockPrice, .review]))
        }
        return UsagePolicy(target: asset, rules: rules)
    }

    /// Whether a member may register a product that it made under this licence: the buyer, while the licence for
    /// product development is live, after at least one output was released to it.
    ///
    /// - Throws: `licenceEnded`, else `derivationNotPermitted`.
    public func checkDerivation(by member: MemberID, timeMs: UInt64) throws(OutcomeCode) {
        let request = UsageRequest(
            member: member, action: .derive, target: asset, purpose: purpose)
        let state = UsageState(
            timeMs: timeMs, usesTaken: usesReserved + usesMetered, isLive: status == .agreed,
            dutiesDone: usesMetered > 0 ? [.lockPrice, .review] : [.lockPrice])
        switch usagePolicy.decide(request, in: state) {
        case .permit: return
        case .deny(.ended): throw .licenceEnded
        case .deny: throw .derivationNotPermitted
        }
    }

    /// Agreed, and neither settled nor past its end. An expiry may wait some blocks in the queue of automatic
    /// actions, so the time is looked at too.
    public func isLive(at timeMs: UInt64) -> Bool {
        status == .agreed && timeMs < expiresMs
    }

    /// Whether a member may start a job now, and if not, with which code it is refused.
    ///
    /// - Parameters:
    ///   - columns: what the job reads, where that is known (in the sandbox); the ledger passes `nil`.
    ///   - timeMs: the block's time, Unix milliseconds.
    /// - Throws: `notPermitted` for anybody but the buyer, `wrongState` while the provider has not agreed, then
    ///   `licenceEnded`, `purposeNotPermitted`, `licenceExhausted`, `scopeNotPermitted`.
    public func checkUse(
        by member: MemberID, purpose: String, columns: Scope? = nil, timeMs: UInt64
    ) throws(OutcomeCode) {
        guard member == buyer else { throw .notPermitted }
        guard status != .requested else { throw .wrongState }
        let request = UsageRequest(
            member: member, action: .compute, target: asset, purpose: purpose, columns: columns)
        let state = UsageState(
            timeMs: timeMs, usesTaken: usesReserved + usesMetered,
            isLive: status == .agreed, dutiesDone: [.lockPrice])
        switch usagePolicy.decide(request, in: state) {
        case .permit: return
        case .deny(let denial): throw denial.outcome
        }
    }

    /// Under which deadline the licence expires.
    var expiry: Deadline {
        Deadline(deadlineMs: expiresMs, kind: .licenceExpire, subject: id)
    }
}

extension UsageDenial {
    var outcome: OutcomeCode {
        switch self {
        case .noPermission: .notPermitted
        case .prohibited: .prohibited
        case .purpose: .purposeNotPermitted
        case .columns: .scopeNotPermitted
        case .tooEarly, .dutyOpen: .wrongState
        case .ended: .licenceEnded
        case .exhausted: .licenceExhausted
        }
    }
}
