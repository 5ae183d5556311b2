import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Logging
import Market
import Transport

/// Turns a `NodeFile` into a configuration, one field at a time.
struct ConfigurationReader {
    let path: String
    let file: NodeFile

    private static let certificateBytesMax = 65_536

    func read(passphrase: String) throws(ConfigurationError) -> NodeConfiguration {
        let genesis = try readGenesis()
        var configuration =
            try file.observer == nil
            ? readValidator(passphrase, genesis) : readObserver(passphrase, genesis)
        if let blocks = file.snapshotEveryBlocks { configuration.snapshots.everyBlocks = blocks }
        configuration.snapshots.joinAheadBlocks = file.joinAheadBlocks
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

    private func readValidator(
        _ passphrase: String, _ genesis: Genesis
    ) throws(ConfigurationError) -> NodeConfiguration {
        let name = try needed(file.validator, "validator")
        let seat = try ownSeat(name, in: genesis)
        let peers = try readPeers(genesis, seat)
        return NodeConfiguration(
            genesis: genesis, dataDirectory: resolve(file.data),
            bindingFolder: try readBindingFolder(), seat: seat,
            votingKey: try readVotingKey(passphrase, genesis, seat),
            transport: try readTransport(passphrase, genesis, seat),
            listen: try address(try needed(file.listen, "listen"), "listen"),
            api: try address(file.api, "api"), peers: try peers + readObservers(genesis, peers),
            name: name)
    }

    /// The voting key's folder.
    private func readBindingFolder() throws(ConfigurationError) -> String {
        let file = resolve(try needed(file.votingKey, "votingKey"))
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent().standardizedFileURL.path
        let data = URL(fileURLWithPath: resolve(self.file.data)).standardizedFileURL.path
        guard folder != data, !folder.hasPrefix(data + "/") else {
            throw problem(
                "votingKey", "it is kept within the data folder", "投票密钥位于数据文件夹内",
                "keep keys apart, so that a lost or restored data folder does not take them along",
                "请将密钥与数据文件夹分开存放")
        }
        return folder
    }

    private func readObserver(
        _ passphrase: String, _ genesis: Genesis
    ) throws(ConfigurationError) -> NodeConfiguration {
        let unfit: [(field: String, isThere: Bool)] = [
            ("validator", file.validator != nil), ("votingKey", file.votingKey != nil),
            ("listen", file.listen != nil), ("observers", file.observers != nil),
            ("followsChain", file.followsChain != nil),
        ]
        if let (field, _) = unfit.first(where: \.isThere) {
            throw problem(
                field, "an observer has none", "观察节点不应有此字段", "remove it, or the field observer",
                "请删除该字段，或删除 observer")
        }
        let peers = try readPeers(genesis, nil)
        guard !peers.isEmpty else {
            throw problem(
                "peers", "an observer needs a validator to follow", "观察节点至少需要一个记账节点",
                "list one or more", "请至少列出一个")
        }
        return NodeConfiguration(
            genesis: genesis, dataDirectory: resolve(file.data), bindingFolder: nil, seat: nil,
            votingKey: nil, transport: try readTransport(passphrase, genesis, nil), listen: nil,
            api: try address(file.api, "api"), peers: peers, name: file.observer)
    }

    private func needed(
        _ text: String?, _ field: String
    ) throws(ConfigurationError) -> String {
        guard let text else {
            throw problem(
                field, "it is missing", "缺少该字段",
                "add it, or make this an observer; docs/operations.md lists the fields",
                "请补上，或设为观察节点；字段见 docs/operations.md")
        }
        return text
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
    private func ownSeat(
        _ name: String, in genesis: Genesis
    ) throws(ConfigurationError) -> Int? {
        guard followsChain else {
            return try seat(of: name, in: genesis, field: "validator")
        }
        guard MemberID(name) != nil else {
            throw problem(
                "validator", "\(name) is not a member id", "\(name) 不是成员编号",
                "use the id under which the organisation is enrolled", "请使用机构入网时的编号")
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
        let name = resolve(try needed(file.votingKey, "votingKey"))
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
                "votingKey", "\(name) is of another suite than the chain's", "\(name) 的密码套件与本链不符",
                "use a key of the suite \(genesis.suite.name)", "请使用 \(genesis.suite.name) 密钥")
        }
        guard let seat else { return key }
        guard key.publicKey == genesis.validators.validators[seat].votingKey else {
            throw problem(
                "votingKey", "\(name) is not the key of validator \(file.validator ?? "")",
                "\(name) 不是记账节点 \(file.validator ?? "") 的投票密钥",
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
                "\(certificateName) does not hold the transport key of \(file.validator ?? "")",
                "\(certificateName) 不含记账节点 \(file.validator ?? "") 的传输公钥",
                "use the certificate that was made for this node, or set followsChain when the chain has a newer key",
                "请使用为本节点生成的证书；若链上已更换密钥，请设 followsChain")
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
            var keys: [[UInt8]] = []
            if let text = peer.nextTransportKey {
                keys.append(try transportKey(text, "peers[\(index)].nextTransportKey"))
            }
            if let text = peer.transportKey {
                let key = try transportKey(text, "peers[\(index)].transportKey")
                number = seats.firstIndex { $0.transportKey == key } ?? seats.count + index
                keys.append(key)
            } else {
                number = try seat(of: peer.validator, in: genesis, field: field)
                keys.append(seats[number].transportKey)
            }
            guard number != own, !peers.contains(where: { $0.sharesKey(with: keys) }),
                Set(keys).count == keys.count
            else {
                throw problem(
                    field, "\(peer.validator) is this node itself or is listed twice",
                    "\(peer.validator) 是本节点或重复", "list every other validator once",
                    "请把其他记账节点各列一次")
            }
            peers.append(
                PeerEndpoint(
                    index: number, name: peer.validator, transportKeys: keys, address: address))
        }
        if file.observer != nil { return peers.sorted { $0.index < $1.index } }
        for seat in seats.indices where !followsChain && seat != own {
            let name = seats[seat].member.text
            guard !peers.contains(where: { $0.name == name }) else { continue }
            throw problem(
                "peers", "validator \(name) is missing", "缺少记账节点 \(name)",
                "list every other validator with its address", "请列出其他每个记账节点及地址")
        }
        return peers.sorted { $0.index < $1.index }
    }

    /// The observers that this node admits: they come after all others.
    private func readObservers(
        _ genesis: Genesis, _ peers: [PeerEndpoint]
    ) throws(ConfigurationError) -> [PeerEndpoint] {
        let list = file.observers ?? []
        guard list.count <= NodeLimits.observersMax else {
            throw problem(
                "observers", "there are more than \(NodeLimits.observersMax)",
                "超过 \(NodeLimits.observersMax) 个", "admit fewer here, others at other validators",
                "请减少数量，或改由其他记账节点接入")
        }
        let first = max(genesis.validators.count, (peers.map(\.index).max() ?? 0) + 1)
        var observers: [PeerEndpoint] = []
        for (index, observer) in list.enumerated() {
            let key = try transportKey(
                observer.transportKey, "observers[\(index)].transportKey")
            guard !(peers + observers).contains(where: { $0.sharesKey(with: [key]) }) else {
                throw problem(
                    "observers[\(index)].transportKey", "it is another peer's", "与其他对端重复",
                    "list every node once", "每个节点只列一次")
            }
            observers.append(
                PeerEndpoint(
                    index: first + index, name: observer.name, transportKeys: [key], address: nil))
        }
        return observers
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

extension PeerEndpoint {
    fileprivate func sharesKey(with keys: [[UInt8]]) -> Bool {
        transportKeys.contains(where: keys.contains)
    }
}
