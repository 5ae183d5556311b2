import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Logging
import Market
import Storage
import Transport

/// A host and a port, written `host:port`, IPv6 hosts in brackets.
public struct HostPort: Sendable, Hashable, CustomStringConvertible {
    public let host: String
    public let port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// All that one node needs, opened and checked against its genesis.
public struct NodeConfiguration: Sendable {
    public var genesis: Genesis
    public var genesisBytes: [UInt8]
    public var dataDirectory: String
    /// Where the voting key's binding to its store is kept: the folder of the key's file. Not within the data folder, which
    /// may be lost or restored without the key.
    public var bindingFolder: String
    /// The organisation that runs the node.
    public var name: String
    /// Position in the validator set of genesis; nil for a node that joined later or whose keys were replaced. Which seat
    /// it has in the present epoch, if any, follows from its voting key.
    public var seat: Int?
    public var votingKey: SigningKey
    public var transport: TransportIdentity
    public var listen: HostPort
    public var api: HostPort
    public var peers: [PeerEndpoint]
    public var logLevel: Logger.Level
    public var limits = NodeLimits()
    public var networkLimits = NetworkLimits()
    /// Tests limit the size of the store with it; a node leaves it as it is.
    public var storeOptions = Store.Options()

    /// - Parameters:
    ///   - dataDirectory: beside it the voting key is bound to its store, unless `bindingFolder` is set.
    ///   - seat: must hold `votingKey` and `transport` in the genesis set; `load` checks that.
    ///   - peers: with distinct indices, each another one than `networkIndex`.
    public init(
        genesis: Genesis, dataDirectory: String, seat: Int?, votingKey: SigningKey,
        transport: TransportIdentity, listen: HostPort, api: HostPort, peers: [PeerEndpoint],
        logLevel: Logger.Level = .info, name: String? = nil
    ) {
        self.genesis = genesis
        self.name = name ?? seat.map { genesis.validators.validators[$0].member.text } ?? "-"
        genesisBytes = genesis.encoded
        self.dataDirectory = dataDirectory
        bindingFolder = URL(fileURLWithPath: dataDirectory).deletingLastPathComponent().path
        self.seat = seat
        self.votingKey = votingKey
        self.transport = transport
        self.listen = listen
        self.api = api
        self.peers = peers
        self.logLevel = logLevel
    }

    /// The node's own number in its network: no peer's. Peers are numbered by their seats in genesis, the others from the
    /// number of those seats on.
    var networkIndex: Int {
        seat ?? max(genesis.validators.count, (peers.map(\.index).max() ?? 0) + 1)
    }

    /// Reads `node.json` and everything that it names. Takes a moment: opening encrypted keys is made slow on purpose.
    public static func load(
        _ path: String, passphrase: String
    ) throws(ConfigurationError) -> NodeConfiguration {
        try ConfigurationReader(path: path, file: NodeFile.read(path)).read(passphrase: passphrase)
    }
}

/// Every bound of the node beside those of the network and of the genesis.
public struct NodeLimits: Sendable {
    /// Frames from peers that wait for the replica; beyond this, peers are made to wait.
    public var inboundBytesMax = 32 * 1_048_576
    /// Submitted envelopes that wait for the replica; beyond this, submitters are told `busy`.
    public var submittedEnvelopesMax = 16_384
    /// Envelopes in one submission; not above `ReplicaLimits.submissionMax`.
    public var envelopesPerSubmissionMax = 100
    /// Submissions that wait for finality.
    public var waitingSubmissionsMax = 16_384
    /// Reads of the state that wait for the replica's thread.
    public var readsMax = 1_024
    /// Threads that check transaction signatures; 0 means one for each core, at most four.
    public var verificationThreads = 0
    /// Committed blocks that the index has not written yet; beyond this, committing waits for it.
    public var indexBacklogBlocksMax = 512

    public init() {}
}

/// Turns a `NodeFile` into a configuration, one field at a time.
private struct ConfigurationReader {
    let path: String
    let file: NodeFile

    private static let certificateBytesMax = 65_536

