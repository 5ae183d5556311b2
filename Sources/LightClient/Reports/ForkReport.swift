import Encoding
import Ledger
import LedgerCrypto

extension Contradiction {
    var texts: (english: String, chinese: String) {
        switch self {
        case .sameHeight: ("two different headers at one height", "同一高度有两个不同的区块头")
        case .beyondEpochEnd:
            ("the first ends its epoch, the second is a later block of it", "第一个结束该届，第二个却是该届更晚的区块")
        case .epochGoesBack:
            ("the second is higher and of an earlier epoch", "第二个更高，却属于更早的一届")
        case .logDoesNotGrow:
            ("the second is higher, and its log is not longer", "第二个更高，日志却并不更长")
        case .timeDoesNotAdvance:
            ("the second is higher, and its time is not later", "第二个更高，时间却并不更晚")
        case .otherAncestor:
            ("the second's log holds another header of the first's height", "第二个的日志在第一个的高度上是另一个区块头")
        }
    }
}

extension MissingVotes {
    var texts: (english: String, chinese: String) {
        switch self {
        case .votes(let epoch, let view):
            (
                "the two quorums voted in different views, which is no contradiction by itself; the "
                    + "nullification of epoch \(epoch), view \(view), another finalization in that view, or two "
                    + "notarizations, would name those who broke the rules",
                "两个法定多数在不同视图投票，其本身并不矛盾；须补充第 \(epoch) 届视图 \(view) 的作废证书、"
                    + "该视图的另一终局证书或两份公证证书，方能指明违规者"
            )
        case .recovery(let epoch):
            (
                "a side rests on a recovery under the genesis' rule, which ended epoch \(epoch): votes do not show who "
                    + "broke the rules, or whether anybody did",
                "一方以依创世规则结束第 \(epoch) 届的恢复为据：投票不能表明何人违规，或是否有人违规"
            )
        case .sameEpoch(let epoch):
            (
                "the headers are of different epochs, whose votes are not compared; the other history's "
                    + "end of epoch \(epoch) would name those who broke the rules",
                "两个区块头分属不同届，其投票不作比较；须补充另一历史中第 \(epoch) 届的末块，方能指明违规者"
            )
        }
    }
}

extension Equivocation {
    fileprivate var texts: (english: String, chinese: String) {
        let (one, other) = (first.statement, second.statement)
        return (
            "in view \(one.view): \(one.kind.texts.english) beside \(other.kind.texts.english)",
            "视图 \(one.view)：\(one.kind.texts.chinese)与\(other.kind.texts.chinese)并存"
        )
    }
}

extension VoteKind {
    fileprivate var texts: (english: String, chinese: String) {
        switch self {
        case .notarize: ("notarize", "公证")
        case .nullify: ("nullify", "作废")
        case .finalize: ("finalize", "终局")
        case .recover: ("recover", "恢复")
        }
    }
}

extension EvidenceReport {
    /// What fork evidence proves, and whom it names.
    public init(_ fork: ProvenFork) {
        self.init()
        add(0, "FORK PROVEN", "分叉已证明")
        add(0, "ledger", "账本", value: fork.ledger)
        add(1, "chain", "链标识", value: fork.lower.header.chain.hex)
        add(1, "suite", "密码套件", value: fork.suite.name)
        add(0, "two certified histories", "两份经认证的历史", value: nil)
        for side in [fork.lower, fork.higher] {
            let header = side.header
            let time = ShanghaiTime.text(unixMs: header.timeMs)
            add(
                1,
                "height \(header.height), \(time), epoch \(header.epoch), "
                    + side.finalizedBy.english,
                "高度 \(header.height)，\(time)，第 \(header.epoch) 届，" + side.finalizedBy.chinese,
                value: side.digest.hex)
        }
        add(1, fork.contradiction.texts.english, fork.contradiction.texts.chinese)
        addEpochs(
            (fork.higher.epochs.count > fork.lower.epochs.count ? fork.higher : fork.lower).epochs)
        addCulprits(fork)
    }

