import Encoding
import Ledger
import LedgerCrypto
import Market
import Policy
import Records

/// The network and the signed transactions that every seed draws from. Made once: what differs between seeds is
/// who submits what, when and where.
public final class Workload: Sendable {
    struct Item: Sendable {
        let bytes: [UInt8]
        let envelope: Envelope
        /// Nil for one whose signature is broken.
        let verified: Verified<SignedTransaction>?
    }

    let genesis: Genesis
    let chain: ChainID
    let items: [Item]
    /// Valid evidence, for the probes after the faults.
    let probes: [Item]
    /// Each voting key's secret for simulated signatures.
    let voteSecrets: [Digest]
    /// Those of genesis by their seats, then the ones that may come later: for what rules and light clients check.
    let votingKeys: [SigningKey]
    /// Which of the voting keys has that id.
    let votingKeyNumbers: [KeyID: Int]
    private let governor: Member
    private let reporter: Member
    private let verifiedByDigest: [Digest: Verified<SignedTransaction>]

    static let itemsMax = 400
    static let probesMax = 64
    /// Voting keys beside those of genesis.
    static let keysMax = 24

    /// - Parameter validators: 1…16.
    public init(validators count: Int) {
        let suite = Suite.ed25519SHA256
        let bank = Member(serial: 1, keys: 1)
        let governor = Member(serial: 2, keys: 1)
        let traders = (0..<4).map { Member(serial: 10 + UInt32($0), keys: 2) }
        var builder = GenesisBuilder(suite: suite)
        builder.addFounder(bank, roles: [.settlementBank])
        builder.addFounder(governor, roles: [.governor])
        for trader in traders { builder.addFounder(trader, roles: [.provider, .buyer]) }
        for number in 0..<count + FaultPlan.sparesMax {
            builder.addFounder(Workload.validator(number), roles: [.validator])
        }
        self.governor = governor
        reporter = traders[0]
        genesis = builder.genesis(
            name: "simulation", timeMs: 1_700_000_000_000, parameters: Workload.parameters,
            validators: Workload.validatorSet(count, suite),
            recovery: RecoveryRule(threshold: 2, keys: Workload.recoveryKeys.map(\.publicKey)))
        chain = genesis.chain
        let votingKeys = (0..<count + Workload.keysMax).map { Workload.votingKey($0) }
        self.votingKeys = votingKeys
        votingKeyNumbers = Dictionary(
            uniqueKeysWithValues: votingKeys.enumerated().map { ($1.publicKey.keyID, $0) })
        voteSecrets = votingKeys.indices.map { suite.digest([0x76, UInt8($0)]) }
        var maker = Maker(chain: chain, suite: suite)
        var items: [Item] = []
        while items.count < Workload.itemsMax {
            maker.makeRound(bank: bank, traders: traders, into: &items)
        }
        self.items = items
        probes = (0..<Workload.probesMax).map { maker.evidence(traders[$0 % 4], lastValid: 1_000) }
        var verified: [Digest: Verified<SignedTransaction>] = [:]
        for item in items + probes { verified[item.envelope.digest] = item.verified }
        verifiedByDigest = verified
    }

    /// Small blocks and short times, so that a seed sees many of both.
    static var parameters: Parameters {
        var parameters = Parameters()
        parameters.blockBytesMax = 8_192
        parameters.transactionBytesMax = 4_096
        parameters.entriesPerBlockMax = 16
        parameters.entriesPerMemberPerBlockMax = 8
        parameters.replayWindowBlocksMax = 1_024
        parameters.heartbeatMs = 200
        parameters.viewTimeoutMs = 300
        parameters.driftMs = 100
        return parameters
    }

    /// The organisation that runs a node.
    private static func validator(_ node: Int) -> Member {
        Member(serial: 100 + UInt32(node), keys: 1)
    }

    private static func votingKey(_ number: Int) -> SigningKey {
        Member(serial: 1_000 + UInt32(number), keys: 1).keys[0]
    }

    func keyID(_ key: Int) -> KeyID { votingKeys[key].publicKey.keyID }

    private static var recoveryKeys: [SigningKey] {
        (0..<3).map { Member(serial: 2_000 + $0, keys: 1).keys[0] }
    }

    /// By as many holders of recovery keys as the rule demands.
    func signed(_ recovery: Recovery) -> Recovery {
        guard let rule = genesis.recovery else { preconditionFailure("the genesis has a rule") }
        return zip(0..., Workload.recoveryKeys).prefix(rule.threshold).reduce(recovery) {
            let signature = RecoveryRule.sign(
                $0.certificate.statement, at: $1.0, with: $1.1, chain: chain)
            guard let signed = $0.adding(signature, under: rule) else {
                preconditionFailure("what the rule's keys signed goes into the file")
            }
            return signed
        }
    }

    static func member(ofNode node: Int) -> MemberID { validator(node).id }

    /// Names the node in its last byte.
    static func transportKey(ofNode node: Int) -> [UInt8] {
        Array(ValidatorJoin.example.transportKey.dropLast()) + [UInt8(node)]
    }

    static func node(ofTransportKey key: [UInt8]) -> Int { Int(key[key.count - 1]) }

    // MARK: Orders made as a seed goes

    /// Of the governor, or of a member without any role in this.
    func order<Body: TransactionBody>(
        _ body: Body, isGovernors: Bool, number: UInt64, lastValid: UInt64
    ) -> Item {
        let member = isGovernors ? governor : reporter
        let nonce = genesis.suite.digest([0x6F] + number.encoded).bytes
        return Workload.signed(
            Transaction(
                kind: Body.kind.rawValue, nonce: Array(nonce.prefix(LedgerLimits.nonceBytes)),
                lastValidHeight: lastValid, member: member.id, body: body.encoded),
            chain: chain, suite: genesis.suite, with: member.keys[0])
    }

