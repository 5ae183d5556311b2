import Crypto
import Encoding
import Foundation
import Glibc
import Ledger
import LedgerCrypto
import Logging
import Market
import Policy
import Records
import Storage
import Testing
import Transport
import X509

@testable import Node

/// Validators on loopback with one member who may do everything, in a temporary folder that goes with it.
final class TestNetwork: Sendable {
    let genesis: Genesis
    let folder: String
    let member: MemberID
    let memberKey: SigningKey
    let votingKeys: [SigningKey]
    /// Of the genesis' rule, two of three.
    let recoveryKeys: [SigningKey]
    let transports: [Transport]
    let ports: [Int]

    static let passphrase = "correct horse"

    init(
        _ seats: Int, joiners: Int = 0, suite: LedgerCrypto.Suite = .ed25519SHA256,
        parameters edit: (inout Parameters) -> Void = { _ in }
    ) throws {
        let count = seats + joiners
        votingKeys = (0..<count).map { _ in SigningKey.generate(suite) }
        recoveryKeys = (0..<3).map { _ in SigningKey.generate(suite) }
        transports = try (0..<count).map { _ in try TestNetwork.makeTransport() }
        ports = try FreePorts.find(count)
        var validators: [Validator] = []
        for index in 0..<seats {
            validators.append(
                Validator(
                    member: try TestNetwork.member(UInt32(100 + index)),
                    votingKey: votingKeys[index].publicKey,
                    transportKey: transports[index].identity.publicKey))
        }
        member = try TestNetwork.member(1)
        memberKey = SigningKey.generate(suite)
        var builder = GenesisBuilder(suite: suite)
        try builder.add(
            member: member, nameZh: "测试机构", nameEn: "Test", roles: [.governor],
            keys: [GenesisBuilder.FoundingKey(memberKey.publicKey, person: "test")])
        var parameters = Parameters()
        parameters.heartbeatMs = 50
        edit(&parameters)
        let set = try #require(ValidatorSet(epoch: 0, validators: validators))
        genesis = builder.genesis(
            name: "test", timeMs: 1_700_000_000_000, parameters: parameters, validators: set,
            recovery: RecoveryRule(threshold: 2, keys: recoveryKeys.map(\.publicKey)))
        folder =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("huijin-node-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func member(_ serial: UInt32) throws -> MemberID {
        let code = try #require(SocialCreditCode.generate(serial: serial))
        return try #require(MemberID(code.text))
    }

    typealias Transport = (identity: TransportIdentity, certificatePEM: [UInt8], keyPEM: [UInt8])

    static func makeTransport() throws -> Transport {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName { CommonName("huijin") }
        let certificate = try X509.Certificate(
            version: .v3, serialNumber: X509.Certificate.SerialNumber(),
            publicKey: .init(key.publicKey), notValidBefore: Date(timeIntervalSince1970: 0),
            notValidAfter: Date(timeIntervalSince1970: 1), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256, extensions: X509.Certificate.Extensions(),
            issuerPrivateKey: .init(key))
        let certificatePEM = Array(try certificate.serializeAsPEM().pemString.utf8)
        let keyPEM = Array(key.pemRepresentation.utf8)
        let identity = try TransportIdentity(
            certificatePEM: certificatePEM, privateKeyPEM: keyPEM)
        return (identity, certificatePEM, keyPEM)
    }

    func configuration(_ index: Int) -> NodeConfiguration {
        let seats = genesis.validators.count
        let peers = votingKeys.indices.filter { $0 != index }.map {
            PeerEndpoint(
                index: $0,
                name: $0 < seats ? genesis.validators.validators[$0].member.text : "peer \($0)",
                transportKey: transports[$0].identity.publicKey,
                host: "127.0.0.1", port: ports[$0])
        }
        return NodeConfiguration(
            genesis: genesis, dataDirectory: "\(folder)/\(index)", bindingFolder: folder,
            seat: index < seats ? index : nil,
            votingKey: votingKeys[index], transport: transports[index].identity,
            listen: HostPort(host: "127.0.0.1", port: ports[index]),
            api: HostPort(host: "127.0.0.1", port: 0), peers: peers)
    }

    func start(
        _ index: Int, _ edit: (inout NodeConfiguration) -> Void = { _ in }
    ) async throws -> HuijinNode {
        var configuration = configuration(index)
        edit(&configuration)
        var logger = Logger(label: "node \(index)")
        logger.logLevel = .critical
        return try await HuijinNode.start(configuration, logger: logger)
    }

    func startAll() async throws -> [HuijinNode] {
        var nodes: [HuijinNode] = []
        for index in votingKeys.indices { nodes.append(try await start(index)) }
        return nodes
    }

    /// A transaction that is accepted whenever it is on time.
    func evidence(
        _ number: Int, lastValidHeight: UInt64 = 2_000, key: SigningKey? = nil,
        chain: ChainID? = nil
    ) -> [UInt8] {
        sign(record(number), lastValidHeight: lastValidHeight, key: key, chain: chain)
    }

    /// One block for each, on top of one another.
    ///
    /// - Parameter others: these make each block final by itself too. One that is behind makes several final at once, and its
    ///   snapshot is then of another height.
    func grow(
        _ node: HuijinNode, to height: UInt64, from number: Int = 0,
        beside others: [HuijinNode] = []
    ) async throws {
        var number = number
        while node.status.height < height {
            number += 1
            let results = await node.submit(
                [
                    evidence(
                        number, lastValidHeight: node.status.height + 10)
                ], wait: .final, timeoutMs: 60_000)
            try #require(results[0].status == .final && results[0].code == .accepted)
            let reached = node.status.height
            for other in others { try await other.reached(reached) }
        }
    }

    /// So many of them under one signature.
    func batch(_ count: Int) -> [[UInt8]] {
        Envelope.signBatch(
            (0..<count).map { transaction(record($0), lastValidHeight: 2_000) },
            chain: genesis.chain, with: memberKey)
    }

    /// For the governor, unless another key is given.
    func sign(
        _ body: some TransactionBody, lastValidHeight: UInt64 = 2_000, key: SigningKey? = nil,
        chain: ChainID? = nil
    ) -> [UInt8] {
        Envelope.sign(
            transaction(body, lastValidHeight: lastValidHeight), chain: chain ?? genesis.chain,
            with: key ?? memberKey)
    }

    private func record(_ number: Int) -> RecordEvidence {
        RecordEvidence(
            commitment: genesis.suite.digest(Array("\(number)".utf8)), mediaType: "text/csv",
            note: "\(number)")
    }

    private func transaction<Body: TransactionBody>(
        _ body: Body, lastValidHeight: UInt64
    ) -> Transaction {
        Transaction(
            kind: Body.kind.rawValue, nonce: SecureRandom.bytes(16),
            lastValidHeight: lastValidHeight, member: member, body: body.encoded)
    }
}

extension TestNetwork {
    /// What is left of the quorum goes on from whoever knows the latest block.
    func recovery(
        seating seats: [Int], left: [Int] = [0, 1]
    ) throws -> Recovery {
        var stopped = try left.map { try StoppedNode(configuration($0)) }
        let source =
            stopped.indices.max {
                (stopped[$0].basis.epoch, stopped[$0].basis.view)
                    < (stopped[$1].basis.epoch, stopped[$1].basis.view)
            } ?? 0
        let present = stopped[source].basis.validators.validators
        let next = try seats.map { index in
            index < 4
                ? present[index]
                : Validator(
                    member: try TestNetwork.member(UInt32(98 + index)),
                    votingKey: votingKeys[index].publicKey,
                    transportKey: transports[index].identity.publicKey)
        }
        return try stopped[source].makeRecovery(
            seats: next, by: member, with: memberKey)
    }

