import Records

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
        let (year, month, day) = GregorianDate.date(daysSince1970: Int(local / dayMs))
        let ms = local % dayMs
        let clock = [ms / 3_600_000, ms / 60_000 % 60, ms / 1_000 % 60].map { padded($0, 2) }
        return "\(padded(UInt64(year), 4))-\(padded(UInt64(month), 2))-\(padded(UInt64(day), 2)) "
            + clock.joined(separator: ":") + ".\(padded(ms % 1_000, 3)) +08:00"
    }

    /// `xsd:dateTime` of Unix milliseconds; nil beyond the year 9999.
    public static func dateTime(unixMs: UInt64) -> String? {
        guard unixMs <= max else { return nil }
        // "2026-03-01 09:30:00.000 +08:00" with the separators of ISO 8601: the zone makes it exact.
        let parts = text(unixMs: unixMs).split(separator: " ")
        return "\(parts[0])T\(parts[1])\(parts[2])"
    }

    /// Unix milliseconds of a time of ISO 8601 with seconds and zone: `2026-03-01T09:30:00+08:00`, `2026-03-01T01:30:00.250Z`.
    ///
    /// - Returns: nil for anything else, a day that no month has, leap seconds, and times before 1970.
    public static func unixMs(dateTime text: String) -> UInt64? {
        var rest = Array(text.utf8)[...]
        guard let year = number(&rest, 4), take(&rest, "-"), let month = number(&rest, 2),
            take(&rest, "-"), let day = number(&rest, 2), take(&rest, "T"),
            let hour = number(&rest, 2), take(&rest, ":"), let minute = number(&rest, 2),
            take(&rest, ":"), let second = number(&rest, 2),
            hour < 24, minute < 60, second < 60,
            let days = GregorianDate.daysSince1970(
                year: Int(year), month: Int(month), day: Int(day))
        else { return nil }
        var ms: UInt64 = 0
        if take(&rest, ".") {
            var unit: UInt64 = 100
            while let digit = number(&rest, 1) {
                guard unit > 0 else { return nil }
                ms += digit * unit
                unit /= 10
            }
            guard unit < 100 else { return nil }
        }
        guard let zone = zoneMinutes(&rest), rest.isEmpty else { return nil }
        let minutes = Int64(days) * 1_440 + Int64(hour * 60 + minute) - zone
        guard minutes >= 0 else { return nil }
        return UInt64(minutes) * 60_000 + second * 1_000 + ms
    }

    /// East of Greenwich.
    private static func zoneMinutes(_ rest: inout ArraySlice<UInt8>) -> Int64? {
        if take(&rest, "Z") { return 0 }
        let isEast = take(&rest, "+")
        guard isEast || take(&rest, "-"), let hours = number(&rest, 2), take(&rest, ":"),
            let minutes = number(&rest, 2), hours < 24, minutes < 60
        else { return nil }
        let zone = Int64(hours * 60 + minutes)
        return isEast ? zone : -zone
    }

    private static func number(_ rest: inout ArraySlice<UInt8>, _ digits: Int) -> UInt64? {
        guard rest.count >= digits else { return nil }
        var number: UInt64 = 0
        for byte in rest.prefix(digits) {
            guard (0x30...0x39).contains(byte) else { return nil }
            number = number * 10 + UInt64(byte - 0x30)
        }
        rest = rest.dropFirst(digits)
        return number
    }

    private static func take(_ rest: inout ArraySlice<UInt8>, _ character: Unicode.Scalar) -> Bool {
        guard rest.first == UInt8(ascii: character) else { return false }
        rest = rest.dropFirst()
        return true
    }

    private static func padded(_ number: UInt64, _ width: Int) -> String {
        let digits = "\(number)"
        return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }
}
