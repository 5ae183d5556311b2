import Encoding
import Execution
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Market
import Merkle
import Policy
import Records
import Replica
import Testing

@testable import Storage

/// A chain that a store holds: real execution, real signatures, real certificates, no network.
final class CertifiedChain {
    let genesis: Genesis
    let store: Store
    let folder: TestFolder
    let member: MemberID
    /// What each block's state root was, by height.
    private(set) var roots: [Digest] = []
    private let key: SigningKey
    private var votingKeys: [SigningKey]
    /// Of the genesis' rule, two of three.
    let recoveryKeys: [SigningKey]
    private let executor: Executor<Store>
    private var replay = ReplayWindow()
    private var serial: UInt64 = 0
    private var view: UInt64 = 0
    private var transport: UInt8 = 0

    init(
        _ suite: LedgerCrypto.Suite = .ed25519SHA256, window: UInt64 = 16
    ) throws {
        key = SigningKey.generate(suite)
        let votingKeys = (0..<4).map { _ in SigningKey.generate(suite) }
        self.votingKeys = votingKeys
        recoveryKeys = (0..<3).map { _ in SigningKey.generate(suite) }
        func member(_ serial: UInt32) throws -> MemberID {
            let code = try #require(SocialCreditCode.generate(serial: serial))
            return try #require(MemberID(code.text))
        }
        self.member = try member(1)
        var builder = GenesisBuilder(suite: suite)
        try builder.add(
            member: self.member, nameZh: "甲公司", nameEn: "First", roles: [.governor, .provider],
            keys: [.init(key.publicKey, person: "somebody")])
        var seats: [Validator] = []
        for (index, voting) in votingKeys.enumerated() {
            let id = try member(100 + UInt32(index))
            try builder.add(
                member: id, nameZh: "节点\(index)", nameEn: "Node \(index)", roles: [.validator],
                keys: [.init(SigningKey.generate(suite).publicKey, person: "p")])
            seats.append(
                Validator(
                    member: id, votingKey: voting.publicKey, transportKey: [UInt8(index)]))
        }
        var parameters = Parameters()
        parameters.replayWindowBlocksMax = window
        genesis = builder.genesis(
            name: "snapshots", timeMs: 1_000, parameters: parameters,
            validators: try #require(ValidatorSet(epoch: 0, validators: seats)),
            recovery: RecoveryRule(threshold: 2, keys: recoveryKeys.map(\.publicKey)))
        folder = try TestFolder()
        store = try Store(folder: folder.path, genesis: genesis)
        executor = Executor(genesis: genesis)
        roots = [store.header.stateRoot]
    }

    var suite: LedgerCrypto.Suite { genesis.suite }

    func transaction<Body: TransactionBody>(
        _ body: Body
    ) throws -> Verified<SignedTransaction> {
        serial += 1
        let transaction = Transaction(
            kind: Body.kind.rawValue,
            nonce: Array(suite.digest(serial.encoded).bytes.prefix(LedgerLimits.nonceBytes)),
            lastValidHeight: store.header.height + 10, member: member, body: body.encoded)
        let bytes = Envelope.sign(transaction, chain: genesis.chain, with: key)
        let envelope = try Envelope(bytes: bytes, chain: genesis.chain, suite: suite)
        return try #require(envelope.verified(by: key.publicKey))
    }

    func evidence() throws -> Verified<SignedTransaction> {
        try transaction(
            RecordEvidence(
                commitment: suite.digest(serial.encoded), mediaType: "text/plain",
                note: "n\(serial)"))
    }

    func asset(_ number: Int) throws -> Verified<SignedTransaction> {
        try transaction(
            AssetRegister(
                code: "A\(number)", titleZh: "气象数据\(number)", titleEn: "Weather \(number)",
                keywords: [], columns: [], rowCount: 1, dataCommitment: suite.digest([1]),
                source: "s", sourceURL: "https://example.org", ownerClass: .enterprise,
                level: .raw, grade: .general, rights: [.holding]))
    }

    /// A transaction that ends the epoch.
    func change() throws -> Verified<SignedTransaction> {
        let seat = executor.validatorSet(after: parent).validators[0]
        return try transaction(
            ValidatorReplace(
                replacedKey: seat.votingKey.keyID, votingKey: seat.votingKey,
                transportKey: newTransportKey()))
    }

    private func newTransportKey() -> [UInt8] {
        var transportKey = ValidatorReplace.example.transportKey
        transport += 1
        transportKey[90] = transport
        return transportKey
    }

    var parent: ParentState<Store> {
        ParentState(
            header: store.header, headerDigest: store.watermark.header,
            frontier: store.watermark.frontier, base: store)
    }

    func certificate(
        _ header: Header, view: UInt64, signers: [Int] = [0, 1, 3]
    ) -> Certificate {
        let statement = VoteStatement.finalize(
            epoch: header.epoch, view: view, VoteSubject(header, suite: suite))
        // A replaced transport key leaves the voting keys, in another order.
        let set = executor.validatorSet(after: parent)
        let signatures = signers.map { seat in
            let id = set.validators[seat].votingKey.keyID
            guard let key = votingKeys.first(where: { $0.publicKey.keyID == id }) else {
                preconditionFailure("the seats' keys are the test's")
            }
            let message = statement.signedBytes(chain: genesis.chain, suite: suite, keyID: id)
            return CertificateSignature(validator: seat, signature: key.sign(message))
        }
        return Certificate(statement: statement, signatures: signatures)
    }

