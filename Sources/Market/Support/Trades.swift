import Encoding
import Ledger
import LedgerCrypto
import Records

// What rules on assets, licences and jobs share: look-ups that refuse, and the events in an asset's logs.
extension StateView {
    /// - Throws: `unknownAsset`, `assetFrozen`.
    mutating func unfrozenAsset(_ id: Digest) throws(OutcomeCode) -> AssetRecord {
        guard let record = asset(id) else { throw .unknownAsset }
        precondition((record.status == .frozen) != record.freezes.isEmpty, "frozen by somebody")
        guard record.status != .frozen else { throw .assetFrozen }
        return record
    }

    /// - Throws: `unknownAsset`, `assetFrozen`, or `wrongState` while its rights are not registered or after they
    ///   were revoked.
    mutating func registeredAsset(_ id: Digest) throws(OutcomeCode) -> AssetRecord {
        let record = try unfrozenAsset(id)
        guard record.status == .registered else { throw .wrongState }
        return record
    }

    /// An asset on which that member may make offers and agree to licences.
    ///
    /// - Throws: as `registeredAsset`, or `rightNotHeld` when the operating right is no longer the member's.
    mutating func registeredAsset(
        _ id: Digest, operatedBy member: MemberID
    ) throws(OutcomeCode) -> AssetRecord {
        let record = try registeredAsset(id)
        guard record.holder(of: .operating) == member else { throw .rightNotHeld }
        return record
    }

    mutating func jobAndLicence(
        _ id: Digest
    ) throws(OutcomeCode) -> (job: JobRecord, licence: AgreementRecord) {
        guard let job = job(id) else { throw .unknownJob }
        guard let licence = agreement(job.agreement) else { throw .unknownAgreement }
        return (job, licence)
    }

    /// A job whose output awaits the sender's review.
    ///
    /// - Throws: `wrongState` when no output is held, `licenceEnded`, `valueNotAllowed` when another output is held
    ///   than the one reviewed, `conflictOfInterest`.
    mutating func heldJob(
        _ id: Digest, _ outputCommitment: Digest, reviewedIn context: ApplyContext
    ) throws(OutcomeCode) -> (job: JobRecord, licence: AgreementRecord) {
        let (job, licence) = try jobAndLicence(id)
        try refuseOwnGroup(context.member, of: [licence.buyer, licence.provider])
        guard job.status == .held else { throw .wrongState }
        guard licence.isLive(at: context.timeMs) else { throw .licenceEnded }
        guard job.outputCommitment == outputCommitment else { throw .valueNotAllowed }
        return (job, licence)
    }

    // MARK: Events

    /// An event of the rights log, under the sender's own name.
    mutating func rightsTouch(
        _ asset: Digest, _ context: ApplyContext, _ detail: (String, CBORValue)...
    ) -> [Touch] {
        guard holds(StateKey.digest(.asset, asset, suite: suite)) else { return [] }
        return [
            Touch(
                asset: asset, log: .rights, actor: .member(context.member.id),
                detail: .detail(detail))
        ]
    }

    /// An event of the trades log, under the sender's pseudonym in that agreement.
    mutating func tradeTouch(
        _ id: Digest, log: EventLogKind = .trades, _ context: ApplyContext,
        _ detail: (AgreementRecord) -> [(String, CBORValue)]
    ) -> [Touch] {
        guard let record = agreement(id) else { return [] }
        let pseudonym = record.pseudonym(of: context.member.id, suite: context.suite)
        return [
            Touch(
                asset: record.asset, log: log, actor: .pseudonym(pseudonym),
                detail: .detail([("agreement", .bytes(id.bytes))] + detail(record)))
        ]
    }

    /// As `tradeTouch`, for the agreement of a job.
    mutating func jobTouch(
        _ id: Digest, log: EventLogKind = .trades, _ context: ApplyContext,
        _ detail: [(String, CBORValue)]
    ) -> [Touch] {
        guard let record = job(id) else { return [] }
        return tradeTouch(record.agreement, log: log, context) { _ in
            [("job", .bytes(id.bytes))] + detail
        }
    }
}
