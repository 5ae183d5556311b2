import Client
import Crypto
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Logging
import Market
import Node
import Policy
import Records
import Testing
import Transport
import X509

@testable import API

/// A network of one validator in this process, its API on a free port, and members to use it.
final class Market1: Sendable {
    enum Name: UInt32, CaseIterable {
        case governor = 1
        case provider
        case buyer
        case bank
        case venue
        case assessor
        case registrar
        case regulator
        case stranger

        var roles: [Role] {
            switch self {
            case .governor: [.governor]
            case .provider: [.provider, .sandboxOperator]
            case .buyer, .stranger: [.buyer]
            case .bank: [.settlementBank]
            case .venue: [.venue]
            case .assessor: [.assessor]
            case .registrar: [.registrar]
            case .regulator: [.regulator]
            }
        }
    }

    let genesis: Genesis
    let node: HuijinNode
    let base: String
    let folder: URL
    private let keys: [Name: SigningKey]
    private let serving: Task<Void, any Error>

    private init(
        genesis: Genesis, node: HuijinNode, port: Int, keys: [Name: SigningKey], folder: URL,
        serving: Task<Void, any Error>
    ) {
        self.genesis = genesis
        self.node = node
        base = "http://127.0.0.1:\(port)"
        self.keys = keys
        self.folder = folder
        self.serving = serving
    }

    static func id(_ name: Name) -> MemberID {
        guard let code = SocialCreditCode.generate(serial: name.rawValue),
            let id = MemberID(code.text)
        else { preconditionFailure("codes are well formed") }
        return id
    }

    /// Runs `body` on a fresh ledger, and ends everything afterwards.
    ///
    /// - Parameters:
    ///   - parameters: changes those of the genesis.
    ///   - configuration: changes the node's.
    ///   - wrap: what the API sees of the node.
    static func with(
        suite: LedgerCrypto.Suite = .ed25519SHA256, limits: APILimits = APILimits(),
        parameters: (inout Parameters) -> Void = { _ in },
        configuration: (inout NodeConfiguration) -> Void = { _ in },
        behind wrap: (HuijinNode) -> any LedgerNode = { $0 },
        _ body: (Market1) async throws -> Void
    ) async throws {
        let market = try await start(
            suite: suite, limits: limits, parameters: parameters, configuration: configuration,
            behind: wrap)
        do {
            try await body(market)
            await market.stop()
        } catch {
            await market.stop()
            throw error
        }
    }

    private static func start(
        suite: LedgerCrypto.Suite, limits: APILimits,
        parameters: (inout Parameters) -> Void,
        configuration edit: (inout NodeConfiguration) -> Void,
        behind wrap: (HuijinNode) -> any LedgerNode
    ) async throws -> Market1 {
        let folder = FileManager.default.temporaryDirectory.appending(
            path: "huijin-api-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let keys = Dictionary(
            uniqueKeysWithValues: Name.allCases.map { ($0, SigningKey.generate(suite)) })
        let voting = SigningKey.generate(suite)
        let transport = try transportIdentity()
        let genesis = try makeGenesis(suite, keys, voting, transport, parameters)
        var configuration = NodeConfiguration(
            genesis: genesis, dataDirectory: folder.path + "/data", bindingFolder: folder.path,
            seat: 0, votingKey: voting,
            transport: transport, listen: HostPort(host: "127.0.0.1", port: 0),
            api: HostPort(host: "127.0.0.1", port: 0), peers: [])
        edit(&configuration)
        let node = try await HuijinNode.start(configuration, logger: silentLogger)
        let (port, serving) = try await serve(wrap(node), limits: limits)
        return Market1(
            genesis: genesis, node: node, port: port, keys: keys, folder: folder,
            serving: serving)
    }

