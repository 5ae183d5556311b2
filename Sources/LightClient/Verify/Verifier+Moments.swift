import Ledger
import LedgerCrypto
import Records

// Questions about a moment before the certified height. The state of then is not in a bundle: what is, is the state of
// now, whose records keep when they changed, and the entries that changed them.
extension Verifier {
    func licence(
        _ id: Digest, at asked: Moment, _ parts: ProvenParts, _ place: EvidencePlace
    ) throws(EvidenceProblem) -> ProvenLicence {
        let moment = try asked.proven(in: parts.headers, at: place)
        let key = StateKey.digest(.agreement, id, suite: suite)
        let record = try parts.state.record(AgreementRecord.self, key: key, neededAt: place)
        guard let record else {
            return ProvenLicence(
                id: id, moment: moment, record: nil, standing: .unknown, quota: .undecided,
                closing: nil)
        }
        guard record.id == id else { throw EvidenceProblem(place, .otherRecord(field: "id")) }
        let question = EvidenceQuestion.licence(id, at: asked)
        let closing = parts.index.numbers(deciding: question).first.map { parts.entries[$0] }
        let standing = try record.standing(at: moment, closing: closing, place)
        let certified = parts.headers[parts.headers.count - 1].height
        return ProvenLicence(
            id: id, moment: moment, record: record, standing: standing,
            quota: record.quota(at: moment, certified: certified), closing: closing)
    }

    func role(
        _ role: Role, of member: MemberID, at asked: Moment, _ parts: ProvenParts,
        _ place: EvidencePlace
    ) throws(EvidenceProblem) -> ProvenRole {
        let moment = try asked.proven(in: parts.headers, at: place)
        let key = StateKey.member(member, suite)
        let record = try parts.state.record(MemberRecord.self, key: key, neededAt: place)
        if let record, record.id != member {
            throw EvidenceProblem(place, .otherRecord(field: "id"))
        }
        return ProvenRole(
            member: member, role: role, moment: moment,
            isHeld: record?.held(role, at: moment.height) ?? false, record: record)
    }

    func output(
        of job: Digest, _ parts: ProvenParts, _ place: EvidencePlace
    ) throws(EvidenceProblem) -> ProvenOutput {
        let key = StateKey.digest(.job, job, suite: suite)
        let record = try parts.state.record(JobRecord.self, key: key, neededAt: place)
        if let record, record.id != job { throw EvidenceProblem(place, .otherRecord(field: "id")) }
        let question = EvidenceQuestion.output(job: job)
        return ProvenOutput(
            id: job, record: record,
            steps: parts.index.numbers(deciding: question).map { parts.entries[$0] })
    }
}

extension AgreementRecord {
    /// - Parameter closing: the entry that closed the licence, which must be there when the time does not decide alone.
    fileprivate func standing(
        at moment: ProvenMoment, closing: ProvenEntry?, _ place: EvidencePlace
    ) throws(EvidenceProblem) -> LicenceStanding {
        // 0 until agreed, so also when a request was declined or revoked.
        guard startsMs > 0 else { return .notAgreed }
        guard moment.timeMs >= startsMs else { return .notYet(startsMs: startsMs) }
        if let revocation, status == .revoked, revocation.height <= moment.height {
            return .revoked(height: revocation.height)
        }
        if let closing, status == .closed, closing.height <= moment.height {
            return .closed(height: closing.height)
        }
        // The ledger settles it some blocks later; no job is accepted in between.
        guard moment.timeMs < expiresMs else { return .expired(expiresMs: expiresMs) }
        if status == .closed, closing == nil { throw EvidenceProblem(place, .closingNotIncluded) }
        return .live
    }

    fileprivate func quota(at moment: ProvenMoment, certified: UInt64) -> LicenceQuota {
        if moment.height == certified, status == .agreed { return .left(usesLeft) }
        return usesMetered < usesMax
            ? .notUsedUp(releasedAtMost: usesMetered, of: usesMax) : .undecided
    }
}
