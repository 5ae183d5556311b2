import Encoding
import Ledger
import LedgerCrypto
import Records

/// What is new about a watched record since it was last proven, or how it stands at first.
public enum RecordFact: Equatable, Sendable {
    case absent
    case appeared
    /// Nothing takes records away: whoever sees this sees validators break the rules.
    case vanished
    case asset(AssetStatus)
    case frozen(Freeze)
    case unfrozen(Freeze)
    case holder(DataRight, MemberID)
    case licence(AgreementStatus)
    case revoked(Revocation)
    case uses(metered: UInt64, of: UInt64)
    case member(MemberStatus)
    case roleGranted(Role, fromHeight: UInt64)
    case roleWithdrawn(Role, atHeight: UInt64)
    case keys(live: UInt64)
    case balance(availableFen: UInt64, lockedFen: UInt64, pendingFen: UInt64)
    /// Something else than the above.
    case other

    /// In the order above; empty when the record is as it was.
    static func between(_ known: WatchedRecord.Known, _ record: AnyRecord?) -> [RecordFact] {
        switch (known, record) {
        case (.nothing, nil): [.absent]
        case (.absent, nil): []
        case (.present, nil): [.vanished]
        case (.nothing, let new?): facts(nil, new)
        case (.absent, let new?): [.appeared] + facts(nil, new)
        case (.present(let old, _), let new?): old == new ? [] : facts(old, new)
        }
    }

    private static func facts(_ old: AnyRecord?, _ new: AnyRecord) -> [RecordFact] {
        switch new {
        case .asset(let new): asset(old.flatMap { AssetRecord($0) }, new)
        case .agreement(let new): licence(old.flatMap { AgreementRecord($0) }, new)
        case .member(let new): member(old.flatMap { MemberRecord($0) }, new)
        case .account(let new):
            [
                .balance(
                    availableFen: new.availableFen, lockedFen: new.lockedFen,
                    pendingFen: new.pendingWithdrawalFen)
            ]
        case .key, .policy, .validators, .votingKey, .attestation, .offer, .transfer, .bank,
            .withdrawal, .job, .evidence, .timerIndex, .timerDay, .timerHour, .saltSeed:
            preconditionFailure("records of this type are not watched")
        }
    }

    /// Empty where nothing but the logs is other than before: their events are told one by one.
    private static func asset(_ old: AssetRecord?, _ new: AssetRecord) -> [RecordFact] {
        var facts: [RecordFact] = old?.status == new.status ? [] : [.asset(new.status)]
        let before = old?.freezes ?? []
        facts += new.freezes.filter { !before.contains($0) }.map { .frozen($0) }
        facts += before.filter { !new.freezes.contains($0) }.map { .unfrozen($0) }
        for right in new.rights where old?.holder(of: right) != new.holder(of: right) {
            facts.append(.holder(right, new.holder(of: right)))
        }
        guard facts.isEmpty, var rest = old else { return facts }
        rest.rightsLog = new.rightsLog
        rest.tradesLog = new.tradesLog
        rest.refusalsLog = new.refusalsLog
        return rest == new ? [] : [.other]
    }

    private static func licence(_ old: AgreementRecord?, _ new: AgreementRecord) -> [RecordFact] {
        var facts: [RecordFact] = old?.status == new.status ? [] : [.licence(new.status)]
        if let revocation = new.revocation, old?.revocation != revocation {
            facts.append(.revoked(revocation))
        }
        if old?.usesMetered != new.usesMetered {
            facts.append(.uses(metered: new.usesMetered, of: new.usesMax))
        }
        return facts.isEmpty ? [.other] : facts
    }

