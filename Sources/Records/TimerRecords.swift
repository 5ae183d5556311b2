import Encoding
import Ledger
import LedgerCrypto

/// A deadline. Wire: `[deadline, kind, subject]`; ordered by deadline, then subject, then kind.
public struct Deadline: Hashable, Comparable, Sendable, CBORCodable {
    /// Unix time.
    public let deadlineMs: UInt64
    public let kind: AutomaticKind
    public let subject: Digest

    public init(deadlineMs: UInt64, kind: AutomaticKind, subject: Digest) {
        self.deadlineMs = deadlineMs
        self.kind = kind
        self.subject = subject
    }

    /// Whole hours of Unix time.
    public var hour: UInt64 { deadlineMs / 3_600_000 }

    public static func < (left: Deadline, right: Deadline) -> Bool {
        if left.deadlineMs != right.deadlineMs { return left.deadlineMs < right.deadlineMs }
        if left.subject != right.subject { return left.subject < right.subject }
        return left.kind < right.kind
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(3)
        encoder.unsigned(deadlineMs)
        encoder.value(kind)
        encoder.value(subject)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 3)
        deadlineMs = try decoder.unsigned()
        kind = try decoder.value()
        subject = try decoder.value()
    }
}

/// The days (whole days of Unix time) on which a deadline waits. There is one such record.
public struct TimerIndexRecord: Hashable, Sendable {
    /// Ascending.
    public var days: [UInt64]

    public init(
        days: [UInt64]
    ) {
        self.days = days
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(1)
        encoder.field(1, list: days)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        days = try fields.sortedList(1, max: RecordLimits.timerDaysMax, &decoder)
        try fields.finish(&decoder)
    }
}

/// The hours of a day in which a deadline waits.
public struct TimerDayRecord: Hashable, Sendable {
    /// Whole days of Unix time.
    public var day: UInt64
    /// Bit h is set when hour h of the day has a `TimerHourRecord`.
    public var hours: UInt64

    public init(
        day: UInt64, hours: UInt64
    ) {
        self.day = day
        self.hours = hours
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(2)
        encoder.field(1, day)
        encoder.field(2, hours)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        day = try fields.number(1, &decoder)
        hours = try fields.number(2, &decoder)
        try fields.finish(&decoder)
    }
}

/// The deadlines of one hour.
public struct TimerHourRecord: Hashable, Sendable {
    /// Whole hours of Unix time.
    public var hour: UInt64
    /// Ascending.
    public var timers: [Deadline]

    public init(
        hour: UInt64, timers: [Deadline]
    ) {
        self.hour = hour
        self.timers = timers
    }

    public func encode(into encoder: inout CBOREncoder) {
        encoder.map(2)
        encoder.field(1, hour)
        encoder.field(2, list: timers)
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        var fields = try FieldReader(&decoder)
        hour = try fields.number(1, &decoder)
        timers = try fields.sortedList(2, max: RecordLimits.timersPerHourMax, &decoder)
        try fields.finish(&decoder)
    }
}
