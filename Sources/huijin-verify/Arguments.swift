import LedgerCrypto

/// The command line of `huijin-verify`, read without any library.
struct Arguments: Equatable {
    var genesis = ""
    /// What is to be judged: a bundle or fork evidence.
    var file = ""
    var mode = Mode.verify
    var json = false
    /// The subject that the caller means, when he says so.
    var asset: Digest?
    var transaction: Digest?
    /// Where what is trusted is kept.
    var trust: String?
    /// Where trust starts instead of the genesis, and the header's digest that the caller believes.
    var checkpoint: String?
    var accepted: Digest?
    /// Where the proven header goes, for others to start from.
    var checkpointOut: String?
    /// The folder for the bundle's receipts.
    var output = ""

    enum Mode: String {
        case verify
        case fork
        case receipts
        case statement
    }

    enum Mistake: Error, Equatable {
        case help
        case missing(String)
        case unknown(String)
        case valueMissing(String)
        case notADigest(String)
    }

    static let usage = """
        usage: huijin-verify --genesis FILE --bundle FILE [--json] [--asset ID | --transaction ID]
                   [--trust FILE] [--checkpoint FILE --accept DIGEST] [--checkpoint-out FILE]
               huijin-verify fork FILE --genesis FILE [--json] [--trust FILE | --checkpoint FILE --accept DIGEST]
               huijin-verify receipts FILE --genesis FILE --out FOLDER
               huijin-verify statement FILE --genesis FILE [--json] [--trust FILE | --checkpoint FILE --accept DIGEST]
        用法：huijin-verify --genesis 创世文件 --bundle 证据包 [--json] [--asset 编号 | --transaction 编号]
                  [--trust 信任文件] [--checkpoint 检查点文件 --accept 摘要] [--checkpoint-out 文件]
              huijin-verify fork 分叉证据 --genesis 创世文件 [--json] [--trust 信任文件 | --checkpoint 检查点文件 --accept 摘要]
              huijin-verify receipts 证据包 --genesis 创世文件 --out 文件夹
              huijin-verify statement 透明陈述 --genesis 创世文件 [--json] [--trust 信任文件 | --checkpoint 检查点文件 --accept 摘要]

        Decides offline, from the given files alone, whether the bundle's answer holds.
        仅凭所给文件，离线判定证据包的结论是否成立。

          --genesis FILE     the ledger's genesis file / 账本的创世文件
          --bundle FILE      the evidence bundle / 证据包
          --asset ID         refuse a bundle about another asset / 须为该数据资产的证据包
          --transaction ID   refuse a bundle about another transaction / 须为该交易的证据包
          --json             one JSON object instead of text / 输出一个 JSON 对象
          --trust FILE       what was trusted before; made if there is none, and brought up to date by a proven bundle.
                             A bundle of another certified history becomes fork evidence in FILE.fork-…
                             此前已信任的内容；没有则新建，经已证明的证据包更新。另一份经认证历史的证据包将成为
                             分叉证据，写入“信任文件.fork-…”
          --checkpoint FILE  trust starts at this header instead of the genesis / 以该区块头而非创世为信任起点
          --accept DIGEST    the digest of that header, known from somebody whom you believe / 从可信来源得知的该区块头摘要
          --checkpoint-out FILE  write the proven bundle's header and validators as such a checkpoint file
                             将已证明的区块头及其验证者写成检查点文件
          --help             this text / 显示本说明

        fork: whether a file proves that two quorums certified two histories, and who signed both.
        fork：判定该文件是否证明两个法定多数认证了两份历史，以及谁在两边签名。

        receipts: a proven bundle's entries as COSE Receipts (RFC 9942), which tools of others check: for each
        entry its leaf, for each signer of each entry a receipt, for each signer its key, and the log root; for each
        transaction that was signed by itself a transparent statement (RFC 9943) with all its receipts.
        receipts：将已证明的证据包逐条导出为 COSE 收据（RFC 9942），供第三方工具核验：每个条目的叶子、
        每个签名节点的收据及其公钥，以及日志根；单独签名的交易另附含全部收据的透明陈述（RFC 9943）。

        statement: whether a transparent statement from anywhere has the receipts of a quorum of validators, and so was
        recorded. Whether it was accepted or refused only a bundle proves.
        statement：判定透明陈述是否附有法定多数验证者的收据，即是否已被记录；是否被接受须以证据包证明。

          --out FOLDER       where they go; nothing there is overwritten / 输出文件夹，不覆盖已有文件

        exit codes / 退出码
          0   proven; of a fork file: the fork is proven / 已证明；对分叉证据：分叉已证明
          1   proven false: damaged or tampered with / 证明为假：已损坏或被篡改
          2   not proven, or cannot be trusted yet / 未获证明，或暂不可信
          3   the bundle contradicts the trusted history: a fork / 证据包与已信任的历史相矛盾：分叉
          64  wrong usage / 用法错误
          66  a file cannot be read, or is not what it should be / 文件无法读取，或不是所需的文件
          73  a file cannot be written / 文件无法写入

        """

