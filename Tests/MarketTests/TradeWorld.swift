import Encoding
import Ledger
import LedgerCrypto
import Market
import Merkle
import Policy
import Records
import Testing

/// A small market without consensus: transactions run through `MarketRules`, block after block, over a map in memory.
final class TradeWorld {
    struct MemoryState: StateReader {
        var values: [Digest: [UInt8]] = [:]
        func value(for key: Digest) -> [UInt8]? { values[key] }
    }

    let suite: Suite
    private(set) var base = MemoryState()
    private(set) var view: StateView
    private(set) var height: UInt64 = 1
    private(set) var timeMs: UInt64 = 1_767_196_800_000
    private(set) var events: [PlacedEvent] = []
    private var sent: UInt64 = 0
    private let key: SigningKey
    private(set) var lastID = Digest.zero

    let governor = TradeWorld.member(1)
    let provider = TradeWorld.member(2)
    let buyer = TradeWorld.member(3)
    let registrar = TradeWorld.member(4)
    let venue = TradeWorld.member(5)
    let assessor = TradeWorld.member(6)
    let bank = TradeWorld.member(7)
    let sandbox = TradeWorld.member(8)
    let reviewer = TradeWorld.member(9)
    let otherBuyer = TradeWorld.member(10)
    /// Has every role, and belongs to the provider's group.
    let sister = TradeWorld.member(11)
    /// Has every role, and belongs to the buyer's group.
    let cousin = TradeWorld.member(12)

    let regulator = TradeWorld.member(13)
    let arbitrator = TradeWorld.member(14)

    static func member(_ serial: UInt32) -> MemberID {
        let code = SocialCreditCode.generate(serial: serial)
        return MemberID(code?.text ?? "")!
    }

    init(suite: Suite = .ed25519SHA256) throws {
        self.suite = suite
        key = .generate(suite)
        var builder = GenesisBuilder(suite: suite)
        let all: [(MemberID, String, [Role])] = [
            (governor, "", [.governor]), (provider, "north", [.provider]),
            (buyer, "south", [.buyer]), (registrar, "", [.registrar]), (venue, "", [.venue]),
            (assessor, "", [.assessor]), (bank, "", [.settlementBank]),
            (sandbox, "", [.sandboxOperator]), (reviewer, "", [.outputReviewer]),
            (otherBuyer, "", [.buyer]), (sister, "north", Role.allCases),
            (cousin, "south", Role.allCases), (regulator, "", [.regulator]),
            (arbitrator, "", [.arbitrator]),
        ]
        for (id, group, roles) in all {
            try builder.add(
                member: id, nameZh: "成员", nameEn: "member", group: group, roles: roles,
                keys: [.init(SigningKey.generate(suite).publicKey, person: "p")])
        }
        let seat = Validator(
            member: governor, votingKey: key.publicKey, transportKey: [1])
        let set = try #require(ValidatorSet(epoch: 0, validators: [seat]))
        let genesis = builder.genesis(
            name: "t", timeMs: 1, parameters: Parameters(), validators: set)
        for record in genesis.records { base.values[record.key] = record.value }
        view = StateView(base: base, suite: suite, height: 1)
    }

    private var block: BlockContext {
        BlockContext(
            chain: .zero, suite: suite, height: height, timeMs: timeMs, parameters: Parameters(),
            validators: TestMarket.validatorSet([201, 202, 203, 204], suite: suite))
    }

    // MARK: Acting

    /// Runs one transaction in the present block; `lastID` is its id.
    @discardableResult
    func send<Body: TransactionBody>(
        _ member: MemberID, _ body: Body, mandates: [Mandate] = [.maker]
    ) -> OutcomeCode {
        sent += 1
        let nonce = [UInt8](repeating: 0, count: 8) + suite.digest(sent.encoded).bytes.prefix(8)
        let transaction = Transaction(
            kind: Body.kind.rawValue, nonce: nonce, lastValidHeight: height + 100,
            member: member, body: body.encoded)
        lastID = Transaction.id(payload: transaction.encoded, chain: .zero, suite: suite)
        guard let sender = view.member(member) else { return .memberUnknown }
        let context = ApplyContext(
            block: block, member: sender,
            key: KeyRecord(
                keyID: key.publicKey.keyID, member: member, publicKey: key.publicKey,
                person: "p", mandates: mandates, registeredHeight: 0),
            transactionID: lastID, entryDigest: suite.digest(transaction.encoded), nonce: nonce)
        return MarketRules.apply(transaction, kind: Body.kind, to: &view, in: context)
    }

    /// Sends, expects acceptance and returns the transaction's id.
    @discardableResult
    func accept<Body: TransactionBody>(
        _ member: MemberID, _ body: Body, mandates: [Mandate] = [.maker],
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Digest {
        #expect(
            send(member, body, mandates: mandates) == .accepted, sourceLocation: sourceLocation)
        return lastID
    }

    /// Sends, expects that very refusal and that no record but the asset's changed.
    func refuse<Body: TransactionBody>(
        _ code: OutcomeCode, _ member: MemberID, _ body: Body, mandates: [Mandate] = [.maker],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        endBlock()
        #expect(send(member, body, mandates: mandates) == code, sourceLocation: sourceLocation)
        for change in view.changes() where change.key != StateKey.saltSeed(suite) {
            let record = change.value.flatMap { try? StoredRecord.decode(value: $0) }
            let before = base.values[change.key].flatMap { try? StoredRecord.decode(value: $0) }
            guard case .asset(var now) = record, case .asset(let old) = before else {
                Issue.record("a refusal changed \(change.key)", sourceLocation: sourceLocation)
                continue
            }
            #expect(now.refusalsLog.size == old.refusalsLog.size + 1)
            now.refusalsLog = old.refusalsLog
            #expect(now == old, sourceLocation: sourceLocation)
        }
        endBlock()
    }