    static var silentLogger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }

    /// For `with`.
    static func blocksComeWithTransactionsAlone(_ parameters: inout Parameters) {
        parameters.heartbeatMs = 60_000
    }

    /// Until the task is cancelled.
    static func serve(
        _ node: any LedgerNode, limits: APILimits = APILimits()
    ) async throws -> (port: Int, serving: Task<Void, any Error>) {
        let server = APIServer(node: node, limits: limits, logger: silentLogger)
        let (ports, found) = AsyncStream.makeStream(of: Int.self)
        let serving = Task {
            defer { found.finish() }
            try await server.run(host: "127.0.0.1", port: 0) { found.yield($0) }
        }
        var iterator = ports.makeAsyncIterator()
        return (try #require(await iterator.next()), serving)
    }

    private static func makeGenesis(
        _ suite: LedgerCrypto.Suite, _ keys: [Name: SigningKey], _ voting: SigningKey,
        _ transport: TransportIdentity, _ edit: (inout Parameters) -> Void
    ) throws -> Genesis {
        var builder = GenesisBuilder(suite: suite)
        for name in Name.allCases {
            let key = try #require(keys[name])
            try builder.add(
                member: id(name), nameZh: "成员", nameEn: "\(name)", roles: name.roles,
                keys: [.init(key.publicKey, person: "p")])
        }
        var parameters = Parameters()
        parameters.heartbeatMs = 50
        edit(&parameters)
        let validators = try #require(
            ValidatorSet(
                epoch: 0,
                validators: [
                    Validator(
                        member: id(.governor), votingKey: voting.publicKey,
                        transportKey: transport.publicKey)
                ]))
        return builder.genesis(
            name: "test", timeMs: UInt64(Date().timeIntervalSince1970 * 1_000) - 1_000,
            parameters: parameters, validators: validators)
    }

    static func transportIdentity() throws -> TransportIdentity {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName { CommonName("huijin") }
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(),
            publicKey: .init(key.publicKey), notValidBefore: Date(timeIntervalSince1970: 0),
            notValidAfter: Date(timeIntervalSince1970: 1), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256, extensions: Certificate.Extensions(),
            issuerPrivateKey: .init(key))
        return try TransportIdentity(
            certificatePEM: Array(certificate.serializeAsPEM().pemString.utf8),
            privateKeyPEM: Array(key.pemRepresentation.utf8))
    }

    private func stop() async {
        serving.cancel()
        _ = try? await serving.value
        await node.stop()
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: Using it

    /// What envelopes are signed for: heights grow as long as a test takes.
    var height: UInt64 { node.status.height }

    func key(_ name: Name) -> SigningKey {
        guard let key = keys[name] else { preconditionFailure("every member has a key") }
        return key
    }

    func identity(_ name: Name) -> Identity {
        Identity(member: Market1.id(name), key: key(name))
    }

    /// - Parameters:
    ///   - name: nil for somebody without an identity.
    ///   - nodes: this one alone unless given.
    func client(
        _ name: Name?, nodes: [String]? = nil, transport: any HTTPTransport = NetworkTransport(),
        limits: HuijinClient.Limits = HuijinClient.Limits()
    ) throws -> HuijinClient {
        try HuijinClient(
            nodes: nodes ?? [base], genesis: genesis, identity: name.map { identity($0) },
            limits: limits,
            transport: transport)
    }

    /// One request without any client.
    ///
    /// - Parameter node: this one unless given.
    func ask(
        _ path: String, node: String? = nil, method: String = "GET",
        headers: [(name: String, value: String)] = [],
        body: [UInt8] = []
    ) async throws -> HTTPAnswer {
        try await NetworkTransport().perform(
            HTTPCall(method: method, base: node ?? base, path: path, headers: headers, body: body))
    }

    /// A token's header, for requests that are wrong on purpose.
    func token(
        _ key: SigningKey, _ path: String, method: String = "GET", lateMs: Int64 = 0,
        chain: ChainID? = nil
    ) -> (name: String, value: String) {
        let nowMs = Int64(Date().timeIntervalSince1970 * 1_000)
        return (
            "Authorization",
            RequestToken.header(
                method: method, path: path, timeMs: UInt64(nowMs + lateMs),
                chain: chain ?? genesis.chain, with: key)
        )
    }

    func code(_ answer: HTTPAnswer) -> String? {
        (try? JSONValue.parse(answer.body))?["error"]?["code"]?.text
    }
}

/// Accepted, or the test stops here.
@discardableResult
func accepted(_ answer: SubmissionAnswer) throws -> Digest {
    try #require(answer.isAccepted, "\(answer.code.name)")
    return try #require(answer.id)
}

typealias Digest = LedgerCrypto.Digest

extension AssetRegister {
    static func sample(
        code: String, titleZh: String = "气象观测", titleEn: String = "Weather",
        keywords: [String] = []
    ) -> AssetRegister {
        let example = AssetRegister.example
        return AssetRegister(
            code: code, titleZh: titleZh, titleEn: titleEn, keywords: keywords,
            columns: example.columns, entityKey: example.entityKey, rowCount: example.rowCount,
            dataCommitment: example.dataCommitment, source: example.source,
            sourceURL: example.sourceURL, ownerClass: example.ownerClass, level: example.level,
            grade: example.grade, rights: example.rights)
    }
}