    /// Builds, certifies and commits so many blocks together; only the last has its certificate.
    @discardableResult
    func grow(
        _ candidates: [[Verified<SignedTransaction>]]
    ) throws -> [ExecutedBlock] {
        var layers: [ExecutedBlock] = []
        var state = parent
        for transactions in candidates {
            let block = executor.build(
                on: state, candidates: transactions, timeMs: state.header.timeMs + 7,
                replay: replay)
            #expect(block.leftOut.isEmpty)
            state = state.extended(by: block)
            layers.append(block)
        }
        guard let last = layers.last else { return [] }
        view = last.header.epoch == store.watermark.epoch ? view + UInt64(layers.count) : 1
        try store.commit(
            Commit(blocks: layers, finalization: certificate(last.header, view: view)))
        for block in layers {
            replay.insert(block)
            roots.append(block.header.stateRoot)
        }
        replay.prune(height: store.header.height)
        return layers
    }

    /// Ends the epoch by a recovery, which gives every seat a new key.
    func recover() throws {
        let keys = (0..<4).map { _ in SigningKey.generate(suite) }
        let present = executor.validatorSet(after: parent).validators
        let seats = zip(present, keys).map { seat, key in
            Validator(
                member: seat.member, votingKey: key.publicKey, transportKey: newTransportKey())
        }
        let block = executor.build(
            on: parent, candidates: [try transaction(ValidatorRecover(seats: seats))],
            timeMs: store.header.timeMs + 7, replay: replay, isRecovery: true)
        try #require(block.leftOut.isEmpty && block.nextValidators != nil)
        let statement = VoteStatement.recover(epoch: block.header.epoch, block.subject)
        try store.commit(
            Commit(
                blocks: [block],
                finalization: recovery(statement, [(0, recoveryKeys[0]), (2, recoveryKeys[2])])))
        replay.insert(block)
        replay.prune(height: store.header.height)
        roots.append(block.header.stateRoot)
        votingKeys = keys
    }

    func recovery(
        _ statement: VoteStatement, _ signers: [(index: Int, key: SigningKey)]
    ) -> Certificate {
        Certificate(
            statement: statement,
            signatures: signers.map {
                RecoveryRule.sign(statement, at: $0.index, with: $0.key, chain: genesis.chain)
            })
    }

    /// Some of everything: evidence, assets, refusals, blocks without certificates, and epochs that end.
    func fill(blocks: Int, changes: Set<Int> = []) throws {
        var number = 0
        while number < blocks {
            number += 1
            if changes.contains(number) {
                try grow([[try change(), try evidence()]])
                continue
            }
            // The same again is refused, and recorded.
            let registered = number % 3 == 0 ? [try asset(number), try asset(number)] : []
            let block = registered + [try evidence(), try evidence()]
            if number % 5 == 0, !changes.contains(number + 1), number < blocks {
                number += 1
                try grow([block, [try evidence()]])
            } else {
                try grow([block])
            }
        }
    }

    var shelf: SnapshotShelf {
        var sizes = SnapshotSizes()
        sizes.stateChunkBytes = 4_000
        sizes.blockChunkBytes = 3_000
        sizes.blockChunkBlocks = 3
        return SnapshotShelf(
            folder: folder.path + "/snapshots", store: store.path, genesis: genesis, sizes: sizes)
    }

    /// Executes what the other store has, from where this one stands, on another node's store.
    func follow(_ other: Store) throws {
        let executor = Executor<Store>(genesis: genesis)
        var window = try other.replayWindow()
        while other.header.height < store.header.height {
            let from = other.header.height + 1
            var pending: [ExecutedBlock] = []
            var state = ParentState(
                header: other.header, headerDigest: other.watermark.header,
                frontier: other.watermark.frontier, base: other)
            for certified in try store.finalBlocks(from: from) {
                let signed = try certified.block.entries.map {
                    entry -> Verified<SignedTransaction>? in
                    guard case .envelope(let bytes) = entry else { return nil }
                    return try Envelope(bytes: bytes, chain: genesis.chain, suite: suite)
                        .verified(by: key.publicKey)
                }
                let executed = try executor.execute(
                    certified.block, on: state, transactions: signed, replay: window,
                    isRecovery: certified.finalization?.kind == .recover)
                window.insert(executed)
                window.prune(height: executed.height)
                state = state.extended(by: executed)
                pending.append(executed)
                guard let finalization = certified.finalization else { continue }
                try other.commit(Commit(blocks: pending, finalization: finalization))
                pending = []
                state = ParentState(
                    header: other.header, headerDigest: other.watermark.header,
                    frontier: other.watermark.frontier, base: other)
            }
        }
    }
}

extension SnapshotStage {
    /// All that a shelf offers of a height, taken in.
    static func fetched(
        _ height: UInt64, from shelf: SnapshotShelf, to folder: String, genesis: Genesis
    ) throws -> SnapshotStage {
        let bytes = try #require(shelf.manifest(height))
        var stage = try SnapshotStage(
            folder: folder, manifest: bytes,
            verified: try VerifiedManifest(bytes, genesis: genesis))
        for index in stage.missing {
            let chunk = try #require(shelf.chunk(index, of: height))
            #expect(try stage.add(chunk: index, chunk) == nil)
        }
        return stage
    }
}
