import Client
import Ledger
import LedgerCrypto
import Records

/// Who asks: a live key of an active member, from a verified state.
///
/// What was found is remembered for `rememberMs`, so that a buyer that waits for its job costs no proofs; a revoked key
/// therefore works that much longer.
actor Door {
    static let rememberMs: UInt64 = 5_000
    private static let rememberedMax = 1_024

    private let ledger: any LedgerView
    private let freshnessMs: UInt64
    private var known: [KeyID: (key: KeyRecord, member: MemberRecord, untilMs: UInt64)] = [:]

    init(_ ledger: any LedgerView, freshnessMs: UInt64) {
        self.ledger = ledger
        self.freshnessMs = freshnessMs
    }

    func caller(header: String?, method: String, path: String) async throws -> MemberRecord {
        guard let header else { throw SandboxError.needsToken }
        let nowMs = JobService.nowMs()
        do {
            let token = try RequestToken(
                header: header, chain: ledger.chain, suite: ledger.suite)
            let (key, member) = try await identity(token.keyID, nowMs)
            try token.check(method: method, path: path, nowMs: nowMs, key: key.publicKey)
            return member
        } catch let failure as RequestToken.Failure {
            throw Door.error(failure)
        }
    }

    private func identity(
        _ id: KeyID, _ nowMs: UInt64
    ) async throws -> (KeyRecord, MemberRecord) {
        if let found = known[id], nowMs < found.untilMs { return (found.key, found.member) }
        let seen = try await ledger.key(id)
        guard nowMs <= seen.timeMs + freshnessMs else {
            throw ClientError.stale(
                node: "ledger", height: seen.height, ageMs: nowMs - seen.timeMs)
        }
        guard let key = seen.record, key.isLive,
            let member = try await ledger.member(key.member).record, member.status == .active
        else { throw SandboxError(401, .unknownKey) }
        if known.count >= Door.rememberedMax { known.removeAll() }
        known[id] = (key, member, nowMs + Door.rememberMs)
        return (key, member)
    }

    private static func error(_ failure: RequestToken.Failure) -> SandboxError {
        switch failure {
        case .malformed: .tokenMalformed
        case .wrongSuite: SandboxError(401, .wrongSuite)
        case .wrongChain: SandboxError(401, .wrongChain)
        case .otherRequest: .tokenOther
        case .stale: .tokenStale
        case .badSignature: SandboxError(401, .badSignature)
        }
    }
}
