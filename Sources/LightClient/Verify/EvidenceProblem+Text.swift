import Encoding
import Ledger
import LedgerCrypto

extension EvidenceProblem: CustomStringConvertible {
    public var description: String { "\(english) / \(chinese)" }

    public var english: String { "\(place.english): \(fault.english)" }
    public var chinese: String { "\(place.chinese)：\(fault.chinese)" }
}

extension EvidenceStanding {
    public var english: String {
        switch self {
        case .provenFalse: "PROVEN FALSE: damaged or tampered with"
        case .notProven: "NOT PROVEN"
        case .notYet: "CANNOT BE TRUSTED YET"
        }
    }

    public var chinese: String {
        switch self {
        case .provenFalse: "证明为假：已损坏或被篡改"
        case .notProven: "未获证明"
        case .notYet: "暂不可信"
        }
    }
}

/// Names of an asset's logs by number.
enum LogNames {
    static func english(_ log: UInt64) -> String {
        switch log {
        case 0: "rights"
        case 1: "trades"
        case 2: "refusals"
        default: "unknown (\(log))"
        }
    }

    static func chinese(_ log: UInt64) -> String {
        switch log {
        case 0: "权属"
        case 1: "交易"
        case 2: "拒绝"
        default: "未知（\(log)）"
        }
    }
}

extension EvidencePlace {
    public var english: String {
        switch self {
        case .bundle: "bundle"
        case .question(let index): "question \(index)"
        case .epochChange(let index): "epoch change \(index)"
        case .header(let height): "certified header at height \(height)"
        case .certificate: "finalization certificate"
        case .record(let index, let key): "state record \(index) (key \(key.hex))"
        case .ancestor(let height): "header at height \(height)"
        case .entry(let index, let height, let position):
            "entry \(index) (height \(height), position \(position))"
        case .log(let log, let asset): "\(LogNames.english(log)) log of \(asset.hex)"
        case .event(let index, let log, let asset):
            "event \(index) of the \(LogNames.english(log)) log of \(asset.hex)"
        case .start: "where trust starts"
        case .link: "proof that one log goes on from another"
        case .fork: "fork evidence"
        case .forkSide(let height, let isHigher):
            "\(isHigher ? "second" : "first") certified header of the fork, at height \(height)"
        case .forkAncestor: "ancestor of the second header"
        case .forkCertificate(let index): "further certificate \(index)"
        case .statement: "transparent statement"
        case .receipt(let index): "receipt \(index)"
        case .note: "checkpoint note"
        }
    }

    public var chinese: String {
        switch self {
        case .bundle: "证据包"
        case .question(let index): "第 \(index) 个问题"
        case .epochChange(let index): "第 \(index) 次换届"
        case .header(let height): "经认证的区块头（高度 \(height)）"
        case .certificate: "终局证书"
        case .record(let index, let key): "第 \(index) 条状态记录（键 \(key.hex)）"
        case .ancestor(let height): "高度 \(height) 的区块头"
        case .entry(let index, let height, let position):
            "第 \(index) 个条目（高度 \(height)，块内位置 \(position)）"
        case .log(let log, let asset): "\(asset.hex) 的\(LogNames.chinese(log))日志"
        case .event(let index, let log, let asset):
            "\(asset.hex) 的\(LogNames.chinese(log))日志第 \(index) 号事件"
        case .start: "信任起点"
        case .link: "日志延续证明"
        case .fork: "分叉证据"
        case .forkSide(let height, let isHigher):
            "分叉的\(isHigher ? "第二" : "第一")个经认证的区块头（高度 \(height)）"
        case .forkAncestor: "第二个区块头的祖先"
        case .forkCertificate(let index): "第 \(index) 个附加证书"
        case .statement: "透明陈述"
        case .receipt(let index): "第 \(index) 份收据"
        case .note: "检查点文本"
        }
    }
}

