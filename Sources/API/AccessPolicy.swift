import Encoding
import Ledger
import LedgerCrypto
import Market
import Records

/// An authenticated member: active, with a live key.
struct Caller: Sendable {
    let member: MemberRecord
    let key: KeyRecord
}

/// Who may read what: the one place that decides.
///
/// Records have an audience by their type, envelopes by their kind and the visibility of its fields (Market's
/// tables). The regulator reads under mandate; a record's or envelope's parties are the members that it names or that
/// the agreement behind it names.
struct AccessPolicy {
    /// Nil for somebody without a token.
    let caller: Caller?
    let suite: Suite
    /// Records of the same state; they may be noted as missing.
    let records: StateCache

    private var isRegulator: Bool { caller?.member.has(.regulator) ?? false }

    /// - Parameter parties: asked only when the audience is the parties.
    private func admits(_ audience: Visibility, parties: () -> [MemberID]) -> Bool {
        switch audience {
        case .everyone: return true
        case .members: return caller != nil
        case .parties:
            if isRegulator { return true }
            guard let caller else { return false }
            return parties().contains(caller.member.id)
        case .regulator: return isRegulator
        case .validators: return false
        }
    }

    // MARK: Records

    static func audience(of type: RecordType) -> Visibility {
        switch type {
        case .member, .key, .policy, .validators, .votingKey, .asset, .attestation, .transfer,
            .offer:
            .everyone
        case .evidence: .members
        case .agreement, .account, .bank, .withdrawal, .job: .parties
        case .timerIndex, .timerDay, .timerHour: .regulator
        case .saltSeed: .validators
        }
    }

    /// - Parameter record: nil when the state has none; the id then says who may know even that.
    func mayRead(_ type: RecordType, id: [CBORValue], record: AnyRecord?) -> Bool {
        admits(Self.audience(of: type)) {
            guard let record else {
                // Only the ids of accounts and banks can be guessed; they name their parties.
                return type == .account || type == .bank
                    ? Self.members(in: id) : caller.map { [$0.member.id] } ?? []
            }
            return parties(of: record)
        }
    }

    private static func members(in id: [CBORValue]) -> [MemberID] {
        id.compactMap { part in
            if case .text(let text) = part { return MemberID(text) }
            return nil
        }
    }

    private func parties(of record: AnyRecord) -> [MemberID] {
        switch record {
        case .agreement(let agreement): return parties(of: agreement)
        case .job(let job):
            let key = StateKey.digest(.agreement, job.agreement, suite: suite)
            let agreement = records.record(AgreementRecord.self, key)
            return [job.buyer] + (agreement.map { parties(of: $0) } ?? [])
        case .account(let account): return [account.member, account.bank]
        case .withdrawal(let withdrawal): return [withdrawal.member, withdrawal.bank]
        case .bank(let bank): return [bank.member]
        case .offer(let offer): return [offer.provider, offer.venue, offer.sandboxOperator]
        case .member, .key, .policy, .validators, .votingKey, .asset, .attestation, .transfer,
            .evidence,
            .timerIndex, .timerDay, .timerHour, .saltSeed:
            return []
        }
    }

    /// Those whom it names, and output reviewers, who must know what was licensed.
    private func parties(of agreement: AgreementRecord) -> [MemberID] {
        let named = [
            agreement.provider, agreement.buyer, agreement.venue, agreement.sandboxOperator,
            agreement.bank,
        ]
        guard let caller, caller.member.has(.outputReviewer) else { return named }
        return named + [caller.member.id]
    }

    // MARK: Logs

    /// The rights log is public; of trades and refusals the asset's provider, the holder of the operating right and
    /// the regulator see all.
    func mayRead(_ log: EventLogKind, of asset: AssetRecord) -> Bool {
        switch log {
        case .rights: true
        case .trades, .refusals:
            admits(.parties) { [asset.provider, asset.holder(of: .operating)] }
        }
    }

    // MARK: Envelopes

    /// What an envelope shows beside its fields is the sender; in trades and money matters that is for the parties.
    static func senderAudience(of kind: TransactionKind) -> Visibility {
        switch kind {
        case .memberEnrol, .memberGrant, .memberWithdraw, .keyRegister, .keyRevoke, .policySet,
            .assetRegister, .assetApprove, .assetAttest, .assetDerive, .assetFreeze, .assetUnfreeze,
            .rightTransfer, .rightAccept, .rightApprove, .rightCancel,
            .offerPublish, .offerAdmit, .validatorJoin, .validatorLeave, .validatorReplace,
            .validatorEquivocation, .validatorRecover:
            .everyone
        case .evidenceRecord: .members
        case .licenceRequest, .licenceAgree, .licenceClose, .licenceRevoke, .depositConfirm,
            .withdrawalRequest, .withdrawalConfirm, .jobSubmit, .jobHold, .outputRelease,
            .outputReject, .jobRefuse:
            .parties
        }
    }

    /// The narrowest audience of the sender and of any field. What only validators compute on is open to the parties,
    /// who know it anyway.
    static func audience(of kind: TransactionKind) -> Visibility {
        let narrowest = kind.body.fields.map(\.visibility).reduce(senderAudience(of: kind)) {
            max($0, $1)
        }
        return narrowest == .validators ? .parties : narrowest
    }

    private static let audiences: [TransactionKind: Visibility] = Dictionary(
        uniqueKeysWithValues: TransactionKind.allCases.map { ($0, audience(of: $0)) })

    func mayShow(_ transaction: Transaction) -> Bool {
        if transaction.member == caller?.member.id { return true }
        guard let kind = TransactionKind(rawValue: transaction.kind) else { return isRegulator }
        return admits(Self.audiences[kind] ?? .regulator) { parties(of: transaction, kind) }
    }

    /// Members that the body names, and the parties of the records that it names: a field that holds a digest is
    /// called after the record's type.
    private func parties(of transaction: Transaction, _ kind: TransactionKind) -> [MemberID] {
        guard
            case .map(let pairs)? = try? CBORValue.decode(
                transaction.body, limits: LedgerLimits.envelope)
        else { return [] }
        var parties: [MemberID] = []
        for field in kind.body.fields {
            guard let value = pairs.first(where: { $0.0 == .unsigned(field.key) })?.1 else {
                continue
            }
            switch (field.type, value) {
            case (.memberID, .text(let text)): parties += MemberID(text).map { [$0] } ?? []
            case (.digest, .bytes(let bytes)):
                guard let type = RecordType(name: field.name), let id = Digest(bytes: bytes),
                    let record = records.record(StateKey.digest(type, id, suite: suite))
                else { continue }
                parties += self.parties(of: record)
            default: continue
            }
        }
        return parties
    }
}
