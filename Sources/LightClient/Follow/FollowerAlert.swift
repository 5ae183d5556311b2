import Encoding
import Ledger
import LedgerCrypto
import Records

/// Something that whoever follows a ledger is told.
public enum FollowerAlert: Equatable, Sendable {
    // What a quorum of validators certified.

    /// How a watched record stands at first, or what is new about it, as of this height.
    case record(type: RecordType, id: [CBORValue], [RecordFact], height: UInt64)
    case event(asset: Digest, AssetEvent)
    /// There are these events, and they are not told one by one.
    case unseen(asset: Digest, EventLogKind, Range<UInt64>, UnseenReason)
    /// The validators certified a log that is not the continuation of what they certified before.
    case rewritten(asset: Digest, EventLogKind, from: EventLog, to: EventLog)
    /// The keys of another epoch are trusted from now on.
    case epoch(EpochTrust)
    /// So many keys of the genesis' rule ended an epoch with that block; no quorum of its validators says so.
    case recovery(epoch: UInt64, height: UInt64, signatures: Int, RecoveryRule)
    /// Two certified histories. The provider is whose answer showed the second; that does not make it the liar.
    case fork(ForkEvidence, provider: String, against: ProviderComparison.Side)

    /// The provider shows another history than the trusted one, which keys of an epoch certified that ended long ago: not believed, and
    /// no reason to stop. The evidence names whose keys they are.
    case oldFork(ForkEvidence, provider: String)

    /// Everybody whose newest header is proven says that this record may not be read by whoever asks; the others are followed.
    case unreadable(type: RecordType, id: [CBORValue], reason: String)

    // What is told of a provider whenever it is another than before.

    /// Its answer was refused; nothing of it was believed. The evidence is a bundle that is false by itself: a verifier that
    /// starts where this follower started refuses it as `.provenFalse`. `nil` for every other answer: one that lacks something,
    /// answers another question, was refused by comparing it, has events alone, or is no bundle at all.
    case refused(provider: String, EvidenceProblem, evidence: [UInt8]?)
    case silent(provider: String, reason: String)
    case behind(provider: String, height: UInt64, newest: UInt64)
    /// Nothing is wrong with its answers any more.
    case well(provider: String)

    // The whole.

    /// The newest header that anybody proves is this old.
    case stale(height: UInt64, ageMs: UInt64)
    case fresh(height: UInt64)
}

/// What an alert is about, in one word for programs; never changes.
public enum AlertTopic: String, Sendable, CaseIterable {
    case record
    case vanishedRecord = "vanished-record"
    case unreadableRecord = "unreadable-record"
    case event
    case freeze
    case unfreeze
    case transferOffered = "transfer-offered"
    case transferAccepted = "transfer-accepted"
    case transferRegistered = "transfer-registered"
    case transferCancelled = "transfer-cancelled"
    case revocation
    case roleWithdrawn = "role-withdrawn"
    case refusal
    case unseenEvents = "unseen-events"
    case rewrittenLog = "rewritten-log"
    case epoch
    case recovery
    case fork
    case oldFork = "old-fork"
    case refusedAnswer = "refused-answer"
    case silent
    case behind
    case well
    case stale
    case fresh
}

extension FollowerAlert {
    public var topic: AlertTopic {
        switch self {
        case .record(_, _, let facts, _): AlertTopic(facts)
        case .unreadable: .unreadableRecord
        case .event(_, let event): AlertTopic(event)
        case .unseen: .unseenEvents
        case .rewritten: .rewrittenLog
        case .epoch: .epoch
        case .recovery: .recovery
        case .fork: .fork
        case .oldFork: .oldFork
        case .refused: .refusedAnswer
        case .silent: .silent
        case .behind: .behind
        case .well: .well
        case .stale: .stale
        case .fresh: .fresh
        }
    }
}

extension AlertTopic {
    /// What facts may come under, the gravest first.
    private static let byGravity: [AlertTopic] = [
        .vanishedRecord, .revocation, .freeze, .roleWithdrawn, .unfreeze,
    ]

    /// The gravest of the facts, in whatever order.
    init(_ facts: [RecordFact]) {
        let topics = facts.map { AlertTopic($0) }
        self = AlertTopic.byGravity.first { topics.contains($0) } ?? .record
    }

    private init(_ fact: RecordFact) {
        switch fact {
        case .vanished: self = .vanishedRecord
        case .revoked: self = .revocation
        case .frozen: self = .freeze
        case .roleWithdrawn: self = .roleWithdrawn
        case .unfrozen: self = .unfreeze
        case .absent, .appeared, .asset, .holder, .licence, .uses, .member,
            .roleGranted, .keys, .balance, .other:
            self = .record
        }
    }

    init(_ event: AssetEvent) {
        guard event.code == .accepted else {
            self = .refusal
            return
        }
        switch event.kind {
        case .transaction(.assetFreeze): self = .freeze
        case .transaction(.assetUnfreeze): self = .unfreeze
        case .transaction(.rightTransfer): self = .transferOffered
        case .transaction(.rightAccept): self = .transferAccepted
        case .transaction(.rightApprove): self = .transferRegistered
        case .transaction(.rightCancel): self = .transferCancelled
        case .transaction(.licenceRevoke): self = .revocation
        case .transaction, .automatic: self = .event
        }
    }
}

// MARK: Words

extension FollowerAlert {
    /// One line of English and one of Chinese; what members chose is escaped.
    public var texts: (english: String, chinese: String) {
        let (english, chinese) = words
        return (english.printable, chinese.printable)
    }

