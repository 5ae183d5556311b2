import LedgerCrypto
import Records

// Deadlines in three levels (days, hours, deadlines), each record bounded, so that adding one rewrites little
// and the first one due is found in three reads.
extension StateView {
    private var indexKey: Digest { TimerIndexRecord(days: []).stateKey(suite) }
    private static var hoursPerDay: UInt64 { 24 }

    /// - Throws: `timerFull` when that hour, or the number of days, is at its limit. A deadline that is there
    ///   already is left as it is.
    public mutating func addDeadline(_ deadline: Deadline) throws(OutcomeCode) {
        var hour = timerHour(deadline.hour)
        let place = hour.timers.insertionIndex(of: deadline)
        if place < hour.timers.count, hour.timers[place] == deadline { return }
        guard hour.timers.count < RecordLimits.timersPerHourMax else { throw .timerFull }
        if hour.timers.isEmpty { try addHour(deadline.hour) }
        hour.timers.insert(deadline, at: place)
        put(hour)
    }

    /// Does nothing when there is no such deadline.
    public mutating func removeDeadline(_ deadline: Deadline) {
        var hour = timerHour(deadline.hour)
        let place = hour.timers.insertionIndex(of: deadline)
        guard place < hour.timers.count, hour.timers[place] == deadline else { return }
        hour.timers.remove(at: place)
        if hour.timers.isEmpty {
            remove(hour.stateKey(suite))
            removeHour(deadline.hour)
        } else {
            put(hour)
        }
    }

    /// The first deadline, in the order of `Deadline`, that is not later than `timeMs`.
    public mutating func firstDeadline(dueBy timeMs: UInt64) -> Deadline? {
        guard let index: TimerIndexRecord = record(at: indexKey), let day = index.days.first,
            let hours: TimerDayRecord = record(at: dayKey(day))
        else { return nil }
        let hour = day * Self.hoursPerDay + UInt64(hours.hours.trailingZeroBitCount)
        guard let first = timerHour(hour).timers.first, first.deadlineMs <= timeMs else {
            return nil
        }
        return first
    }

    private func dayKey(_ day: UInt64) -> Digest {
        TimerDayRecord(day: day, hours: 0).stateKey(suite)
    }

    private mutating func timerHour(_ hour: UInt64) -> TimerHourRecord {
        let empty = TimerHourRecord(hour: hour, timers: [])
        return record(at: empty.stateKey(suite)) ?? empty
    }

    private mutating func addHour(_ hour: UInt64) throws(OutcomeCode) {
        let number = hour / Self.hoursPerDay
        var day: TimerDayRecord =
            record(at: dayKey(number)) ?? TimerDayRecord(day: number, hours: 0)
        if day.hours == 0 {
            var index: TimerIndexRecord = record(at: indexKey) ?? TimerIndexRecord(days: [])
            guard index.days.count < RecordLimits.timerDaysMax else { throw .timerFull }
            index.days.insert(number, at: index.days.insertionIndex(of: number))
            put(index)
        }
        day.hours |= 1 << (hour % Self.hoursPerDay)
        put(day)
    }

    private mutating func removeHour(_ hour: UInt64) {
        let number = hour / Self.hoursPerDay
        guard var day: TimerDayRecord = record(at: dayKey(number)),
            var index: TimerIndexRecord = record(at: indexKey)
        else {
            preconditionFailure("an hour with deadlines stands in its day, the day in the index")
        }
        day.hours &= ~(1 << (hour % Self.hoursPerDay))
        if day.hours != 0 {
            put(day)
            return
        }
        remove(dayKey(number))
        let place = index.days.insertionIndex(of: number)
        precondition(place < index.days.count && index.days[place] == number)
        index.days.remove(at: place)
        if index.days.isEmpty { remove(indexKey) } else { put(index) }
    }
}

extension Array where Element: Comparable {
    /// Where the element stands, or would stand, in this ascending array.
    fileprivate func insertionIndex(of element: Element) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = low + (high - low) / 2
            if self[middle] < element { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
