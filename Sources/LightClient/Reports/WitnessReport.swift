import Encoding
import Ledger
import LedgerCrypto

extension EvidenceReport {
    /// A fact of its own beside the quorum's: who else saw the log, and what that adds.
    mutating func add(_ witnessed: WitnessedLog, of certified: Header) {
        let header = witnessed.header
        let (size, height) = (witnessed.checkpoint.size, header.height)
        for sighting in witnessed.sightings {
            let time = ShanghaiTime.text(unixMs: sighting.timeMs)
            add(
                0,
                "also seen by witness \(sighting.witness.name) at \(time) (its own word): "
                    + "the log of \(size) leaves ending with height \(height)",
                "另经见证方 \(sighting.witness.name) 见证，其称时间为 \(time)："
                    + "止于高度 \(height) 的日志，共 \(size) 个叶子")
            add(1, "verifier key", "核验密钥", value: sighting.witness.verifierKey)
            if sighting.isBefore(header) {
                let block = ShanghaiTime.text(unixMs: header.timeMs)
                add(
                    1, "the block's own time is later, \(block): one of the two clocks is wrong",
                    "区块自身时间更晚（\(block)）：两个时钟必有一误")
            }
        }
        guard witnessed.isLinked else {
            add(
                1,
                "certified as well, but nothing here shows that the answer's log goes on from it: ask for this question "
                    + "and for that header in one bundle",
                "该区块头同样经认证，但此处未证明结论所依据的日志由其延续：请将该问题与该区块头在同一证据包中一并提问")
            return
        }
        let limit = height < certified.height ? "; what is above they did not see" : ""
        let limitZh = height < certified.height ? "；其上的内容未经其见证" : ""
        add(
            1,
            "up to height \(height) this does not rest on those keys alone: whoever found a quorum of them later "
                + "would need the witness's key as well to certify another history\(limit)",
            "高度 \(height) 及以下不再仅以上述密钥为凭：此后即使有人取得法定多数的密钥，"
                + "仍须另得见证方的密钥，方能伪造另一份历史\(limitZh)")
    }

    /// Two logs of one size, of which a quorum certified one and witnesses cosigned the other.
    public init(_ conflict: ContradictedLog) {
        self.init(isProven: false)
        let seen = conflict.seen
        let header = seen.header
        add(0, "TWO HISTORIES: nothing here is to be believed", "两份历史：均不予采信")
        add(0, "ledger", "账本", value: conflict.ledger)
        add(1, "chain", "链标识", value: header.chain.hex)
        add(1, "suite", "密码套件", value: conflict.suite.name)
        let time = ShanghaiTime.text(unixMs: header.timeMs)
        add(
            0,
            "certified: the log of \(header.logSize) leaves ending with height \(header.height), \(time)",
            "经认证：止于高度 \(header.height) 的日志，共 \(header.logSize) 个叶子，\(time)")
        add(1, "log root", "日志根", value: header.logRoot.hex)
        add(1, "header", "区块头", value: seen.digest.hex)
        for sighting in seen.sightings {
            let time = ShanghaiTime.text(unixMs: sighting.timeMs)
            add(
                0,
                "cosigned by witness \(sighting.witness.name) at \(time) (its own word): another log of as many leaves",
                "见证方 \(sighting.witness.name) 副署（其称时间为 \(time)）：叶子数相同的另一日志")
            add(1, "log root", "日志根", value: seen.checkpoint.root.hex)
            add(1, "verifier key", "核验密钥", value: sighting.witness.verifierKey)
        }
        add(
            0, "keep the bundle and the note: together they show it to anyone",
            "请保存证据包与检查点文本：二者合在一起即为证据")
        add(claims: [
            (
                "which of the two is the right one, or whether the witness cosigned what nobody certified",
                "哪一份历史是正当的，或见证方是否副署了无人认证之物"
            )
        ])
    }
}

extension LogSighting {
    /// By more than clocks may differ.
    fileprivate func isBefore(_ header: Header) -> Bool {
        header.timeMs > timeMs && header.timeMs - timeMs > TrustedChain.clockDriftMsMax
    }

    fileprivate var json: JSONNode {
        .members([
            "name": .text(witness.name),
            "verifierKey": .text(witness.verifierKey),
            "timeMs": .number(timeMs),
            "time": .text(ShanghaiTime.text(unixMs: timeMs)),
        ])
    }
}

extension WitnessedLog {
    var json: JSONNode {
        .members([
            "logSize": .number(checkpoint.size),
            "logRoot": .hex(checkpoint.root),
            "height": .number(header.height),
            "header": .hex(digest),
            "linked": .bool(isLinked),
            "witnesses": .list(sightings.map { $0.json }),
        ])
    }
}

extension ContradictedLog {
    public var json: JSONNode {
        .members([
            "verdict": .text("two-histories"),
            "ledger": .text(ledger),
            "chain": .hex(seen.header.chain),
            "suite": .text(suite.name),
            "logSize": .number(seen.header.logSize),
            "height": .number(seen.header.height),
            "header": .hex(seen.digest),
            "certifiedRoot": .hex(seen.header.logRoot),
            "cosignedRoot": .hex(seen.checkpoint.root),
            "witnesses": .list(seen.sightings.map { $0.json }),
        ])
    }
}
