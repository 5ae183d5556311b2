import Encoding
import Ledger
import LedgerCrypto
import Merkle

@testable import Records

/// One record of each type, with every optional field present, and again with none.
enum Samples {
    static let suite = Suite.ed25519SHA256
    static let provider = id("91310000000000016K")
    static let buyer = id("91310000000000024H")
    static let bank = id("BANK:1")

    static func id(_ text: String) -> MemberID {
        guard let id = MemberID(text) else { preconditionFailure("a sample id is well formed") }
        return id
    }

    static func digest(_ number: UInt8) -> Digest { suite.digest([number]) }

    static let key: PublicKey = {
        let secret = [UInt8](repeating: 7, count: SigningKey.secretByteCount)
        guard let key = try? SigningKey(suite: suite, secret: secret) else {
            preconditionFailure("any 32 bytes are an Ed25519 secret")
        }
        return key.publicKey
    }()

    static let event = AssetEvent(
        log: .trades, index: 0, kind: .transaction(.jobSubmit), transactionID: digest(1),
        entryDigest: digest(2), height: 9, timeMs: 1_700_000_000_000,
        actor: .pseudonym([UInt8](repeating: 5, count: 16)), code: .purposeNotPermitted,
        detail: .detail([("purpose", .text("marketing")), ("uses", .unsigned(3))]))

    static func log(_ count: Int) -> EventLog {
        var log = EventLog(suite)
        for index in 0..<count {
            log.append(
                AssetEvent(
                    log: .rights, index: UInt64(index), kind: .transaction(.assetRegister),
                    transactionID: digest(1), entryDigest: digest(2), height: 1, timeMs: 2,
                    actor: .member(provider), code: .accepted), suite: suite)
        }
        return log
    }

    static let records: [AnyRecord] = [
        .member(
            MemberRecord(
                id: provider, nameZh: "示范气象数据有限公司", nameEn: "Demo Weather", group: "demo",
                roles: [.provider, .validator], liveKeys: 1, enrolledHeight: 3)),
        .member(
            MemberRecord(
                id: provider, nameZh: "示范气象数据有限公司", nameEn: "Demo Weather", group: "",
                roles: [.provider, .buyer], liveKeys: 1, enrolledHeight: 3,
                rolePeriods: [
                    RolePeriod(.buyer, from: 3, until: 40), RolePeriod(.buyer, from: 70),
                    RolePeriod(.registrar, from: 50, until: 50),
                ])),
        .key(
            KeyRecord(
                keyID: key.keyID, member: provider, publicKey: key, person: "operator-1",
                mandates: [.maker, .checker], registeredHeight: 3, revokedHeight: 900)),
        .key(
            KeyRecord(
                keyID: key.keyID, member: provider, publicKey: key, person: "",
                mandates: [.service], registeredHeight: 0)),
        .policy(
            PolicyRecord(
                name: PolicyRecord.review, version: 1, tag: .mandatory,
                entries: [
                    PolicyEntry("dominance-percent", .number(80)),
                    PolicyEntry("group-minimum", .number(-5)), PolicyEntry("text", .text("规则")),
                ], setHeight: 0)),
        .validators(ValidatorsRecord(set: validatorSet, setHeight: 40)),
        .votingKey(
            VotingKeyRecord(
                keyID: key.keyID, member: provider, publicKey: key, fromEpoch: 2, fromHeight: 40,
                untilEpoch: 3)),
        .votingKey(
            VotingKeyRecord(
                keyID: key.keyID, member: provider, publicKey: key, fromEpoch: 0, fromHeight: 0)),
        .votingKey(
            VotingKeyRecord(
                keyID: key.keyID, member: provider, publicKey: key, fromEpoch: 2, fromHeight: 40,
                untilEpoch: 3, convictedHeight: 77, conviction: digest(70))),
        .asset(asset(registered: true)),
        .asset(asset(registered: false)),
        .asset(frozenAsset),
        .asset(derivedAsset),
        .attestation(
            AttestationRecord(
                id: digest(20), asset: digest(1), assessor: buyer, kind: .quality, score: 9_250,
                expiresMs: 1_800_000_000_000, reportCommitment: digest(21), height: 8)),
        .asset(transferredAsset),
        .transfer(
            TransferRecord(
                id: digest(22), asset: digest(1), from: provider, to: buyer,
                rights: [.processing, .operating], termsCommitment: digest(23),
                expiresMs: 1_800_000_000_000, offeredHeight: 9)),
        .transfer(
            TransferRecord(
                id: digest(22), asset: digest(1), from: provider, to: buyer, rights: [.holding],
                termsCommitment: digest(23), expiresMs: 1_800_000_000_000, status: .completed,
                offeredHeight: 9, registrar: bank, completedHeight: 11)),
        .offer(offer(fee: 500)),
        .offer(offer(fee: nil)),
        .agreement(
            AgreementRecord(
                id: digest(30), offer: digest(25), asset: digest(1), provider: provider,
                buyer: buyer, venue: bank, sandboxOperator: provider, bank: bank,
                purpose: "credit-risk", columns: ["temperature"], priceFen: 100, usesMax: 3,
                usesReserved: 1, usesMetered: 1, durationMs: 86_400_000, startsMs: 1,
                expiresMs: 86_400_001, groupMinimum: 5, venueFeeBasisPoints: 500, escrowFen: 300,
                pseudonymSalt: [UInt8](0..<16), statementCommitment: digest(31),
                status: .agreed, requestedHeight: 9)),
        .agreement(
            AgreementRecord(
                id: digest(30), offer: digest(25), asset: digest(1), provider: provider,
                buyer: buyer, venue: bank, sandboxOperator: provider, bank: bank,
                purpose: "credit-risk", columns: ["temperature"], priceFen: 100, usesMax: 3,
                usesMetered: 1, durationMs: 86_400_000, startsMs: 1, expiresMs: 86_400_001,
                groupMinimum: 5, venueFeeBasisPoints: 500, paidProviderFen: 95, paidVenueFen: 5,
                refundedFen: 200, pseudonymSalt: [UInt8](0..<16), statementCommitment: digest(31),
                status: .revoked, requestedHeight: 9,
                revocation: Revocation(
                    member: bank, ground: .ruling, referenceCommitment: digest(32), height: 77))),
        .account(
            AccountRecord(
                member: buyer, bank: bank, availableFen: 1, lockedFen: 2, pendingWithdrawalFen: 3)),
        .bank(BankRecord(member: bank, depositsFen: 10, withdrawalsFen: 4, frozen: true)),
        .withdrawal(
            WithdrawalRecord(
                id: digest(42), member: buyer, bank: bank, amountFen: 3,
                destinationCommitment: digest(43), requestedHeight: 12)),
        .job(
            JobRecord(
                id: digest(50), agreement: digest(30), asset: digest(1), buyer: buyer,
                purpose: "credit-risk", queryCommitment: digest(51), status: .refused,
                outputCommitment: digest(52), rowsRead: 8_760, groups: 12, reviewer: provider,
                refusal: OutcomeCode.groupTooSmall.rawValue, submittedHeight: 30)),
        .job(
            JobRecord(
                id: digest(50), agreement: digest(30), asset: digest(1), buyer: buyer,
                purpose: "credit-risk", queryCommitment: digest(51), status: .submitted,
                submittedHeight: 30)),
        .evidence(
            EvidenceRecord(
                id: digest(60), member: provider, commitment: digest(61), mediaType: "text/csv",
                note: "日报", height: 7)),
        .timerIndex(TimerIndexRecord(days: [20_000, 20_001])),
        .timerDay(TimerDayRecord(day: 20_000, hours: 0x80_0001)),
        .timerHour(
            TimerHourRecord(
                hour: 480_000,
                timers: [
                    Deadline(
                        deadlineMs: 1_728_000_000_001, kind: .licenceExpire, subject: digest(30))
                ])),
        .saltSeed(SaltSeedRecord(seed: digest(31))),
    ]

