/// Sizes that records and the bodies that make them never exceed; bytes of UTF-8 for texts.
public enum RecordLimits {
    public static let nameBytesMax = 128
    public static let codeBytesMax = 64
    public static let titleBytesMax = 256
    public static let urlBytesMax = 512
    public static let noteBytesMax = 256
    public static let keywordsMax = 64
    public static let columnsMax = 256
    /// Periods that a member's record keeps of roles granted or withdrawn after its enrolment.
    public static let rolePeriodsMax = 256
    /// Assets that one asset is derived from.
    public static let parentsMax = 16
    public static let purposesMax = 32
    public static let policyEntriesMax = 128
    public static let policyTextBytesMax = 1_024
    /// Deadlines reach at most this many distinct days ahead: about eleven years.
    public static let timerDaysMax = 4_096
    public static let timersPerHourMax = 2_048
    /// Fen; far below `UInt64.max`, so that sums of all accounts cannot overflow.
    public static let amountFenMax: UInt64 = 1_000_000_000_000_000
}