    func signed(_ recovery: Recovery, by signers: [Int]) throws -> Recovery {
        let rule = try #require(genesis.recovery)
        return try signers.reduce(recovery) { recovery, index in
            try #require(
                recovery.adding(
                    RecoveryRule.sign(
                        recovery.certificate.statement, at: index,
                        with: recoveryKeys[index], chain: genesis.chain),
                    under: rule))
        }
    }
}

extension SnapshotSettings {
    /// Small chunks, so that a small state has many.
    static func small(every: UInt64, joinAhead: UInt64) -> SnapshotSettings {
        var settings = SnapshotSettings()
        settings.everyBlocks = every
        settings.joinAheadBlocks = joinAhead
        settings.sizes.stateChunkBytes = 2_048
        settings.sizes.blockChunkBytes = 2_048
        settings.sizes.blockChunkBlocks = 4
        settings.makingPauseFactor = 1
        return settings
    }
}

extension HuijinNode {
    /// Why it stopped by itself, once it has.
    func endReason() async throws -> StopReason {
        for await _ in heights() {}
        return try #require(status.stopReason)
    }

    /// Waits for a height and gives the state root there.
    func stateRoot(at height: UInt64) async throws -> LedgerCrypto.Digest? {
        try await reached(height)
        return try await history { try $0.reader.header(height)?.stateRoot }
    }

    /// One that was away takes transactions only when it is nearly level with the others (`Replica.isCatchingUp`).
    func reached(_ height: UInt64) async throws {
        for await current in heights() where current >= height { return }
        throw CancellationError()
    }
}

/// Something changed at one of the nodes whose configurations were given `note`.
struct NodeChanges {
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(
            of: Void.self, bufferingPolicy: .bufferingNewest(1))
    }

    func note(in configuration: inout NodeConfiguration) {
        let continuation = continuation
        configuration.onSnapshotChange = { continuation.yield() }
    }

    /// The suite's time limit ends a wait in vain.
    func wait(until isTrue: () -> Bool) async throws {
        if isTrue() { return }
        for await _ in stream where isTrue() { return }
        throw CancellationError()
    }
}