    private mutating func addCulprits(_ fork: ProvenFork) {
        let epochs = [fork.lower.header.epoch, fork.higher.header.epoch]
        if case .recovery(let epoch) = fork.missing {
            if epochs == [epoch, epoch] {
                add(
                    0,
                    "epoch \(epoch) has two ends: its validators went on although it was recovered, or it was recovered "
                        + "although they went on, or recovered twice",
                    "第 \(epoch) 届有两种结局：已被恢复而其记账节点仍继续，或其仍运行而被恢复，或被恢复两次")
            } else {
                add(
                    0,
                    "epoch \(epoch) was recovered from another history than the one that went on, or more than a third of the "
                        + "validators of one of the epochs \(epochs.min() ?? 0)…\(epochs.max() ?? 0) broke the rules",
                    "第 \(epoch) 届的恢复所依据的并非实际延续的历史，或第 \(epochs.min() ?? 0) 至 \(epochs.max() ?? 0) 届中某一届有三分之一以上的记账节点违规"
                )
            }
        } else if epochs[0] == epochs[1] {
            let count = fork.lower.validators.count
            let least = Quorum.faultsTolerated(count) + 1
            add(
                0,
                "at least \(least) of the \(count) validators of epoch \(epochs[0]) broke the rules",
                "第 \(epochs[0]) 届 \(count) 个记账节点中至少 \(least) 个违规")
        } else {
            add(
                0,
                "more than a third of the validators of one of the epochs "
                    + "\(epochs.min() ?? 0)…\(epochs.max() ?? 0) broke the rules",
                "第 \(epochs.min() ?? 0) 至 \(epochs.max() ?? 0) 届中某一届有三分之一以上的记账节点违规")
        }
        for signer in fork.doubleSigners {
            add(
                1, "validator \(signer.seat) of epoch \(signer.epoch), \(signer.validator.member)",
                "第 \(signer.epoch) 届第 \(signer.seat) 号记账节点 \(signer.validator.member)",
                value: signer.validator.votingKey.keyID.hex)
            add(2, signer.votes.texts.english, signer.votes.texts.chinese)
        }
        if fork.doubleSigners.isEmpty { add(1, "these votes name nobody", "这些投票尚不能指明任何人") }
        if let missing = fork.missing { add(1, missing.texts.english, missing.texts.chinese) }
        add(0, "only claimed, not proven here:", "仅为陈述、此处未证明：", isClaim: true)
        add(1, "- which of the two histories is the right one", "哪一份历史是正当的", isClaim: true)
    }
}

extension ProvenFork {
    public var json: JSONNode {
        .members([
            "verdict": .text("fork-proven"),
            "ledger": .text(ledger),
            "chain": .hex(lower.header.chain),
            "suite": .text(suite.name),
            "contradiction": .text(contradiction.rawValue),
            "sides": .list([lower, higher].map { $0.forkSide }),
            "doubleSigners": .list(doubleSigners.map { $0.json }),
            "missing": missing.map { .both($0.texts.english, $0.texts.chinese) } ?? .null,
            "epochs": .list(
                (higher.epochs.count > lower.epochs.count ? higher : lower).epochs.map { $0.json }),
        ])
    }
}

extension Checkpoint {
    fileprivate var forkSide: JSONNode {
        .members([
            "height": .number(header.height),
            "timeMs": .number(header.timeMs),
            "epoch": .number(header.epoch),
            "header": .hex(digest),
            "signatures": .number(UInt64(signatures)),
            "validators": .number(UInt64(validators.count)),
            "recovery": .bool(recovery != nil),
            "finalizedBy": .both(finalizedBy.english, finalizedBy.chinese),
        ])
    }
}

extension DoubleSigner {
    fileprivate var json: JSONNode {
        .members([
            "epoch": .number(epoch),
            "seat": .number(UInt64(seat)),
            "member": .text(validator.member.text),
            "votingKey": .text(validator.votingKey.keyID.hex),
            "view": .number(votes.first.statement.view),
            "evidence": .text(Hex.encode(votes.encoded)),
        ])
    }
}
