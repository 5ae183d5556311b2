import Client
import Ledger
import LedgerCrypto
import Market
import Records

/// A record as a verified state has it, with that state's header time.
public struct Seen<Record: Sendable>: Sendable {
    /// Nil: proven to be absent.
    public let record: Record?
    public let height: UInt64
    /// Unix milliseconds.
    public let timeMs: UInt64

    public init(_ record: Record?, height: UInt64, timeMs: UInt64) {
        self.record = record
        self.height = height
        self.timeMs = timeMs
    }
}

/// The ledger as the sandbox sees it: records that are proven from the genesis, and a way to submit.
public protocol LedgerView: Sendable {
    var suite: Suite { get }
    var chain: ChainID { get }
    /// The sandbox's operator.
    var operatorID: MemberID { get }

    func member(_ id: MemberID) async throws(ClientError) -> Seen<MemberRecord>
    func key(_ id: KeyID) async throws(ClientError) -> Seen<KeyRecord>
    func policy(_ name: String) async throws(ClientError) -> Seen<PolicyRecord>
    func asset(_ id: Digest) async throws(ClientError) -> Seen<AssetRecord>
    func agreement(_ id: Digest) async throws(ClientError) -> Seen<AgreementRecord>
    func job(_ id: Digest) async throws(ClientError) -> Seen<JobRecord>

    /// An envelope that may be posted again and again: it is one transaction.
    func sign(_ body: some TransactionBody) throws(ClientError) -> [UInt8]
    /// What one node says of it once it is final; believed only for deciding what to try next.
    func post(_ envelope: [UInt8]) async throws(ClientError) -> SubmissionAnswer
}

/// Through nodes that are not trusted.
public struct ClientLedger: LedgerView {
    /// Whoever asks now: what is trusted may change from one question to the next.
    private let current: @Sendable () throws(ClientError) -> HuijinClient
    public let operatorID: MemberID
    public let suite: Suite
    public let chain: ChainID

    /// - Parameter following: asks in the client's place with what a trust file holds then.
    /// - Throws: `noIdentity`.
    public init(
        _ client: HuijinClient, following: TrustingClient? = nil
    ) throws(ClientError) {
        guard let identity = client.identity else { throw .noIdentity }
        current = { () throws(ClientError) in try following?.current() ?? client }
        operatorID = identity.member
        suite = client.suite
        chain = client.chain
    }

    private func seen<Record>(_ proven: Proven<Record>) -> Seen<Record> {
        Seen(proven.value, height: proven.height, timeMs: proven.timeMs)
    }

    public func member(_ id: MemberID) async throws(ClientError) -> Seen<MemberRecord> {
        seen(try await current().member(id))
    }

    public func key(_ id: KeyID) async throws(ClientError) -> Seen<KeyRecord> {
        seen(try await current().key(id))
    }

    public func policy(_ name: String) async throws(ClientError) -> Seen<PolicyRecord> {
        seen(try await current().policy(name))
    }

    public func asset(_ id: Digest) async throws(ClientError) -> Seen<AssetRecord> {
        seen(try await current().asset(id))
    }

    public func agreement(_ id: Digest) async throws(ClientError) -> Seen<AgreementRecord> {
        seen(try await current().agreement(id))
    }

    public func job(_ id: Digest) async throws(ClientError) -> Seen<JobRecord> {
        seen(try await current().job(id))
    }

    public func sign(_ body: some TransactionBody) throws(ClientError) -> [UInt8] {
        let client = try current()
        return try client.sign(body, atHeight: client.provenHeight).bytes
    }

    public func post(_ envelope: [UInt8]) async throws(ClientError) -> SubmissionAnswer {
        try await current().post([envelope])[0]
    }
}