extension EvidenceFault.EventField {
    var chinese: String {
        switch self {
        case .log: "所属日志"
        case .index: "序号"
        case .kind: "种类"
        case .transaction: "交易编号"
        case .entryDigest: "条目摘要"
        case .height: "高度"
        case .timeMs: "时间"
        case .actor: "行为人"
        case .code: "结果代码"
        }
    }
}

extension EvidenceFault {
    /// A bundle may answer hundreds.
    private static func few(_ questions: [String]) -> String {
        let shown = questions.prefix(3).joined(separator: "; ")
        return questions.count > 3 ? "\(shown); … (\(questions.count))" : shown
    }

    public var english: String {
        switch self {
        case .undecodable(let error): "not readable: \(error.english)"
        case .otherLedger(let found, let expected):
            "it is of the ledger \(found.hex), the genesis file is of \(expected.hex)"
        case .otherQuestion: "it does not answer what was asked"
        case .notAnswered(let asked, let answered):
            "it does not answer “\(asked)”, but: " + Self.few(answered)
        case .tooMany(let what, let found, let max): "\(found) \(what); at most \(max) are read"
        case .outOfOrder: "not in ascending order, each once"
        case .otherChainInHeader: "field chain: the header names another ledger than the bundle"
        case .notFinal: "it certifies a notarization; the block is not final yet"
        case .notAFinalization: "field kind: it is not a finalization"
        case .nobodyVoted:
            "a recovery under the genesis' rule made it final: no validator voted, so there are no receipts"
        case .otherHeaderCertified: "what was signed is another header"
        case .otherEpoch(let found, let expected):
            "field epoch: it is of epoch \(found), expected \(expected)"
        case .certificateNotIncluded:
            "the bundle is detached; what is asked for needs the certificate"
        case .headerNotTrusted(let digest):
            "it rests on the header \(digest.hex), which is not a trusted one: verify it with the trust file "
                + "or checkpoint that holds it"
        case .unknownEpoch(let epoch, let known):
            "it is of epoch \(epoch), the bundle proves the validators up to epoch \(known) only"
        case .otherValidators: "field validators: the header names another validator set"
        case .noNextValidators: "field nextValidators: the header ends no epoch"
        case .otherNextValidators: "the given set is not the one that the header hands over to"
        case .endNotNeeded(let epoch):
            "the end of epoch \(epoch) is given as well, and the header is not of a later one; leave it out"
        case .belowQuorum(let signatures, let quorum, let validators):
            "\(signatures) of \(validators) validators signed, \(quorum) are needed"
        case .unknownValidator(let index): "there is no validator \(index)"
        case .badVote(let validator): "the signature of validator \(validator) is not valid"
        case .notAValidatorsKey(let key):
            "the key \(key.hex) is not a voting key of that epoch's validators"
        case .noRecoveryRule: "it is a recovery, and the genesis has no rule for one"
        case .belowThreshold(let signatures, let threshold, let keys):
            "\(signatures) of \(keys) recovery keys signed, \(threshold) are needed"
        case .badRecoverySignature(let key): "the signature of recovery key \(key) is not valid"
        case .epochBeforeStart(let epoch, let first):
            "it is of epoch \(epoch), and trust starts with epoch \(first)"
        case .contradictsTrusted:
            "a quorum finalized it, and another header that is trusted cannot be final beside it"
        case .aheadOfClock(let timeMs, let nowMs):
            "its time \(ShanghaiTime.text(unixMs: timeMs)) is ahead of this clock, "
                + ShanghaiTime.text(unixMs: nowMs)
        case .ancestorNotNeeded: "the two headers contradict each other without it"
        case .noContradiction: "the two can both be final: the one's log goes on from the other's"
        case .otherHeader: "it is another header than the one asked for"
        case .notAPrefix: "its log is not the beginning of the certified one"
        case .recordNotIncluded: "the state record that the answer needs is not in the bundle"
        case .recordWithheld: "the state record that the answer needs is withheld"
        case .wrongStateProof: "value or proof do not lead to the certified state root"
        case .recordUndecodable(let error): "not a readable record: \(error.english)"
        case .otherRecord(let field): "field \(field): it is not the record that its key names"
        case .headerNotBelow(let certified): "not below the certified height \(certified)"
        case .headerNotInLog: "the certified log does not hold this header at its place"
        case .headerNotIncluded: "the bundle lacks this header"
        case .malformedHeader: "more entries than its log has leaves"
        case .positionOutside(let entries): "the block has \(entries) entries only"
        case .entryNotInLog: "the certified log does not hold this entry at its place"
        case .outcomeNotInResults(let code):
            "the block's results root does not hold the outcome \(code) for this entry"
        case .badEnvelope(let error): "not an envelope of this ledger: \(error.english)"
        case .badSignature(let key): "the signature is not valid under key \(key.hex)"
        case .otherMembersKey(let key): "key \(key.hex) is another member's"
        case .keyNotLive(let key): "key \(key.hex) was not live at that height"
        case .entryNotIncluded: "the bundle lacks the entry"
        case .envelopeNeeded:
            "no envelope in the bundle holds the transaction; some are withheld, it may be one of them"
        case .momentAhead(let height, let timeMs):
            "it asks about a later moment than the certified height \(height), time "
                + ShanghaiTime.text(unixMs: timeMs)
        case .beforeTheLedger(let timeMs):
            "the ledger's first block is later than \(ShanghaiTime.text(unixMs: timeMs)): no header shows that moment"
        case .closingNotIncluded:
            "the licence was closed before its end, and no entry that is shown says when"
        case .logNotIncluded: "it was asked for and is not in the bundle"
        case .logNotAsked: "it is in the bundle and was not asked for"
        case .otherParents: "it does not name the parents that the asset's record has"
        case .otherPin(let parent):
            "the rights log of the parent \(parent.hex) does not stand as pinned"
        case .eventsMissing(let found, let certified, let first):
            "\(found) events given, the certified record counts \(certified): "
                + "event \(first) is missing"
        case .eventsAdded(let found, let certified):
            "\(found) events given, the certified record counts \(certified): events were added"
        case .otherLogRoot(let first, let last):
            first == last
                ? "event \(first) was altered: the events do not lead to the certified log root"
                : "an event among \(first)…\(last) was altered or moved: "
                    + "the events do not lead to the certified log root"
        case .noSuchEntry(let entry): "it refers to entry \(entry), which the bundle lacks"
        case .eventUndecodable(let error): "not a readable event: \(error.english)"
        case .eventField(let field, let found, let expected):
            "field \(field.rawValue): the event says \(found), its evidence says \(expected)"
        case .witness(let fault): fault.english
        }
    }

