import Records

/// A day in the market's calendar: Asia/Shanghai, which is UTC+8 the whole year.
///
/// China has kept no summer time since 1992, so days before that are outside its range.
public struct MarketDay: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Days since 1970-01-01 of the local calendar.
    public let number: Int32

    public static let offsetMs: UInt64 = 8 * 3_600_000
    public static let dayMs: UInt64 = 86_400_000
    /// 1992-01-01 and 9999-12-31.
    public static let numberRange: ClosedRange<Int32> = 8_035...2_932_896

    public init?(number: Int32) {
        guard Self.numberRange.contains(number) else { return nil }
        self.number = number
    }

    /// The day that holds a moment, in milliseconds of Unix time. `nil` outside 1992…9999.
    public init?(timeMs: UInt64) {
        let (shifted, overflow) = timeMs.addingReportingOverflow(Self.offsetMs)
        guard !overflow, let number = Int32(exactly: shifted / Self.dayMs) else { return nil }
        self.init(number: number)
    }

    /// `nil` for a date that the Gregorian calendar does not have.
    public init?(year: Int, month: Int, day: Int) {
        guard let days = GregorianDate.daysSince1970(year: year, month: month, day: day) else {
            return nil
        }
        self.init(number: Int32(days))
    }

    /// `YYYY-MM-DD` exactly (GB/T 7408).
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 10, bytes[4] == 0x2D, bytes[7] == 0x2D else { return nil }
        var fields = [0, 0, 0]
        for (index, byte) in bytes.enumerated() where index != 4 && index != 7 {
            guard (0x30...0x39).contains(byte) else { return nil }
            let field = index < 4 ? 0 : index < 7 ? 1 : 2
            fields[field] = fields[field] * 10 + Int(byte) - 0x30
        }
        self.init(year: fields[0], month: fields[1], day: fields[2])
    }

    /// The first millisecond of the day, in Unix time.
    public var startMs: UInt64 { UInt64(number) * Self.dayMs - Self.offsetMs }

    /// The first millisecond after the day: what "valid through this day" means as a deadline.
    public var endMs: UInt64 { startMs + Self.dayMs }

    /// 1 Monday … 7 Sunday (GB/T 7408).
    public var weekday: Int { Int((number + 3) % 7) + 1 }

    public func adding(days: Int32) -> MarketDay? {
        let (sum, overflow) = number.addingReportingOverflow(days)
        return overflow ? nil : MarketDay(number: sum)
    }

    public var date: (year: Int, month: Int, day: Int) {
        GregorianDate.date(daysSince1970: Int(number))
    }

    public var description: String {
        let (year, month, day) = date
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(year)-\(padded(month))-\(padded(day))"
    }

    public static func < (left: MarketDay, right: MarketDay) -> Bool { left.number < right.number }
}
