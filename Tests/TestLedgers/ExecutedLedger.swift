import Encoding
import Execution
import Ledger
import LedgerCrypto
import LightClient
import Market
import Merkle
import Policy
import Records

/// A ledger whose blocks the market's own rules execute; its validators, one of them by default, finalize each at once.
package final class ExecutedLedger: EvidenceSource {
    /// The committed state, in memory.
    package final class Base: StateReader, MapReader {
        fileprivate var map: MemoryMap
        fileprivate var values: [Digest: [UInt8]] = [:]

        fileprivate init(_ genesis: GenesisState, suite: LedgerCrypto.Suite) {
            map = MemoryMap(suite: suite)
            map.commit(genesis.mapLayer)
            for change in genesis.delta.changes { values[change.key] = change.value }
        }

        package var suite: LedgerCrypto.Suite { map.suite }
        package var top: MapTop { map.top }
        package func leaves(ofBucket id: UInt32) -> [HashedLeaf] { map.leaves(ofBucket: id) }
        package func value(for key: Digest) -> [UInt8]? { values[key] }
    }

    package static let roles: [[Role]] = [
        [.governor], [.settlementBank], [.buyer], [.provider], [.registrar], [.venue],
        [.sandboxOperator], [.outputReviewer],
    ]

    package let suite: LedgerCrypto.Suite
    package let genesis: Genesis
    private let keys: [SigningKey]
    /// Every key that ever had a seat.
    private var votingKeys: [KeyID: SigningKey] = [:]
    /// By epoch.
    private var sets: [ValidatorSet]
    private var changes: [EpochChange] = []
    private let executor: Executor<Base>
    private let base: Base
    private var parent: ParentState<Base>
    private var blocks: [ExecutedBlock] = []
    private var log: LogTree
    private var eventsByLog: [Digest: [EventLogKind: [[UInt8]]]] = [:]
    private var replay = ReplayWindow()
    private var serial: UInt64 = 0

    /// - Parameter seats: validators at first; they belong to the first members.
    package init(_ suite: LedgerCrypto.Suite, seats count: Int = 1) throws {
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
        var seats: [Validator] = []
        for index in 0..<count {
            let key = try SigningKey(suite: suite, secret: suite.digest([200 + UInt8(index)]).bytes)
            votingKeys[key.publicKey.keyID] = key
            seats.append(
                Validator(
                    member: Self.member(index), votingKey: key.publicKey,
                    transportKey: [1 + UInt8(index)]))
        }
        let set = ValidatorSet(epoch: 0, validators: seats)!
        genesis = builder.genesis(
            name: "executed", timeMs: 1_767_225_600_000, parameters: Parameters(),
            validators: set)
        sets = [set]
        executor = Executor(genesis: genesis)
        let state = GenesisState(genesis)
        base = Base(state, suite: suite)
        parent = ParentState(
            header: state.header, headerDigest: state.headerDigest, frontier: .init(), base: base)
        log = LogTree(suite: suite)
    }

    package static func member(_ index: Int) -> MemberID {
        MemberID(SocialCreditCode.generate(serial: UInt32(index))!.text)!
    }

    package func sign<Body: TransactionBody>(
        _ body: Body, by index: Int
    ) throws -> Verified<SignedTransaction> {
        try verified(
            Envelope.sign(transaction(body, by: index), chain: genesis.chain, with: keys[index]),
            by: index)
    }

    /// One signature for all of them.
    package func signBatch<Body: TransactionBody>(
        _ bodies: [Body], by index: Int
    ) throws -> [Verified<SignedTransaction>] {
        try Envelope.signBatch(
            bodies.map { transaction($0, by: index) }, chain: genesis.chain, with: keys[index]
        ).map { try verified($0, by: index) }
    }

    private func transaction<Body: TransactionBody>(_ body: Body, by index: Int) -> Transaction {
        serial += 1
        return Transaction(
            kind: Body.kind.rawValue,
            nonce: Array(suite.digest(serial.encoded).bytes.prefix(LedgerLimits.nonceBytes)),
            lastValidHeight: parent.header.height + 20, member: Self.member(index),
            body: body.encoded)
    }

    private func verified(_ bytes: [UInt8], by index: Int) throws -> Verified<SignedTransaction> {
        try Envelope(bytes: bytes, chain: genesis.chain, suite: suite)
            .verified(by: keys[index].publicKey)!
    }

    // MARK: Epochs

    private func newVotingKey(_ number: UInt8) throws -> SigningKey {
        let key = try SigningKey(suite: suite, secret: suite.digest([100, number]).bytes)
        votingKeys[key.publicKey.keyID] = key
        return key
    }

    private func transportKey(_ number: UInt8) -> [UInt8] {
        ValidatorJoin.example.transportKey.dropLast() + [number]
    }

    /// The governor enrols a member and gives it a seat.
    package func seat(newcomer number: Int) throws -> [Verified<SignedTransaction>] {
        let key = try newVotingKey(UInt8(number))
        let member = Self.member(number)
        return [
            try sign(
                MemberEnrol(
                    member: member, nameZh: "记账", nameEn: "Validator", group: "",
                    roles: [.validator],
                    publicKey: try SigningKey(
                        suite: suite, secret: suite.digest([UInt8(number)]).bytes
                    ).publicKey, person: "p", mandates: [.legalRepresentative]), by: 0),
            try sign(
                ValidatorJoin(
                    member: member, votingKey: key.publicKey,
                    transportKey: transportKey(UInt8(number))), by: 0),
        ]
    }

    /// The governor gives the seat another key.
    package func replaceKey(ofSeat index: Int, number: UInt8) throws -> Verified<SignedTransaction>
    {
        let seat = sets[sets.count - 1].validators[index]
        return try sign(
            ValidatorReplace(
                replacedKey: seat.votingKey.keyID, votingKey: newVotingKey(number).publicKey,
                transportKey: transportKey(number)), by: 0)
    }

    /// A final block of these, in this order; what became of them.
    @discardableResult
    package func run(_ candidates: [Verified<SignedTransaction>], afterMs: UInt64 = 100)
        -> [OutcomeCode]
    {
        let block = executor.build(
            on: parent, candidates: candidates, timeMs: parent.header.timeMs + afterMs,
            replay: replay)
        log.append(leafHash: LogLeaf.header(parent.headerDigest, suite: suite))
        for entry in block.block.entries {
            log.append(leafHash: LogLeaf.entry(entry, suite: suite))
        }
        for placed in block.events {
            eventsByLog[placed.asset, default: [:]][placed.event.log, default: []]
                .append(placed.event.encoded)
        }
        base.map.commit(block.mapLayer)
        for change in block.delta.changes { base.values[change.key] = change.value }
        replay.insert(block)
        blocks.append(block)
        if let next = block.nextValidators {
            changes.append(
                EpochChange(
                    header: block.header, certificate: certificate(for: block.header), next: next))
            sets.append(next)
        }
        parent = ParentState(
            header: block.header, headerDigest: block.headerDigest, frontier: block.frontier,
            base: base)
        return block.outcomes.compactMap { OutcomeCode(rawValue: $0.code) }
    }

    // MARK: EvidenceSource

    package func checkpoint() -> (header: Header, certificate: Certificate)? {
        guard let header = blocks.last?.header else { return nil }
        return (header, certificate(for: header))
    }

    /// The last validators of the set that make a quorum.
    private func certificate(for header: Header) -> Certificate {
        let set = sets[Int(header.epoch)]
        let statement = VoteStatement.finalize(
            epoch: header.epoch, view: header.height, VoteSubject(header, suite: suite))
        let signatures = (set.count - set.quorum..<set.count).map { index in
            let keyID = set.validators[index].votingKey.keyID
            let bytes = statement.signedBytes(chain: genesis.chain, suite: suite, keyID: keyID)
            return CertificateSignature(
                validator: index, signature: votingKeys[keyID]!.sign(bytes))
        }
        return Certificate(statement: statement, signatures: signatures)
    }

    package func epochChanges() -> [EpochChange]? { changes }
    package func block(height: UInt64) -> Block? { executed(height)?.block }
    package func outcomes(height: UInt64) -> [EntryOutcome]? { executed(height)?.outcomes }

    private func executed(_ height: UInt64) -> ExecutedBlock? {
        height > 0 && height <= blocks.count ? blocks[Int(height) - 1] : nil
    }

    package func logPath(index: UInt64, size: UInt64) -> [Digest]? {
        log.inclusionPath(index: index, size: size)
    }

    package func stateProof(key: Digest) -> (value: [UInt8]?, proof: MapProof)? {
        (base.value(for: key), MapOverlay(base: base).proof(for: key).proof)
    }

    package func assetRecord(_ id: Digest) throws -> AssetRecord {
        let key = StateKey.digest(.asset, id, suite: suite)
        guard let value = base.value(for: key),
            case .asset(let record) = try StoredRecord.decode(value: value)
        else { throw EvidenceSourceError.missing("asset \(id.hex)") }
        return record
    }

    package func events(asset: Digest, log: EventLogKind) -> [[UInt8]]? {
        eventsByLog[asset]?[log] ?? []
    }

    package func locate(transaction id: Digest) -> (height: UInt64, position: UInt64)? {
        for block in blocks {
            let ids = zip(block.transactions, block.outcomes).map { $0?.id ?? $1.entryDigest }
            if let position = ids.firstIndex(of: id) { return (block.height, UInt64(position)) }
        }
        return nil
    }
}
