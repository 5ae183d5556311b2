import Policy
import Testing

@Suite struct MarketDayTests {
    /// Figures from `date -d @… ` with TZ=Asia/Shanghai.
    @Test func knownMoments() throws {
        let eve = try #require(MarketDay(timeMs: 1_767_196_799_999))
        #expect("\(eve)" == "2025-12-31" && eve.weekday == 3)
        let newYear = try #require(MarketDay(timeMs: 1_767_196_800_000))
        #expect("\(newYear)" == "2026-01-01" && newYear.weekday == 4)
        #expect(newYear.startMs == 1_767_196_800_000)
        #expect(eve.endMs == newYear.startMs)
        #expect(MarketDay("2000-02-29")?.startMs == 951_753_600_000)
    }

    /// Every day from 1992 to 2400, walked by a plain calendar.
    @Test func everyDayOfFourCenturies() throws {
        var day = try #require(MarketDay("1992-01-01"))
        #expect(day.number == MarketDay.numberRange.lowerBound && day.weekday == 3)
        var (year, month, date, weekday) = (1992, 1, 1, 3)
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        while year < 2401 {
            let found = day.date
            guard found == (year, month, date), day.weekday == weekday,
                MarketDay(year: year, month: month, day: date) == day,
                MarketDay("\(day)") == day, MarketDay(timeMs: day.startMs) == day,
                MarketDay(timeMs: day.endMs - 1) == day
            else {
                Issue.record("\(year)-\(month)-\(date) came out as \(day)")
                return
            }
            let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0
            let length = lengths[month - 1] + (month == 2 && leap ? 1 : 0)
            date += 1
            if date > length { (month, date) = (month + 1, 1) }
            if month > 12 { (year, month) = (year + 1, 1) }
            weekday = weekday % 7 + 1
            day = try #require(day.adding(days: 1))
        }
    }

    @Test func onlyRealDatesAreDays() {
        for text in [
            "2026-02-29", "1900-02-29", "2026-13-01", "2026-00-10", "2026-04-31", "1991-12-31",
            "2026-1-01", "2026/01/01", "2026-01-0x", "", "02026-01-01",
        ] { #expect(MarketDay(text) == nil, "\(text)") }
        #expect(MarketDay("9999-12-31")?.adding(days: 1) == nil)
        #expect(MarketDay("9999-12-31")?.number == MarketDay.numberRange.upperBound)
        #expect(MarketDay(timeMs: .max) == nil)
        #expect(MarketDay(timeMs: 0) == nil)
    }
}
