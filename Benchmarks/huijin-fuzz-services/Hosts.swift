import API
import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Market
import Node
import Policy
import Records
import Sandbox
import Transport

/// A service's port, once it serves.
private func serve(
    _ run:
        @escaping @Sendable (_ onReady: @escaping @Sendable (Int) async -> Void) async throws ->
        Void
) throws -> Int {
    try waiting {
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        // It serves until the process ends.
        Task {
            try await run { found.yield($0) }
            found.finish()
        }
        for await port in ports { return port }
        throw CancellationError()
    }
}

/// A validator by itself, with its API.
enum NodeHost {
    static func start(_ setting: Setting) throws -> Int {
        let folder = try setting.scratch.folder("node")
        let configuration = NodeConfiguration(
            genesis: setting.genesis, dataDirectory: folder + "/data", bindingFolder: folder,
            seat: 0, votingKey: setting.votingKey, transport: setting.transport.identity,
            listen: HostPort(host: "127.0.0.1", port: 0),
            api: HostPort(host: "127.0.0.1", port: 0), peers: [])
        let node = try waiting {
            try await HuijinNode.start(configuration, logger: Setting.silent)
        }
        return try serve { onReady in
            try await APIServer(node: node, logger: Setting.silent)
                .run(host: "127.0.0.1", port: 0, onReady: onReady)
        }
    }
}

/// A sandbox with one licence whose one job may be taken in.
enum SandboxHost {
    static let job = Suite.ed25519SHA256.digest([1])
    static let agreement = Suite.ed25519SHA256.digest([2])
    static let purpose = "research"
    static let sql = "SELECT COUNT(*) FROM sales"
    static let salt = [UInt8](repeating: 7, count: Salted.saltBytes)

    static func start(_ setting: Setting) throws -> Int {
        var options = JobService.Options()
        // No node lags behind.
        options.patienceMs = 0
        let service = try JobService(
            ledger: OneLicence(setting),
            folder: try SandboxFolder(try setting.scratch.folder("sandbox")), runner: NoRunner(),
            key: EncryptionKey.generate(.ed25519SHA256), options: options, logger: Setting.silent)
        return try serve { onReady in
            try await SandboxServer(service: service, logger: Setting.silent)
                .run(host: "127.0.0.1", port: 0, onReady: onReady)
        }
    }

    private struct NoRunner: QueryRunner {
        func run(
            _ query: GatedQuery, table: String, rules: DisclosureRules, limits: WorkerLimits
        ) throws -> JobOutput { throw CancellationError() }
    }
}

/// A ledger on which everything is the governor's: the key, the licence, the job.
private struct OneLicence: LedgerView {
    let suite: LedgerCrypto.Suite
    let chain: ChainID
    let operatorID: MemberID
    private let publicKey: PublicKey

    init(_ setting: Setting) {
        suite = setting.genesis.suite
        chain = setting.genesis.chain
        operatorID = setting.member
        publicKey = setting.memberKey.publicKey
    }

    private func seen<Record>(_ record: Record?) -> Seen<Record> {
        Seen(record, height: 1, timeMs: Setting.nowMs)
    }

    func member(_ id: MemberID) async throws(ClientError) -> Seen<MemberRecord> {
        guard id == operatorID else { return seen(nil) }
        return seen(
            MemberRecord(
                id: id, nameZh: "治理", nameEn: "Governor", group: "g",
                roles: [.buyer, .outputReviewer], status: .active, liveKeys: 1, enrolledHeight: 0))
    }

    func key(_ id: KeyID) async throws(ClientError) -> Seen<KeyRecord> {
        guard id == publicKey.keyID else { return seen(nil) }
        return seen(
            KeyRecord(
                keyID: id, member: operatorID, publicKey: publicKey, person: "p",
                mandates: [.maker], registeredHeight: 0))
    }

    func policy(_ name: String) async throws(ClientError) -> Seen<PolicyRecord> {
        seen(StandardPolicies.review)
    }

    func asset(_ id: Digest) async throws(ClientError) -> Seen<AssetRecord> { seen(nil) }

    func agreement(_ id: Digest) async throws(ClientError) -> Seen<AgreementRecord> {
        guard id == SandboxHost.agreement else { return seen(nil) }
        return seen(
            AgreementRecord(
                id: id, offer: .zero, asset: .zero, provider: operatorID, buyer: operatorID,
                venue: operatorID, sandboxOperator: operatorID, bank: operatorID,
                purpose: SandboxHost.purpose, columns: ["city"], priceFen: 1, usesMax: 1,
                usesReserved: 1, durationMs: 1, startsMs: 0, expiresMs: .max, groupMinimum: 5,
                venueFeeBasisPoints: 0, pseudonymSalt: [UInt8](repeating: 0, count: 16),
                statementCommitment: .zero, status: .agreed, requestedHeight: 0))
    }

    func job(_ id: Digest) async throws(ClientError) -> Seen<JobRecord> {
        guard id == SandboxHost.job else { return seen(nil) }
        return seen(
            JobRecord(
                id: id, agreement: SandboxHost.agreement, asset: .zero, buyer: operatorID,
                purpose: SandboxHost.purpose,
                queryCommitment: Salted.commit(
                    salt: SandboxHost.salt, value: Array(SandboxHost.sql.utf8), suite: suite),
                status: .submitted, submittedHeight: 1))
    }

    func sign(_ body: some TransactionBody) throws(ClientError) -> [UInt8] { body.encoded }

    func post(_ envelope: [UInt8]) async throws(ClientError) -> SubmissionAnswer {
        throw .unreachable(node: "none", reason: "the job stays where it is")
    }
}
