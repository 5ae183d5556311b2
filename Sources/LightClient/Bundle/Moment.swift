import Encoding
import Ledger

/// When something is asked about: after the block of a height, or at a time. Wire: `[0, height]` or `[1, time]`.
public enum Moment: Equatable, Hashable, Sendable, CBORCodable {
    case height(UInt64)
    /// Milliseconds of Unix time.
    case time(UInt64)

    public func encode(into encoder: inout CBOREncoder) {
        encoder.array(2)
        switch self {
        case .height(let height):
            encoder.unsigned(0)
            encoder.unsigned(height)
        case .time(let timeMs):
            encoder.unsigned(1)
            encoder.unsigned(timeMs)
        }
    }

    public init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 2)
        switch try decoder.unsigned() {
        case 0: self = .height(try decoder.unsigned())
        case 1: self = .time(try decoder.unsigned())
        default: throw decoder.invalid("a moment is [0, height] or [1, time]")
        }
    }
}

/// A moment of the ledger: the newest block of then, and the time.
public struct ProvenMoment: Equatable, Sendable {
    /// Of the newest block.
    public let height: UInt64
    /// Milliseconds of Unix time: that which was asked for, otherwise the block's.
    public let timeMs: UInt64
}

extension Moment {
    /// Heights of the headers, among those given, that show which block was the newest one then: its own, and for a
    /// time the next one's, which is later.
    ///
    /// - Parameter headers: ascending by height.
    func heights(in headers: [Header]) -> [UInt64] {
        switch self {
        case .height(let height): return [height]
        case .time(let timeMs):
            let later = headers.firstIndex(laterThan: timeMs)
            guard later > 0 else { return [] }
            let height = headers[later - 1].height
            return height == .max ? [height] : [height, height + 1]
        }
    }

    /// - Parameter headers: ascending by height, the certified one last; each is proven to be of one chain, so their times
    ///   ascend.
    /// - Throws: when they do not show it.
    func proven(
        in headers: [Header], at place: EvidencePlace
    ) throws(EvidenceProblem) -> ProvenMoment {
        let missing = EvidenceProblem(place, .headerNotIncluded)
        guard let certified = headers.last else { throw missing }
        let ahead = EvidenceProblem(
            place, .momentAhead(height: certified.height, timeMs: certified.timeMs))
        switch self {
        case .height(let height):
            guard height <= certified.height else {
                throw ahead
            }
            guard let index = headers.index(ofHeight: height) else { throw missing }
            return ProvenMoment(height: height, timeMs: headers[index].timeMs)
        case .time(let timeMs):
            guard timeMs <= certified.timeMs else {
                throw ahead
            }
            let later = headers.firstIndex(laterThan: timeMs)
            guard later > 0 else {
                guard headers[0].height > 1 else {
                    throw EvidenceProblem(place, .beforeTheLedger(timeMs: timeMs))
                }
                throw missing
            }
            let height = headers[later - 1].height
            guard height == certified.height || headers[later].height == height + 1 else {
                throw missing
            }
            return ProvenMoment(height: height, timeMs: timeMs)
        }
    }
}

/// Ascending by height, and of one chain by time as well.
extension [Header] {
    func index(ofHeight height: UInt64) -> Int? {
        let index = partitioningIndex { $0.height >= height }
        return index < count && self[index].height == height ? index : nil
    }

    /// The number of headers that are not later.
    ///
    /// - Parameter timeMs: milliseconds of Unix time.
    fileprivate func firstIndex(laterThan timeMs: UInt64) -> Int {
        partitioningIndex { $0.timeMs > timeMs }
    }
}