    public var chinese: String {
        switch self {
        case .undecodable(let error): "无法读取：\(error.chinese)"
        case .otherLedger(let found, let expected):
            "属于账本 \(found.hex)，而创世文件属于 \(expected.hex)"
        case .otherQuestion: "未回答所提的问题"
        case .notAnswered(let asked, let answered):
            "未回答“\(asked)”，所回答的是：" + Self.few(answered)
        case .tooMany(_, let found, let max): "共 \(found) 项，最多读取 \(max) 项"
        case .outOfOrder: "未按升序排列或有重复"
        case .otherChainInHeader: "chain 字段：区块头所属账本与证据包不同"
        case .notFinal: "只是公证证书，区块尚未终局"
        case .notAFinalization: "kind 字段：不是终局证书"
        case .nobodyVoted: "由创世恢复规则决定终局：没有记账节点投票，因而没有收据"
        case .otherHeaderCertified: "所签署的是另一个区块头"
        case .otherEpoch(let found, let expected):
            "epoch 字段：属于第 \(found) 届，应为第 \(expected) 届"
        case .certificateNotIncluded: "该证据包为分离式，所求之事须有终局证书"
        case .headerNotTrusted(let digest):
            "所依据的区块头 \(digest.hex) 尚未受信任：请以含有它的信任文件或检查点核验"
        case .unknownEpoch(let epoch, let known):
            "属于第 \(epoch) 届，而证据包只证明到第 \(known) 届的记账节点"
        case .otherValidators: "validators 字段：区块头指向另一记账节点集合"
        case .noNextValidators: "nextValidators 字段：该区块头并未结束一届"
        case .otherNextValidators: "所附记账节点集合不是该区块头移交的集合"
        case .endNotNeeded(let epoch): "另附有第 \(epoch) 届的换届，而该区块头并不属于其后的届；请去除"
        case .belowQuorum(let signatures, let quorum, let validators):
            "\(validators) 个记账节点中仅 \(signatures) 个签名，需要 \(quorum) 个"
        case .unknownValidator(let index): "不存在第 \(index) 号记账节点"
        case .badVote(let validator): "第 \(validator) 号记账节点的签名无效"
        case .notAValidatorsKey(let key): "密钥 \(key.hex) 不是该届记账节点的投票密钥"
        case .noRecoveryRule: "这是一次恢复，而创世文件并无恢复规则"
        case .belowThreshold(let signatures, let threshold, let keys):
            "\(keys) 个恢复密钥中仅 \(signatures) 个签名，需要 \(threshold) 个"
        case .badRecoverySignature(let key): "第 \(key) 号恢复密钥的签名无效"
        case .epochBeforeStart(let epoch, let first): "属于第 \(epoch) 届，而信任自第 \(first) 届起"
        case .contradictsTrusted: "已有法定多数终局，却与另一已信任的终局区块头相矛盾"
        case .aheadOfClock(let timeMs, let nowMs):
            "其时间 \(ShanghaiTime.text(unixMs: timeMs)) 晚于本机时钟 "
                + ShanghaiTime.text(unixMs: nowMs)
        case .ancestorNotNeeded: "两个区块头本身已相矛盾，无需此祖先"
        case .noContradiction: "两者可以同时终局：一方日志是另一方的延续"
        case .otherHeader: "不是所问的区块头"
        case .notAPrefix: "其日志不是经认证日志的前缀"
        case .recordNotIncluded: "证据包缺少所需的状态记录"
        case .recordWithheld: "所需的状态记录未披露"
        case .wrongStateProof: "值或证明与经认证的状态根不符"
        case .recordUndecodable(let error): "无法读取记录：\(error.chinese)"
        case .otherRecord(let field): "\(field) 字段：不是该键所指的记录"
        case .headerNotBelow(let certified): "不低于经认证的高度 \(certified)"
        case .headerNotInLog: "经认证的日志在该位置没有此区块头"
        case .headerNotIncluded: "证据包缺少此区块头"
        case .malformedHeader: "条目数多于日志叶子数"
        case .positionOutside(let entries): "该区块只有 \(entries) 个条目"
        case .entryNotInLog: "经认证的日志在该位置没有此条目"
        case .outcomeNotInResults(let code): "该区块的结果根不含此条目的结果 \(code)"
        case .badEnvelope(let error): "不是本账本的信封：\(error.chinese)"
        case .badSignature(let key): "在密钥 \(key.hex) 下签名无效"
        case .otherMembersKey(let key): "密钥 \(key.hex) 属于另一成员"
        case .keyNotLive(let key): "密钥 \(key.hex) 在该高度无效"
        case .entryNotIncluded: "证据包缺少该条目"
        case .envelopeNeeded: "证据包所示信封中没有该交易；另有信封未披露，可能在其中"
        case .momentAhead(let height, let timeMs):
            "所问时点晚于经认证的高度 \(height)，时间 " + ShanghaiTime.text(unixMs: timeMs)
        case .beforeTheLedger(let timeMs):
            "账本首个区块晚于 \(ShanghaiTime.text(unixMs: timeMs))：没有区块头能表明该时点"
        case .closingNotIncluded: "许可提前结清，而所示条目均未说明何时结清"
        case .logNotIncluded: "要求证明该日志，证据包却未附"
        case .logNotAsked: "证据包附有未要求的日志"
        case .otherParents: "所列来源资产与资产记录不符"
        case .otherPin(let parent): "来源资产 \(parent.hex) 的权属日志与所锁定的状态不符"
        case .eventsMissing(let found, let certified, let first):
            "给出 \(found) 个事件，经认证的记录为 \(certified) 个：缺第 \(first) 号事件"
        case .eventsAdded(let found, let certified):
            "给出 \(found) 个事件，经认证的记录为 \(certified) 个：有事件被添加"
        case .otherLogRoot(let first, let last):
            first == last
                ? "第 \(first) 号事件被改动：与经认证的日志根不符"
                : "第 \(first) 至 \(last) 号事件中有被改动或移位者：与经认证的日志根不符"
        case .noSuchEntry(let entry): "引用了证据包中没有的第 \(entry) 个条目"
        case .eventUndecodable(let error): "无法读取事件：\(error.chinese)"
        case .eventField(let field, let found, let expected):
            "\(field.chinese)字段：事件为 \(found)，证据为 \(expected)"
        case .witness(let fault): fault.chinese
        }
    }
}

