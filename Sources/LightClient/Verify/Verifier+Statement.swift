import Encoding
import Ledger
import LedgerCrypto
import Records

/// What a transparent statement proves: who stated it, and that a quorum of validators finalized a log that holds it.
/// Whether the ledger accepted or refused what it says, a bundle about the transaction proves.
public struct ProvenStatement: Equatable, Sendable {
    /// The name in the genesis.
    public let ledger: String
    public let chain: ChainID
    public let suite: Suite
    public let id: Digest
    public let envelopeDigest: Digest
    public let transaction: Transaction
    public let check: SignatureCheck
    /// The log's height: the statement was recorded there or below.
    public let height: UInt64
    public let header: Digest
    /// Of that header, milliseconds of Unix time; nil where the statement does not bring it.
    public let timeMs: UInt64?
    /// Numbers of the validators whose receipts hold, ascending, each once.
    public let signers: [Int]
    public let validators: ValidatorSet
    public let epochs: [EpochTrust]
}

extension Verifier {
    /// Decides whether a member's statement was recorded: receipts of a quorum of distinct validators of their epoch, all of
    /// the same finalized header, each leading from the statement to the root that it signed.
    ///
    /// - Throws: the first problem found, with its place.
    public func verifyStatement(_ bytes: [UInt8]) throws(EvidenceProblem) -> ProvenStatement {
        let statement: TransparentStatement
        do throws(CBORError) {
            statement = try TransparentStatement.decode(bytes, limits: TransparentStatement.limits)
        } catch {
            throw EvidenceProblem(.statement, .undecodable(error))
        }
        let claim = statement.receipts[0]
        // Before anything is read by this ledger's rules, of which the suite is one.
        guard claim.chain == chain else {
            throw EvidenceProblem(
                .receipt(index: 0), .otherLedger(found: claim.chain, expected: chain))
        }
        let envelope = try envelope(of: statement)
        var known = trust
        let firstNew = known.validators.epoch
        if let conflict = try known.follow(statement.context?.epochChanges ?? []) {
            throw Self.problem(conflict)
        }
        let validators = try validators(of: claim.epoch, known)
        let votes = try votes(in: statement, envelope: envelope, validators: validators)
        try checkPlace(of: claim, known, firstNew: firstNew)
        var check = SignatureCheck.notRechecked(envelope.keyID)
        if let context = statement.context {
            let place = EvidencePlace.header(height: context.header.height)
            let certified = CertifiedHeader(
                header: context.header,
                certificate: Certificate(
                    statement: claim.statement(root: context.header.logRoot),
                    signatures: votes))
            if let conflict = known.conflict(with: certified, firstNew: firstNew, at: place) {
                throw Self.problem(conflict)
            }
            let state = try provenState(context.key.map { [$0] } ?? [], header: context.header)
            var keys: [KeyID: KeyRecord] = [:]
            check = try signatureCheck(
                envelope, height: nil, state: state, keys: &keys, at: .statement)
        }
        return ProvenStatement(
            ledger: genesis.name, chain: chain, suite: suite, id: envelope.id,
            envelopeDigest: envelope.digest,
            transaction: envelope.transaction, check: check, height: claim.height,
            header: claim.header, timeMs: statement.context?.header.timeMs,
            signers: votes.map { $0.validator }, validators: validators,
            epochs: known.epochs(through: claim.epoch))
    }

    private func envelope(of statement: TransparentStatement) throws(EvidenceProblem) -> Envelope {
        do throws(EnvelopeError) {
            return try Envelope(bytes: statement.envelope, chain: chain, suite: suite)
        } catch .wrongChain(let found, let expected) {
            throw EvidenceProblem(.statement, .otherLedger(found: found, expected: expected))
        } catch {
            throw EvidenceProblem(.statement, .badEnvelope(error))
        }
    }

