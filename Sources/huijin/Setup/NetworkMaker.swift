import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import Market
import Policy
import Records
import Transport

/// Makes the files of a new network: genesis, one folder per node, and the governor's identity.
///
/// ```
/// DIR/genesis.cbor                     what everybody needs
/// DIR/genesis.json                     the same, to read
/// DIR/nodes/<n>/node.json, keys/       voting key and transport key, encrypted; transport certificate
/// DIR/members/governor/                the founding member, who enrols the others
/// ```
struct NetworkMaker {
    let template: NetworkTemplate
    let suite: Suite
    let directory: URL
    let passphrase: String
    let keyCost: KeyDerivationCost
    /// Nil where nobody may begin an epoch after the loss of a quorum.
    let recovery: RecoveryRule?

    struct Node {
        let name: String
        let member: MemberID
        let config: String
        let api: String
        let listen: String
    }

    struct Made {
        let genesis: Genesis
        let genesisFile: String
        let nodes: [Node]
        let governor: String
    }

    private struct Seat {
        let name: String
        let member: MemberID
        let organisation: NetworkTemplate.Organisation
        let votingKey: SigningKey
        let transport: TransportCertificate
        let listenPort: Int
        let apiPort: Int
    }

    /// - Parameter basePort: node n listens on `basePort + 2n` and serves on the port after it; ports that are free now
    ///   are looked for where it is nil.
    func make(basePort: Int?, now: Date) throws -> Made {
        guard !FileManager.default.fileExists(atPath: file("genesis.cbor").path) else {
            throw SetupError(
                file: file("genesis.cbor").path,
                english: "a network is there already; choose another --out",
                chinese: "已有网络，请用 --out 另选文件夹", isUnwritable: true)
        }
        let seats = try makeSeats(basePort: basePort, now: now)
        let governorKey = SigningKey.generate(suite)
        let governorID = try code(template.governor, serial: 1, authority: "11")
        let genesis = try makeGenesis(
            seats, governor: governorID, key: governorKey.publicKey, now: now)
        let nodes = try seats.map { try write($0, among: seats) }
        try write(genesis.encoded, to: file("genesis.cbor"))
        try write([UInt8](summary(genesis, seats).pretty().utf8), to: file("genesis.json"))
        let governor = MemberFolder(
            directory: file("members/governor").path, member: governorID,
            nameZh: template.governor.nameZh, nameEn: template.governor.nameEn,
            nodes: nodes.map(\.api), genesis: "../../genesis.cbor")
        try IdentityMaker(passphrase: passphrase, keyCost: keyCost).write(
            governor, key: governorKey)
        return Made(
            genesis: genesis, genesisFile: file("genesis.cbor").path, nodes: nodes,
            governor: governor.directory)
    }

    private func file(_ path: String) -> URL { directory.appending(path: path) }

    private func makeSeats(basePort: Int?, now: Date) throws -> [Seat] {
        var ports = try ports(template.validators.count * 2, from: basePort)[...]
        return try template.validators.enumerated().map { index, organisation in
            let listen = ports.removeFirst()
            let api = ports.removeFirst()
            return Seat(
                name: "node\(index)",
                member: try code(organisation, serial: UInt32(index) + 2, authority: "12"),
                organisation: organisation, votingKey: SigningKey.generate(suite),
                transport: try TransportCertificate(name: "huijin node\(index)", now: now),
                listenPort: listen, apiPort: api)
        }
    }

    private func ports(_ count: Int, from base: Int?) throws -> [Int] {
        if let base {
            guard base > 0, base + count <= 65_536 else {
                throw SetupError(
                    file: "--base-port", english: "it must leave \(count) ports below 65536",
                    chinese: "其后须有 \(count) 个端口可用")
            }
            return Array(base..<(base + count))
        }
        do {
            return try FreePorts.find(count)
        } catch {
            throw SetupError(
                file: "127.0.0.1", english: "no free TCP port was found; give --base-port",
                chinese: "找不到空闲端口，请用 --base-port 指定")
        }
    }

