import Encoding
import Ledger
import LedgerCrypto
import Merkle
import Records

/// The entries of a proven bundle, each as something that a tool of others can check: a leaf of the log, and for each
/// validator that signed the certificate a receipt for that leaf.
public struct BundleReceipts: Sendable {
    /// Leaves and receipts of one entry.
    public struct Entry: Equatable, Sendable {
        public let height: UInt64
        /// Position among the block's entries, from 0.
        public let position: UInt64
        /// The leaf's data, before the RFC 9162 leaf prefix: `[1, envelope digest]` or `[2, action digest]`.
        public let leaf: [UInt8]
        /// One for each signer, in the order of `BundleReceipts.signers`.
        public let receipts: [Receipt]
        /// The entry with all of them; nil unless it is an envelope that is shown and signed by itself.
        public let statement: TransparentStatement?
        /// With which the statement was signed, where the bundle proves it.
        public let issuer: PublicKey?
    }

    public let checkpoint: Checkpoint
    /// Numbers of the validators that signed, ascending.
    public let signers: [Int]
    private let bundle: EvidenceBundle
    private let certificate: Certificate
    private let epochChanges: [EpochChange]
    private let ancestors: [UInt64: HeaderEvidence]

    fileprivate init(
        checkpoint: Checkpoint, certificate: Certificate, epochChanges: [EpochChange],
        proven bundle: EvidenceBundle
    ) {
        self.checkpoint = checkpoint
        self.bundle = bundle
        self.certificate = certificate
        self.epochChanges = epochChanges
        signers = certificate.signatures.map { $0.validator }
        var ancestors: [UInt64: HeaderEvidence] = [:]
        for ancestor in bundle.ancestors { ancestors[ancestor.header.height] = ancestor }
        self.ancestors = ancestors
    }

    /// What the bundle answers.
    public var questions: [EvidenceQuestion] { bundle.questions }
    public var suite: Suite { checkpoint.validators.suite }
    /// The log root that all of them signed.
    public var root: Digest { checkpoint.header.logRoot }
    public var entryCount: Int { bundle.entries.count }

    /// - Parameter number: counts from 0 in the bundle's entries.
    public func entry(_ number: Int) -> Entry {
        let entry = bundle.entries[number]
        let (index, path) = place(of: entry)
        let receipts = certificate.votes.map { vote -> Receipt in
            let receipt = Receipt(
                vote: vote, chain: bundle.chain, suite: suite,
                keyID: checkpoint.validators.validators[vote.validator].votingKey.keyID,
                size: checkpoint.header.logSize, index: index, path: path)
            guard let receipt else {
                preconditionFailure("a proven bundle's certificate is a finalization")
            }
            return receipt
        }
        let key = issuerKey(entry.content)
        let statement = statement(entry.content, receipts: receipts, key: key)
        return Entry(
            height: entry.height, position: entry.position, leaf: entry.content.leaf(suite),
            receipts: receipts, statement: statement,
            issuer: statement == nil ? nil : key.flatMap(Self.publicKey))
    }

    /// The entry's leaf in the certified log, and its whole path there.
    private func place(of entry: EntryEvidence) -> (index: UInt64, path: [Digest]) {
        let ancestor = ancestors[entry.height]
        let header = ancestor?.header ?? checkpoint.header
        precondition(header.height == entry.height, "a proven bundle has the header of each entry")
        let index = header.logSize - header.entryCount + entry.position
        guard let ancestor else { return (index, entry.logPath) }
        let path = LogPeak(holding: index, size: header.logSize).path(
            inside: entry.logPath, next: header.logSize,
            nextLeafHash: LogLeaf.header(header.digest(suite), suite: suite),
            path: ancestor.path, size: checkpoint.header.logSize, suite: suite)
        return (index, path)
    }

    private func statement(
        _ content: EntryContent, receipts: [Receipt], key: StateEvidence?
    ) -> TransparentStatement? {
        guard case .envelope(let bytes) = content else { return nil }
        return TransparentStatement(
            envelope: bytes, receipts: receipts,
            context: .init(
                header: checkpoint.header, epochChanges: epochChanges, key: key))
    }

    /// The record of the key that signed, where the bundle proves it.
    private func issuerKey(_ content: EntryContent) -> StateEvidence? {
        guard case .envelope(let bytes) = content,
            let envelope = try? Envelope(bytes: bytes, chain: bundle.chain, suite: suite)
        else { return nil }
        let place = StateKey.key(envelope.keyID, suite)
        return bundle.records.first { $0.key == place }
    }

    private static func publicKey(_ key: StateEvidence) -> PublicKey? {
        guard case .value(let value) = key.content,
            let record = try? StoredRecord.decode(value: value)
        else { return nil }
        return KeyRecord(record)?.publicKey
    }
}

extension Verifier {
    /// The bundle's entries as receipts, after the whole bundle is verified. Of a detached one the certificate is that which is
    /// trusted with the header.
    ///
    /// - Throws: the first problem found, with its place; nothing of such a bundle is made a receipt of.
    ///   `.certificateNotIncluded` where trust starts with the header, which came without votes: a receipt is one of them.
    ///   `.nobodyVoted` where a recovery made it final, for which nobody voted.
    public func receipts(_ bytes: [UInt8]) throws(EvidenceProblem) -> BundleReceipts {
        let bundle = try decode(bytes)
        let answer = try verify(bundle)
        var known = trust.epochChanges
        let certificate: Certificate
        switch bundle.head {
        case .certified(let certified, let changes):
            known += changes.filter { $0.header.epoch >= trust.validators.epoch }
            certificate = certified.certificate
        case .trusted(let digest):
            guard let trusted = trust.trusted(digest)?.certificate else {
                throw EvidenceProblem(.certificate, .certificateNotIncluded)
            }
            certificate = trusted
        }
        guard certificate.kind == .finalize else {
            throw EvidenceProblem(.certificate, .nobodyVoted)
        }
        let epoch = answer.checkpoint.header.epoch
        return BundleReceipts(
            checkpoint: answer.checkpoint, certificate: certificate,
            epochChanges: Array(known.prefix { $0.header.epoch < epoch }),
            proven: bundle)
    }
}
