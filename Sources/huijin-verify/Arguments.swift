import LedgerCrypto

/// The command line of `huijin-verify`, read without any library.
struct Arguments: Equatable {
    var genesis = ""
    var bundle = ""
    var json = false
    /// The subject that the caller means, when he says so.
    var asset: Digest?
    var transaction: Digest?
    /// The folder for the bundle's receipts; nil when only the verdict is asked for.
    var output: String?

    enum Mistake: Error, Equatable {
        case help
        case missing(String)
        case unknown(String)
        case valueMissing(String)
        case notADigest(String)
    }

    static let usage = """
        usage: huijin-verify --genesis FILE --bundle FILE [--json] [--asset ID | --transaction ID]
               huijin-verify receipts FILE --genesis FILE --out FOLDER
        用法：huijin-verify --genesis 创世文件 --bundle 证据包 [--json] [--asset 编号 | --transaction 编号]
              huijin-verify receipts 证据包 --genesis 创世文件 --out 文件夹

        Decides offline, from the two files alone, whether the bundle's answer holds.
        仅凭这两个文件，离线判定证据包的结论是否成立。

          --genesis FILE     the ledger's genesis file / 账本的创世文件
          --bundle FILE      the evidence bundle / 证据包
          --asset ID         refuse a bundle about another asset / 须为该数据资产的证据包
          --transaction ID   refuse a bundle about another transaction / 须为该交易的证据包
          --json             one JSON object instead of text / 输出一个 JSON 对象
          --help             this text / 显示本说明

        receipts: a proven bundle's entries as COSE Receipts (RFC 9942), which tools of others check: for each
        entry its leaf, for each signer of each entry a receipt, for each signer its key, and the log root.
        receipts：将已证明的证据包逐条导出为 COSE 收据（RFC 9942），供第三方工具核验：每个条目的叶子、
        每个签名节点的收据及其公钥，以及日志根。

          --out FOLDER       where they go; nothing there is overwritten / 输出文件夹，不覆盖已有文件

        exit codes / 退出码
          0   proven / 已证明
          1   proven false: damaged or tampered with / 证明为假：已损坏或被篡改
          2   not proven, or cannot be trusted yet / 未获证明，或暂不可信
          64  wrong usage / 用法错误
          66  a file cannot be read, or the genesis file is not one / 文件无法读取，或不是创世文件
          73  a file cannot be written / 文件无法写入

        """

    init(_ words: [String]) throws(Mistake) {
        var rest = words[...]
        let wantsReceipts = rest.first == "receipts"
        if wantsReceipts { rest = rest.dropFirst() }
        while let word = rest.popFirst() {
            switch word {
            case "--help", "-h": throw .help
            case "--json" where !wantsReceipts: json = true
            case "--out" where wantsReceipts: output = try Self.value(of: word, &rest)
            case "--genesis": genesis = try Self.value(of: word, &rest)
            case "--bundle": bundle = try Self.value(of: word, &rest)
            case "--asset": asset = try Self.digest(of: word, &rest)
            case "--transaction": transaction = try Self.digest(of: word, &rest)
            default:
                guard wantsReceipts, bundle.isEmpty, !word.hasPrefix("-") else {
                    throw .unknown(word)
                }
                bundle = word
            }
        }
        if genesis.isEmpty { throw .missing("--genesis") }
        if bundle.isEmpty { throw .missing(wantsReceipts ? "the bundle / 证据包" : "--bundle") }
        if wantsReceipts, output == nil { throw .missing("--out") }
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