    func read(passphrase: String) throws(ConfigurationError) -> NodeConfiguration {
        let genesis = try readGenesis()
        let seat = try ownSeat(in: genesis)
        let votingKey = try readVotingKey(passphrase, genesis, seat)
        let transport = try readTransport(passphrase, genesis, seat)
        var configuration = NodeConfiguration(
            genesis: genesis, dataDirectory: resolve(file.data), seat: seat,
            votingKey: votingKey, transport: transport,
            listen: try address(file.listen, "listen"), api: try address(file.api, "api"),
            peers: try readPeers(genesis, seat), name: file.validator)
        configuration.bindingFolder =
            URL(fileURLWithPath: resolve(file.votingKey)).deletingLastPathComponent().path
        if let name = file.log {
            guard let level = Logger.Level(rawValue: name) else {
                let levels = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
                throw problem(
                    "log", "unknown level \(name)", "未知日志级别", "use one of \(levels)",
                    "请用 \(levels) 之一")
            }
            configuration.logLevel = level
        }
        return configuration
    }

    private func resolve(_ name: String) -> String {
        if name.hasPrefix("/") { return name }
        return URL(fileURLWithPath: path).deletingLastPathComponent()
            .appendingPathComponent(name).path
    }

    private func problem(
        _ field: String, _ problem: String, _ problemZh: String, _ remedy: String,
        _ remedyZh: String
    ) -> ConfigurationError {
        ConfigurationError(
            file: path, field: field, problem: problem, problemZh: problemZh, remedy: remedy,
            remedyZh: remedyZh)
    }

    private func readGenesis() throws(ConfigurationError) -> Genesis {
        let name = resolve(file.genesis)
        let bytes = try FileBytes.read(
            name, bytesMax: LedgerLimits.genesisBytesMax, file: path, field: "genesis")
        let remedy = "use the genesis.cbor that the network was made with"
        let remedyZh = "请使用建网时的 genesis.cbor"
        let genesis: Genesis
        do {
            genesis = try Genesis.decode(bytes, limits: LedgerLimits.genesis)
        } catch {
            throw problem(
                "genesis", "\(name) is not a genesis: \(error)", "\(name) 不是创世文件：\(error)",
                remedy, remedyZh)
        }
        // Execution takes its records for sound.
        if let fault = GenesisCheck.fault(in: genesis) {
            throw problem(
                "genesis", "\(name) cannot be run: \(fault.english)",
                "\(name) 无法运行：\(fault.chinese)", remedy, remedyZh)
        }
        return genesis
    }

    private var followsChain: Bool { file.followsChain ?? false }

    /// Nil for a node whose keys genesis does not know.
    private func ownSeat(in genesis: Genesis) throws(ConfigurationError) -> Int? {
        guard followsChain else {
            return try seat(of: file.validator, in: genesis, field: "validator")
        }
        guard MemberID(file.validator) != nil else {
            throw problem(
                "validator", "\(file.validator) is not a member id", "\(file.validator) 不是成员标识",
                "use the id under which the organisation is enrolled", "请使用机构入网时的标识")
        }
        return nil
    }

    private func seat(
        of name: String, in genesis: Genesis, field: String
    ) throws(ConfigurationError) -> Int {
        guard let id = MemberID(name),
            let seat = genesis.validators.validators.firstIndex(where: { $0.member == id })
        else {
            let known = genesis.validators.validators.map(\.member.text).joined(separator: ", ")
            throw problem(
                field, "\(name) is not a validator of this genesis", "\(name) 不是本链的记账节点",
                "use one of \(known)", "请用 \(known) 之一")
        }
        return seat
    }

    private func readVotingKey(
        _ passphrase: String, _ genesis: Genesis, _ seat: Int?
    ) throws(ConfigurationError) -> SigningKey {
        let name = resolve(file.votingKey)
        let bytes = try FileBytes.read(
            name, bytesMax: EncryptedKeyFile.fileBytesMax, file: path, field: "votingKey")
        let key: SigningKey
        do {
            key = try EncryptedKeyFile.open(bytes, passphrase: passphrase)
        } catch {
            throw keyProblem("votingKey", name, error)
        }
        guard key.publicKey.suite == genesis.suite else {
            throw problem(
                "votingKey", "\(name) is of another suite than the chain's", "\(name) 的算法与本链不符",
                "use a key of the suite \(genesis.suite.name)", "请使用 \(genesis.suite.name) 密钥")
        }
        guard let seat else { return key }
        guard key.publicKey == genesis.validators.validators[seat].votingKey else {
            throw problem(
                "votingKey", "\(name) is not the key of validator \(file.validator)",
                "\(name) 不是记账节点 \(file.validator) 的投票密钥",
                "use the key that was made for this node", "请使用为本节点生成的密钥")
        }
        return key
    }

