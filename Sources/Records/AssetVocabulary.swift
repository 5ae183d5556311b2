/// The three rights in data (三权).
public enum DataRight: UInt64, NumberedCase {
    case holding = 1
    case processing = 2
    case operating = 3

    public var name: String {
        switch self {
        case .holding: "holding"
        case .processing: "processing"
        case .operating: "operating"
        }
    }

    public var titleZh: String {
        switch self {
        case .holding: "数据资源持有权"
        case .processing: "数据加工使用权"
        case .operating: "数据产品经营权"
        }
    }
}

/// Whose data it is.
public enum OwnerClass: UInt64, NumberedCase {
    case publicData = 1
    case enterprise = 2
    case personal = 3

    public var name: String {
        switch self {
        case .publicData: "public"
        case .enterprise: "enterprise"
        case .personal: "personal"
        }
    }

    public var titleZh: String {
        switch self {
        case .publicData: "公共数据"
        case .enterprise: "企业数据"
        case .personal: "个人数据"
        }
    }
}

/// How far the data was worked on.
public enum DataLevel: UInt64, NumberedCase {
    case raw = 1
    case cleaned = 2
    case derived = 3
    case product = 4

    public var name: String {
        switch self {
        case .raw: "raw"
        case .cleaned: "cleaned"
        case .derived: "derived"
        case .product: "product"
        }
    }

    public var titleZh: String {
        switch self {
        case .raw: "原始数据"
        case .cleaned: "清洗数据"
        case .derived: "衍生数据"
        case .product: "数据产品"
        }
    }
}

/// Grade of protection (Data Security Law, article 21).
public enum DataGrade: UInt64, NumberedCase {
    case general = 1
    case important = 2
    case core = 3

    public var name: String {
        switch self {
        case .general: "general"
        case .important: "important"
        case .core: "core"
        }
    }

    public var titleZh: String {
        switch self {
        case .general: "一般数据"
        case .important: "重要数据"
        case .core: "核心数据"
        }
    }
}

public enum AssetStatus: UInt64, NumberedCase {
    case claimed = 1
    case registered = 2
    case frozen = 3
    case revoked = 4

    public var name: String {
        switch self {
        case .claimed: "claimed"
        case .registered: "registered"
        case .frozen: "frozen"
        case .revoked: "revoked"
        }
    }

    public var titleZh: String {
        switch self {
        case .claimed: "已申请"
        case .registered: "已登记"
        case .frozen: "已冻结"
        case .revoked: "已撤销"
        }
    }
}

/// The type of a column, as SQL in the sandbox sees it.
public enum ColumnType: UInt64, NumberedCase {
    case text = 1
    case integer = 2
    case real = 3

    public var name: String {
        switch self {
        case .text: "text"
        case .integer: "integer"
        case .real: "real"
        }
    }

    public var titleZh: String {
        switch self {
        case .text: "文本"
        case .integer: "整数"
        case .real: "实数"
        }
    }
}

public enum AttestationKind: UInt64, NumberedCase {
    case quality = 1
    case value = 2
    case compliance = 3
    case crossBorder = 4

    public var name: String {
        switch self {
        case .quality: "quality"
        case .value: "value"
        case .compliance: "compliance"
        case .crossBorder: "cross-border"
        }
    }

    public var titleZh: String {
        switch self {
        case .quality: "质量评估"
        case .value: "价值评估"
        case .compliance: "合规评估"
        case .crossBorder: "出境风险评估"
        }
    }
}
