import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

/// Collects what the questions of one bundle need, then reads each part once and puts all in order.
struct EvidenceAssembly<Source: EvidenceSource> {
    let source: Source
    let header: Header
    private let certificate: Certificate
    private let epochChanges: [EpochChange]
    private let disclosing: EvidenceBundle.Disclosure
    private var records: [Digest: StateEvidence] = [:]
    private var blocks: [UInt64: Wanted] = [:]
    private var histories: [[Gathered]] = []
    private var logs: [LogName: ReadLog] = [:]
    private let eventsMax: Int
    private var eventsRead = 0

    /// Entries of one block, by digest or position; none where the header alone is needed.
    private struct Wanted {
        var digests: Set<Digest> = []
        var positions: Set<UInt64> = []
    }

    private struct Gathered {
        let log: EventLogKind
        let leaves: [[UInt8]]
        let events: [AssetEvent]
    }

    private struct LogName: Hashable {
        let asset: Digest
        let log: EventLogKind
    }

    private struct ReadLog {
        let leaves: [[UInt8]]
        let events: [AssetEvent]
        /// Those up to the checkpoint that decide something, by what they decide.
        let deciding: [Decision: [AssetEvent]]
    }

    init(
        source: Source, disclosing: @escaping EvidenceBundle.Disclosure, eventsMax: Int
    ) throws(EvidenceSourceError) {
        guard let checkpoint = source.checkpoint() else { throw .nothingFinal }
        guard let changes = source.epochChanges() else { throw .missing("epoch changes") }
        self.source = source
        self.disclosing = disclosing
        self.eventsMax = eventsMax
        header = checkpoint.header
        certificate = checkpoint.certificate
        epochChanges = changes
    }

    private var suite: Suite { source.suite }

    // MARK: What the questions need

    mutating func gather(_ question: EvidenceQuestion) throws(EvidenceSourceError) {
        switch question {
        case .assetHistory(let asset, let logs): try gather(historyOf: asset, logs)
        case .transaction(let id):
            guard let found = source.locate(transaction: id) else { throw .unknownTransaction }
            try want(height: found.height, position: found.position)
        case .record(let type, let id):
            let key = EvidenceQuestion.stateKey(type: type, id: id, suite: suite)
            _ = try add(stateKey: key)
        case .header(let height, _): try want(height: height)
        case .licence(let id, let moment):
            try want(moment)
            let key = StateKey.digest(.agreement, id, suite: suite)
            guard let value = try add(stateKey: key) else { return }
            guard case .agreement(let record)? = try? StoredRecord.decode(value: value) else {
                throw .damaged("agreement record \(id.hex)")
            }
            // When it ended otherwise, its record says.
            if record.status == .closed { try want(eventsOf: record.asset, [.trades], question) }
        case .role(_, let member, let moment):
            try want(moment)
            _ = try add(stateKey: StateKey.member(member, suite))
        case .output(let job):
            let key = StateKey.digest(.job, job, suite: suite)
            guard let value = try add(stateKey: key) else { return }
            guard case .job(let record)? = try? StoredRecord.decode(value: value) else {
                throw .damaged("job record \(job.hex)")
            }
            try want(eventsOf: record.asset, [.trades, .refusals], question)
        }
    }

    /// The events of these logs that decide the question, as far as the source has them.
    private mutating func want(
        eventsOf asset: Digest, _ logs: [EventLogKind], _ question: EvidenceQuestion
    ) throws(EvidenceSourceError) {
        guard let decision = question.decision else { return }
        for log in logs {
            for event in try read(log, of: asset).deciding[decision] ?? [] { try want(event) }
        }
    }