    private func readTransport(
        _ passphrase: String, _ genesis: Genesis, _ seat: Int?
    ) throws(ConfigurationError) -> TransportIdentity {
        let keyName = resolve(file.transportKey)
        let sealed = try FileBytes.read(
            keyName, bytesMax: EncryptedKeyFile.fileBytesMax, file: path, field: "transportKey")
        let certificateName = resolve(file.transportCertificate)
        let certificate = try FileBytes.read(
            certificateName, bytesMax: ConfigurationReader.certificateBytesMax, file: path,
            field: "transportCertificate")
        let secret: [UInt8]
        do {
            secret = try EncryptedKeyFile.openBytes(sealed, passphrase: passphrase)
        } catch {
            throw keyProblem("transportKey", keyName, error)
        }
        let identity: TransportIdentity
        do {
            identity = try TransportIdentity(certificatePEM: certificate, privateKeyPEM: secret)
        } catch {
            throw problem(
                "transportCertificate", "\(error)", "传输证书或密钥有误",
                "use the pair that was made for this node", "请使用为本节点生成的证书和密钥")
        }
        guard let seat else { return identity }
        guard identity.publicKey == genesis.validators.validators[seat].transportKey else {
            throw problem(
                "transportCertificate",
                "\(certificateName) does not hold the transport key of \(file.validator)",
                "\(certificateName) 不含记账节点 \(file.validator) 的传输公钥",
                "use the certificate that was made for this node", "请使用为本节点生成的证书")
        }
        return identity
    }

    private func keyProblem(
        _ field: String, _ name: String, _ error: KeyFileError
    ) -> ConfigurationError {
        problem(
            field, "\(name): \(error.english)", "\(name)：\(error.chinese)",
            "the passphrase comes from HUIJIN_PASSPHRASE or --passphrase-file",
            "口令取自 HUIJIN_PASSPHRASE 或 --passphrase-file")
    }

    private func address(
        _ text: String, _ field: String
    ) throws(ConfigurationError) -> HostPort {
        guard let address = HostPort(text) else {
            throw problem(
                field, "\(text) is not host:port", "\(text) 不是 主机:端口",
                "write it like 127.0.0.1:7001",
                "请写成 127.0.0.1:7001")
        }
        return address
    }

    /// Peers by their seats in genesis; those whose keys genesis does not know get the numbers after those seats.
    private func readPeers(
        _ genesis: Genesis, _ own: Int?
    ) throws(ConfigurationError) -> [PeerEndpoint] {
        var peers: [PeerEndpoint] = []
        let seats = genesis.validators.validators
        for (index, peer) in file.peers.enumerated() {
            let field = "peers[\(index)].validator"
            let address = try address(peer.address, "peers[\(index)].address")
            let number: Int
            let key: [UInt8]
            if let text = peer.transportKey {
                key = try transportKey(text, "peers[\(index)].transportKey")
                number = seats.firstIndex { $0.transportKey == key } ?? seats.count + index
            } else {
                number = try seat(of: peer.validator, in: genesis, field: field)
                key = seats[number].transportKey
            }
            guard number != own, !peers.contains(where: { $0.transportKey == key }) else {
                throw problem(
                    field, "\(peer.validator) is this node itself or is listed twice",
                    "\(peer.validator) 是本节点或重复", "list every other validator once",
                    "请把其他记账节点各列一次")
            }
            peers.append(
                PeerEndpoint(
                    index: number, name: peer.validator, transportKey: key, host: address.host,
                    port: address.port))
        }
        for seat in seats.indices where !followsChain && seat != own {
            let name = seats[seat].member.text
            guard !peers.contains(where: { $0.name == name }) else { continue }
            throw problem(
                "peers", "validator \(name) is missing", "缺少记账节点 \(name)",
                "list every other validator with its address", "请列出其他每个记账节点及地址")
        }
        return peers.sorted { $0.index < $1.index }
    }

    private func transportKey(
        _ text: String, _ field: String
    ) throws(ConfigurationError) -> [UInt8] {
        guard let key = Hex.decode(text), !key.isEmpty, key.count <= Validator.transportKeyBytesMax
        else {
            throw problem(
                field, "it is not a key in hexadecimal", "不是十六进制公钥",
                "copy the line that huijind check prints on that node", "请复制对方 huijind check 所显示的值")
        }
        return key
    }
}
