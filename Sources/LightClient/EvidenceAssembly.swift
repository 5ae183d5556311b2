import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

/// Collects the parts of one bundle, each once, and puts them in order.
struct EvidenceAssembly<Source: EvidenceSource> {
    let source: Source
    let header: Header
    private let certificate: Certificate
    private let epochChanges: [EpochChange]
    private let disclosing: EvidenceBundle.Disclosure
    private var records: [Digest: StateEvidence] = [:]
    private var ancestors: [HeaderEvidence] = []
    /// Ascending by (height, position): `add` is called for ascending heights.
    private var entries: [EntryEvidence] = []
    /// Position in `entries` by entry digest.
    private var places: [Digest: Int] = [:]

    init(
        source: Source, disclosing: @escaping EvidenceBundle.Disclosure
    ) throws(EvidenceSourceError) {
        guard let checkpoint = source.checkpoint() else { throw .nothingFinal }
        guard let changes = source.epochChanges() else { throw .missing("epoch changes") }
        self.source = source
        self.disclosing = disclosing
        header = checkpoint.header
        certificate = checkpoint.certificate
        epochChanges = changes
    }

    private var suite: Suite { source.suite }

    /// - Returns: the stored value, `nil` when the state has none.
    mutating func add(stateKey key: Digest) throws(EvidenceSourceError) -> [UInt8]? {
        if let known = records[key] { return known.value }
        guard let (value, proof) = source.stateProof(key: key) else {
            throw .missing("state proof of \(key.hex)")
        }
        records[key] = StateEvidence(key: key, value: value, proof: proof)
        return value
    }

    // MARK: Events

    /// The first `size` events of a log: those that the checkpoint's record commits to.
    func leaves(
        of asset: Digest, log: EventLogKind, size: UInt64
    ) throws(EvidenceSourceError) -> [[UInt8]] {
        guard let all = source.events(asset: asset, log: log) else {
            throw .missing("\(log.name) events of \(asset.hex)")
        }
        guard UInt64(all.count) >= size else { throw .indexBehind }
        return Array(all.prefix(Int(size)))
    }

    func decode(_ leaves: [[UInt8]]) throws(EvidenceSourceError) -> [AssetEvent] {
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

    /// Adds the entries of these events, each once.
    mutating func add(events: [AssetEvent]) throws(EvidenceSourceError) {
        let sorted = events.sorted { ($0.height, $0.entryDigest) < ($1.height, $1.entryDigest) }
        var rest = sorted[...]
        while let first = rest.first {
            let sameHeight = rest.prefix { $0.height == first.height }
            rest = rest.dropFirst(sameHeight.count)
            guard let outcomes = source.outcomes(height: first.height) else {
                throw .missing("outcomes at height \(first.height)")
            }
            let wanted = Set(sameHeight.map { $0.entryDigest })
            let positions = outcomes.indices.filter { wanted.contains(outcomes[$0].entryDigest) }
            guard positions.count == wanted.count else {
                throw .damaged("event at height \(first.height)")
            }
            try add(height: first.height, positions: positions.map { UInt64($0) })
        }
    }

    func link(
        _ leaves: [[UInt8]], events: [AssetEvent]
    ) throws(EvidenceSourceError) -> [EventEvidence] {
        var linked: [EventEvidence] = []
        linked.reserveCapacity(leaves.count)
        for (leaf, event) in zip(leaves, events) {
            guard let place = places[event.entryDigest] else { throw .damaged("event") }
            linked.append(EventEvidence(leaf: leaf, entry: place))
        }
        return linked
    }

    // MARK: Entries

    /// Adds entries of one block; heights and positions ascend from call to call.
    mutating func add(height: UInt64, positions: [UInt64]) throws(EvidenceSourceError) {
        let block = try add(blockAt: height)
        guard let outcomes = source.outcomes(height: height),
            outcomes.count == block.entries.count
        else { throw .missing("outcomes at height \(height)") }
        let results = LogTree(
            suite: suite, leafHashes: outcomes.map { suite.leafDigest($0.encoded) })
        let first = block.header.logSize - UInt64(block.entries.count)
        for position in positions {
            guard position < UInt64(block.entries.count) else {
                throw .damaged("position \(position) at height \(height)")
            }
            let outcome = outcomes[Int(position)]
            guard let path = source.logPath(index: first + position, size: header.logSize) else {
                throw .missing("log path of leaf \(first + position)")
            }
            places[outcome.entryDigest] = entries.count
            entries.append(
                EntryEvidence(
                    height: height, position: position,
                    content: try content(block.entries[Int(position)], outcome.entryDigest),
                    code: outcome.code,
                    resultsPath: results.inclusionPath(index: position, size: results.size),
                    logPath: path))
        }
    }

    mutating func add(headerAt height: UInt64) throws(EvidenceSourceError) {
        _ = try add(blockAt: height)
    }

    private mutating func add(blockAt height: UInt64) throws(EvidenceSourceError) -> Block {
        guard height <= header.height, let block = source.block(height: height) else {
            throw .missing("block \(height)")
        }
        guard height < header.height else { return block }
        let index = block.header.logSize
        guard let path = source.logPath(index: index, size: header.logSize) else {
            throw .missing("log path of leaf \(index)")
        }
        ancestors.append(HeaderEvidence(header: block.header, path: path))
        return block
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

    func bundle(_ question: EvidenceQuestion, logs: [LogEvidence]) -> EvidenceBundle {
        EvidenceBundle(
            chain: header.chain, question: question, epochChanges: epochChanges, header: header,
            certificate: certificate, records: records.values.sorted { $0.key < $1.key },
            ancestors: ancestors, entries: entries, logs: logs)
    }
}
