/// Why a witness's word counts for nothing here.
public enum WitnessFault: Error, Equatable, Sendable {
    case tooLarge(bytes: Int, bytesMax: Int)
    /// Lines count from 1.
    case lineTooLong(line: Int, bytesMax: Int)
    case tooManySignatures(found: Int, max: Int)
    case malformed(line: Int)
    /// The text alone, as it is given to witnesses.
    case noCosignature
    /// The checkpoint is of something else than a ledger of this kind.
    case otherOrigin(String)
    // Each with the witness's name.
    case notCosigned(String)
    case badCosignature(String)
    /// The note has more than one signature of his.
    case repeated(String)
    /// By the caller, who may mean another.
    case askedTwice(String)
    case validatorsKey(String)
    /// No proven header has a log of that size.
    case sizeNotProven(size: UInt64, Whereabouts)

    /// Where the header stands that has it, as far as the proven ones tell.
    public enum Whereabouts: Equatable, Sendable {
        case between(UInt64, UInt64)
        case above(UInt64)
        /// The log passes that size within a block.
        case nowhere
    }
}

extension WitnessFault {
    public var english: String {
        switch self {
        case .tooLarge(let bytes, let bytesMax): "\(bytes) bytes; at most \(bytesMax) are read"
        case .lineTooLong(let line, let bytesMax):
            "line \(line): at most \(bytesMax) bytes of a line are read"
        case .tooManySignatures(let found, let max): "\(found) signatures; at most \(max) are read"
        case .malformed(let line):
            "line \(line): not of a checkpoint's form (c2sp.org/tlog-checkpoint)"
        case .noCosignature: "nobody has cosigned it yet"
        case .otherOrigin(let origin): "it is of another log, “\(origin)”"
        case .notCosigned(let name): "witness \(name) has not cosigned it, not under this key"
        case .badCosignature(let name): "the cosignature of witness \(name) is not valid"
        case .repeated(let name): "witness \(name) signed twice"
        case .askedTwice(let name): "witness \(name) was asked for twice: name each one once"
        case .validatorsKey(let name):
            "\(name) is no witness: the key is a validator's or of the genesis' recovery rule, and its word adds nothing to the certificate"
        case .sizeNotProven(let size, let whereabouts):
            "no header that is proven here has a log of \(size) leaves, so nothing is compared; "
                + whereabouts.english
        }
    }

    public var chinese: String {
        switch self {
        case .tooLarge(let bytes, let bytesMax): "共 \(bytes) 字节，最多读取 \(bytesMax) 字节"
        case .lineTooLong(let line, let bytesMax): "第 \(line) 行：每行最多读取 \(bytesMax) 字节"
        case .tooManySignatures(let found, let max): "共 \(found) 个签名，最多读取 \(max) 个"
        case .malformed(let line): "第 \(line) 行：不符合检查点格式（c2sp.org/tlog-checkpoint）"
        case .noCosignature: "尚无任何见证方副署"
        case .otherOrigin(let origin): "属于另一日志“\(origin)”"
        case .notCosigned(let name): "见证方 \(name) 未以该密钥副署"
        case .badCosignature(let name): "见证方 \(name) 的副署无效"
        case .repeated(let name): "见证方 \(name) 有多个副署"
        case .askedTwice(let name): "重复指定了见证方 \(name)：每个见证方只须指定一次"
        case .validatorsKey(let name): "\(name) 并非见证方：其密钥为记账节点或创世恢复规则所有，不能为证书增添佐证"
        case .sizeNotProven(let size, let whereabouts):
            "此处已证明的区块头中，没有日志为 \(size) 个叶子者，无从比对；" + whereabouts.chinese
        }
    }
}

extension WitnessFault.Whereabouts {
    fileprivate var english: String {
        switch self {
        case .between(let first, let last):
            (first == last
                ? "the one that has is at height \(first)"
                : "the one that has is at a height from \(first) to \(last)")
                + ": ask for it with huijin audit header HEIGHT, which shows it as an ancestor"
        case .above(let height): "ask for evidence of a height above \(height)"
        case .nowhere: "no block of this history ends there"
        }
    }

    fileprivate var chinese: String {
        switch self {
        case .between(let first, let last):
            "所需区块头在高度 " + (first == last ? "\(first)" : "\(first) 至 \(last) 之间")
                + "：请用 huijin audit header 高度 索取，该区块头将作为祖先附入"
        case .above(let height): "请索取高度 \(height) 以上的证据"
        case .nowhere: "该历史中没有止于此处的区块"
        }
    }
}
