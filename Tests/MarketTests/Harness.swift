import Encoding
import Ledger
import LedgerCrypto
import Market
import Policy
import Records
import Testing

/// A committed state in a dictionary.
struct MemoryState: StateReader {
    var values: [Digest: [UInt8]] = [:]

    func value(for key: Digest) -> [UInt8]? { values[key] }

    mutating func absorb(_ view: StateView) {
        for change in view.changes() { values[change.key] = change.value }
    }
}

/// A market without blocks or signatures: each `run` is a block of one transaction by an enrolled member.
struct TestMarket {
    let suite: LedgerCrypto.Suite
    var state = MemoryState()
    var height: UInt64 = 1
    var timeMs: UInt64 = 1_700_000_000_000
    /// Of the newest transaction.
    private(set) var lastID = Digest.zero
    private(set) var events: [PlacedEvent] = []
    private var serial: UInt64 = 0

    init(suite: LedgerCrypto.Suite = .ed25519SHA256) {
        self.suite = suite
        validators = Self.validatorSet([201, 202, 203, 204], suite: suite)
        change { view in for policy in StandardPolicies.all { view.put(policy) } }
    }

    static func id(_ serial: UInt32) -> MemberID {
        guard let code = SocialCreditCode.generate(serial: serial), let id = MemberID(code.text)
        else { preconditionFailure("a generated code is a member id") }
        return id
    }

    static func publicKey(
        _ serial: UInt32, suite: LedgerCrypto.Suite = .ed25519SHA256
    ) -> PublicKey {
        let secret = suite.digest(serial.encoded).bytes
        guard let key = try? SigningKey(suite: suite, secret: secret) else {
            preconditionFailure("a digest is a secret key")
        }
        return key.publicKey
    }

    /// Enrols a member with one key, past all rules.
    @discardableResult
    mutating func enrol(
        _ serial: UInt32, _ roles: [Role], group: String = "",
        mandates: [Mandate] = [.maker, .checker, .legalRepresentative]
    ) -> MemberID {
        let id = Self.id(serial)
        let publicKey = Self.publicKey(serial, suite: suite)
        change { view in
            view.put(
                MemberRecord(
                    id: id, nameZh: "成员\(serial)", nameEn: "Member \(serial)", group: group,
                    roles: roles.sorted(), liveKeys: 1, enrolledHeight: 0))
            view.put(
                KeyRecord(
                    keyID: publicKey.keyID, member: id, publicKey: publicKey, person: "p",
                    mandates: mandates, registeredHeight: 0))
        }
        return id
    }

    /// Writes records past all rules.
    mutating func change(_ body: (inout StateView) -> Void) {
        var view = StateView(base: state, suite: suite, height: height)
        view.begin()
        body(&view)
        view.commit()
        state.absorb(view)
    }

    /// Reads as rules do.
    func read<Result>(_ body: (inout StateView) -> Result) -> Result {
        var view = StateView(base: state, suite: suite, height: height)
        return body(&view)
    }

    /// The set in force; by default of four members that are not enrolled.
    /// Whether the next block is one that a recovery makes final.
    var isRecovery = false
    var validators: ValidatorSet

    static func validatorSet(
        _ serials: [UInt32], epoch: UInt64 = 0, suite: LedgerCrypto.Suite = .ed25519SHA256
    ) -> ValidatorSet {
        let seats = serials.map { serial in
            Validator(
                member: id(serial), votingKey: publicKey(1_000 + serial, suite: suite),
                transportKey: transportKey(serial))
        }
        guard let set = ValidatorSet(epoch: epoch, validators: seats) else {
            preconditionFailure("distinct serials make distinct keys")
        }
        return set
    }

    static func transportKey(_ serial: UInt32) -> [UInt8] {
        var key = ValidatorJoin.example.transportKey
        key.replaceSubrange(
            key.count - 4..<key.count, with: withUnsafeBytes(of: serial, Array.init))
        return key
    }

    func block() -> BlockContext {
        BlockContext(
            chain: .zero, suite: suite, height: height, timeMs: timeMs, parameters: Parameters(),
            validators: validators, isRecovery: isRecovery)
    }

    /// Runs one transaction as a block of its own, with the member's key of that serial.
    mutating func run<Body: TransactionBody>(
        _ body: Body, by member: MemberID, key: KeyID? = nil
    ) -> OutcomeCode {
        runEncoded(Body.kind, body.encoded, by: member, key: key)
    }

    mutating func runEncoded(
        _ kind: TransactionKind, _ body: [UInt8], by member: MemberID, key: KeyID? = nil
    ) -> OutcomeCode {
        serial += 1
        let nonce = Array(suite.digest(serial.encoded).bytes.prefix(LedgerLimits.nonceBytes))
        lastID = suite.digest(serial.encoded + [1])
        let transaction = Transaction(
            kind: kind.rawValue, nonce: nonce, lastValidHeight: height + 10, member: member,
            body: body)
        var view = StateView(base: state, suite: suite, height: height)
        guard let record = view.member(member),
            let keyRecord = key.map({ view.key($0) }) ?? firstKey(of: member, in: &view)
        else { preconditionFailure("the sender is enrolled") }
        let code = MarketRules.apply(
            transaction, kind: kind, to: &view,
            in: ApplyContext(
                block: block(), member: record, key: keyRecord,
                transactionID: lastID, entryDigest: suite.digest(lastID.bytes), nonce: nonce))
        #expect(view.bankOutOfBalance() == nil)
        events += view.events
        // As between two blocks: what the entry decided is in force for the next one.
        validators = view.validators(after: block())
        state.absorb(view)
        height += 1
        timeMs += 1
        return code
    }

    /// Runs what is due, as the start of a block does; returns what was run.
    mutating func runDue() -> [Deadline] {
        var view = StateView(base: state, suite: suite, height: height)
        var done: [Deadline] = []
        while let deadline = view.firstDeadline(dueBy: timeMs) {
            MarketRules.apply(
                deadline, entryDigest: suite.digest(deadline.encoded), to: &view, in: block())
            done.append(deadline)
        }
        #expect(view.bankOutOfBalance() == nil)
        events += view.events
        state.absorb(view)
        height += 1
        return done
    }

    private func firstKey(
        of member: MemberID, in view: inout StateView
    ) -> KeyRecord? {
        for serial in UInt32(0)..<256 where Self.id(serial) == member {
            return view.key(Self.publicKey(serial, suite: suite).keyID)
        }
        return nil
    }
}
