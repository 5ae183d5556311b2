import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Records
import Storage

/// A request's identity claim, checked for its own method, path and time; the key is still to be looked up.
struct Claim: Sendable {
    let token: RequestToken
    let method: String
    let path: String
    let nowMs: UInt64
}

/// Answers from the finalized state, with the caller's identity from the same state.
struct LedgerReads: Sendable {
    let node: any LedgerNode
    let limits: APILimits

    var genesis: Genesis { node.genesis }
    var suite: Suite { node.genesis.suite }
    /// Computed once: it is the digest of the whole genesis.
    let chain: ChainID

    init(node: any LedgerNode, limits: APILimits) {
        self.node = node
        self.limits = limits
        chain = node.genesis.chain
    }

    /// What an answer is worked out from.
    struct Scene {
        let records: StateCache
        let policy: AccessPolicy
        var caller: Caller? { policy.caller }
        var suite: Suite { records.suite }
    }

    static func nowMs() -> UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1_000)) }

    /// - Parameter keys: what the answer needs for sure; more is fetched as it is asked for.
    func answer<Value: Sendable>(
        _ claim: Claim?, keys: [Digest] = [],
        _ body: @escaping @Sendable (Scene) throws -> Value
    ) async throws -> Value {
        try await rounds(claim, keys: keys) { state, keys in
            work(claim, state, keys) { try body($0) }
        }
    }

    /// Like `answer`, on a thread that may read the store.
    func answerFromArchive<Value: Sendable>(
        _ claim: Claim?, keys: [Digest] = [],
        _ body: @escaping @Sendable (Scene, ArchiveReader) throws -> Value
    ) async throws -> Value {
        try await rounds(claim, keys: keys) { state, keys in
            try await history { reader in
                work(claim, state, keys) { try body($0, reader) }
            }
        }
    }

    /// `LedgerNode.history` with the API's errors. An error of the store goes on as it is: the server logs it and
    /// answers 500.
    func history<Value: Sendable>(
        _ body: @escaping @Sendable (ArchiveReader) throws -> Value
    ) async throws -> Value {
        do {
            return try await node.history(body)
        } catch let error as NodeUnavailable {
            throw APIError(error)
        }
    }

    /// One state's values and proofs, asked for in slices, so that consensus never waits for many of them.
    private func state(_ keys: [Digest]) async throws -> CertifiedState {
        do {
            for round in 0..<limits.stateTriesMax * (limits.stateDoublingsMax + 1) {
                let slice = limits.stateSliceKeysMax << (round / limits.stateTriesMax)
                if let state = try await slices(keys, of: slice) { return state }
            }
        } catch let error as NodeUnavailable {
            throw APIError(error)
        }
        throw APIError.busy
    }

    /// Nil when a block became final in between.
    private func slices(_ keys: [Digest], of slice: Int) async throws -> CertifiedState? {
        let first = try await node.certifiedState(Array(keys.prefix(slice)))
        var items = first.items
        while items.count < keys.count {
            let next = try await node.certifiedState(
                Array(keys[items.count...].prefix(slice)))
            guard next.header == first.header else { return nil }
            items += next.items
        }
        return CertifiedState(
            header: first.header, finalization: first.finalization, items: items)
    }

    private struct Round<Value: Sendable>: Sendable {
        let result: Result<Value, any Error>
        let missing: [Digest]
    }

    private func rounds<Value: Sendable>(
        _ claim: Claim?, keys: [Digest],
        _ work: (CertifiedState, [Digest]) async throws -> Round<Value>
    ) async throws -> Value {
        var keys = keys
        if let claim { keys.append(StateKey.key(claim.token.keyID, suite)) }
        for _ in 0..<limits.stateRoundsMax {
            guard keys.count <= limits.stateKeysMax else { throw APIError.tooManyEvents }
            let round = try await work(try await state(keys), keys)
            if round.missing.isEmpty { return try round.result.get() }
            keys += round.missing
        }
        // Each round found more in a newer state.
        throw APIError.busy
    }

    private func work<Value: Sendable>(
        _ claim: Claim?, _ state: CertifiedState, _ keys: [Digest],
        _ body: (Scene) throws -> Value
    ) -> Round<Value> {
        let records = StateCache(state, keys: keys, suite: suite)
        let result = Result {
            let caller = try claim.flatMap { try identify($0, records) }
            if claim != nil, caller == nil { throw APIError.tokenUnknownKey }
            return try body(
                Scene(
                    records: records,
                    policy: AccessPolicy(caller: caller, suite: suite, records: records)))
        }
        return Round(
            result: records.failure.map { .failure($0) } ?? result, missing: records.missing)
    }

    /// Nil for a key that is not enrolled, is revoked, or whose member is suspended.
    private func identify(_ claim: Claim, _ records: StateCache) throws(APIError) -> Caller? {
        let place = StateKey.key(claim.token.keyID, suite)
        guard let key = records.record(KeyRecord.self, place), key.isLive,
            let member = records.record(MemberRecord.self, StateKey.member(key.member, suite)),
            member.status == .active
        else { return nil }
        do throws(RequestToken.Failure) {
            try claim.token.check(
                method: claim.method, path: claim.path, nowMs: claim.nowMs, key: key.publicKey)
        } catch {
            throw APIError(error)
        }
        return Caller(member: member, key: key)
    }
}

extension APIError {
    init(_ failure: RequestToken.Failure) {
        switch failure {
        case .malformed: self = .tokenMalformed
        case .wrongSuite: self.init(401, .wrongSuite)
        case .wrongChain: self = .tokenOtherLedger
        case .otherRequest: self = .tokenOther
        case .stale: self = .tokenStale
        case .badSignature: self = .tokenBadSignature
        }
    }

    init(_ error: NodeUnavailable) {
        switch error {
        case .busy: self = .busy
        case .stopping: self = .stopping
        }
    }
}