    init(_ words: [String]) throws(Mistake) {
        var rest = words[...]
        if let first = rest.first, let named = Mode(rawValue: first), named != .verify {
            mode = named
            rest = rest.dropFirst()
        }
        while let word = rest.popFirst() {
            switch (word, mode) {
            case ("--help", _), ("-h", _): throw .help
            case ("--genesis", _): genesis = try Self.value(of: word, &rest)
            case ("--bundle", .verify), ("--bundle", .receipts):
                file = try Self.value(of: word, &rest)
            case ("--asset", .verify), ("--asset", .receipts):
                asset = try Self.digest(of: word, &rest)
            case ("--transaction", .verify), ("--transaction", .receipts):
                transaction = try Self.digest(of: word, &rest)
            case ("--json", .verify), ("--json", .fork), ("--json", .statement): json = true
            case ("--trust", .verify), ("--trust", .fork), ("--trust", .statement):
                trust = try Self.value(of: word, &rest)
            case ("--checkpoint", .verify), ("--checkpoint", .fork), ("--checkpoint", .statement):
                checkpoint = try Self.value(of: word, &rest)
            case ("--accept", .verify), ("--accept", .fork), ("--accept", .statement):
                accepted = try Self.digest(of: word, &rest)
            case ("--checkpoint-out", .verify): checkpointOut = try Self.value(of: word, &rest)
            case ("--out", .receipts): output = try Self.value(of: word, &rest)
            default:
                guard mode != .verify, file.isEmpty, !word.hasPrefix("-") else {
                    throw .unknown(word)
                }
                file = word
            }
        }
        try requireAll()
    }

    private func requireAll() throws(Mistake) {
        if genesis.isEmpty { throw .missing("--genesis") }
        if file.isEmpty {
            switch mode {
            case .verify: throw .missing("--bundle")
            case .receipts: throw .missing("the bundle / 证据包")
            case .fork: throw .missing("the fork evidence / 分叉证据")
            case .statement: throw .missing("the transparent statement / 透明陈述")
            }
        }
        if mode == .receipts, output.isEmpty { throw .missing("--out") }
        if checkpoint != nil, accepted == nil { throw .missing("--accept") }
        if checkpoint == nil, accepted != nil { throw .missing("--checkpoint") }
    }

    private static func value(
        of word: String, _ rest: inout ArraySlice<String>
    ) throws(Mistake) -> String {
        guard let value = rest.popFirst(), !value.isEmpty else { throw .valueMissing(word) }
        return value
    }

    private static func digest(
        of word: String, _ rest: inout ArraySlice<String>
    ) throws(Mistake) -> Digest {
        guard let digest = Digest(hex: try value(of: word, &rest)) else {
            throw .notADigest(word)
        }
        return digest
    }
}

extension Arguments.Mistake {
    var text: String {
        switch self {
        case .help: ""
        case .missing(let what): "missing: \(what) / 缺少：\(what)"
        case .unknown(let word): "unknown argument \(word) / 未知参数 \(word)"
        case .valueMissing(let option): "\(option) needs a value / \(option) 后须有值"
        case .notADigest(let option):
            "\(option) takes 64 hexadecimal digits / \(option) 后须为 64 位十六进制数"
        }
    }
}
