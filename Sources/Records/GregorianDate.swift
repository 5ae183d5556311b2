/// The Gregorian calendar, also before it was used (ISO 8601), by its 400-year cycle: years begin on 1 March, so that leap days come last.
public enum GregorianDate {
    private static let cycleDays = 146_097
    /// From 1 March 0000 to 1 January 1970.
    private static let epochDays = 719_468

    /// - Parameter days: of 1 March 0000 or later.
    public static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + epochDays
        let era = shifted / cycleDays
        let dayOfEra = shifted % cycleDays
        let yearOfEra =
            (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let fromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * fromMarch + 2) / 5 + 1
        let month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    /// - Returns: nil for a day that no month has, and for years but 1 to 9999.
    public static func daysSince1970(year: Int, month: Int, day: Int) -> Int? {
        guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else {
            return nil
        }
        let shiftedYear = month <= 2 ? year - 1 : year
        let leapDays = shiftedYear / 4 - shiftedYear / 100 + shiftedYear / 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let days = shiftedYear * 365 + leapDays + dayOfYear - epochDays
        return date(daysSince1970: days) == (year, month, day) ? days : nil
    }
}