    private static func member(_ old: MemberRecord?, _ new: MemberRecord) -> [RecordFact] {
        var facts: [RecordFact] = old?.status == new.status ? [] : [.member(new.status)]
        guard let old else {
            return facts + new.roles.map { .roleGranted($0, fromHeight: new.since($0)) }
        }
        for period in new.rolePeriods where !old.rolePeriods.contains(period) {
            if !old.begins(period) {
                facts.append(.roleGranted(period.role, fromHeight: period.fromHeight))
            }
            if let height = period.untilHeight {
                facts.append(.roleWithdrawn(period.role, atHeight: height))
            }
        }
        if old.liveKeys != new.liveKeys { facts.append(.keys(live: new.liveKeys)) }
        return facts.isEmpty ? [.other] : facts
    }
}

extension MemberRecord {
    /// Whether the period began before this record was. A role held since enrolment has no period until it is withdrawn.
    fileprivate func begins(_ period: RolePeriod) -> Bool {
        let same = rolePeriods.filter { $0.role == period.role }
        return same.isEmpty
            ? roles.contains(period.role) && period.fromHeight == enrolledHeight
            : same.contains { $0.fromHeight == period.fromHeight }
    }

    /// From when on it holds a role that it has now.
    fileprivate func since(_ role: Role) -> UInt64 {
        rolePeriods.last { $0.role == role }?.fromHeight ?? enrolledHeight
    }
}

extension RecordFact {
    /// For programs; never changes.
    public var name: String {
        switch self {
        case .absent: "absent"
        case .appeared: "appeared"
        case .vanished: "vanished"
        case .asset: "asset-status"
        case .frozen: "freeze"
        case .unfrozen: "unfreeze"
        case .holder: "holder"
        case .licence: "licence-status"
        case .revoked: "revocation"
        case .uses: "uses"
        case .member: "member-status"
        case .roleGranted: "role-granted"
        case .roleWithdrawn: "role-withdrawn"
        case .keys: "keys"
        case .balance: "balance"
        case .other: "other"
        }
    }

    var texts: (english: String, chinese: String) {
        switch self {
        case .absent: ("there is no such record", "账本上没有该记录")
        case .appeared: ("the record is there now", "记录已出现")
        case .vanished: ("the record is gone, against the rules", "记录消失，违反规则")
        case .asset(let status): ("status \(status.name)", "状态：\(status.titleZh)")
        case .frozen(let freeze):
            (
                "frozen by the \(freeze.office.name) \(freeze.member) at height \(freeze.height): "
                    + freeze.reason.name,
                "\(freeze.office.titleZh) \(freeze.member) 于高度 \(freeze.height) 冻结：\(freeze.reason.titleZh)"
            )
        case .unfrozen(let freeze):
            (
                "the freeze by the \(freeze.office.name) is lifted",
                "\(freeze.office.titleZh)的冻结已解除"
            )
        case .holder(let right, let member):
            ("\(right.name) is held by \(member)", "\(right.titleZh)由 \(member) 持有")
        case .licence(let status): ("licence \(status.name)", "许可：\(status.titleZh)")
        case .revoked(let revocation):
            (
                "revoked by \(revocation.member) at height \(revocation.height): "
                    + revocation.ground.name,
                "由 \(revocation.member) 于高度 \(revocation.height) 撤销：\(revocation.ground.titleZh)"
            )
        case .uses(let metered, let max): ("\(metered) of \(max) uses", "已用 \(metered)/\(max) 次")
        case .member(let status): ("member \(status.name)", "成员：\(status.titleZh)")
        case .roleGranted(let role, let height):
            (
                "has the role \(role.name) from height \(height)",
                "自高度 \(height) 起具有\(role.titleZh)角色"
            )
        case .roleWithdrawn(let role, let height):
            (
                "the role \(role.name) was withdrawn at height \(height)",
                "\(role.titleZh)角色于高度 \(height) 被收回"
            )
        case .keys(let live): ("\(live) live keys", "有效密钥 \(live) 个")
        case .balance(let available, let locked, let pending):
            (
                "available \(available) fen, locked \(locked), withdrawal pending \(pending)",
                "可用 \(available) 分，锁定 \(locked) 分，待出金 \(pending) 分"
            )
        case .other: ("changed", "有变化")
        }
    }
}
