import Consensus
import Execution
import Ledger
import LedgerCrypto
import Records

/// Why a recovery cannot be made or taken here.
public enum RecoveryRefusal: Error, Equatable, Sendable {
    /// The genesis has no recovery rule.
    case noRule
    case otherChain
    case otherEpoch(found: UInt64, expected: UInt64)
    /// Fewer valid signatures than the rule demands, or one that is not valid.
    case notCertified(signatures: Int, threshold: Int)
    /// The blocks do not go on from the last final one here.
    case notFollowing(finalHeight: UInt64)
    /// They begin above the next one here: this node gets them all from the others.
    case behind(finalHeight: UInt64, firstHeight: UInt64)
    /// A block was notarized here in a later view than the one that the recovery goes on from, and may be final elsewhere.
    case laterBlock(height: UInt64, view: UInt64, basisView: UInt64)
    /// The body of a notarized block is not here.
    case missingBlock(height: UInt64)
    /// Its basis is not certified by a quorum of the epoch.
    case badBasis
    /// Its block is of a time that has not come: nothing could follow it until then.
    case aheadOfClock(timeMs: UInt64, nowMs: UInt64)
    /// The blocks that are not final are too many, or too large for a file.
    case tooDeep(blocks: Int, max: Int)
    case tooLarge(bytes: Int, max: Int)
    /// Another block of that height is final here.
    case conflicts(height: UInt64)
    /// The bodies in the file are not those of their headers.
    case notExecuted(height: UInt64)
    /// The transaction may not stand in the block, or its rules refuse it.
    case refused(OutcomeCode)
}

/// Ending an epoch whose quorum is lost, under the genesis' recovery rule (docs/decisions/0018-recovery.md).
extension Replica {
    /// The highest block that may be final elsewhere: the one notarized in the latest view, else the final one. Its certificate is nil
    /// where nothing has been certified in the epoch, which is then in view 0.
    ///
    /// Whoever voted to finalize a block holds its notarization, and whatever was notarized later descends from a block that is
    /// final (`Simplex`). So among all that is left of a quorum, the basis of the latest epoch, and in it of the latest view, descends
    /// from everything that was acknowledged.
    public var recoveryBasis: (subject: VoteSubject, certificate: Certificate?) {
        if let view = simplex.book.notarizedViews.last,
            let certificate = simplex.book.notarization(view),
            let subject = certificate.statement.subject
        {
            return (subject, certificate)
        }
        return (simplex.book.final.subject, simplex.book.final.certificate)
    }

    /// A recovery, unsigned, that goes on from this replica's basis. It is not taken here by that.
    ///
    /// Where the basis ends the epoch already, the recovery makes it final, and its own set is the next one.
    ///
    /// - Parameter envelope: a `validator.recover` of any enrolled member.
    public mutating func makeRecovery(
        _ envelope: Envelope, nowMs: UInt64
    ) throws(RecoveryRefusal) -> Recovery {
        guard genesis.recovery != nil else { throw .noRule }
        let basis = recoveryBasis
        guard execute(certified: basis.subject.header),
            let state = parentState(basis.subject.header),
            case .complete(let nodes) = tree.path(to: basis.subject.header)
        else { throw .missingBlock(height: basis.subject.height) }
        var blocks = nodes.map(\.block)
        var end = nodes.last?.executed
        if !endsEpoch(state.header) {
            let executed = try recoveryBlock(envelope, on: state, nowMs: nowMs)
            blocks.append(executed.block)
            end = executed
        }
        guard blocks.count <= Recovery.blocksMax else {
            throw .tooDeep(blocks: blocks.count, max: Recovery.blocksMax)
        }
        guard let end, let next = end.nextValidators,
            let recovery = Recovery(
                suite: suite, basis: basis.certificate, next: next, blocks: blocks,
                certificate: Certificate(
                    statement: .recover(epoch: simplex.epoch, end.subject), signatures: []))
        else { preconditionFailure("blocks of one path end with the epoch's last") }
        let bytes = recovery.encoded.count
        guard bytes <= Recovery.limits.bytesMax - LedgerLimits.certificate.bytesMax else {
            throw .tooLarge(bytes: bytes, max: Recovery.limits.bytesMax)
        }
        return recovery
    }

    private mutating func recoveryBlock(
        _ envelope: Envelope, on state: ParentState<Base>, nowMs: UInt64
    ) throws(RecoveryRefusal) -> ExecutedBlock {
        guard envelope.transaction.kind == TransactionKind.validatorRecover.rawValue else {
            throw .refused(.unknownKind)
        }
        guard let key = key(of: envelope, on: state) else { throw .refused(.unknownKey) }
        guard let signed = envelope.verified(by: key) else { throw .refused(.badSignature) }
        let executed = executor.build(
            on: state, candidates: [signed], timeMs: max(nowMs, state.header.timeMs + 1),
            replay: replay, isRecovery: true)
        if let left = executed.leftOut.first { throw .refused(left.code) }
        guard executed.nextValidators != nil else {
            let code = executed.outcomes.last.flatMap { OutcomeCode(rawValue: $0.code) }
            throw .refused(code ?? .malformedBody)
        }
        return executed
    }