    /// The headers that show which block was the newest one then. What lies ahead needs none: the verifier says so.
    private mutating func want(_ moment: Moment) throws(EvidenceSourceError) {
        switch moment {
        case .height(let height):
            if height <= header.height { try want(height: height) }
        case .time(let timeMs):
            guard timeMs < header.timeMs else { return }
            var low: UInt64 = 0
            var high = header.height
            // The block of `low` is not later than the moment, that of `high` is.
            while high - low > 1 {
                let middle = low + (high - low) / 2
                guard let block = source.block(height: middle) else {
                    throw .missing("block \(middle)")
                }
                if block.header.timeMs <= timeMs { low = middle } else { high = middle }
            }
            // Genesis is no block. That the first one is later shows that there was none.
            if low > 0 { try want(height: low) }
            try want(height: high)
        }
    }

    private mutating func gather(
        historyOf asset: Digest, _ logs: [EventLogKind]
    ) throws(EvidenceSourceError) {
        let key = StateKey.digest(.asset, asset, suite: suite)
        guard let value = try add(stateKey: key) else { return histories.append([]) }
        guard case .asset(let record)? = try? StoredRecord.decode(value: value) else {
            throw .damaged("asset record \(asset.hex)")
        }
        var gathered: [Gathered] = []
        for log in logs {
            // Those that the checkpoint's record commits to.
            let read = try read(log, of: asset)
            let size = record.log(log).size
            guard UInt64(read.leaves.count) >= size else { throw .indexBehind }
            let events = Array(read.events.prefix(Int(size)))
            for event in events { try want(event) }
            gathered.append(
                Gathered(log: log, leaves: Array(read.leaves.prefix(Int(size))), events: events))
        }
        histories.append(gathered)
    }

    /// - Returns: the stored value, `nil` when the state has none.
    private mutating func add(stateKey key: Digest) throws(EvidenceSourceError) -> [UInt8]? {
        if case .value(let bytes)? = records[key]?.content { return bytes }
        guard let (value, proof) = source.stateProof(key: key) else {
            throw .missing("state proof of \(key.hex)")
        }
        records[key] = StateEvidence(key: key, value: value, proof: proof)
        return value
    }

    private mutating func want(
        height: UInt64, position: UInt64? = nil
    ) throws(EvidenceSourceError) {
        guard height <= header.height else { throw .indexBehind }
        var wanted = blocks[height] ?? Wanted()
        if let position { wanted.positions.insert(position) }
        blocks[height] = wanted
    }

    private mutating func want(_ event: AssetEvent) throws(EvidenceSourceError) {
        guard event.height <= header.height else { throw .indexBehind }
        blocks[event.height, default: Wanted()].digests.insert(event.entryDigest)
    }

    /// A log, which is read once however many questions need it.
    private mutating func read(
        _ log: EventLogKind, of asset: Digest
    ) throws(EvidenceSourceError) -> ReadLog {
        let name = LogName(asset: asset, log: log)
        if let read = logs[name] { return read }
        guard let leaves = source.events(asset: asset, log: log) else {
            throw .missing("\(log.name) events of \(asset.hex)")
        }
        eventsRead += leaves.count
        guard eventsRead <= eventsMax else { throw .tooManyEvents }
        let events = try decode(leaves)
        var deciding: [Decision: [AssetEvent]] = [:]
        for event in events where event.height <= header.height {
            if let decision = Decision(event) { deciding[decision, default: []].append(event) }
        }
        let read = ReadLog(leaves: leaves, events: events, deciding: deciding)
        logs[name] = read
        return read
    }

    private func decode(_ leaves: [[UInt8]]) throws(EvidenceSourceError) -> [AssetEvent] {
        var events: [AssetEvent] = []
        events.reserveCapacity(leaves.count)
        for leaf in leaves {
            do throws(CBORError) {
                events.append(try AssetEvent.decode(leaf, limits: AssetEvent.limits))
            } catch {
                throw EvidenceSourceError.damaged("event")
            }
        }
        return events
    }

    // MARK: The bundle

