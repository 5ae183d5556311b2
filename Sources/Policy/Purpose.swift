/// What data may be used for: a closed list, because "purpose" binds only where both sides mean the same thing.
///
/// The raw value is the code on the ledger. Codes are never reused; a new purpose is a new case.
public enum Purpose: String, CaseIterable, Sendable, Hashable {
    case research = "research"
    case education = "education"
    case officialStatistics = "official-statistics"
    case publicService = "public-service"
    case emergencyResponse = "emergency-response"
    case publicHealth = "public-health"
    case clinicalCare = "clinical-care"
    case drugDevelopment = "drug-development"
    case environmentalProtection = "environmental-protection"
    case weatherService = "weather-service"
    case agriculture = "agriculture"
    case trafficPlanning = "traffic-planning"
    case transportOperation = "transport-operation"
    case urbanPlanning = "urban-planning"
    case energyManagement = "energy-management"
    case industrialOptimisation = "industrial-optimisation"
    case supplyChain = "supply-chain"
    case creditRisk = "credit-risk"
    case antiFraud = "anti-fraud"
    case antiMoneyLaundering = "anti-money-laundering"
    case insurancePricing = "insurance-pricing"
    case investmentAnalysis = "investment-analysis"
    case marketing = "marketing"
    case productImprovement = "product-improvement"
    case productDevelopment = "product-development"
    case modelTraining = "model-training"
    case audit = "audit"
    case regulation = "regulation"

    public var code: String { rawValue }

    public init?(code: String) { self.init(rawValue: code) }

    public var nameZh: String { names.zh }
    public var nameEn: String { names.en }

    private var names: (zh: String, en: String) {
        switch self {
        case .research: ("科学研究", "scientific research")
        case .education: ("教育教学", "education")
        case .officialStatistics: ("政府统计", "official statistics")
        case .publicService: ("公共服务", "public service")
        case .emergencyResponse: ("应急管理", "emergency response")
        case .publicHealth: ("公共卫生", "public health")
        case .clinicalCare: ("临床诊疗", "clinical care")
        case .drugDevelopment: ("药物研发", "drug development")
        case .environmentalProtection: ("环境保护", "environmental protection")
        case .weatherService: ("气象服务", "weather service")
        case .agriculture: ("农业生产", "agriculture")
        case .trafficPlanning: ("交通规划", "traffic planning")
        case .transportOperation: ("运输运营", "transport operation")
        case .urbanPlanning: ("城市规划", "urban planning")
        case .energyManagement: ("能源管理", "energy management")
        case .industrialOptimisation: ("工业优化", "industrial optimisation")
        case .supplyChain: ("供应链管理", "supply chain management")
        case .creditRisk: ("信贷风控", "credit risk control")
        case .antiFraud: ("反欺诈", "fraud prevention")
        case .antiMoneyLaundering: ("反洗钱", "anti-money-laundering")
        case .insurancePricing: ("保险定价", "insurance pricing")
        case .investmentAnalysis: ("投资分析", "investment analysis")
        case .marketing: ("市场营销", "marketing")
        case .productImprovement: ("产品改进", "product improvement")
        case .productDevelopment: ("数据产品开发", "development of a data product")
        case .modelTraining: ("模型训练", "model training")
        case .audit: ("审计", "audit")
        case .regulation: ("监督管理", "supervision and regulation")
        }
    }
}

/// A set of purposes as it stands on the ledger: known codes, ascending, each once, at least one.
public enum PurposeList {
    public static let countMax = Purpose.allCases.count

    public static func isCanonical(_ codes: [String]) -> Bool {
        guard !codes.isEmpty, codes.count <= countMax,
            codes.allSatisfy({ Purpose(code: $0) != nil })
        else { return false }
        return Scope.isAscending(codes)
    }
}