    /// What speaks against giving this recovery as an input; nil when nothing does. `notCertified` when nothing else does, so that
    /// it can be asked before anybody signs.
    ///
    /// - Parameter nowMs: the wall clock, milliseconds of Unix time.
    public func refusal(of recovery: Recovery, nowMs: UInt64) -> RecoveryRefusal? {
        guard let rule = genesis.recovery else { return .noRule }
        let header = recovery.last.header
        guard recovery.suite == suite, header.chain == chain else { return .otherChain }
        guard header.epoch == simplex.epoch else {
            return .otherEpoch(found: header.epoch, expected: simplex.epoch)
        }
        if let basis = recovery.basis, simplex.authority.verified(basis) == nil {
            return .badBasis
        }
        let own = recoveryBasis
        let view = own.certificate?.view ?? 0
        guard view <= recovery.basisView else {
            return .laterBlock(
                height: own.subject.height, view: view, basisView: recovery.basisView)
        }
        guard header.timeMs <= nowMs + parameters.driftMs else {
            return .aheadOfClock(timeMs: header.timeMs, nowMs: nowMs)
        }
        let firstHeight = recovery.blocks[0].header.height
        guard firstHeight <= finalHeight + 1 else {
            return .behind(finalHeight: finalHeight, firstHeight: firstHeight)
        }
        guard
            let next = recovery.blocks.first(where: { $0.header.height == finalHeight + 1 }),
            next.header.parent == finalDigest
        else { return .notFollowing(finalHeight: finalHeight) }
        guard recovery.certificate.verified(chain: chain, rule: rule) != nil else {
            return .notCertified(
                signatures: recovery.certificate.signatures.count, threshold: rule.threshold)
        }
        return nil
    }

    /// Executes the recovery's bodies, which no signature of it covers, as taking it would.
    ///
    /// For a replica that is thrown away afterwards: it asks and says nothing, but keeps what it has executed.
    ///
    /// - Returns: the height of the first that does not give its header; nil when all do.
    public mutating func heightNotExecuting(_ recovery: Recovery) -> UInt64? {
        let above = recovery.blocks.filter { $0.header.height > finalHeight }
        for block in above {
            let subject = VoteSubject(block.header, suite: suite)
            tree.insert(block, subject: subject, view: 0)
            tree.markUnvouched(
                subject.header, seatsAnew: block == recovery.last && seatsAnew(block))
        }
        return above.first { !execute(certified: $0.header.digest(suite)) }?.header.height
    }

    mutating func receive(_ recovery: Recovery) {
        let last = recovery.blocks.count - 1
        receive(
            finalBlocks: recovery.blocks.enumerated().map { index, block in
                CertifiedBlock(
                    block: block, finalization: index == last ? recovery.certificate : nil)
            }, from: nil)
    }

    /// The certificate, verified, when it makes that block of the present epoch final.
    func verified(final certificate: Certificate, of block: Block) -> Verified<Certificate>? {
        switch certificate.kind {
        case .finalize:
            // Very often it is the one that told of the blocks.
            simplex.book.final.certificate == certificate
                ? Verified(assumingValid: certificate) : simplex.authority.verified(certificate)
        case .recover:
            certificate.verifiedFinal(
                of: block.header, chain: chain, validators: simplex.validators,
                rule: genesis.recovery)
        case .notarize, .nullify: nil
        }
    }

    /// Tells of a recovery of the present epoch among these blocks that does not go on from what is final here. Blocks that lead to it by
    /// their parents are certified with it, and a replica that is still in its epoch does not hold its block.
    ///
    /// - Returns: false when the peer gave a certificate that is none.
    mutating func compareRecoveries(in blocks: [CertifiedBlock], from peer: PeerID) -> Bool {
        guard !isContradicted, blocks.contains(where: { $0.finalization?.kind == .recover })
        else { return true }
        var parent: Digest?
        var isOther = false
        for certified in blocks {
            let header = certified.block.header
            guard header.chain == chain, header.epoch == simplex.epoch,
                parent.map({ $0 == header.parent }) ?? true
            else { return true }
            // What is final here, or the one below the first given, is to be on the way.
            if header.height == finalHeight + 1 { isOther = header.parent != finalDigest }
            let subject = VoteSubject(header, suite: suite)
            parent = subject.header
            guard let certificate = certified.finalization, certificate.kind == .recover else {
                continue
            }
            guard isOther || header.height <= finalHeight else {
                return true
            }
            guard verified(final: certificate, of: certified.block) != nil else {
                effects.append(.cutOff(peer, .forgedCertificate))
                return false
            }
            isContradicted = true
            effects.append(.contradicted(by: header, certificate))
            return true
        }
        return true
    }

    /// Whether a recovery's last block was made for it. One that the validators made themselves was executed by their
    /// rules, under which `validator.recover` does nothing and hence ends no epoch.
    func seatsAnew(_ block: Block) -> Bool {
        var kinds: [UInt64] = []
        for entry in block.entries {
            guard case .envelope(let bytes) = entry else { continue }
            guard let envelope = decode(bytes) else { return false }
            kinds.append(envelope.transaction.kind)
        }
        return kinds == [TransactionKind.validatorRecover.rawValue]
    }
}
