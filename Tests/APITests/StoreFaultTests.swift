import Client
import Ledger
import LedgerCrypto
import Node
import Records
import Storage
import Synchronization
import Testing

@testable import API

/// A node whose store fails, or whose chain grows at every look.
private final class FaultyNode: LedgerNode {
    enum Fault {
        case none
        case damagedValues
        case failingState
        case failingArchive
        /// Each answer belongs to another height.
        case restless
    }

    static let error = StorageError.damaged(path: "ledger.db", reason: "test")

    private let real: HuijinNode
    private let fault: Fault
    /// Keys of each look-up.
    let asked = Mutex<[Int]>([])

    init(_ real: HuijinNode, _ fault: Fault) {
        self.real = real
        self.fault = fault
    }

    private static func later(_ header: Header, by count: Int) -> Header {
        Header(
            chain: header.chain, height: header.height + UInt64(count), epoch: header.epoch,
            parent: header.parent, timeMs: header.timeMs, logSize: header.logSize,
            logRoot: header.logRoot, stateRoot: header.stateRoot,
            resultsRoot: header.resultsRoot, entryCount: header.entryCount,
            validators: header.validators, nextValidators: header.nextValidators)
    }

    var genesis: Genesis { real.genesis }

    func submit(
        _ envelopes: [[UInt8]], wait: SubmissionWait, timeoutMs: UInt64
    ) async -> [SubmissionResult] {
        await real.submit(envelopes, wait: wait, timeoutMs: timeoutMs)
    }

    func certifiedState(_ keys: [Digest]) async throws -> CertifiedState {
        let count = asked.withLock {
            $0.append(keys.count)
            return $0.count
        }
        if fault == .failingState { throw FaultyNode.error }
        let state = try await real.certifiedState(keys)
        let header = fault == .restless ? Self.later(state.header, by: count) : state.header
        let items = state.items.map { item in
            CertifiedState.Item(
                value: fault == .damagedValues ? item.value.map { _ in [0xFF] } : item.value,
                proof: item.proof)
        }
        return CertifiedState(header: header, finalization: state.finalization, items: items)
    }

    func history<Value: Sendable>(
        _ body: @escaping @Sendable (ArchiveReader) throws -> Value
    ) async throws -> Value {
        if fault == .failingArchive { throw FaultyNode.error }
        return try await real.history(body)
    }

    func checkpoint(height: UInt64?) -> CosignedCheckpoint? { real.checkpoint(height: height) }

    func status() async -> LedgerStatus { await real.status() }
    func metrics() async -> String { await real.metrics() }
}

/// What cannot be read is never told as something that is not there.
@Suite(.timeLimit(.minutes(2))) struct StoreFaultTests {
    private static let zeros = String(repeating: "0", count: 64)

    private static func check(_ fault: FaultyNode.Fault, _ paths: [String]) async throws {
        let wrap: (HuijinNode) -> any LedgerNode = { FaultyNode($0, fault) }
        try await Market1.with(behind: wrap) { market in
            for path in paths {
                for accept in [Route.json, Route.cbor] {
                    let answer = try await market.ask(path, headers: [("Accept", accept)])
                    #expect(answer.status == 500, "\(path) \(accept)")
                    #expect(market.code(answer) == "storage", "\(path) \(accept)")
                }
            }
            #expect(try await market.ask("/v1/status").status == 200)
        }
    }

    @Test func damagedRecordsAreFailures() async throws {
        let wrap: (HuijinNode) -> any LedgerNode = { FaultyNode($0, .damagedValues) }
        try await Market1.with(behind: wrap) { market in
            let path = "/v1/records/member/\(Market1.id(.provider).text)"
            let answer = try await market.ask(path)
            #expect(answer.status == 500 && market.code(answer) == "storage")
            // Nothing is there, and nothing is damaged.
            #expect(try await market.ask("/v1/assets/\(Self.zeros)").status == 404)
        }
    }

    @Test func aFailingStateIsAFailure() async throws {
        try await Self.check(
            .failingState,
            ["/v1/assets/\(Self.zeros)", "/v1/records/member/\(Market1.id(.bank).text)"])
    }

    @Test func aFailingArchiveIsAFailure() async throws {
        try await Self.check(
            .failingArchive,
            [
                "/v1/transactions/\(Self.zeros)", "/v1/transactions/\(Self.zeros)/bundle",
                "/v1/headers/99999999", "/v1/assets?query=a",
            ])
    }

    /// As `NodeEvidence` notes an error of the archive that its bundle takes for an absence.
    @Test func aNotedFailureIsTheAnswer() async throws {
        try await Market1.with { market in
            let reads = LedgerReads(node: market.node, limits: APILimits())
            await #expect(throws: FaultyNode.error) {
                try await reads.answerFromArchive(nil) { scene, _ -> Int in
                    scene.records.note(FaultyNode.error)
                    throw APIError.notFound
                }
            }
        }
    }

    @Test func manyKeysAreFetchedInSlices() async throws {
        var limits = APILimits()
        limits.stateSliceKeysMax = 2
        try await Market1.with { [limits] market in
            let keys = Market1.Name.allCases.map {
                StateKey.member(Market1.id($0), market.genesis.suite)
            }
            let node = FaultyNode(market.node, .none)
            let members = try await LedgerReads(node: node, limits: limits).answer(
                nil, keys: keys
            ) { scene in
                keys.map { scene.records.record(MemberRecord.self, $0)?.id }
            }
            #expect(members == Market1.Name.allCases.map { Market1.id($0) })
            let asked = node.asked.withLock { $0 }
            // The chain grows meanwhile, so that some looks may be longer.
            #expect(asked.first == 2 && asked.allSatisfy { $0 <= 2 << limits.stateDoublingsMax })

            let restless = FaultyNode(market.node, .restless)
            await #expect(throws: APIError.busy) {
                try await LedgerReads(node: restless, limits: limits).answer(
                    nil, keys: keys + keys
                ) { _ in 0 }
            }
            #expect(restless.asked.withLock { $0.max() } == 2 << limits.stateDoublingsMax)
        }
    }

    @Test func whatIsMissingIsNotedOnceAndInOrder() async throws {
        try await Market1.with { market in
            let state = try await market.node.certifiedState([])
            let cache = StateCache(state, keys: [], suite: market.genesis.suite)
            let keys = Market1.Name.allCases.map {
                StateKey.member(Market1.id($0), market.genesis.suite)
            }
            for key in keys + keys.reversed() { #expect(cache.record(key) == nil) }
            #expect(cache.missing == keys && cache.failure == nil)
        }
    }
}