    fileprivate static func signed(
        _ transaction: Transaction, chain: ChainID, suite: Suite, with key: SigningKey
    ) -> Item {
        let bytes = Envelope.sign(transaction, chain: chain, with: key)
        guard let envelope = try? Envelope(bytes: bytes, chain: chain, suite: suite) else {
            preconditionFailure("what was just signed decodes")
        }
        return Item(
            bytes: bytes, envelope: envelope, verified: envelope.verified(by: key.publicKey))
    }

    private static func validatorSet(_ count: Int, _ suite: Suite) -> ValidatorSet {
        let validators = (0..<count).map { seat in
            Validator(
                member: member(ofNode: seat), votingKey: votingKey(seat).publicKey,
                transportKey: transportKey(ofNode: seat))
        }
        guard let set = ValidatorSet(epoch: 0, validators: validators) else {
            preconditionFailure("distinct keys make a validator set")
        }
        return set
    }

    /// What checking this envelope's signature gives: each was checked once, when it was made.
    func verified(_ envelope: Envelope) -> Verified<SignedTransaction>? {
        verifiedByDigest[envelope.digest]
    }
}

/// An organisation with keys out of its serial number.
private struct Member {
    let id: MemberID
    let keys: [SigningKey]

    init(serial: UInt32, keys count: Int) {
        let code = SocialCreditCode.generate(serial: serial)
        guard let code, let id = MemberID(code.text) else {
            preconditionFailure("a generated code is a member id")
        }
        self.id = id
        keys = (0..<count).map { index in
            let seed = Suite.ed25519SHA256.digest(Array("\(serial)/\(index)".utf8)).bytes
            guard let key = try? SigningKey(suite: .ed25519SHA256, secret: seed) else {
                preconditionFailure("32 bytes are an Ed25519 seed")
            }
            return key
        }
    }
}

extension GenesisBuilder {
    fileprivate mutating func addFounder(_ member: Member, roles: [Role]) {
        let keys = member.keys.map { FoundingKey($0.publicKey, person: "operator") }
        guard
            (try? add(
                member: member.id, nameZh: "仿真成员", nameEn: "Simulated member", roles: roles,
                keys: keys)) != nil
        else { preconditionFailure("a generated code has a valid checksum") }
    }
}

/// Signs transactions of all sorts, numbered so that each is distinct.
private struct Maker {
    let chain: ChainID
    let suite: Suite
    var serial: UInt64 = 0

    mutating func makeRound(bank: Member, traders: [Member], into items: inout [Workload.Item]) {
        for (index, trader) in traders.enumerated() {
            serial += 1
            items.append(evidence(trader, lastValid: index == 0 ? 20 + serial / 4 : 1_000))
            items.append(
                signed(
                    DepositConfirm(
                        member: trader.id, amountFen: 1_000 + serial,
                        referenceCommitment: suite.digest([1])), by: bank, lastValid: 1_000))
            let request = signed(
                WithdrawalRequest(
                    bank: bank.id, amountFen: 300 + serial % 3_000,
                    destinationCommitment: suite.digest([2])), by: trader, lastValid: 1_000)
            items.append(request)
            items.append(
                signed(
                    WithdrawalConfirm(withdrawal: request.envelope.id, paid: serial % 3 != 0),
                    by: bank, lastValid: 1_000))
            // Not a bank: a refusal that is on record.
            if serial % 5 == 0 {
                items.append(
                    signed(
                        DepositConfirm(
                            member: trader.id, amountFen: 1, referenceCommitment: suite.digest([3])),
                        by: trader, lastValid: 1_000))
            }
            if serial % 7 == 0 { items.append(broken(items[items.count - 1])) }
            if serial % 3 == 0 {
                // The same order under a second envelope, by the member's other key.
                items.append(
                    signed(
                        items[items.count - 1].envelope.transaction, with: trader.keys[1]))
            }
        }
    }

    mutating func evidence(_ member: Member, lastValid: UInt64) -> Workload.Item {
        serial += 1
        return signed(
            RecordEvidence(
                commitment: suite.digest(serial.encoded), mediaType: "text/plain",
                note: "\(serial)"), by: member, lastValid: lastValid)
    }

    private mutating func signed<Body: TransactionBody>(
        _ body: Body, by member: Member, lastValid: UInt64
    ) -> Workload.Item {
        serial += 1
        let nonce = Array(suite.digest(serial.encoded).bytes.prefix(LedgerLimits.nonceBytes))
        return signed(
            Transaction(
                kind: Body.kind.rawValue, nonce: nonce, lastValidHeight: lastValid,
                member: member.id, body: body.encoded), with: member.keys[0])
    }

    private func signed(_ transaction: Transaction, with key: SigningKey) -> Workload.Item {
        Workload.signed(transaction, chain: chain, suite: suite, with: key)
    }

    /// The signature's last byte is another one.
    private func broken(_ item: Workload.Item) -> Workload.Item {
        var bytes = item.bytes
        bytes[bytes.count - 1] ^= 1
        guard let envelope = try? Envelope(bytes: bytes, chain: chain, suite: suite) else {
            preconditionFailure("the signature is not part of the form")
        }
        return Workload.Item(bytes: bytes, envelope: envelope, verified: nil)
    }
}