    mutating func bundle(
        _ questions: [EvidenceQuestion]
    ) throws(EvidenceSourceError) -> EvidenceBundle {
        var ancestors: [HeaderEvidence] = []
        var entries: [EntryEvidence] = []
        for (height, wanted) in blocks.sorted(by: { $0.key < $1.key }) {
            guard let block = source.block(height: height) else {
                throw .missing("block \(height)")
            }
            if height < header.height { ancestors.append(try ancestor(block.header)) }
            try add(wanted, of: block, to: &entries)
        }
        var places: [Digest: Int] = [:]
        for (place, entry) in entries.enumerated() { places[entry.content.digest(suite)] = place }
        var linked: [[LogEvidence]] = []
        for logs in histories {
            var evidence: [LogEvidence] = []
            for log in logs { evidence.append(try link(log, places)) }
            linked.append(evidence)
        }
        return EvidenceBundle(
            chain: header.chain, questions: questions,
            head: .certified(
                CertifiedHeader(header: header, certificate: certificate), after: epochChanges),
            records: records.values.sorted { $0.key < $1.key },
            ancestors: ancestors, entries: entries, histories: linked)
    }

    private func ancestor(_ header: Header) throws(EvidenceSourceError) -> HeaderEvidence {
        let index = header.logSize
        guard let path = source.logPath(index: index, size: self.header.logSize) else {
            throw .missing("log path of leaf \(index)")
        }
        return HeaderEvidence(header: header, path: path)
    }

    private mutating func add(
        _ wanted: Wanted, of block: Block, to entries: inout [EntryEvidence]
    ) throws(EvidenceSourceError) {
        if wanted.digests.isEmpty, wanted.positions.isEmpty { return }
        let height = block.header.height
        guard let outcomes = source.outcomes(height: height),
            outcomes.count == block.entries.count
        else { throw .missing("outcomes at height \(height)") }
        let results = LogTree(
            suite: suite, leafHashes: outcomes.map { suite.leafDigest($0.encoded) })
        let first = block.header.logSize - UInt64(block.entries.count)
        var found = 0
        for (position, outcome) in outcomes.enumerated() {
            let isNamed = wanted.digests.contains(outcome.entryDigest)
            let isPlaced = wanted.positions.contains(UInt64(position))
            guard isNamed || isPlaced else { continue }
            found += (isNamed ? 1 : 0) + (isPlaced ? 1 : 0)
            let index = first + UInt64(position)
            guard var path = source.logPath(index: index, size: header.logSize) else {
                throw .missing("log path of leaf \(index)")
            }
            if height < header.height {
                // The rest is on the path of the block's header.
                let peak = LogPeak(holding: index, size: block.header.logSize)
                path.removeSubrange(peak.level...)
            }
            entries.append(
                EntryEvidence(
                    height: height, position: UInt64(position),
                    content: try content(block.entries[position], outcome.entryDigest),
                    code: outcome.code,
                    resultsPath: results.inclusionPath(
                        index: UInt64(position), size: results.size),
                    logPath: path))
        }
        guard found == wanted.digests.count + wanted.positions.count else {
            throw .damaged("event at height \(height)")
        }
    }

    private mutating func content(
        _ entry: Entry, _ digest: Digest
    ) throws(EvidenceSourceError) -> EntryContent {
        switch entry {
        case .automatic(let action): return .automatic(action)
        case .envelope(let bytes):
            let envelope: Envelope
            do throws(EnvelopeError) {
                envelope = try Envelope(bytes: bytes, chain: header.chain, suite: suite)
            } catch {
                throw EvidenceSourceError.damaged("envelope \(digest.hex)")
            }
            guard disclosing(envelope.transaction) else { return .withheld(digest) }
            _ = try add(stateKey: StateKey.key(envelope.keyID, suite))
            return .envelope(bytes)
        }
    }

    private func link(
        _ log: Gathered, _ places: [Digest: Int]
    ) throws(EvidenceSourceError) -> LogEvidence {
        var linked: [EventEvidence] = []
        linked.reserveCapacity(log.leaves.count)
        for (leaf, event) in zip(log.leaves, log.events) {
            guard let place = places[event.entryDigest] else { throw .damaged("event") }
            linked.append(EventEvidence(leaf: leaf, entry: place))
        }
        return LogEvidence(log: log.log.rawValue, events: linked)
    }
}
