import Encoding
import Ledger
import LedgerCrypto
import Records

extension EventKind {
    var titleEn: String {
        switch self {
        case .transaction(let kind): kind.titleEn
        case .automatic(let kind): kind.titleEn
        }
    }
}

extension EventActor {
    var texts: (english: String, chinese: String) {
        switch self {
        case .member(let id): ("member \(id)", "成员 \(id)")
        case .pseudonym(let bytes):
            ("pseudonym \(Hex.encode(bytes))", "化名 \(Hex.encode(bytes))")
        case .ledger: ("the ledger", "账本自动")
        }
    }
}

extension EpochTrust.Basis {
    var texts: (english: String, chinese: String) {
        switch self {
        case .genesis: ("named in the genesis", "由创世文件指定")
        case .checkpoint(let height, let header):
            (
                "accepted by the user with the header at height \(height), \(header.hex)",
                "由使用者接受，随高度 \(height) 的区块头 \(header.hex)"
            )
        case .handedOver(let height):
            ("handed over to at height \(height)", "于高度 \(height) 移交")
        case .recovered(let height, let signatures, let rule):
            (
                "begun after height \(height) by \(signatures) of the \(rule.keys.count) recovery keys in the "
                    + "genesis (\(rule.threshold) needed), not by a quorum of the epoch before",
                "于高度 \(height) 之后由创世文件 \(rule.keys.count) 个恢复密钥中的 \(signatures) 个"
                    + "（需 \(rule.threshold) 个）开始，并非上一届法定多数移交"
            )
        }
    }
}

extension EpochTrust {
    var isRecovered: Bool {
        if case .recovered = basis { true } else { false }
    }
}

extension Checkpoint {
    /// Who made it final, as far as is shown here.
    var finalizedBy: (english: String, chinese: String) {
        guard signatures > 0 else {
            return ("under the header that trust starts with", "以信任起点的区块头为准")
        }
        guard let recovery else {
            let (all, quorum) = (validators.count, validators.quorum)
            return (
                "finalized by \(signatures) of \(all) validators (\(quorum) needed)",
                "\(all) 个记账节点中 \(signatures) 个签名终局（需 \(quorum) 个）"
            )
        }
        let (all, needed) = (recovery.keys.count, recovery.threshold)
        return (
            "made final by a recovery: \(signatures) of the \(all) recovery keys in the genesis (\(needed) needed)",
            "由恢复决定终局：创世文件 \(all) 个恢复密钥中 \(signatures) 个签名（需 \(needed) 个）"
        )
    }
}

extension OutcomeCode {
    var reportEn: String {
        self == .accepted ? "accepted" : "refused, \(rawValue) \(name): \(messageEn)"
    }

    var reportZh: String {
        self == .accepted ? "已接受" : "被拒绝，\(rawValue)：\(messageZh)"
    }
}

extension ProvenEntry.Content {
    var english: String {
        switch self {
        case .transaction(_, let transaction, .valid(let key)):
            "signed by \(transaction.member), valid under key \(key.hex)"
        case .transaction(_, let transaction, .notRechecked):
            "signed by \(transaction.member), not re-checked; the validators certified it"
        case .automatic: "done by the ledger itself"
        case .withheld: "envelope withheld; the validators certified it"
        }
    }

    var chinese: String {
        switch self {
        case .transaction(_, let transaction, .valid(let key)):
            "由 \(transaction.member) 签名，在密钥 \(key.hex) 下有效"
        case .transaction(_, let transaction, .notRechecked):
            "由 \(transaction.member) 签名，未复核，由记账节点认证"
        case .automatic: "由账本自动处理"
        case .withheld: "信封未披露，由记账节点认证"
        }
    }
}