    /// Its epoch's blocks are those between the end of the one before and its own, where these are known; and of a trusted header's
    /// height there is no other.
    ///
    /// - Parameter firstNew: the first epoch of which the statement itself may have brought the end.
    private func checkPlace(
        of claim: Receipt, _ known: TrustedChain, firstNew: UInt64
    ) throws(EvidenceProblem) {
        func isOther(_ header: Header) -> Bool {
            claim.height == header.height && claim.header != header.digest(suite)
        }
        let before = claim.epoch > 0 ? known.end(of: claim.epoch - 1)?.header : nil
        let end = known.end(of: claim.epoch)?.header
        let beyond = [
            before.flatMap { claim.height <= $0.height ? $0 : nil },
            end.flatMap { claim.height > $0.height || isOther($0) ? $0 : nil },
        ]
        for header in beyond.compactMap({ $0 }) {
            throw EvidenceProblem(
                .receipt(index: 0),
                header.epoch >= firstNew ? .outOfOrder : .contradictsTrusted)
        }
        let trusted = known.headers.map { $0.header } + (known.start.header.map { [$0] } ?? [])
        guard !trusted.contains(where: isOther) else {
            throw EvidenceProblem(.receipt(index: 0), .contradictsTrusted)
        }
    }

    private func validators(
        of epoch: UInt64, _ known: TrustedChain
    ) throws(EvidenceProblem) -> ValidatorSet {
        let first = known.start.validators.epoch
        guard epoch >= first else {
            throw EvidenceProblem(
                .receipt(index: 0), .epochBeforeStart(epoch: epoch, first: first))
        }
        guard let validators = known.validators(of: epoch) else {
            throw EvidenceProblem(
                .receipt(index: 0),
                .unknownEpoch(epoch: epoch, known: known.validators.epoch))
        }
        return validators
    }

    /// One signature for each validator whose receipt is there, ascending; a quorum at least.
    private func votes(
        in statement: TransparentStatement, envelope: Envelope, validators: ValidatorSet
    ) throws(EvidenceProblem) -> [CertificateSignature] {
        let leaf = LogLeaf.bytes(tag: LogLeaf.envelopeTag, digest: envelope.digest)
        let claim = statement.receipts[0]
        var root: Digest?
        var votes: [CertificateSignature] = []
        for (index, receipt) in statement.receipts.enumerated() {
            let place = EvidencePlace.receipt(index: index)
            let finding: Receipt.Finding
            do throws(ReceiptFault) {
                finding = try receipt.verified(
                    leaf: leaf, chain: chain, validators: validators,
                    certified: statement.context?.header)
            } catch {
                throw EvidenceProblem(place, error.evidenceFault(receipt))
            }
            // A quorum of one statement: votes for several headers, or of several views, do not add up.
            guard receipt.view == claim.view, receipt.header == claim.header,
                receipt.height == claim.height, finding.root == root ?? finding.root,
                finding.root == statement.context?.header.logRoot ?? finding.root
            else { throw EvidenceProblem(place, .otherHeaderCertified) }
            root = finding.root
            guard !votes.contains(where: { $0.validator == finding.validator }) else { continue }
            votes.append(
                CertificateSignature(validator: finding.validator, signature: receipt.signature))
        }
        guard votes.count >= validators.quorum else {
            throw EvidenceProblem(
                .statement,
                .belowQuorum(
                    signatures: votes.count, quorum: validators.quorum,
                    validators: validators.count))
        }
        return votes.sorted { $0.validator < $1.validator }
    }
}

extension ReceiptFault {
    fileprivate func evidenceFault(_ receipt: Receipt) -> EvidenceFault {
        switch self {
        case .undecodable(let error): .undecodable(error)
        case .otherLedger(let found, let expected): .otherLedger(found: found, expected: expected)
        case .otherEpoch(let found, let expected): .otherEpoch(found: found, expected: expected)
        case .otherSuite: .notAValidatorsKey(receipt.keyID)
        case .unknownKey(let key): .notAValidatorsKey(key)
        case .malformedProof: .entryNotInLog
        case .badSignature(let key): .badSignature(key)
        case .otherHeader: .otherHeaderCertified
        }
    }
}
