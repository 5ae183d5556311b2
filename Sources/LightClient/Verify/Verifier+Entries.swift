import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

extension Verifier {
    /// Headers that the certified log holds at their place, ascending by height, the certified one last. None contradicts what is
    /// trusted, another one of them or the certified one: a quorum that certified such a log is not to be believed about anything in it.
    ///
    /// - Parameter known: all that is trusted with the certified header.
    func provenAncestors(
        _ ancestors: [HeaderEvidence], certified: Header, known: TrustedChain
    ) throws(EvidenceProblem) -> [Header] {
        var headers: [Header] = []
        headers.reserveCapacity(ancestors.count + 1)
        var log = LogPaths(root: certified.logRoot, size: certified.logSize, suite: suite)
        for ancestor in ancestors {
            let header = ancestor.header
            let place = EvidencePlace.ancestor(height: header.height)
            guard header.chain == chain else { throw EvidenceProblem(place, .otherChainInHeader) }
            if let last = headers.last, last.height >= header.height {
                throw EvidenceProblem(place, .outOfOrder)
            }
            guard header.height < certified.height else {
                throw EvidenceProblem(place, .headerNotBelow(certified: certified.height))
            }
            // The next block's first leaf is this header, and this block's log ends right before it.
            guard
                log.hold(
                    leafHash: LogLeaf.header(header.digest(suite), suite: suite),
                    index: header.logSize, path: ancestor.path)
            else { throw EvidenceProblem(place, .headerNotInLog) }
            guard known.contradicting(header) == nil,
                headers.last.flatMap({ Contradiction.between($0, header) }) == nil,
                Contradiction.between(header, certified) == nil
            else { throw EvidenceProblem(place, .contradictsTrusted) }
            headers.append(header)
        }
        headers.append(certified)
        return headers
    }

    /// A header among those that the certified log holds, whose own log is that log's beginning.
    func provenHeader(
        height: UInt64, digest: Digest?, _ parts: ProvenParts
    ) throws(EvidenceProblem) -> ProvenHeader {
        let place = EvidencePlace.ancestor(height: height)
        let headers = parts.headers
        guard let index = headers.index(ofHeight: height) else {
            throw EvidenceProblem(place, .headerNotIncluded)
        }
        let header = headers[index]
        let found = header.digest(suite)
        if let digest, digest != found { throw EvidenceProblem(place, .otherHeader) }
        // The last one is the certified header itself.
        if index < parts.paths.count {
            let size = headers[headers.count - 1].logSize
            let older = parts.paths[index].rootBefore(size: size, suite)
            guard older == header.logRoot else { throw EvidenceProblem(place, .notAPrefix) }
        }
        return ProvenHeader(header: header, digest: found)
    }

    /// - Parameters:
    ///   - headers: ascending by height, the certified one last.
    ///   - paths: those headers' but the last one's, which were found to lead to the last one's log.
    func provenEntries(
        _ entries: [EntryEvidence], headers: [Header], paths: [HeaderEvidence], state: ProvenState
    ) throws(EvidenceProblem) -> [ProvenEntry] {
        var proven: [ProvenEntry] = []
        proven.reserveCapacity(entries.count)
        let certified = headers[headers.count - 1]
        var log = EntryLog(certified: certified, suite: suite)
        var results = LogPaths(
            root: certified.resultsRoot, size: certified.entryCount, suite: suite)
        var keys: [KeyID: KeyRecord] = [:]
        for (index, entry) in entries.enumerated() {
            let place = EvidencePlace.entry(
                index: index, height: entry.height, position: entry.position)
            if let last = proven.last,
                (last.height, last.position) >= (entry.height, entry.position)
            {
                throw EvidenceProblem(place, .outOfOrder)
            }
            guard let number = headers.index(ofHeight: entry.height) else {
                throw EvidenceProblem(place, .headerNotIncluded)
            }
            let header = headers[number]
            if proven.last?.height != entry.height {
                results = LogPaths(
                    root: header.resultsRoot, size: header.entryCount, suite: suite)
            }
            let digest = entry.content.digest(suite)
            try checkPlace(
                of: entry, digest: digest, header: header,
                next: number < paths.count ? paths[number] : nil, log: &log, results: &results,
                at: place)
            proven.append(
                ProvenEntry(
                    height: entry.height, position: entry.position, timeMs: header.timeMs,
                    digest: digest, code: entry.code,
                    content: try disclosed(
                        entry, digest: digest, state: state, keys: &keys, at: place)))
        }
        return proven
    }

