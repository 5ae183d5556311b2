import Encoding
import Ledger
import LedgerCrypto
import Records

/// What a verification found, in words: one line for each fact, English and Chinese.
public struct EvidenceReport: Equatable, Sendable {
    public struct Line: Equatable, Sendable {
        /// Levels of indentation.
        public let level: Int
        public let english: String
        public let chinese: String
        /// What needs no translation, after both: a digest, a map of fields.
        public let value: String?
        /// Said by somebody, and not proven here.
        public let isClaim: Bool

        public var text: String {
            let words = english == chinese ? english : "\(english) / \(chinese)"
            let parts = [words, value ?? ""].filter { !$0.isEmpty }
            return String(repeating: "  ", count: level) + parts.joined(separator: ": ")
        }
    }

    public private(set) var lines: [Line] = []
    /// Whether the first line says that something is proven.
    let isProven: Bool

    /// Epochs that are written out one by one.
    public static let epochsMax = 16

    /// All lines, each ended by a line feed. Control and direction characters of recorded texts are escaped.
    public var text: String { lines.map { $0.text + "\n" }.joined() }

    public init(_ problem: EvidenceProblem) {
        isProven = false
        add(0, problem.standing.english, problem.standing.chinese)
        add(1, problem.english, problem.chinese)
    }

    public init(_ answer: ProvenAnswer) {
        isProven = true
        add(0, "PROVEN", "已证明")
        addCheckpoint(answer)
        for (number, (question, finding)) in zip(answer.questions, answer.findings).enumerated() {
            if answer.questions.count > 1 { add(0, "question \(number)", "问题 \(number)") }
            switch finding {
            case .assetHistory(let history): add(history)
            case .noSuchAsset(let asset):
                add(0, "no such asset is on the ledger", "账本上没有该数据资产", value: asset.hex)
            case .transaction(let entry): add(entry)
            case .record(let record): add(record, question: question, answer.suite)
            case .header(let older): add(older, under: answer.checkpoint.header)
            case .licence(let licence): add(licence)
            case .role(let role): add(role)
            case .output(let output): add(output)
            }
        }
        addLineage(answer)
        let time = ShanghaiTime.text(unixMs: answer.timeMs)
        if answer.histories.isEmpty {
            add(
                0, "as of height \(answer.height), time \(time)",
                "截至高度 \(answer.height)，时间 \(time)")
        } else {
            add(
                0, "complete to height \(answer.height), time \(time)",
                "完整至高度 \(answer.height)，时间 \(time)")
        }
        add(claims: answer.claims.map { ($0.english, $0.chinese) })
    }

    /// Of something else that is proven, or not to be believed.
    init(isProven: Bool = true) { self.isProven = isProven }

    mutating func add(
        _ level: Int, _ english: String, _ chinese: String, value: String? = nil,
        isClaim: Bool = false
    ) {
        lines.append(
            Line(
                level: level, english: english.printable, chinese: chinese.printable,
                value: value?.printable, isClaim: isClaim))
    }

    mutating func add(claims: [(english: String, chinese: String)]) {
        add(0, "only claimed, not proven here:", "仅为陈述、此处未证明：", isClaim: true)
        for claim in claims { add(1, "- \(claim.english)", claim.chinese, isClaim: true) }
    }

    private mutating func addCheckpoint(_ answer: ProvenAnswer) {
        let checkpoint = answer.checkpoint
        let header = checkpoint.header
        add(0, "ledger", "账本", value: answer.ledger)
        add(1, "chain", "链标识", value: header.chain.hex)
        add(1, "suite", "密码套件", value: answer.suite.name)
        let by = checkpoint.finalizedBy
        add(0, "\(by.english), epoch \(header.epoch)", "\(by.chinese)，第 \(header.epoch) 届")
        add(1, "header", "区块头", value: checkpoint.digest.hex)
        add(1, "state root", "状态根", value: header.stateRoot.hex)
        addEpochs(checkpoint.epochs)
        if let witnessed = answer.witnessed { add(witnessed, of: header) }
    }

    /// Whose keys were trusted; of very many epochs the first and the last ones.
    mutating func addEpochs(_ epochs: [EpochTrust]) {
        add(0, "trusted: the keys of these epochs", "所信任的各届密钥")
        let hidden = epochs.count - EvidenceReport.epochsMax
        for (index, epoch) in epochs.enumerated() where index == 0 || index > hidden {
            let basis = epoch.basis.texts
            add(
                1, "epoch \(epoch.epoch), \(epoch.quorum) of \(epoch.count), \(basis.english)",
                "第 \(epoch.epoch) 届，\(epoch.count) 取 \(epoch.quorum)，\(basis.chinese)",
                value: epoch.validators.hex)
            if index == 0, hidden > 0 { add(1, "… \(hidden) more", "另有 \(hidden) 届") }
        }
        let recovered = epochs.filter { $0.isRecovered }
        guard let last = recovered.last else { return }
        let count = recovered.count
        add(
            0, "NOT HANDED OVER: \(count) of these began by a recovery under the genesis' rule",
            "非移交：其中 \(count) 届依创世恢复规则开始")
        for epoch in recovered.prefix(EvidenceReport.epochsMax)
            + (count > EvidenceReport.epochsMax ? [last] : [])
        {
            let basis = epoch.basis.texts
            add(
                1, "epoch \(epoch.epoch), \(basis.english)", "第 \(epoch.epoch) 届，\(basis.chinese)")
        }
    }

