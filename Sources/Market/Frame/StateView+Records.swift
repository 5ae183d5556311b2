import Ledger
import LedgerCrypto
import Records

// Look-ups by id, for rules.
extension StateView {
    public mutating func member(_ id: MemberID) -> MemberRecord? {
        record(at: StateKey.member(id, suite))
    }

    public mutating func key(_ id: KeyID) -> KeyRecord? {
        record(at: StateKey.key(id, suite))
    }

    public mutating func policy(_ name: String) -> PolicyRecord? {
        record(at: StateKey.policy(name, suite))
    }

    public mutating func votingKey(_ id: KeyID) -> VotingKeyRecord? {
        record(at: StateKey.votingKey(id, suite))
    }

    public mutating func asset(_ id: Digest) -> AssetRecord? {
        record(at: StateKey.digest(.asset, id, suite: suite))
    }

    public mutating func attestation(_ id: Digest) -> AttestationRecord? {
        record(at: StateKey.digest(.attestation, id, suite: suite))
    }

    public mutating func transfer(_ id: Digest) -> TransferRecord? {
        record(at: StateKey.digest(.transfer, id, suite: suite))
    }

    public mutating func offer(_ id: Digest) -> OfferRecord? {
        record(at: StateKey.digest(.offer, id, suite: suite))
    }

    public mutating func agreement(_ id: Digest) -> AgreementRecord? {
        record(at: StateKey.digest(.agreement, id, suite: suite))
    }

    public mutating func job(_ id: Digest) -> JobRecord? {
        record(at: StateKey.digest(.job, id, suite: suite))
    }

    public mutating func withdrawal(_ id: Digest) -> WithdrawalRecord? {
        record(at: StateKey.digest(.withdrawal, id, suite: suite))
    }

    public mutating func bank(_ id: MemberID) -> BankRecord? {
        record(at: StateKey.bank(id, suite))
    }

    /// The account, with nothing in it when the member has none there.
    public mutating func account(_ member: MemberID, at bank: MemberID) -> AccountRecord {
        record(at: StateKey.account(member: member, bank: bank, suite))
            ?? AccountRecord(member: member, bank: bank)
    }

    /// An active member that has the role.
    ///
    /// - Throws: `memberUnknown`, `memberSuspended`, or `notPermitted` without the role.
    public mutating func activeMember(
        _ id: MemberID, role: Role? = nil
    ) throws(OutcomeCode) -> MemberRecord {
        guard let member = member(id) else { throw .memberUnknown }
        guard member.status == .active else { throw .memberSuspended }
        if let role, !member.has(role) { throw .notPermitted }
        return member
    }
}
