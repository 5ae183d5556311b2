/// What became of a transaction. The number is what headers commit to; numbers are never reused.
///
/// 0 is accepted. 1…99 never enter a block: the node that was asked answers with them. From 100 on the refusal is
/// recorded, costs its sender quota, and can be proved like any other entry.
public enum OutcomeCode: UInt64, CaseIterable, Error, Sendable, Hashable {
    case accepted = 0

    case undecodable = 1
    case tooLarge = 2
    case wrongSuite = 3
    case wrongChain = 4
    case wrongContext = 5
    case unknownKey = 6
    case badSignature = 7
    case expired = 8
    case tooFarAhead = 9
    case replayed = 10
    case duplicate = 11
    case overQuota = 12
    case busy = 13
    case unknownKind = 14
    case unavailable = 15

    case malformedBody = 100
    case notPermitted = 101
    case memberUnknown = 102
    case memberSuspended = 103
    case keyPurpose = 104
    case mandateMissing = 105
    case alreadyExists = 106
    case wrongState = 107
    case valueNotAllowed = 108
    case badChecksum = 109
    case conflictOfInterest = 110
    case lastKey = 111
    case epochFull = 112
    case validatorCount = 113
    case tooEarly = 114
    case alreadyConvicted = 115
    case notEquivocation = 116
    case proofsFull = 117
    case lastGovernor = 118
    case roleInUse = 119

    case unknownAsset = 120
    case unknownOffer = 121
    case unknownAgreement = 122
    case unknownJob = 123
    case unknownKeyRecord = 124
    case unknownWithdrawal = 125
    case unknownPolicy = 126
    case unknownValidator = 127
    case unknownTransfer = 128

    case roleHistoryFull = 130

    case purposeNotPermitted = 140
    case scopeNotPermitted = 141
    case usesNotPermitted = 142
    case licenceEnded = 143
    case licenceExhausted = 144
    case jobOpen = 145
    case prohibited = 146
    case assetFrozen = 147
    case parentChanged = 148
    case derivationNotPermitted = 149
    case rightNotHeld = 150
    case transferExpired = 151

    case insufficientFunds = 160
    case amountOutOfRange = 161
    case bankFrozen = 162
    case bankUnknown = 163

    case rowLevelOutput = 180
    case groupTooSmall = 181
    case sqlRefused = 182
    case dominantContributor = 183
    case resourceLimit = 184
    case outputTooLarge = 185

    case timerFull = 200

    /// Whether a block may hold an entry with this code.
    public var isRecorded: Bool { self == .accepted || rawValue >= 100 }

    /// The code of that exact name, or nil.
    public init?(name: String) {
        for known in OutcomeCode.allCases where known.name == name {
            self = known
            return
        }
        return nil
    }

    /// Stable, in lower case with hyphens.
    public var name: String { texts.name }
    public var messageEn: String { texts.en }
    public var messageZh: String { texts.zh }
}

struct OutcomeTexts {
    let name: String
    let en: String
    let zh: String

    init(_ name: String, _ en: String, _ zh: String) {
        self.name = name
        self.en = en
        self.zh = zh
    }
}