    // MARK: Findings

    private mutating func add(_ older: ProvenHeader, under certified: Header) {
        let header = older.header
        let time = ShanghaiTime.text(unixMs: header.timeMs)
        add(
            0, "the header at height \(header.height), \(time)", "高度 \(header.height) 的区块头，\(time)",
            value: older.digest.hex)
        add(
            1,
            "its ledger is the beginning of the certified one: "
                + "\(header.logSize) of \(certified.logSize) log leaves",
            "当时的账本是经认证账本的前缀：日志 \(certified.logSize) 个叶子中的前 \(header.logSize) 个")
        add(1, "log root then", "当时日志根", value: header.logRoot.hex)
        add(1, "state root then", "当时状态根", value: header.stateRoot.hex)
    }

    private mutating func add(_ history: AssetHistory) {
        let asset = history.asset
        add(0, "asset", "数据资产", value: "\(asset.titleEn) · \(asset.titleZh)")
        add(1, "id", "编号", value: asset.id.hex)
        add(
            1, "provider \(asset.provider), status \(asset.status.name)",
            "提供方 \(asset.provider)，状态 \(asset.status.titleZh)")
        for log in history.logs {
            let count = log.events.count
            add(
                0, "\(log.log.name) log: \(count) events, none missing",
                "\(log.log.titleZh)：共 \(count) 个事件，无遗漏")
            for event in log.events { add(event) }
        }
    }

    private mutating func add(_ proven: ProvenEvent) {
        let event = proven.event
        let time = ShanghaiTime.text(unixMs: event.timeMs)
        let actor = event.actor.texts
        add(
            1,
            "#\(event.index) height \(event.height), \(time): \(event.kind.titleEn) "
                + "by \(actor.english): \(event.code.reportEn)",
            "\(event.kind.titleZh)，\(actor.chinese)：\(event.code.reportZh)")
        add(2, "transaction", "交易", value: event.transactionID.hex)
        add(2, "entry", "条目", value: event.entryDigest.hex)
        if event.detail != .map([]) {
            add(2, "stated", "内容", value: event.detail.diagnostic)
        }
        add(2, proven.entry.content.english, proven.entry.content.chinese)
    }

    mutating func add(_ entry: ProvenEntry, at level: Int = 0) {
        let time = ShanghaiTime.text(unixMs: entry.timeMs)
        let code = OutcomeCode(rawValue: entry.code)
        let english = code?.reportEn ?? "code \(entry.code)"
        let chinese = code?.reportZh ?? "代码 \(entry.code)"
        switch entry.content {
        case .transaction(let id, let transaction, _):
            let kind = TransactionKind(rawValue: transaction.kind)
            add(level, "transaction", "交易", value: id.hex)
            add(
                level + 1,
                "\(kind?.titleEn ?? "kind \(transaction.kind)") by \(transaction.member)",
                "\(kind?.titleZh ?? "种类 \(transaction.kind)")，\(transaction.member)")
        case .automatic(let action):
            let kind = AutomaticKind(rawValue: action.kind)
            add(
                level, "automatic action: \(kind?.titleEn ?? "kind \(action.kind)")",
                "自动处理：\(kind?.titleZh ?? "种类 \(action.kind)")")
        case .withheld: add(level, "entry", "条目", value: entry.digest.hex)
        }
        add(level + 1, "outcome: \(english)", "结果：\(chinese)")
        add(
            level + 1, "height \(entry.height), position \(entry.position), \(time)",
            "高度 \(entry.height)，位置 \(entry.position)，\(time)")
        add(level + 1, entry.content.english, entry.content.chinese)
    }

    private mutating func add(
        _ record: ProvenRecord, question: EvidenceQuestion, _ suite: Suite
    ) {
        guard case .record(let type, let id) = question else { return }
        let name = EvidenceQuestion.texts(ofID: id).joined(separator: ", ")
        switch record {
        case .nothing: add(0, "no \(type.name) record", "没有\(type.titleZh)记录", value: name)
        case .withheld(let digest):
            add(0, "\(type.name) record", "\(type.titleZh)记录", value: name)
            add(
                1, "there is one; it is withheld, its digest is", "确有此记录，内容未披露，其摘要",
                value: digest.hex)
        case .record(let record):
            add(0, "\(type.name) record", "\(type.titleZh)记录", value: name)
            let key = EvidenceQuestion.stateKey(type: type, id: id, suite: suite)
            add(1, "state key", "状态键", value: key.hex)
            add(1, "fields", "字段", value: record.json.encodedText)
        }
    }
}
