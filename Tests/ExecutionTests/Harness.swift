import Encoding
import Ledger
import LedgerCrypto
import Market
import Merkle
import Policy
import Records

@testable import Execution

/// A committed state in memory.
final class MemoryBase: CommittedState {
    private var map: MemoryMap
    private var values: [Digest: [UInt8]] = [:]

    init(_ genesis: GenesisState, suite: Suite) {
        map = MemoryMap(suite: suite, bucketLeavesMax: 4)
        map.commit(
            MapOverlay(base: map).applying(genesis.delta.mapChanges(suite)).layers[0])
        for change in genesis.delta.changes { values[change.key] = change.value }
    }

    var suite: Suite { map.suite }
    var top: MapTop { map.top }
    func leaves(ofBucket id: UInt32) -> [HashedLeaf] { map.leaves(ofBucket: id) }
    func value(for key: Digest) -> [UInt8]? { values[key] }

    func commit(_ block: ExecutedBlock) {
        map.commit(block.mapLayer)
        for change in block.delta.changes { values[change.key] = change.value }
    }

    /// Every value hashes to what the map commits to, and nothing else is there.
    var isWhole: Bool {
        let leaves = map.leaves
        return leaves.count == values.count
            && leaves.allSatisfy { leaf in
                values[leaf.key].map { suite.digest($0) } == leaf.valueHash
            }
    }
}

/// A ledger of one process: members with real keys, blocks built and executed by hand.
struct TestLedger {
    let suite: Suite
    let genesis: Genesis
    let executor: Executor<MemoryBase>
    let base: MemoryBase
    let keys: [SigningKey]
    var parent: ParentState<MemoryBase>
    var replay = ReplayWindow()
    private var serial: UInt64 = 0

    static let timeMs: UInt64 = 1_700_000_000_000
    static let roles: [[Role]] = [
        [.governor], [.settlementBank], [.buyer], [.provider], [.registrar], [.venue],
        [.sandboxOperator], [.outputReviewer],
    ]

    init(
        suite: Suite = .ed25519SHA256, parameters: Parameters = Parameters()
    ) throws {
        self.suite = suite
        keys = try Self.roles.indices.map {
            try SigningKey(suite: suite, secret: suite.digest([UInt8($0)]).bytes)
        }
        var builder = GenesisBuilder(suite: suite)
        for (index, roles) in Self.roles.enumerated() {
            try builder.add(
                member: Self.member(index), nameZh: "成员\(index)", nameEn: "Member \(index)",
                roles: roles, keys: [.init(keys[index].publicKey, person: "p")])
        }
        let voting = try SigningKey(suite: suite, secret: suite.digest([200]).bytes)
        guard
            let validators = ValidatorSet(
                epoch: 0,
                validators: [
                    Validator(
                        member: Self.member(0), votingKey: voting.publicKey, transportKey: [1])
                ])
        else { preconditionFailure("one validator is a set") }
        genesis = builder.genesis(
            name: "test", timeMs: Self.timeMs, parameters: parameters, validators: validators)
        executor = Executor(genesis: genesis)
        let state = GenesisState(genesis)
        base = MemoryBase(state, suite: suite)
        parent = ParentState(
            header: state.header, headerDigest: state.headerDigest, frontier: .init(), base: base)
    }

    static func member(_ index: Int) -> MemberID {
        guard let code = SocialCreditCode.generate(serial: UInt32(index)),
            let id = MemberID(code.text)
        else { preconditionFailure("a generated code is a member id") }
        return id
    }

    mutating func sign<Body: TransactionBody>(
        _ body: Body, by index: Int, as member: Int? = nil, lastValidHeight: UInt64? = nil,
        key: SigningKey? = nil
    ) throws -> Verified<SignedTransaction> {
        try sign(
            kind: Body.kind.rawValue, body: body.encoded, by: index, as: member,
            lastValidHeight: lastValidHeight, key: key)
    }

    mutating func sign(
        kind: UInt64, body: [UInt8], by index: Int, as member: Int? = nil,
        lastValidHeight: UInt64? = nil, key: SigningKey? = nil
    ) throws -> Verified<SignedTransaction> {
        serial += 1
        let nonce = Array(suite.digest(serial.encoded).bytes.prefix(LedgerLimits.nonceBytes))
        return try sign(
            Transaction(
                kind: kind, nonce: nonce,
                lastValidHeight: lastValidHeight ?? parent.header.height + 20,
                member: Self.member(member ?? index), body: body), with: key ?? keys[index])
    }

    func sign(
        _ transaction: Transaction, with key: SigningKey
    ) throws -> Verified<SignedTransaction> {
        let bytes = Envelope.sign(transaction, chain: executor.chain, with: key)
        let envelope = try Envelope(bytes: bytes, chain: executor.chain, suite: suite)
        guard let verified = envelope.verified(by: key.publicKey) else {
            preconditionFailure("a fresh signature is valid")
        }
        return verified
    }

    func build(
        _ candidates: [Verified<SignedTransaction>], afterMs: UInt64 = 1
    ) -> ExecutedBlock {
        executor.build(
            on: parent, candidates: candidates, timeMs: parent.header.timeMs + afterMs,
            replay: replay)
    }

    /// Executes as a follower that has verified exactly these, with caches of its own.
    func follow(
        _ block: Block, _ candidates: [Verified<SignedTransaction>]
    ) throws(BlockFault) -> ExecutedBlock {
        try Executor<MemoryBase>(genesis: genesis).execute(
            block, on: parent,
            transactions: block.entries.map { entry in
                candidates.first { entry == .envelope($0.value.envelope.bytes) }
            },
            replay: replay)
    }

    /// Makes the block the newest unfinalized one.
    mutating func extend(_ block: ExecutedBlock) { parent = parent.extended(by: block) }

    /// Makes every unfinalized block final.
    mutating func finalize() {
        for block in parent.layers {
            base.commit(block)
            replay.insert(block)
            replay.prune(height: block.height)
        }
        parent = ParentState(
            header: parent.header, headerDigest: parent.headerDigest, frontier: parent.frontier,
            base: base)
    }

    /// Builds, extends and finalizes a block that holds all of these.
    mutating func run(
        _ candidates: [Verified<SignedTransaction>], afterMs: UInt64 = 1
    ) -> [OutcomeCode] {
        let block = build(candidates, afterMs: afterMs)
        extend(block)
        finalize()
        return block.outcomes.compactMap { OutcomeCode(rawValue: $0.code) }
    }

    func evidence(_ number: UInt64 = 0) -> RecordEvidence {
        RecordEvidence(
            commitment: suite.digest(number.encoded), mediaType: "text/plain", note: "n\(number)")
    }
}
