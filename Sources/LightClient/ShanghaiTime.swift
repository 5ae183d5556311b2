/// Times as people in the market read them: Asia/Shanghai, UTC+8 all year (no daylight saving since 1992).
public enum ShanghaiTime {
    private static let offsetMs: UInt64 = 28_800_000
    private static let dayMs: UInt64 = 86_400_000
    /// 31 December 9999, 23:59:59.999 in Shanghai, in Unix milliseconds.
    public static let max: UInt64 = 253_402_271_999_999

    /// `2026-03-01 09:30:00.000 +08:00`; beyond the year 9999 the bare number of milliseconds.
    public static func text(unixMs: UInt64) -> String {
        guard unixMs <= max else { return "\(unixMs) ms" }
        let local = unixMs + offsetMs
        let (year, month, day) = date(daysSince1970: local / dayMs)
        let ms = local % dayMs
        let clock = [ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60].map { padded($0, 2) }
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2)) "
            + clock.joined(separator: ":") + ".\(padded(ms % 1_000, 3)) +08:00"
    }

    /// `xsd:dateTime` of Unix milliseconds; nil beyond the year 9999.
    public static func dateTime(unixMs: UInt64) -> String? {
        guard unixMs <= max else { return nil }
        // "2026-03-01 09:30:00.000 +08:00" with the separators of ISO 8601: the zone makes it exact.
        let parts = text(unixMs: unixMs).split(separator: " ")
        return "\(parts[0])T\(parts[1])\(parts[2])"
    }

    /// Gregorian date by the 400-year cycle, counted from 1 March 0000 so that leap days come last.
    static func date(daysSince1970 days: UInt64) -> (UInt64, UInt64, UInt64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * fromMarch + 2) / 5 + 1
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func padded(_ number: UInt64, _ width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}
