import Encoding
import Ledger
import LedgerCrypto
import Records

extension LicenceStanding {
    var texts: (english: String, chinese: String) {
        switch self {
        case .live: ("LIVE", "有效")
        case .unknown: ("NOT LIVE: no such licence is on the ledger", "无效：账本上没有该许可")
        case .notAgreed: ("NOT LIVE: not agreed by the certified height", "无效：截至经认证高度尚未达成")
        case .notYet(let timeMs):
            (
                "NOT LIVE YET: agreed at \(ShanghaiTime.text(unixMs: timeMs))",
                "尚未生效：于 \(ShanghaiTime.text(unixMs: timeMs)) 达成"
            )
        case .expired(let timeMs):
            (
                "NOT LIVE: its agreed end, \(ShanghaiTime.text(unixMs: timeMs)), had passed",
                "无效：约定期限 \(ShanghaiTime.text(unixMs: timeMs)) 已过"
            )
        case .revoked(let height): ("NOT LIVE: revoked at height \(height)", "无效：已于高度 \(height) 撤销")
        case .closed(let height): ("NOT LIVE: closed at height \(height)", "无效：已于高度 \(height) 结清")
        }
    }

    var name: String {
        switch self {
        case .live: "live"
        case .unknown: "unknown"
        case .notAgreed: "not-agreed"
        case .notYet: "not-yet"
        case .expired: "expired"
        case .revoked: "revoked"
        case .closed: "closed"
        }
    }
}

extension LicenceQuota {
    var texts: (english: String, chinese: String) {
        switch self {
        case .left(let uses): ("\(uses) uses left", "剩余 \(uses) 次")
        case .notUsedUp(let released, let all):
            (
                "not used up: at most \(released) of \(all) uses had been released; how many open jobs reserved then "
                    + "is not proven",
                "未用尽：至多已放行 \(released) 次，共 \(all) 次；当时未结作业占用几次未获证明"
            )
        case .undecided: ("whether uses were left then is not proven", "当时是否有剩余次数未获证明")
        }
    }
}

extension ProvenMoment {
    var texts: (english: String, chinese: String) {
        let time = ShanghaiTime.text(unixMs: timeMs)
        return ("at height \(height), time \(time)", "于高度 \(height)，时间 \(time)")
    }
}

extension EvidenceReport {
    mutating func add(_ licence: ProvenLicence) {
        add(0, "licence", "许可", value: licence.id.hex)
        let (moment, standing) = (licence.moment.texts, licence.standing.texts)
        add(1, "\(moment.english): \(standing.english)", "\(moment.chinese)：\(standing.chinese)")
        guard let record = licence.record else { return }
        if licence.standing.isLive {
            add(1, "uses: \(licence.quota.texts.english)", "次数：\(licence.quota.texts.chinese)")
        }
        add(
            1, "of \(record.provider) to \(record.buyer), purpose \(record.purpose)",
            "提供方 \(record.provider)，需求方 \(record.buyer)，用途 \(record.purpose)")
        add(1, "asset", "数据资产", value: record.asset.hex)
        if let closing = licence.closing { add(closing, at: 1) }
    }

    mutating func add(_ role: ProvenRole) {
        let moment = role.moment.texts
        add(
            0, "\(role.member) \(role.isHeld ? "held" : "did NOT hold") the role \(role.role.name)",
            "\(role.member) \(role.isHeld ? "具有" : "不具有")\(role.role.titleZh)角色")
        add(1, "in the state \(moment.english)", "\(moment.chinese)的状态")
        guard let record = role.record else {
            add(1, "no such member is on the ledger", "账本上没有该成员")
            return
        }
        add(
            1, "status at the certified height: \(record.status.name)",
            "截至经认证高度的成员状态：\(record.status.titleZh)")
    }

    mutating func add(_ output: ProvenOutput) {
        add(0, "output of job", "作业输出", value: output.id.hex)
        guard let record = output.record else {
            add(1, "no such job is on the ledger", "账本上没有该作业")
            return
        }
        if let reviewer = output.releasedBy {
            add(1, "REVIEWED AND RELEASED by \(reviewer)", "已由 \(reviewer) 审核并放行")
        } else {
            add(1, "NOT RELEASED: \(record.status.name)", "未放行：\(record.status.titleZh)")
        }
        if let commitment = record.outputCommitment {
            add(1, "salted digest of the output", "输出的加盐摘要", value: commitment.hex)
        }
        add(1, "licence", "许可", value: record.agreement.hex)
        add(1, "asset", "数据资产", value: record.asset.hex)
        for step in output.steps { add(step, at: 1) }
        for kind in output.stepsNotShown {
            add(
                1,
                "\(kind.titleEn): the record proves that it was done; the entry that says when and by whose "
                    + "signature is not shown here",
                "\(kind.titleZh)：记录证明其已发生；说明时间与签名的条目未在此披露")
        }
    }
}

extension ProvenLicence {
    var json: JSONNode {
        .members([
            "type": .text("licence"), "licence": .hex(id), "height": .number(moment.height),
            "timeMs": .number(moment.timeMs), "live": .bool(standing.isLive),
            "standing": .text(standing.name),
            "reason": .both(standing.texts.english, standing.texts.chinese),
            "quota": .both(quota.texts.english, quota.texts.chinese),
            "asset": record.map { .hex($0.asset) } ?? .null,
            "provider": record.map { .text($0.provider.text) } ?? .null,
            "buyer": record.map { .text($0.buyer.text) } ?? .null,
            "closing": closing.map { $0.json } ?? .null,
        ])
    }
}

extension ProvenRole {
    var json: JSONNode {
        .members([
            "type": .text("role"), "member": .text(member.text), "role": .text(role.name),
            "height": .number(moment.height), "timeMs": .number(moment.timeMs),
            "held": .bool(isHeld), "status": record.map { .text($0.status.name) } ?? .null,
        ])
    }
}

extension ProvenOutput {
    var json: JSONNode {
        .members([
            "type": .text("output"), "job": .hex(id),
            "status": record.map { .text($0.status.name) } ?? .null,
            "released": .bool(releasedBy != nil),
            "reviewer": record?.reviewer.map { .text($0.text) } ?? .null,
            "outputCommitment": record?.outputCommitment.map { .hex($0) } ?? .null,
            "agreement": record.map { .hex($0.agreement) } ?? .null,
            "asset": record.map { .hex($0.asset) } ?? .null,
            "steps": .list(steps.map { $0.json }),
            "stepsNotShown": .list(stepsNotShown.map { .text($0.name) }),
        ])
    }
}
