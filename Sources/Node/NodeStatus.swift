import Consensus
import Ledger
import LedgerCrypto
import Transport

/// Where a node stands, as of its latest committed block.
public struct NodeStatus: Sendable {
    public internal(set) var chain: ChainID
    public internal(set) var suite: Suite
    /// The set of the present epoch.
    public internal(set) var validators: ValidatorSet
    /// This node's position in the set; nil while it has none.
    public internal(set) var seat: Int?
    public internal(set) var votes: VoteStanding
    /// The lowest block that is held; 0 unless the node joined by a snapshot.
    public internal(set) var firstHeight: UInt64 = 0
    public internal(set) var header: Header
    public internal(set) var headerDigest: Digest
    /// The certificate of `header`; `nil` at genesis.
    public internal(set) var finalization: Certificate?
    public internal(set) var epoch: UInt64
    public internal(set) var view: UInt64
    public internal(set) var mempoolCount: Int
    /// Whether it lacks so many final blocks that it takes no transactions.
    public internal(set) var isCatchingUp = false
    /// Contradicting votes that this node has seen since it started.
    public internal(set) var equivocations: [Equivocation]
    /// A block that was certified elsewhere, by a recovery as a rule, and is not of the final history here: two certified
    /// histories. Nil while none is known, and once the present epoch is over here too.
    public internal(set) var contradiction: Header?
    /// Set once the node has stopped.
    public internal(set) var stopReason: StopReason?

    public var height: UInt64 { header.height }
    public var stateRoot: Digest { header.stateRoot }
    public var timeMs: UInt64 { header.timeMs }

    public static let equivocationsMax = 64
}

/// The version that status pages and `huijind version` give.
public enum NodeVersion {
    public static let text = "0.1.0"
}

/// Counters since the node started. Times are of the replica's thread, in microseconds.
public struct NodeMetrics: Sendable, Equatable {
    public internal(set) var blocks: UInt64 = 0
    public internal(set) var commits: UInt64 = 0
    public internal(set) var transactionsAccepted: UInt64 = 0
    public internal(set) var transactionsRefused: UInt64 = 0
    public internal(set) var automaticActions: UInt64 = 0
    public internal(set) var envelopesSubmitted: UInt64 = 0
    public internal(set) var envelopesNotAdmitted: UInt64 = 0
    public internal(set) var inputs: UInt64 = 0
    public internal(set) var messagesReceived: UInt64 = 0
    public internal(set) var signatureChecks: UInt64 = 0
    /// Signatures of votes, within certificates or without.
    public internal(set) var voteChecks: UInt64 = 0
    public internal(set) var votesSigned: UInt64 = 0
    public internal(set) var persists: UInt64 = 0
    public internal(set) var persistMicroseconds: UInt64 = 0
    public internal(set) var commitMicroseconds: UInt64 = 0
    /// From the newest block's own time, set by its leader's clock, to its commit here; one for each commit.
    public internal(set) var finalDelayMilliseconds: UInt64 = 0
    /// Everything that the replica's thread did, waiting for the disk included.
    public internal(set) var busyMicroseconds: UInt64 = 0
    public internal(set) var waitingSubmissions: UInt64 = 0
    public internal(set) var equivocations: UInt64 = 0

    /// Name in the exposition format, value, help in English and Chinese.
    public var lines: [(name: String, value: UInt64, help: String)] {
        [
            ("huijin_blocks_total", blocks, "final blocks / 已终局区块"),
            ("huijin_commits_total", commits, "durable commits / 持久提交"),
            (
                "huijin_transactions_accepted_total", transactionsAccepted,
                "accepted transactions in final blocks / 已接受交易"
            ),
            (
                "huijin_transactions_refused_total", transactionsRefused,
                "refused transactions in final blocks / 已记录的拒绝"
            ),
            ("huijin_automatic_actions_total", automaticActions, "automatic actions / 自动处理"),
            ("huijin_envelopes_submitted_total", envelopesSubmitted, "submitted here / 本节点收到的提交"),
            (
                "huijin_envelopes_not_admitted_total", envelopesNotAdmitted,
                "refused before any block / 入池前拒绝"
            ),
            ("huijin_inputs_total", inputs, "inputs of the replica / 副本输入"),
            ("huijin_peer_messages_total", messagesReceived, "messages from peers / 对端消息"),
            ("huijin_signature_checks_total", signatureChecks, "transaction signatures / 交易验签"),
            ("huijin_vote_checks_total", voteChecks, "vote signatures / 投票验签"),
            ("huijin_votes_signed_total", votesSigned, "votes signed / 已签投票"),
            ("huijin_persists_total", persists, "durable steps before votes / 投票前持久化"),
            (
                "huijin_persist_microseconds_total", persistMicroseconds,
                "time in those / 其用时（微秒）"
            ),
            (
                "huijin_commit_microseconds_total", commitMicroseconds,
                "time in commits / 提交用时（微秒）"
            ),
            (
                "huijin_final_delay_milliseconds_total", finalDelayMilliseconds,
                "from block time to commit / 区块时间至提交（毫秒）"
            ),
            (
                "huijin_replica_busy_microseconds_total", busyMicroseconds,
                "time of the replica's thread / 副本线程用时（微秒）"
            ),
            ("huijin_submissions_waiting", waitingSubmissions, "open submissions / 等待中的提交"),
            (
                "huijin_equivocations_total", equivocations,
                "contradicting votes seen / 发现的矛盾投票"
            ),
        ]
    }
}
