import Ledger
import LedgerCrypto
import Records

/// Makes the genesis of a network: its founding members with their keys, and its policies.
public struct GenesisBuilder {
    /// A key that a founding member has from the start.
    public struct FoundingKey: Sendable {
        public let publicKey: PublicKey
        public let person: String
        public let mandates: [Mandate]

        public init(
            _ publicKey: PublicKey, person: String,
            mandates: [Mandate] = [.maker, .checker, .legalRepresentative]
        ) {
            self.publicKey = publicKey
            self.person = person
            self.mandates = mandates.sorted()
        }
    }

    public let suite: Suite
    private var records: [AnyRecord] = []

    /// Begins with the standard policies.
    public init(suite: Suite, policies: [PolicyRecord] = StandardPolicies.all) {
        self.suite = suite
        for policy in policies { records.append(.policy(policy)) }
    }

    /// Adds a member with its keys. At least one member is a governor, who enrols the others.
    ///
    /// - Throws: `badChecksum` or `valueNotAllowed` for a member id that could not be enrolled either, `alreadyExists`
    ///   for a member or a key that is there already.
    public mutating func add(
        member id: MemberID, nameZh: String, nameEn: String, group: String = "", roles: [Role],
        keys: [FoundingKey]
    ) throws(OutcomeCode) {
        precondition(!keys.isEmpty, "a member has at least one live key")
        precondition(keys.allSatisfy { $0.publicKey.suite == suite }, "keys are of the suite")
        precondition(Set(roles).count == roles.count, "each role once")
        try MemberNames.check(id)
        try append(
            .member(
                MemberRecord(
                    id: id, nameZh: nameZh, nameEn: nameEn, group: group, roles: roles.sorted(),
                    liveKeys: UInt64(keys.count), enrolledHeight: 0)))
        for key in keys {
            try append(
                .key(
                    KeyRecord(
                        keyID: key.publicKey.keyID, member: id, publicKey: key.publicKey,
                        person: key.person, mandates: key.mandates, registeredHeight: 0)))
        }
    }

    private mutating func append(_ record: AnyRecord) throws(OutcomeCode) {
        let key = record.stateKey(suite)
        for other in records where other.stateKey(suite) == key { throw .alreadyExists }
        records.append(record)
    }

    /// The genesis; its records' salts are derived from nothing secret, since everybody has the file.
    public func genesis(
        name: String, timeMs: UInt64, parameters: Parameters, validators: ValidatorSet,
        recovery: RecoveryRule? = nil
    ) -> Genesis {
        let stored = records.map { record in
            let key = record.stateKey(suite)
            let salt = StoredRecord.genesisSalt(key: key, suite: suite)
            return GenesisRecord(key: key, value: StoredRecord.encode(record, salt: salt))
        }
        return Genesis(
            name: name, suite: suite, timeMs: timeMs, parameters: parameters,
            validators: validators, records: stored, recovery: recovery)
    }
}