    /// Ends the present block and checks that money is conserved in it.
    func endBlock(afterMs: UInt64 = 1) {
        #expect(view.bankOutOfBalance() == nil)
        events += view.events
        for change in view.changes() { base.values[change.key] = change.value }
        height += 1
        timeMs += afterMs
        view = StateView(base: base, suite: suite, height: height)
        while let deadline = view.firstDeadline(dueBy: timeMs) {
            MarketRules.apply(
                deadline, entryDigest: suite.digest(deadline.encoded), to: &view, in: block)
        }
    }

    /// Writes a record past all rules.
    func put<Record: RecordCodable>(_ record: Record) {
        view.begin()
        view.put(record)
        view.commit()
    }

    // MARK: Looking

    func member(_ id: MemberID) throws -> MemberRecord { try found(view.member(id)) }
    func asset(_ id: Digest) throws -> AssetRecord { try found(view.asset(id)) }
    func attestation(_ id: Digest) throws -> AttestationRecord { try found(view.attestation(id)) }
    func transfer(_ id: Digest) throws -> TransferRecord { try found(view.transfer(id)) }
    func offer(_ id: Digest) throws -> OfferRecord { try found(view.offer(id)) }
    func agreement(_ id: Digest) throws -> AgreementRecord { try found(view.agreement(id)) }
    func job(_ id: Digest) throws -> JobRecord { try found(view.job(id)) }
    func bankRecord() throws -> BankRecord { try found(view.bank(bank)) }

    private func found<Record>(_ record: Record?) throws -> Record { try #require(record) }

    func account(_ member: MemberID) -> AccountRecord { view.account(member, at: bank) }

    /// The events of one log, of finished blocks and of the present one.
    func log(_ asset: Digest, _ kind: EventLogKind) -> [AssetEvent] {
        (events + view.events).filter { $0.asset == asset && $0.event.log == kind }.map(\.event)
    }

    // MARK: Ready-made steps

    static let columns = [
        Column("hour", .integer), Column("origin", .text), Column("temp", .real),
    ]

    static func claim(
        _ code: String = "weather", columns: [Column] = TradeWorld.columns,
        entityKey: String? = "origin", level: DataLevel = .raw,
        rights: [DataRight] = [.holding, .operating]
    ) -> AssetRegister {
        AssetRegister(
            code: code, titleZh: "逐时气象", titleEn: "Hourly weather", keywords: ["气象"],
            columns: columns, entityKey: entityKey, rowCount: 100, dataCommitment: .zero,
            source: "station", sourceURL: "", ownerClass: .publicData, level: level,
            grade: .general, rights: rights)
    }

    func assetID(_ code: String = "weather") -> Digest {
        AssetRecord.id(provider: provider, code: code, suite: suite)
    }

    @discardableResult
    func registerAsset(_ code: String = "weather") -> Digest {
        accept(provider, Self.claim(code))
        accept(registrar, AssetApprove(asset: assetID(code), reviewCommitment: .zero))
        return assetID(code)
    }

    func terms(
        _ asset: Digest, priceFen: UInt64 = 1_001, purposes: [String] = ["weather-service"],
        columns: [String] = ["origin", "temp"], durationMs: UInt64 = 3_600_000,
        usesMax: UInt64 = 10, groupMinimum: UInt64 = 5, venue: MemberID? = nil,
        sandbox: MemberID? = nil
    ) -> OfferPublish {
        OfferPublish(
            asset: asset, venue: venue ?? self.venue,
            sandboxOperator: sandbox ?? self.sandbox, priceFen: priceFen, purposes: purposes,
            columns: columns, durationMs: durationMs, usesMax: usesMax,
            groupMinimum: groupMinimum)
    }

    func order(
        _ offer: Digest, purpose: String = "weather-service", columns: [String] = ["temp"],
        uses: UInt64 = 3, bank: MemberID? = nil
    ) -> LicenceRequest {
        LicenceRequest(
            offer: offer, bank: bank ?? self.bank, purpose: purpose, columns: columns,
            uses: uses, statementCommitment: .zero, pseudonymSalt: [UInt8](1...16))
    }

    func admitOffer(priceFen: UInt64 = 1_001) -> Digest {
        let offer = accept(provider, terms(registerAsset(), priceFen: priceFen))
        accept(venue, OfferAdmit(offer: offer))
        return offer
    }

    func deposit(_ member: MemberID, _ fen: UInt64) {
        accept(
            bank, DepositConfirm(member: member, amountFen: fen, referenceCommitment: .zero))
    }

    /// A licence of three uses at 10.01 yuan, agreed, with 100 yuan on the buyer's account before.
    func license(priceFen: UInt64 = 1_001, uses: UInt64 = 3) -> Digest {
        let offer = admitOffer(priceFen: priceFen)
        deposit(buyer, 10_000)
        let agreement = accept(buyer, order(offer, uses: uses))
        accept(provider, LicenceAgree(agreement: agreement))
        return agreement
    }

    func submit(_ agreement: Digest, purpose: String = "weather-service") -> JobSubmit {
        JobSubmit(agreement: agreement, purpose: purpose, queryCommitment: .zero)
    }

    func hold(_ job: Digest, output: Digest = .zero) -> JobHold {
        JobHold(job: job, outputCommitment: output, rowsRead: 100, groups: 3)
    }

    /// One job from submission to release.
    @discardableResult
    func use(_ agreement: Digest) -> Digest {
        let job = accept(buyer, submit(agreement))
        accept(sandbox, hold(job))
        accept(reviewer, OutputRelease(job: job, outputCommitment: .zero))
        return job
    }
}