extension EnvelopeError {
    var english: String {
        switch self {
        case .tooLarge(let bytes, let bytesMax): "\(bytes) bytes, at most \(bytesMax)"
        case .undecodable(let error): error.english
        case .wrongContext: "it was signed for another purpose"
        case .wrongSuite(let algorithm, let expected):
            "algorithm \(algorithm), expected \(expected)"
        case .wrongChain(let found, _): "it was signed for the ledger \(found.hex)"
        case .detachedPayload: "it has no payload"
        case .unprotectedHeaders: "it has unprotected headers"
        case .batchProof: "its place in its batch is impossible or not the signed one"
        }
    }

    var chinese: String {
        switch self {
        case .tooLarge(let bytes, let bytesMax): "共 \(bytes) 字节，最多 \(bytesMax)"
        case .undecodable(let error): error.chinese
        case .wrongContext: "签名用途不同"
        case .wrongSuite(let algorithm, let expected): "算法为 \(algorithm)，应为 \(expected)"
        case .wrongChain(let found, _): "为账本 \(found.hex) 而签"
        case .detachedPayload: "没有载荷"
        case .unprotectedHeaders: "含有未受保护的头部"
        case .batchProof: "在签名批次中的位置不成立或与签名不符"
        }
    }
}

extension BundleProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .noSuchQuestion(nil): "no question is chosen / 未选择问题"
        case .noSuchQuestion(let number?):
            "the bundle has no question \(number) / 证据包没有第 \(number) 个问题"
        case .otherLedger: "the bundles are of different ledgers / 证据包属于不同账本"
        case .otherHeader(let one, let other):
            "the bundles rest on different headers, \(one.hex) and \(other.hex), and one bundle is of one moment; "
                + "ask a node all questions at once / 证据包所依据的区块头不同（\(one.hex) 与 \(other.hex)），"
                + "不能合并；请向节点一并提出全部问题"
        case .contradiction(let place):
            "the bundles say different things: \(place.english); verify each / "
                + "证据包互相矛盾：\(place.chinese)；请分别核验"
        case .tooManyQuestions(let count):
            "\(count) questions; one bundle has at most \(EvidenceLimits.questionsMax) / "
                + "共 \(count) 个问题，一个证据包最多 \(EvidenceLimits.questionsMax) 个"
        case .noSuchEnvelope(let digest):
            "the bundle shows no envelope \(digest.hex) / 证据包没有该信封"
        case .noSuchRecord(let key):
            "the bundle shows no record under the key \(key.hex) / 证据包没有该键的记录"
        }
    }
}
