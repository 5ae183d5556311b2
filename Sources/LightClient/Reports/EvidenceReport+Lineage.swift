import LedgerCrypto
import Records

extension EvidenceReport {
    /// Where each derived asset comes from, up to the sources, one level of indentation for each step. An asset with several
    /// children is written out once.
    mutating func addLineage(_ answer: ProvenAnswer) {
        let histories = answer.histories
        let parents = Set(histories.flatMap { $0.parents }.map { $0.asset })
        guard !parents.isEmpty else { return }
        let unproven = Set(
            histories.flatMap { $0.parents }.filter { !$0.isIncluded }.map { $0.asset })
        if unproven.isEmpty {
            add(
                0, "provenance: \(parents.count) ancestors, all included, up to the sources",
                "来源谱系：共 \(parents.count) 项来源资产，全部已证明，直至原始来源")
        } else {
            add(
                0,
                "provenance: \(parents.count) ancestors named, \(unproven.count) of them unproven",
                "来源谱系：列出 \(parents.count) 项来源资产，其中 \(unproven.count) 项未证明")
        }
        var seen: Set<Digest> = []
        for history in histories where !parents.contains(history.asset.id) {
            addAncestors(of: history, in: histories, level: 1, &seen)
        }
    }

    private mutating func addAncestors(
        of history: AssetHistory, in histories: [AssetHistory], level: Int,
        _ seen: inout Set<Digest>
    ) {
        let asset = history.asset
        guard seen.insert(asset.id).inserted else { return }
        if level == 1 { addAsset(level, asset) }
        for parent in history.parents {
            let pinned = parent.pin.map { "\($0.rightsSize)" } ?? "?"
            guard parent.isIncluded,
                let included = histories.first(where: { $0.asset.id == parent.asset })
            else {
                add(
                    level + 1,
                    "from an asset named only, UNPROVEN; pinned at \(pinned) rights events",
                    "来源于仅列名、未证明的资产，锁定于 \(pinned) 个权属事件", value: parent.asset.hex)
                continue
            }
            addAsset(level + 1, included.asset)
            if seen.contains(parent.asset) {
                add(level + 2, "written out above", "见上文")
            } else {
                add(
                    level + 2,
                    "pinned at \(pinned) rights events, with which its proven log begins",
                    "锁定于 \(pinned) 个权属事件，与其已证明的日志开头一致")
                addAncestors(of: included, in: histories, level: level + 1, &seen)
            }
        }
        if history.parents.isEmpty { add(level + 1, "a source", "原始来源") }
    }

    private mutating func addAsset(_ level: Int, _ asset: AssetRecord) {
        add(
            level, "asset “\(asset.titleEn)”, of \(asset.provider)",
            "资产“\(asset.titleZh)”，提供方 \(asset.provider)",
            value: asset.id.hex)
    }
}
