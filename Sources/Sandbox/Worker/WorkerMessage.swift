import Encoding
import LedgerCrypto
import Policy
import Records

/// What the worker is asked over its standard input; one deterministic CBOR item.
package enum WorkerRequest: Equatable, Sendable, CBORCodable {
    /// Show that nothing can be reached: the parent's port, files and process.
    case selfTest(port: UInt16, files: [String], process: Int64)
    case run(WorkerJob)

    package static let limits = CBORLimits(
        bytesMax: 16_777_216, depthMax: 6, itemsMax: 65_536, stringBytesMax: 4_194_304)

    package func encode(into encoder: inout CBOREncoder) {
        switch self {
        case .selfTest(let port, let files, let process):
            encoder.array(4)
            encoder.unsigned(0)
            encoder.unsigned(UInt64(port))
            encoder.list(files)
            encoder.integer(process)
        case .run(let job):
            encoder.array(2)
            encoder.unsigned(1)
            encoder.value(job)
        }
    }

    package init(from decoder: inout CBORDecoder) throws(CBORError) {
        let count = try decoder.array(max: 4)
        switch (try decoder.unsigned(), count) {
        case (0, 4):
            let port = try decoder.uint16()
            let files: [String] = try decoder.list(max: 64)
            self = .selfTest(port: port, files: files, process: try decoder.integer())
        case (1, 2): self = .run(try decoder.value())
        default: throw decoder.invalid("a worker's request is a self-test (0) or a job (1)")
        }
    }
}

/// One query with everything that bounds it.
package struct WorkerJob: Equatable, Sendable, CBORCodable {
    var tablePath: String
    var query: GatedQuery
    var groupMinimum: UInt64
    var dominancePercent: UInt64
    var limits: WorkerLimits

    package init(
        tablePath: String, query: GatedQuery, rules: DisclosureRules, limits: WorkerLimits
    ) {
        self.tablePath = tablePath
        self.query = query
        groupMinimum = rules.groupMinimum
        dominancePercent = rules.dominancePercent
        self.limits = limits
    }

    package func encode(into encoder: inout CBOREncoder) {
        encoder.array(13)
        encoder.text(tablePath)
        encoder.list(query.headings)
        encoder.list(query.columns)
        encoder.list(query.columnsRead)
        encoder.text(query.sql)
        encoder.text(query.groupSQL)
        encoder.list(query.contributionSQL)
        encoder.unsigned(groupMinimum)
        encoder.unsigned(dominancePercent)
        encoder.unsigned(UInt64(limits.stepsMax))
        encoder.unsigned(UInt64(limits.wallMsMax))
        encoder.unsigned(UInt64(limits.memoryBytesMax))
        encoder.unsigned(UInt64(limits.outputBytesMax))
    }

    package init(from decoder: inout CBORDecoder) throws(CBORError) {
        try decoder.array(exactly: 13)
        tablePath = try decoder.text()
        query = GatedQuery(
            headings: try decoder.list(max: 1_024), columns: try decoder.list(max: 1_024),
            columnsRead: try decoder.list(max: 1_024), sql: try decoder.text(),
            groupSQL: try decoder.text(), contributionSQL: try decoder.list(max: 1_024))
        groupMinimum = try decoder.unsigned()
        dominancePercent = try decoder.unsigned()
        limits = WorkerLimits()
        limits.stepsMax = try decoder.limit()
        limits.wallMsMax = try decoder.limit()
        limits.memoryBytesMax = try decoder.limit()
        limits.outputBytesMax = try decoder.limit()
    }
}

extension CBORDecoder {
    /// One of `WorkerLimits`, with room to reckon with it.
    fileprivate mutating func limit() throws(CBORError) -> Int {
        let number = try unsigned()
        guard number < 1 << 48 else { throw invalid("a limit fits 48 bits") }
        return Int(number)
    }
}

/// Bounds on one job.
public struct WorkerLimits: Equatable, Sendable {
    /// SQLite virtual machine operations of all its statements together.
    public var stepsMax = 200_000_000
    /// From start to answer, milliseconds; the processor time is bounded by the same.
    public var wallMsMax = 20_000
    /// SQLite's heap; the process may have 64 MiB more.
    public var memoryBytesMax = 268_435_456
    /// Of the encoded output.
    public var outputBytesMax = 262_144

    public init() {}
}

/// What the worker answers; one deterministic CBOR item.
package enum WorkerAnswer: Equatable, Sendable, CBORCodable {
    /// What could be reached and should not; empty when isolated.
    case selfTest(reached: [String])
    case output(JobOutput)
    case refused(OutcomeCode, english: String, chinese: String)

    /// Room for the answer around an output.
    static let overheadBytes = 4_096

    package static func limits(outputBytesMax: Int) -> CBORLimits {
        CBORLimits(
            bytesMax: outputBytesMax + overheadBytes, depthMax: 4, itemsMax: 64,
            stringBytesMax: outputBytesMax)
    }

    package func encode(into encoder: inout CBOREncoder) {
        switch self {
        case .selfTest(let reached):
            encoder.array(2)
            encoder.unsigned(0)
            encoder.list(reached)
        case .output(let output):
            encoder.array(5)
            encoder.unsigned(1)
            encoder.bytes(output.bytes)
            encoder.unsigned(output.groups)
            encoder.unsigned(output.rowsRead)
            encoder.unsigned(output.operations)
        case .refused(let code, let english, let chinese):
            encoder.array(4)
            encoder.unsigned(2)
            encoder.unsigned(code.rawValue)
            encoder.text(english)
            encoder.text(chinese)
        }
    }

    package init(from decoder: inout CBORDecoder) throws(CBORError) {
        let count = try decoder.array(max: 5)
        switch (try decoder.unsigned(), count) {
        case (0, 2): self = .selfTest(reached: try decoder.list(max: 1_024))
        case (1, 5):
            self = .output(
                JobOutput(
                    bytes: try decoder.bytes(), groups: try decoder.unsigned(),
                    rowsRead: try decoder.unsigned(), operations: try decoder.unsigned()))
        case (2, 4):
            guard let code = OutcomeCode(rawValue: try decoder.unsigned()) else {
                throw decoder.invalid("an outcome code")
            }
            self = .refused(
                code, english: try decoder.text(max: 1_024), chinese: try decoder.text(max: 1_024))
        default: throw decoder.invalid("a worker's answer is 0, 1 or 2")
        }
    }
}

/// An output as it is committed to: deterministic CBOR `[[heading…], [[value…]…]]`, a value being null, an integer or a
/// text; reals are texts of their shortest decimal form.
public struct JobOutput: Equatable, Sendable {
    public let bytes: [UInt8]
    /// Rows of the output.
    public let groups: UInt64
    /// Rows of the table that the output is made of.
    public let rowsRead: UInt64
    public let operations: UInt64
}
