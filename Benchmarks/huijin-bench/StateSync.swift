import ArgumentParser
import Client
import Encoding
import Execution
import Foundation
import Glibc
import Ledger
import LedgerCrypto
import Market
import Policy
import Records
import Replica
import SQLite
import Storage

/// A fresh node joins a long chain by a snapshot: real blocks and certificates made without consensus, then real nodes and
/// sockets. One JSON object for each length of the chain, and the ratio of the times of the last and the first.
struct StateSync: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "join",
        abstract: "Measure how a fresh node joins a long chain. / 新节点加入长链的测量")

    @Option(help: "Transactions of each chain. / 每条链的交易数")
    var transactions: [Int] = [1_000_000, 2_000_000]
    @Option(help: "Records in the state, about. / 状态记录数（约）") var records = 100_000
    @Option(help: "Transactions in a block. / 每块交易数") var perBlock = 100
    @Option(help: "Blocks of the replay window. / 防重放窗口（区块）") var window: UInt64 = 4_096
    @Option(help: "ed25519 or sm2. / 密码套件") var suite = "ed25519"

    func validate() throws {
        guard records >= 1_000, perBlock >= 2, perBlock <= 1_000,
            transactions.allSatisfy({ $0 >= records })
        else { throw ValidationError("too few transactions / 交易数过少") }
    }

    func run() async throws {
        Report.machine()
        var times: [Double] = []
        for count in transactions { times.append(try await join(count)) }
        guard let first = times.first, let last = times.last, times.count > 1 else { return }
        Report.line("join-ratio", [("lastToFirst", .real(last / first))])
    }

    /// - Returns: seconds from the fresh node's start until it stands at the snapshot.
    private func join(_ count: Int) async throws -> Double {
        let network = try BenchNetwork(suite: suite, validators: 4, window: window)
        defer { network.remove() }
        let began = ContinuousClock.now
        let chain = try LongChain(network, records: records, perBlock: perBlock)
        try chain.grow(to: count)
        let height = chain.store.watermark.height
        let buildSeconds = (ContinuousClock.now - began).milliseconds / 1e3
        try chain.close()
        Report.progress("\(count) transactions in \(height) blocks, \(buildSeconds) s")
        for index in 0...2 {
            try FileManager.default.createDirectory(
                at: network.data(of: index), withIntermediateDirectories: true)
            for name in ["ledger.db", Index.fileName] {
                try FileManager.default.copyItem(
                    at: chain.folder.appending(path: name),
                    to: network.data(of: index).appending(path: name))
            }
        }
        // The copies are gigabytes, and the nodes' own syncs would wait for them.
        sync()
        // Each makes one when it starts, of what it holds then.
        try network.configure(["snapshotEveryBlocks": height, "joinAheadBlocks": 10])
        for index in 0...2 { try await network.launch(index) }
        for index in 0...2 {
            try await reading(network, index) { $0("huijin_snapshots_made_total") > 0 }
        }
        let making = try await reading(network, 0) { $0("huijin_snapshots_made_total") > 0 }
        let start = ContinuousClock.now
        try await network.launch(3)
        let joined = try await reading(network, 3) { $0("huijin_first_height") > 0 }
        let seconds = (ContinuousClock.now - start).milliseconds / 1e3
        let target = try await reading(network, 0) { _ in true }
        let goal = target("huijin_height")
        try await reading(network, 3) { $0("huijin_height") >= goal }
        let caughtUp = (ContinuousClock.now - start).milliseconds / 1e3
        Report.line(
            "join",
            [
                ("transactions", .unsigned(UInt64(count))), ("blocks", .unsigned(height)),
                ("records", .unsigned(UInt64(chain.records))),
                ("secondsToSnapshot", .real(seconds)), ("secondsToNewestBlock", .real(caughtUp)),
                ("bytes", .unsigned(joined("huijin_snapshot_fetched_bytes_total"))),
                ("chunks", .unsigned(joined("huijin_snapshot_fetched_chunks_total"))),
                ("firstHeight", .unsigned(joined("huijin_first_height"))),
                (
                    "makingMilliseconds",
                    .unsigned(making("huijin_snapshot_making_milliseconds_total"))
                ),
                ("ledgerBytes", .unsigned(try fileBytes(network.data))),
                ("buildSeconds", .real(buildSeconds)), ("suite", .text(suite)),
            ])
        return seconds
    }

    private func fileBytes(_ folder: URL) throws -> UInt64 {
        let path = folder.appending(path: "ledger.db").path
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return attributes[.size] as? UInt64 ?? 0
    }

    /// A node's counters once they are as wanted.
    @discardableResult
    private func reading(
        _ network: BenchNetwork, _ index: Int, _ isThere: ((String) -> UInt64) -> Bool
    ) async throws -> (String) -> UInt64 {
        while true {
            let answer = try await NetworkTransport().perform(
                HTTPCall(base: network.nodes[index], path: "/metrics"))
            let lines = String(decoding: answer.body, as: UTF8.self).split(separator: "\n")
            let value = { (name: String) -> UInt64 in
                let line = lines.first { $0.hasPrefix(name + " ") }
                return line?.split(separator: " ").last.flatMap { UInt64($0) } ?? 0
            }
            if isThere(value) { return value }
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// A ledger grown in its store: executed, signed and certified as on a network, one certificate for each block.
private final class LongChain {
    let store: Store
    /// Of no node: the store stays open.
    let folder: URL
    private let network: BenchNetwork
    private let genesis: Genesis
    private let executor: Executor<Store>
    private let governor: Identity
    private let votingKeys: [SigningKey]
    private let perBlock: Int
    private let recordsMax: Int
    private let bank: Identity
    private var members: [MemberID] = []
    private var replay = ReplayWindow()
    private var serial: UInt64 = 0
    private(set) var records = 0
    private var count = 0

    private static let membersMax = 1_000

    init(_ network: BenchNetwork, records: Int, perBlock: Int) throws {
        self.network = network
        self.perBlock = perBlock
        recordsMax = records
        genesis = network.genesis
        votingKeys = try network.votingKeys()
        governor = try network.governor()
        bank = Identity(
            member: try Self.member(0), key: SigningKey.generate(network.genesis.suite))
        executor = Executor(genesis: network.genesis)
        folder = network.folder.appending(path: "chain")
        store = try Store(
            folder: folder.path, genesis: network.genesis,
            options: Store.Options(isDurable: false))
    }

    private static func member(_ serial: Int) throws -> MemberID {
        guard let code = SocialCreditCode.generate(serial: UInt32(5_000 + serial)),
            let id = MemberID(code.text)
        else { throw BenchNetwork.Failed(description: "a generated code is a member id") }
        return id
    }

    /// First the members, then evidence until there are as many records as wanted, then deposits, which change the
    /// members' accounts in turn.
    func grow(to wanted: Int) throws {
        try block([enrol(bank.member, bank.key.publicKey, .settlementBank)], by: governor)
        while count < wanted {
            let size = min(perBlock, wanted - count)
            if members.count < Self.membersMax {
                let new = try (0..<size).map { try Self.member(members.count + $0 + 1) }
                try block(
                    new.map { enrol($0, SigningKey.generate(genesis.suite).publicKey, .buyer) },
                    by: governor)
                members += new
                // A member, its key and, later, its account.
                records += 3 * size
            } else if records < recordsMax {
                try block(
                    (0..<size).map { number in
                        RecordEvidence(
                            commitment: genesis.suite.digest((serial + UInt64(number)).encoded),
                            mediaType: "text/csv", note: "evidence")
                    }, by: governor)
                records += size
            } else {
                try block(
                    (0..<size).map { number in
                        DepositConfirm(
                            member: members[(count + number) % members.count], amountFen: 100,
                            referenceCommitment: genesis.suite.digest(serial.encoded))
                    }, by: bank)
            }
        }
    }

    /// Brings the file up to date, with its index, so that the nodes that get copies have nothing left to do.
    func close() throws {
        try store.checkpoint()
        let reader = try StoreReader(path: store.path, chain: store.chain, suite: store.suite)
        let path = folder.appending(path: Index.fileName).path
        let index = try Index(path: path, chain: store.chain)
        while try index.follow(reader, chain: store.chain) {}
        // Another connection's, because the index ends with this function.
        let database = try Database(path: path, access: .readWrite)
        try database.checkpoint(.truncate)
    }

    private func enrol(_ member: MemberID, _ key: PublicKey, _ role: Role) -> MemberEnrol {
        MemberEnrol(
            member: member, nameZh: "成员", nameEn: "Member", group: "", roles: [role],
            publicKey: key, person: "p", mandates: [.maker, .checker, .legalRepresentative])
    }

    private func block<Body: TransactionBody>(_ bodies: [Body], by sender: Identity) throws {
        let transactions = bodies.map { body in
            serial += 1
            return Transaction(
                kind: Body.kind.rawValue,
                nonce: Array(
                    genesis.suite.digest(serial.encoded).bytes.prefix(LedgerLimits.nonceBytes)),
                lastValidHeight: store.header.height + 16, member: sender.member,
                body: body.encoded)
        }
        let envelopes =
            transactions.count > 1
            ? Envelope.signBatch(transactions, chain: genesis.chain, with: sender.key)
            : [Envelope.sign(transactions[0], chain: genesis.chain, with: sender.key)]
        let candidates = try envelopes.map { bytes in
            Verified(
                assumingValid: SignedTransaction(
                    envelope: try Envelope(
                        bytes: bytes, chain: genesis.chain, suite: genesis.suite),
                    key: sender.key.publicKey))
        }
        let parent = ParentState(
            header: store.header, headerDigest: store.watermark.header,
            frontier: store.watermark.frontier, base: store)
        let block = executor.build(
            on: parent, candidates: candidates, timeMs: parent.header.timeMs + 1, replay: replay)
        guard block.leftOut.isEmpty, block.outcomes.allSatisfy(\.isAccepted) else {
            throw BenchNetwork.Failed(description: "a transaction of the chain was refused")
        }
        try store.commit(Commit(blocks: [block], finalization: certificate(block)))
        replay.insert(block)
        replay.prune(height: block.height)
        count += bodies.count
    }

    private func certificate(_ block: ExecutedBlock) -> Certificate {
        let statement = VoteStatement.finalize(
            epoch: 0, view: block.height, VoteSubject(block.header, suite: genesis.suite))
        let signatures = (0..<genesis.validators.quorum).map { seat in
            let key = votingKeys[seat]
            let message = statement.signedBytes(
                chain: genesis.chain, suite: genesis.suite, keyID: key.publicKey.keyID)
            return CertificateSignature(validator: seat, signature: key.sign(message))
        }
        return Certificate(statement: statement, signatures: signatures)
    }
}
