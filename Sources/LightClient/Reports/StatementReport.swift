import Encoding
import Ledger
import LedgerCrypto
import Records

extension ProvenStatement {
    /// English and Chinese, most general first.
    fileprivate var claims: [(english: String, chinese: String)] {
        var claims: [(english: String, chinese: String)] = [
            (
                "whether the ledger accepted or refused it: a bundle about this transaction proves that",
                "账本接受还是拒绝了该交易：须以该交易的证据包证明"
            ),
            (Claim.statements.english, Claim.statements.chinese),
        ]
        if timeMs == nil {
            claims.append(("when it was recorded: the block's header is not here", "记录时间：未附区块头"))
        }
        if case .notRechecked = check {
            claims.append(
                (
                    "the member's signature: the validators certified it, and its key is not proven here",
                    "成员签名由记账节点认证，此处未证明其密钥"
                ))
        } else {
            claims.append(
                (
                    "that the key was live when it signed: the validators checked that",
                    "签名时密钥是否有效：由记账节点认证"
                ))
        }
        return claims
    }

    public var json: JSONNode {
        .members([
            "verdict": .text("proven"),
            "ledger": .text(ledger),
            "chain": .hex(chain),
            "suite": .text(suite.name),
            "transaction": .hex(id),
            "envelope": .hex(envelopeDigest),
            "kind": .number(transaction.kind),
            "member": .text(transaction.member.text),
            "signatureChecked": .bool(check.isValid),
            "height": .number(height),
            "header": .hex(header),
            "timeMs": timeMs.map { .number($0) } ?? .null,
            "signers": .list(signers.map { .number(UInt64($0)) }),
            "quorum": .number(UInt64(validators.quorum)),
            "validators": .number(UInt64(validators.count)),
            "epochs": .list(epochs.map { $0.json }),
            "claims": .list(claims.map { .both($0.english, $0.chinese) }),
        ])
    }
}

extension SignatureCheck {
    fileprivate var isValid: Bool {
        switch self {
        case .valid: true
        case .notRechecked: false
        }
    }
}

extension EvidenceReport {
    /// What a transparent statement proves.
    public init(_ statement: ProvenStatement) {
        self.init()
        add(0, "PROVEN: recorded", "已证明：已记录")
        add(0, "ledger", "账本", value: statement.ledger)
        add(1, "chain", "链标识", value: statement.chain.hex)
        add(1, "suite", "密码套件", value: statement.suite.name)
        add(0, "transaction", "交易", value: statement.id.hex)
        let kind = TransactionKind(rawValue: statement.transaction.kind)
        add(
            1, kind?.titleEn ?? "kind \(statement.transaction.kind)",
            kind?.titleZh ?? "种类 \(statement.transaction.kind)")
        let content = ProvenEntry.Content.transaction(
            id: statement.id, statement.transaction, statement.check)
        add(1, content.english, content.chinese)
        let (signed, all) = (statement.signers.count, statement.validators.count)
        add(
            0,
            "in the log that \(signed) of \(all) validators finalized "
                + "(\(statement.validators.quorum) needed), epoch \(statement.validators.epoch)",
            "在 \(all) 个记账节点中 \(signed) 个签名终局的日志中（需 \(statement.validators.quorum) 个），"
                + "第 \(statement.validators.epoch) 届")
        add(1, "header", "区块头", value: statement.header.hex)
        let time = statement.timeMs.map { ", time \(ShanghaiTime.text(unixMs: $0))" } ?? ""
        let timeZh = statement.timeMs.map { "，时间 \(ShanghaiTime.text(unixMs: $0))" } ?? ""
        add(
            1, "recorded up to height \(statement.height)\(time)",
            "至迟于高度 \(statement.height) 记录\(timeZh)")
        addEpochs(statement.epochs)
        add(claims: statement.claims)
    }
}