    private static var validatorSet: ValidatorSet {
        let seat = Validator(
            member: provider, votingKey: key, transportKey: [UInt8](repeating: 9, count: 91))
        guard let set = ValidatorSet(epoch: 3, validators: [seat]) else {
            preconditionFailure("one key is a set")
        }
        return set
    }

    private static func asset(registered: Bool) -> AssetRecord {
        AssetRecord(
            id: AssetRecord.id(provider: provider, code: "weather-2024", suite: suite),
            code: "weather-2024", provider: provider, titleZh: "气象观测", titleEn: "Weather",
            keywords: ["weather", "气象"],
            columns: [Column("station", .text), Column("temperature", .real)],
            entityKey: registered ? "station" : nil, rowCount: 8_760, dataCommitment: digest(10),
            descriptionCommitment: registered ? digest(11) : nil, source: "NOAA",
            sourceURL: "https://example.org", ownerClass: .publicData, level: .raw,
            grade: .general, rights: [.holding, .operating],
            status: registered ? .registered : .claimed, registeredHeight: registered ? 5 : nil,
            registrar: registered ? buyer : nil, rightsLog: log(3), tradesLog: log(0),
            refusalsLog: log(1))
    }

    private static var derivedAsset: AssetRecord {
        var record = asset(registered: true)
        record.level = .product
        record.parents = [digest(13), digest(14)].sorted()
        return record
    }

    private static var transferredAsset: AssetRecord {
        var record = asset(registered: true)
        record.transfer([.operating], to: buyer, at: 70)
        record.transfer([.holding], to: bank, at: 77)
        return record
    }

    private static var frozenAsset: AssetRecord {
        var record = asset(registered: true)
        for (office, reason) in [
            (Office.arbitrator, FreezeReason.rightsDispute), (.regulator, .investigation),
        ] {
            record.freeze(
                Freeze(
                    office: office, member: bank, reason: reason, referenceCommitment: digest(12),
                    height: 70))
        }
        return record
    }

    private static func offer(fee: UInt64?) -> OfferRecord {
        OfferRecord(
            id: digest(25), asset: digest(1), provider: provider, venue: bank,
            sandboxOperator: provider, priceFen: 100, purposes: ["credit-risk"],
            columns: ["temperature"], durationMs: 86_400_000, usesMax: 10, groupMinimum: 5,
            venueFeeBasisPoints: fee, status: fee == nil ? .published : .admitted,
            publishedHeight: 6)
    }
}
