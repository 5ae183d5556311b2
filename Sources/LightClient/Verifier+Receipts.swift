import Encoding
import Ledger
import LedgerCrypto
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
    private let headers: [UInt64: Header]

    fileprivate init(checkpoint: Checkpoint, proven bundle: EvidenceBundle) {
        self.checkpoint = checkpoint
        self.bundle = bundle
        signers = bundle.certificate.signatures.map { $0.validator }
        var headers = [bundle.header.height: bundle.header]
        for ancestor in bundle.ancestors { headers[ancestor.header.height] = ancestor.header }
        self.headers = headers
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
        guard let header = headers[entry.height] else {
            preconditionFailure("a proven bundle has the header of each entry")
        }
        let index = header.logSize - header.entryCount + entry.position
        let receipts = bundle.certificate.votes.map { vote -> Receipt in
            let receipt = Receipt(
                vote: vote, chain: bundle.chain, suite: suite,
                keyID: checkpoint.validators.validators[vote.validator].votingKey.keyID,
                size: checkpoint.header.logSize, index: index, path: entry.logPath)
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

    private func statement(
        _ content: EntryContent, receipts: [Receipt], key: StateEvidence?
    ) -> TransparentStatement? {
        guard case .envelope(let bytes) = content else { return nil }
        return TransparentStatement(
            envelope: bytes, receipts: receipts,
            context: .init(
                header: checkpoint.header, epochChanges: bundle.epochChanges, key: key))
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
    /// The bundle's entries as receipts, after the whole bundle is verified.
    ///
    /// - Throws: the first problem found, with its place; nothing of such a bundle is made a receipt of.
    public func receipts(_ bytes: [UInt8]) throws(EvidenceProblem) -> BundleReceipts {
        let bundle = try decode(bytes)
        let answer = try verify(bundle)
        return BundleReceipts(checkpoint: answer.checkpoint, proven: bundle)
    }
}
