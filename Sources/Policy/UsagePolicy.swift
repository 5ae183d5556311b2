import Ledger
import LedgerCrypto

/// What someone does with an asset. After the ODRL Vocabulary 2.2 §4.3, cut to what the market can enforce.
public enum UsageAction: UInt64, CaseIterable, Sendable, Hashable {
    /// Every action below it (odrl:use).
    case use = 0
    /// Running a job inside the sandbox (odrl:aggregate).
    case compute = 1
    /// Taking a reviewed aggregate out of the sandbox (odrl:extract).
    case release = 2
    /// Reading single rows (odrl:read).
    case readRows = 3
    /// Making another data product (odrl:derive).
    case derive = 4
    /// Handing on (odrl:distribute).
    case distribute = 5

    /// ODRL Information Model 2.2 §2.4: a rule on an action covers the actions included in it.
    public func includes(_ other: UsageAction) -> Bool { self == .use || self == other }
}

/// A condition of a rule. All of a rule's constraints must hold (ODRL Information Model 2.2 §2.5).
public enum UsageConstraint: Hashable, Sendable {
    /// The request's purpose is one of these codes.
    case purpose([String])
    /// The request's columns are all among these.
    case columns(Scope)
    /// From this moment on, in milliseconds of Unix time.
    case notBefore(UInt64)
    /// Before this moment.
    case before(UInt64)
    /// Fewer uses than this are reserved or metered.
    case usesFewerThan(UInt64)
    /// Nothing ended it: neither a closing nor an expiry that is on record.
    case live
}

/// What must have been done (ODRL Information Model 2.2 §2.6.5).
public enum UsageDuty: UInt64, CaseIterable, Sendable, Hashable {
    /// The price stands in escrow.
    case lockPrice = 0
    /// A reviewer of another group released the output.
    case review = 1
}

public struct UsageRule: Hashable, Sendable {
    public enum Effect: Hashable, Sendable { case permission, prohibition }

    public let effect: Effect
    public let action: UsageAction
    /// `nil`: anybody.
    public let assignee: MemberID?
    public let constraints: [UsageConstraint]
    public let duties: [UsageDuty]

    public init(
        _ effect: Effect, _ action: UsageAction, assignee: MemberID? = nil,
        constraints: [UsageConstraint] = [], duties: [UsageDuty] = []
    ) {
        self.effect = effect
        self.action = action
        self.assignee = assignee
        self.constraints = constraints
        self.duties = duties
    }
}

/// The rules on one asset. What no permission covers is denied, and a prohibition wins over any permission
/// (ODRL conflict strategy `prohibit`).
public struct UsagePolicy: Hashable, Sendable {
    public let target: Digest
    public let rules: [UsageRule]

    public init(target: Digest, rules: [UsageRule]) {
        self.target = target
        self.rules = rules
    }
}

public struct UsageRequest: Hashable, Sendable {
    public let member: MemberID
    public let action: UsageAction
    public let target: Digest
    public let purpose: String
    public let columns: Scope?

    /// - Parameter columns: `nil` where the request does not name any yet; column constraints then hold.
    public init(
        member: MemberID, action: UsageAction, target: Digest, purpose: String,
        columns: Scope? = nil
    ) {
        self.member = member
        self.action = action
        self.target = target
        self.purpose = purpose
        self.columns = columns
    }
}

/// The world that constraints are evaluated in.
public struct UsageState: Hashable, Sendable {
    public let timeMs: UInt64
    /// Reserved and metered together.
    public let usesTaken: UInt64
    public let isLive: Bool
    public let dutiesDone: [UsageDuty]

    public init(
        timeMs: UInt64, usesTaken: UInt64, isLive: Bool = true, dutiesDone: [UsageDuty] = []
    ) {
        self.timeMs = timeMs
        self.usesTaken = usesTaken
        self.isLive = isLive
        self.dutiesDone = dutiesDone
    }
}

public enum UsageDecision: Hashable, Sendable {
    case permit
    case deny(UsageDenial)
}

public enum UsageDenial: Hashable, Sendable {
    /// No permission for this action, member and target.
    case noPermission
    case prohibited
    case purpose
    case columns
    case tooEarly
    /// Past the end, or ended before it.
    case ended
    case exhausted
    case dutyOpen(UsageDuty)
}

extension UsagePolicy {
    /// Whether a request is permitted, and if not, why.
    ///
    /// The reason is that of the first permission in order that covers action and member, and within it that of the
    /// first constraint or duty that fails: the same on every node.
    public func decide(_ request: UsageRequest, in state: UsageState) -> UsageDecision {
        guard request.target == target else { return .deny(.noPermission) }
        let covering = rules.filter {
            $0.action.includes(request.action)
                && ($0.assignee == nil || $0.assignee == request.member)
        }
        for rule in covering where rule.effect == .prohibition {
            // A prohibition acts where all its constraints hold.
            if rule.firstFailure(request, state) == nil { return .deny(.prohibited) }
        }
        var reason: UsageDenial?
        for rule in covering where rule.effect == .permission {
            guard let failure = rule.firstFailure(request, state) else { return .permit }
            if reason == nil { reason = failure }
        }
        return .deny(reason ?? .noPermission)
    }
}

extension UsageRule {
    fileprivate func firstFailure(
        _ request: UsageRequest, _ state: UsageState
    ) -> UsageDenial? {
        for constraint in constraints {
            if let denial = constraint.failure(request, state) { return denial }
        }
        for duty in duties where !state.dutiesDone.contains(duty) { return .dutyOpen(duty) }
        return nil
    }
}

extension UsageConstraint {
    fileprivate func failure(_ request: UsageRequest, _ state: UsageState) -> UsageDenial? {
        switch self {
        case .purpose(let codes): codes.contains(request.purpose) ? nil : .purpose
        case .columns(let scope):
            request.columns.map { $0.isSubset(of: scope) } ?? true ? nil : .columns
        case .notBefore(let timeMs): state.timeMs >= timeMs ? nil : .tooEarly
        case .before(let timeMs): state.timeMs < timeMs ? nil : .ended
        case .usesFewerThan(let count): state.usesTaken < count ? nil : .exhausted
        case .live: state.isLive ? nil : .ended
        }
    }
}
