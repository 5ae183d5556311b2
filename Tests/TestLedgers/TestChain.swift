import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records

/// A small ledger in memory: real signatures, log, results and state, without consensus and without market rules.
package struct TestChain: EvidenceSource {
    /// What one entry of a block does.
    package struct Step {
        package var entry: Entry
        package var kind: EventKind
        package var transactionID: Digest
        package var code: OutcomeCode
        package var detail: CBORValue = .map([])
        package var touches: [(asset: Digest, log: EventLogKind, actor: EventActor)]
    }

    package let suite: Suite
    package let genesis: Genesis
    package let chain: ChainID
    package private(set) var votingKeys: [SigningKey]
    package private(set) var validators: ValidatorSet
    package private(set) var blocks: [Block] = []
    package private(set) var changes: [EpochChange] = []
    private var results: [[EntryOutcome]] = []
    private var log: LogTree
    private var map: MemoryMap
    private var values: [Digest: [UInt8]] = [:]
    private var leaves: [Digest: [EventLogKind: [[UInt8]]]] = [:]
    private var nonce: UInt64 = 0

    /// Set by tests: how many events the "index" lags behind.
    package var missingEvents = 0
    /// Seats that sign certificates; the first ones that make a quorum unless set.
    package var signers: [Int]?

    package init(
        _ suite: Suite, validators count: Int = 4, name: String = "test", members: [TestMember],
        recoveryKeys: [SigningKey] = []
    ) {
        self.suite = suite
        votingKeys = (0..<count).map { Self.key(suite, 100 + $0) }
        validators = Self.set(votingKeys, epoch: 0)
        var records: [GenesisRecord] = []
        for member in members {
            let record = member.keyRecord
            let key = record.stateKey(suite)
            records.append(GenesisRecord(key: key, value: Self.stored(record)))
        }
        genesis = Genesis(
            name: name, suite: suite, timeMs: 1_767_225_600_000, parameters: Parameters(),
            validators: validators, records: records,
            recovery: RecoveryRule(
                threshold: recoveryKeys.count / 2 + 1, keys: recoveryKeys.map(\.publicKey)))
        chain = genesis.chain
        log = LogTree(suite: suite)
        map = MemoryMap(suite: suite)
        write(genesis.records.map { ($0.key, $0.value) })
        blocks = [Block(header: genesis.header(stateRoot: map.top.root), entries: [])]
        results = [[]]
    }

    package static func key(_ suite: Suite, _ number: Int) -> SigningKey {
        var secret = [UInt8](repeating: 0, count: 32)
        secret[30] = UInt8((number + 1) / 256)
        secret[31] = UInt8((number + 1) % 256)
        guard let key = try? SigningKey(suite: suite, secret: secret) else {
            preconditionFailure("a small number is a secret key")
        }
        return key
    }

    package static func set(_ keys: [SigningKey], epoch: UInt64) -> ValidatorSet {
        let seats = keys.enumerated().map { index, key in
            Validator(
                member: MemberID("V\(epoch)-\(index)")!, votingKey: key.publicKey,
                transportKey: [UInt8(index), UInt8(truncatingIfNeeded: epoch)])
        }
        return ValidatorSet(epoch: epoch, validators: seats)!
    }

    package static func stored(_ record: some RecordCodable) -> [UInt8] {
        StoredRecord.encode(record.wrapped, salt: [UInt8](repeating: 7, count: 16))
    }

    // MARK: Building

    package mutating func put(_ record: some RecordCodable) {
        write([(record.stateKey(suite), Self.stored(record))])
    }

    package mutating func putRaw(_ key: Digest, _ value: [UInt8]) { write([(key, value)]) }

    /// An event that the index already knows and the certified state does not.
    package mutating func addEarlyEvent(_ asset: Digest) {
        let log = EventLogKind.rights
        let event = AssetEvent(
            log: log, index: UInt64(leaves[asset]?[log]?.count ?? 0),
            kind: .transaction(.assetAttest), transactionID: .zero, entryDigest: .zero,
            height: newest.height + 1, timeMs: newest.timeMs + 1, actor: .ledger, code: .accepted)
        leaves[asset, default: [:]][log, default: []].append(event.encoded)
    }

    private mutating func write(_ changes: [(Digest, [UInt8])]) {
        let sorted = changes.sorted { $0.0 < $1.0 }
        let overlay = MapOverlay(base: map).applying(
            sorted.map { MapChange(key: $0.0, valueHash: suite.digest($0.1)) })
        for layer in overlay.layers { map.commit(layer) }
        for (key, value) in sorted { values[key] = value }
    }

    package func assetRecord(_ id: Digest) -> AssetRecord? {
        guard let value = values[StateKey.digest(.asset, id, suite: suite)],
            case .asset(let record)? = try? StoredRecord.decode(value: value)
        else { return nil }
        return record
    }

    /// An envelope of that member.
    package mutating func step(
        _ kind: TransactionKind, by member: TestMember, code: OutcomeCode = .accepted,
        body: CBORValue = .map([]), detail: CBORValue = .map([]),
        touching touches: [(asset: Digest, log: EventLogKind, actor: EventActor)]
    ) -> Step {
        nonce += 1
        let transaction = Transaction(
            kind: kind.rawValue,
            nonce: [UInt8](repeating: 0, count: 8)
                + withUnsafeBytes(of: nonce.bigEndian) { Array($0) },
            lastValidHeight: 1_000, member: member.id, body: body.encoded)
        let bytes = Envelope.sign(transaction, chain: chain, with: member.key)
        return Step(
            entry: .envelope(bytes), kind: .transaction(kind),
            transactionID: Transaction.id(
                payload: transaction.encoded, chain: chain, suite: suite),
            code: code, detail: detail, touches: touches)
    }

    package func step(expiring subject: Digest, deadlineMs: UInt64, asset: Digest) -> Step {
        let entry = Entry.automatic(
            AutomaticAction(
                kind: AutomaticKind.licenceExpire.rawValue, deadlineMs: deadlineMs,
                subject: subject))
        return Step(
            entry: entry, kind: .automatic(.licenceExpire), transactionID: entry.digest(suite),
            code: .accepted, touches: [(asset, .trades, .ledger)])
    }

    /// - Parameter timeMs: the block's time where it is not to be later than its parent's, as in no honest chain.
    package mutating func append(
        _ steps: [Step], endingEpochWith next: ValidatorSet? = nil, laterMs: UInt64 = 0,
        timeMs: UInt64? = nil
    ) {
        let parent = blocks[blocks.count - 1].header
        let height = parent.height + 1
        let timeMs = timeMs ?? parent.timeMs + 250 + laterMs
        let outcomes = steps.map {
            EntryOutcome(entryDigest: $0.entry.digest(suite), code: $0.code.rawValue)
        }
        for step in steps {
            for touch in step.touches {
                guard var asset = assetRecord(touch.asset) else { continue }
                let event = AssetEvent(
                    log: touch.log, index: asset.log(touch.log).size, kind: step.kind,
                    transactionID: step.transactionID, entryDigest: step.entry.digest(suite),
                    height: height, timeMs: timeMs, actor: touch.actor, code: step.code,
                    detail: step.detail)
                asset.append(event, suite: suite)
                leaves[touch.asset, default: [:]][touch.log, default: []].append(event.encoded)
                put(asset)
            }
        }
        log.append(leafHash: LogLeaf.header(parent.digest(suite), suite: suite))
        for step in steps { log.append(leafHash: LogLeaf.entry(step.entry, suite: suite)) }
        let header = Header(
            chain: chain, height: height, epoch: validators.epoch, parent: parent.digest(suite),
            timeMs: timeMs, logSize: log.size, logRoot: log.root, stateRoot: map.top.root,
            resultsRoot: resultsRoot(outcomes, suite: suite), entryCount: UInt64(steps.count),
            validators: validators.digest(suite), nextValidators: next?.digest(suite))
        blocks.append(Block(header: header, entries: steps.map(\.entry)))
        results.append(outcomes)
    }

    /// Ends the epoch at a block of its own and goes on under new validators.
    package mutating func changeEpoch(to keys: [SigningKey], laterMs: UInt64 = 0) {
        let next = Self.set(keys, epoch: validators.epoch + 1)
        append([], endingEpochWith: next, laterMs: laterMs)
        let header = blocks[blocks.count - 1].header
        changes.append(
            EpochChange(header: header, certificate: certificate(for: header), next: next))
        votingKeys = keys
        validators = next
    }

    /// Ends the epoch without its quorum and goes on under new validators.
    ///
    /// - Parameter signers: positions in the genesis' rule, and whose keys sign there.
    package mutating func recover(to keys: [SigningKey], signers: [(index: Int, key: SigningKey)]) {
        let next = Self.set(keys, epoch: validators.epoch + 1)
        append([], endingEpochWith: next)
        let header = newest
        let statement = VoteStatement.recover(
            epoch: header.epoch, VoteSubject(header, suite: suite))
        let certificate = Certificate(
            statement: statement,
            signatures: signers.map {
                RecoveryRule.sign(statement, at: $0.index, with: $0.key, chain: chain)
            })
        changes.append(EpochChange(header: header, certificate: certificate, next: next))
        votingKeys = keys
        validators = next
    }

    /// From now on others sign in the validators' places.
    package mutating func usurp(_ keys: [SigningKey]) { votingKeys = keys }

    package func certificate(
        for header: Header, signers: [Int]? = nil, kind: VoteKind = .finalize
    ) -> Certificate {
        let subject = VoteSubject(header, suite: suite)
        let statement: VoteStatement =
            switch kind {
            case .finalize: .finalize(epoch: header.epoch, view: header.height, subject)
            case .notarize: .notarize(epoch: header.epoch, view: header.height, subject)
            case .nullify: .nullify(epoch: header.epoch, view: header.height)
            case .recover: .recover(epoch: header.epoch, subject)
            }
        let signatures = (signers ?? self.signers ?? Array(0..<validators.quorum)).map { index in
            let key = votingKeys[index]
            let bytes = statement.signedBytes(
                chain: chain, suite: suite, keyID: key.publicKey.keyID)
            return CertificateSignature(validator: index, signature: key.sign(bytes))
        }
        return Certificate(statement: statement, signatures: signatures)
    }

    // MARK: EvidenceSource

    package var newest: Header { blocks[blocks.count - 1].header }

    package func checkpoint() -> (header: Header, certificate: Certificate)? {
        if newest.height == 0 { return nil }
        let end = changes.last { $0.header == newest && $0.certificate.kind == .recover }
        return (newest, end?.certificate ?? certificate(for: newest))
    }

    package func epochChanges() -> [EpochChange]? {
        changes.filter { $0.header.epoch < newest.epoch }
    }

    package func block(height: UInt64) -> Block? {
        height < blocks.count ? blocks[Int(height)] : nil
    }

    package func outcomes(height: UInt64) -> [EntryOutcome]? {
        height < results.count ? results[Int(height)] : nil
    }

    package func logPath(index: UInt64, size: UInt64) -> [Digest]? {
        log.inclusionPath(index: index, size: size)
    }

    package func stateProof(key: Digest) -> (value: [UInt8]?, proof: MapProof)? {
        (values[key], MapOverlay(base: map).proof(for: key).proof)
    }

    package func events(asset: Digest, log: EventLogKind) -> [[UInt8]]? {
        (leaves[asset]?[log] ?? []).dropLast(missingEvents)
    }

    package func locate(transaction id: Digest) -> (height: UInt64, position: UInt64)? {
        for block in blocks {
            for (position, entry) in block.entries.enumerated() {
                let found: Digest? =
                    switch entry {
                    case .envelope(let bytes):
                        try? Envelope(bytes: bytes, chain: chain, suite: suite).id
                    case .automatic: entry.digest(suite)
                    }
                if found == id { return (block.header.height, UInt64(position)) }
            }
        }
        return nil
    }
}

package struct TestMember {
    package let id: MemberID
    package let key: SigningKey
    package var revokedHeight: UInt64?

    package init(_ id: String, _ suite: Suite, _ number: Int) {
        self.id = MemberID(id)!
        key = TestChain.key(suite, number)
    }

    package var keyRecord: KeyRecord {
        KeyRecord(
            keyID: key.publicKey.keyID, member: id, publicKey: key.publicKey, person: "maker",
            mandates: [.maker], registeredHeight: 0, revokedHeight: revokedHeight)
    }
}