    private func code(
        _ organisation: NetworkTemplate.Organisation, serial: UInt32, authority: String
    ) throws -> MemberID {
        let text: String
        if let given = organisation.code {
            do {
                text = try SocialCreditCode(given).text
            } catch {
                let why = Bilingual(error)
                throw SetupError(
                    file: organisation.nameEn, field: "code", english: why.english,
                    chinese: "统一社会信用代码有误：\(given)，\(why.chinese)")
            }
        } else {
            text =
                SocialCreditCode.generate(
                    authority: authority, serial: serial &* 7_919 % 100_000_000)?.text ?? ""
        }
        guard let id = MemberID(text) else {
            preconditionFailure("a social credit code is a member id")
        }
        return id
    }

    private func makeGenesis(
        _ seats: [Seat], governor: MemberID, key: PublicKey, now: Date
    ) throws -> Genesis {
        let validators = seats.map {
            Validator(
                member: $0.member, votingKey: $0.votingKey.publicKey,
                transportKey: $0.transport.publicKey)
        }
        guard let set = ValidatorSet(epoch: 0, validators: validators) else {
            preconditionFailure("fresh keys are distinct and of one suite")
        }
        var builder = GenesisBuilder(suite: suite, policies: template.policies)
        try builder.add(
            member: governor, nameZh: template.governor.nameZh, nameEn: template.governor.nameEn,
            group: template.governor.group, roles: [.governor],
            keys: [.init(key, person: "governor")])
        let genesis = builder.genesis(
            name: template.name, timeMs: UInt64(now.timeIntervalSince1970 * 1_000),
            parameters: template.parameters, validators: set, recovery: recovery)
        if let problem = GenesisCheck.problem(in: genesis) {
            throw SetupError(
                file: template.name, english: "the network cannot start: \(problem)",
                chinese: "网络无法启动：\(problem)")
        }
        return genesis
    }

    private func write(_ seat: Seat, among seats: [Seat]) throws -> Node {
        let folder = "nodes/\(seat.name)"
        let config: JSONValue = [
            "genesis": "../../genesis.cbor", "data": "data", "validator": .member(seat.member),
            "votingKey": "keys/voting.key", "transportKey": "keys/transport.key",
            "transportCertificate": "keys/transport.pem",
            "listen": .text("127.0.0.1:\(seat.listenPort)"),
            "api": .text("127.0.0.1:\(seat.apiPort)"),
            "peers": .list(
                seats.filter { $0.member != seat.member }.map {
                    [
                        "validator": .member($0.member),
                        "address": .text("127.0.0.1:\($0.listenPort)"),
                    ]
                }),
        ]
        let voting = try EncryptedKeyFile.seal(
            seat.votingKey, label: "voting key of \(seat.name)", passphrase: passphrase,
            cost: keyCost)
        try write(voting, to: file("\(folder)/keys/voting.key"), isSecret: true)
        try seat.transport.write(
            to: file("\(folder)/keys"), name: seat.name, suite: suite, passphrase: passphrase,
            cost: keyCost)
        let path = file("\(folder)/node.json")
        try write([UInt8](config.pretty().utf8), to: path)
        return Node(
            name: seat.name, member: seat.member, config: path.path,
            api: "http://127.0.0.1:\(seat.apiPort)", listen: "127.0.0.1:\(seat.listenPort)")
    }

    private func write(_ bytes: [UInt8], to file: URL, isSecret: Bool = false) throws {
        try IdentityMaker.write(bytes, to: file, isSecret: isSecret)
    }

    private func summary(_ genesis: Genesis, _ seats: [Seat]) -> JSONValue {
        [
            "name": .text(genesis.name), "chain": .hex(genesis.chain),
            "suite": .text(genesis.suite.name), "timeMs": .unsigned(genesis.timeMs),
            "recovery": genesis.recovery.map { rule in
                [
                    "threshold": .unsigned(UInt64(rule.threshold)),
                    "keys": .list(rule.keys.map { .text(Hex.encode($0.bytes)) }),
                ]
            } ?? .null,
            "validators": .list(
                seats.map {
                    [
                        "name": .text($0.name), "member": .member($0.member),
                        "nameZh": .text($0.organisation.nameZh),
                        "nameEn": .text($0.organisation.nameEn),
                        "votingKey": .text(Hex.encode($0.votingKey.publicKey.bytes)),
                    ]
                }),
        ]
    }
}