    /// The entry is in the log where its block's leaves are, and its outcome is at the same position of the results.
    ///
    /// - Parameter next: the header with its path; nil for the certified one.
    private func checkPlace(
        of entry: EntryEvidence, digest: Digest, header: Header, next: HeaderEvidence?,
        log: inout EntryLog, results: inout LogPaths, at place: EvidencePlace
    ) throws(EvidenceProblem) {
        guard entry.position < header.entryCount else {
            throw EvidenceProblem(place, .positionOutside(entries: header.entryCount))
        }
        // A block adds its parent's header and its entries, so its log is longer than its entries.
        guard header.entryCount < header.logSize else {
            throw EvidenceProblem(place, .malformedHeader)
        }
        guard
            log.hold(
                leafHash: entry.content.leafHash(digest: digest, suite),
                index: header.logSize - header.entryCount + entry.position, path: entry.logPath,
                next: next)
        else { throw EvidenceProblem(place, .entryNotInLog) }
        let outcome = EntryOutcome(entryDigest: digest, code: entry.code)
        guard
            results.hold(
                leafHash: suite.leafDigest(outcome.encoded), index: entry.position,
                path: entry.resultsPath)
        else { throw EvidenceProblem(place, .outcomeNotInResults(code: entry.code)) }
    }

    private func disclosed(
        _ entry: EntryEvidence, digest: Digest, state: ProvenState,
        keys: inout [KeyID: KeyRecord], at place: EvidencePlace
    ) throws(EvidenceProblem) -> ProvenEntry.Content {
        switch entry.content {
        case .withheld: return .withheld
        case .automatic(let action): return .automatic(action)
        case .envelope(let bytes):
            let envelope: Envelope
            do throws(EnvelopeError) {
                envelope = try Envelope(
                    bytes: bytes, digest: digest, chain: chain, suite: suite)
            } catch {
                throw EvidenceProblem(place, .badEnvelope(error))
            }
            let check = try signatureCheck(
                envelope, height: entry.height, state: state, keys: &keys, at: place)
            return .transaction(id: envelope.id, envelope.transaction, check)
        }
    }

    /// The signature is checked again when the bundle proves the key's record; that record must then fit.
    ///
    /// - Parameters:
    ///   - height: of the entry; nil where it is not proven, and with it whether the key was live.
    ///   - keys: the records that were read before. Reading one checks its point, which takes as long as a signature.
    func signatureCheck(
        _ envelope: Envelope, height: UInt64?, state: ProvenState, keys: inout [KeyID: KeyRecord],
        at place: EvidencePlace
    ) throws(EvidenceProblem) -> SignatureCheck {
        let keyID = envelope.keyID
        var found = keys[keyID]
        if found == nil {
            let stateKey = StateKey.key(keyID, suite)
            guard let index = state.index(of: stateKey), !state.isWithheld(at: index) else {
                return .notRechecked(keyID)
            }
            found = try state.record(KeyRecord.self, key: stateKey, neededAt: place)
        }
        guard let record = found else { throw EvidenceProblem(place, .keyNotLive(keyID)) }
        keys[keyID] = record
        guard record.member == envelope.transaction.member else {
            throw EvidenceProblem(place, .otherMembersKey(keyID))
        }
        // Whole blocks: within the block of the registration or revocation the validators kept the order.
        if let height {
            guard record.registeredHeight <= height,
                record.revokedHeight.map({ $0 >= height }) ?? true
            else { throw EvidenceProblem(place, .keyNotLive(keyID)) }
        }
        guard envelope.verified(by: record.publicKey) != nil else {
            throw EvidenceProblem(place, .badSignature(keyID))
        }
        return .valid(keyID)
    }
}

/// Checks entries' places in the certified log, one after another: what the one before has proven is not hashed again.
private struct EntryLog {
    private let certified: Header
    private let suite: Suite
    private var paths: LogPaths
    /// What `paths` is of: the first leaf after it.
    private var end: UInt64

    init(certified: Header, suite: Suite) {
        self.certified = certified
        self.suite = suite
        end = certified.logSize
        paths = LogPaths(root: certified.logRoot, size: certified.logSize, suite: suite)
    }

    /// - Parameter next: the header of the entry's block, whose leaf is the next one after the block's log; nil for the
    ///   certified block itself.
    mutating func hold(
        leafHash: Digest, index: UInt64, path: [Digest], next: HeaderEvidence?
    ) -> Bool {
        guard let next else {
            if end != certified.logSize { self = EntryLog(certified: certified, suite: suite) }
            return paths.hold(leafHash: leafHash, index: index, path: path)
        }
        let size = next.header.logSize
        let peak = LogPeak(holding: index, size: size)
        let first = index - peak.indexInside
        if end != first + peak.leaves {
            end = first + peak.leaves
            paths = LogPaths(
                root: peak.root(next: size, path: next.path, size: certified.logSize),
                size: peak.leaves, suite: suite)
        }
        return paths.hold(leafHash: leafHash, index: peak.indexInside, path: path)
    }
}