    private var words: (english: String, chinese: String) {
        switch self {
        case .record(let type, let id, let facts, let height):
            let texts = facts.map { $0.texts }
            let id = Self.text(id)
            return (
                "\(type.name) \(id), height \(height): "
                    + texts.map { $0.english }.joined(separator: "; "),
                "\(type.titleZh) \(id)，高度 \(height)："
                    + texts.map { $0.chinese }.joined(separator: "；")
            )
        case .event(let asset, let event):
            let time = ShanghaiTime.text(unixMs: event.timeMs)
            return (
                "asset \(asset.hex), \(event.log.name) log, event \(event.index): "
                    + "\(event.kind.titleEn), \(event.code.reportEn), by \(event.actor.texts.english), "
                    + "height \(event.height), \(time)",
                "数据资产 \(asset.hex)，\(event.log.titleZh)第 \(event.index) 号事件：\(event.kind.titleZh)，"
                    + "\(event.code.reportZh)，\(event.actor.texts.chinese)，高度 \(event.height)，\(time)"
            )
        case .unseen(let asset, let log, let range, let reason):
            return (
                "asset \(asset.hex), \(log.name) log: events \(range.lowerBound) to "
                    + "\(range.upperBound - 1) are certified; \(reason.texts.english)",
                "数据资产 \(asset.hex)，\(log.titleZh)：已认证第 \(range.lowerBound) 至 "
                    + "\(range.upperBound - 1) 号事件；\(reason.texts.chinese)"
            )
        case .rewritten(let asset, let log, let from, let to):
            return (
                "asset \(asset.hex): the validators certified another \(log.name) log, of \(to.size) events, than "
                    + "the one of \(from.size) that they certified before",
                "数据资产 \(asset.hex)：记账节点所认证的\(log.titleZh)（\(to.size) 个事件）并非此前所认证的（\(from.size) 个）的延续"
            )
        case .epoch(let epoch):
            return (
                "the keys of epoch \(epoch.epoch) are trusted: \(epoch.quorum) of \(epoch.count), "
                    + epoch.basis.texts.english,
                "信任第 \(epoch.epoch) 届密钥：\(epoch.count) 取 \(epoch.quorum)，\(epoch.basis.texts.chinese)"
            )
        case .recovery(let epoch, let height, let signatures, let rule):
            let (all, least) = (rule.keys.count, rule.threshold)
            return (
                "NOT HANDED OVER: epoch \(epoch) was ended at height \(height) by a recovery, \(signatures) of the "
                    + "\(all) recovery keys in the genesis (\(least) needed), not by a quorum of its validators",
                "非移交：第 \(epoch) 届于高度 \(height) 由创世文件 \(all) 个恢复密钥中的 \(signatures) 个"
                    + "（需 \(least) 个）依恢复规则结束，并非由其法定多数结束"
            )
        case .fork(_, let provider, let side): return Self.fork(provider, side)
        case .unreadable(let type, let id, let reason):
            let id = Self.text(id)
            return (
                "\(type.name) \(id) is not followed: \(reason)",
                "未跟随 \(type.titleZh) \(id)：\(reason)"
            )
        case .oldFork, .refused, .silent, .behind, .well, .stale, .fresh: return conduct
        }
    }

    private static func fork(
        _ provider: String, _ side: ProviderComparison.Side
    ) -> (english: String, chinese: String) {
        switch side {
        case .trusted:
            (
                "FORK: \(provider) shows a certified history that contradicts the trusted one",
                "分叉：\(provider) 出示的经认证历史与此前信任的相矛盾"
            )
        case .provider(let other):
            (
                "FORK: \(provider) and \(other) show certified histories that contradict each other",
                "分叉：\(provider) 与 \(other) 出示的经认证历史相互矛盾"
            )
        }
    }

    private var conduct: (english: String, chinese: String) {
        switch self {
        case .oldFork(_, let provider):
            (
                "\(provider) shows another history, certified by keys of an epoch that ended long ago: not believed",
                "\(provider) 出示另一份由早已结束之届的密钥所认证的历史：不予采信"
            )
        case .refused(let provider, let problem, _):
            (
                "\(provider): answer refused, \(problem.standing.english): \(problem.english)",
                "\(provider)：应答被拒，\(problem.standing.chinese)：\(problem.chinese)"
            )
        case .silent(let provider, let reason):
            ("\(provider) gives no answer: \(reason)", "\(provider) 未予应答：\(reason)")
        case .behind(let provider, let height, let newest):
            (
                "\(provider) is behind: height \(height), the newest is \(newest)",
                "\(provider) 落后：高度 \(height)，最新为 \(newest)"
            )
        case .well(let provider): ("\(provider) answers well again", "\(provider) 应答恢复正常")
        case .stale(let height, let ageMs):
            (
                "no newer header: that of height \(height) is \(ageMs / 1_000) s old",
                "没有更新的区块头：高度 \(height) 的已有 \(ageMs / 1_000) 秒"
            )
        case .fresh(let height):
            ("there are newer headers again: height \(height)", "已有更新的区块头：高度 \(height)")
        case .record, .unreadable, .event, .unseen, .rewritten, .epoch, .recovery, .fork:
            ("", "")
        }
    }

    static func text(_ id: [CBORValue]) -> String {
        EvidenceQuestion.texts(ofID: id).joined(separator: " ")
    }
}

extension UnseenReason {
    fileprivate var texts: (english: String, chinese: String) {
        switch self {
        case .tooMany:
            (
                "too many for one look; huijin audit asset shows them",
                "一次过多；请用 huijin audit asset 查看"
            )
        case .notShown: ("nobody shows them", "无人出示")
        }
    }
}