extension Claim {
    public var english: String {
        switch self {
        case .statements:
            "what members stated (titles, counts, scores): the ledger proves who stated it "
                + "and when, not that it is true"
        case .nothingLater(let height): "anything after height \(height)"
        case .logNotShown(let asset, let log, let events):
            "the \(log.name) log of \(asset.hex): its \(events) events are not in this bundle"
        case .parentsUnproven(let assets):
            "the history of the ancestors "
                + assets.map { $0.hex }.joined(separator: ", ") + ", and what those come from"
        case .withheld(let count):
            "kind, actor and transaction id of \(count) events whose envelope is withheld: "
                + "they rest on the validators' certificate"
        case .recordsWithheld(let count): "what is in \(count) withheld records"
        case .signaturesNotRechecked(let count):
            "\(count) members' signatures: the validators certified them, "
                + "this bundle does not prove the keys"
        case .freezesNotShown(let assets):
            "whether these assets were frozen at the moments asked about, when licences of them were live: "
                + assets.map { $0.hex }.joined(separator: ", ")
                + "; while an asset is frozen no job is accepted and no output released"
        case .stepsNotShown(let job, let kinds):
            "when and by whose signature these steps of job \(job.hex) were taken: "
                + kinds.map { $0.titleEn }.joined(separator: ", ")
        case .pseudonyms(let count): "who stands behind the pseudonyms of \(count) events"
        case .unused(let parts):
            "what else is in this file, of which none of these answers is made: \(parts.entries) entries, "
                + "\(parts.records) state records"
        case .witnesses(let names):
            "when the log was seen by " + names.joined(separator: ", ")
                + ", and that no other log was: a cosignature proves who says so"
        }
    }

    public var chinese: String {
        switch self {
        case .statements: "成员所作陈述（名称、数量、评分等）：账本证明何人何时作出，不证明其属实"
        case .nothingLater(let height): "高度 \(height) 之后的情况"
        case .logNotShown(let asset, let log, let events):
            "\(asset.hex) 的\(log.titleZh)：其 \(events) 个事件不在本证据包中"
        case .parentsUnproven(let assets):
            "来源资产 " + assets.map { $0.hex }.joined(separator: "、") + " 的历史及其更早的来源"
        case .withheld(let count): "\(count) 个事件的信封未披露，其种类、行为人与交易编号仅由记账节点认证"
        case .recordsWithheld(let count): "\(count) 条未披露记录的内容"
        case .signaturesNotRechecked(let count): "\(count) 个成员签名由记账节点认证，本证据包未证明其密钥"
        case .freezesNotShown(let assets):
            "所询时点许可有效的下列资产当时是否被冻结：" + assets.map { $0.hex }.joined(separator: "、")
                + "；冻结期间不受理作业，不放行输出"
        case .stepsNotShown(let job, let kinds):
            "作业 \(job.hex) 下列步骤的时间与签名：" + kinds.map { $0.titleZh }.joined(separator: "、")
        case .pseudonyms(let count): "\(count) 个事件中化名所指的成员"
        case .unused(let parts):
            "本文件中与以上回答无关的其他内容：\(parts.entries) 个条目、\(parts.records) 条状态记录"
        case .witnesses(let names):
            "见证方 " + names.joined(separator: "、") + " 何时见到该日志、是否另见过其他日志：副署只证明其如此陈述"
        }
    }
}

extension String {
    /// Escapes what is not printable, since members choose recorded texts.
    public var printable: String {
        if utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return self }
        var result = ""
        for scalar in unicodeScalars {
            if scalar.isPrintable {
                result.unicodeScalars.append(scalar)
            } else {
                result += "\\u{" + String(scalar.value, radix: 16) + "}"
            }
        }
        return result
    }
}

extension Unicode.Scalar {
    /// It cannot move a terminal's cursor, turn a line around or begin another.
    var isPrintable: Bool {
        // Most texts are ASCII, and asking for a category takes long.
        if isASCII { return (0x20..<0x7F).contains(value) }
        return switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse,
            .unassigned:
            false
        default: true
        }
    }
}
