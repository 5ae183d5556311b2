import Client
import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records
import Testing

@testable import API

/// The audiences as a table: widening one must be done here as well.
@Suite struct AudienceTests {
    @Test(arguments: RecordType.allCases)
    func recordsHaveTheirAudience(_ type: RecordType) {
        let expected: Visibility =
            switch type {
            case .member, .key, .policy, .validators, .votingKey, .asset, .attestation, .transfer,
                .offer:
                .everyone
            case .evidence: .members
            case .agreement, .account, .bank, .withdrawal, .job: .parties
            case .timerIndex, .timerDay, .timerHour: .regulator
            case .saltSeed: .validators
            }
        #expect(AccessPolicy.audience(of: type) == expected)
    }

    @Test(arguments: TransactionKind.allCases)
    func envelopesAreNeverWiderThanTheirFields(_ kind: TransactionKind) {
        let audience = AccessPolicy.audience(of: kind)
        #expect(audience >= AccessPolicy.senderAudience(of: kind))
        for field in kind.body.fields where field.visibility != .validators {
            #expect(audience >= field.visibility, "\(kind.name).\(field.name)")
        }
    }

    /// A record may keep any field of the kinds that write it; whoever may read the record sees it.
    @Test(arguments: TransactionKind.allCases)
    func recordsAreNeverWiderThanTheFieldsTheyKeep(_ kind: TransactionKind) {
        let written: [RecordType] =
            switch kind {
            case .memberEnrol: [.member, .key]
            case .memberGrant, .memberWithdraw: [.member]
            case .keyRegister, .keyRevoke: [.key]
            case .policySet: [.policy]
            case .assetRegister, .assetDerive, .assetApprove, .assetFreeze, .assetUnfreeze: [.asset]
            case .assetAttest: [.attestation]
            case .rightTransfer, .rightCancel: [.transfer]
            case .rightAccept, .rightApprove: [.transfer, .asset]
            case .offerPublish, .offerAdmit: [.offer]
            case .licenceRequest, .licenceAgree, .licenceClose, .licenceRevoke: [.agreement]
            case .depositConfirm: [.account, .bank]
            case .withdrawalRequest, .withdrawalConfirm: [.withdrawal, .account, .bank]
            case .jobSubmit, .jobHold, .outputRelease, .outputReject, .jobRefuse: [.job]
            case .evidenceRecord: [.evidence]
            case .validatorJoin, .validatorLeave, .validatorReplace, .validatorEquivocation,
                .validatorRecover:
                [.validators, .votingKey]
            }
        for type in written {
            for field in kind.body.fields where field.visibility != .validators {
                #expect(
                    AccessPolicy.audience(of: type) >= field.visibility,
                    "\(type.name) shows \(kind.name).\(field.name)")
            }
        }
    }

    @Test func tradesAndMoneyAreForTheParties() {
        let trades = TransactionKind.allCases.filter {
            (30..<60).contains($0.rawValue)
        }
        #expect(!trades.isEmpty)
        for kind in trades { #expect(AccessPolicy.audience(of: kind) >= .parties, "\(kind.name)") }
    }
}

@Suite(.timeLimit(.minutes(2))) struct AccessTests {
    private typealias Name = Market1.Name

    private func status(
        _ market: Market1, _ path: String, as name: Market1.Name?, accept: String = Route.json
    ) async throws -> Int {
        var headers = [(name: "Accept", value: accept)]
        if let name { headers.append(market.token(market.key(name), path)) }
        return try await market.ask(path, headers: headers).status
    }

    @Test func moneyIsSeenByItsOwnerItsBankAndTheRegulator() async throws {
        try await Market1.with { market in
            let deposit = DepositConfirm(
                member: Market1.id(.buyer), amountFen: 5_000,
                referenceCommitment: DepositConfirm.example.referenceCommitment)
            let sent = try await market.client(.bank).submit(deposit)
            let id = try accepted(sent)
            let account = RecordPath.path(
                .account,
                [.text(Market1.id(.buyer).text), .text(Market1.id(.bank).text)])
            for path in [account, "/v1/transactions/\(id.hex)/bundle"] {
                for accept in [Route.json, Route.cbor] {
                    for name in [Name.buyer, .bank, .regulator] {
                        #expect(try await status(market, path, as: name, accept: accept) == 200)
                    }
                    for name in [Name.provider, .stranger, .governor] {
                        #expect(try await status(market, path, as: name, accept: accept) == 403)
                    }
                    #expect(try await status(market, path, as: nil, accept: accept) == 401)
                }
            }
            let own = try await market.client(.buyer).account(
                Market1.id(.buyer), at: Market1.id(.bank))
            #expect(own.value?.availableFen == 5_000)
            // Who may not read it may not read that it is absent either.
            let none = RecordPath.path(
                .account,
                [.text(Market1.id(.provider).text), .text(Market1.id(.bank).text)])
            #expect(try await status(market, none, as: .stranger) == 403)
            #expect(try await status(market, none, as: .provider) == 404)
        }
    }

    @Test func tradesAndRefusalsAreForTheProviderAndTheRegulator() async throws {
        try await Market1.with { market in
            try accepted(
                try await market.client(.provider).submit(AssetRegister.sample(code: "a")))
            let asset = AssetRecord.id(
                provider: Market1.id(.provider), code: "a", suite: market.genesis.suite)
            let base = "/v1/assets/\(asset.hex)/bundle"
            #expect(try await status(market, base + "?logs=rights", as: nil) == 200)
            for log in ["trades", "refusals", "rights,trades", "rights,trades,refusals"] {
                let path = base + "?logs=" + log
                #expect(try await status(market, path, as: nil) == 401)
                #expect(try await status(market, path, as: .buyer) == 403)
                #expect(try await status(market, path, as: .provider) == 200)
                #expect(try await status(market, path, as: .regulator) == 200)
            }
            for bad in ["", "rights,", "Rights", "rights,rights", "all"] {
                let path = base + "?logs=" + bad
                #expect(try await status(market, path, as: .regulator) == 400, "\(bad)")
            }
        }
    }

    @Test func aBundleShowsStrangersTheDigestOnlyOfWhatIsForMembers() async throws {
        try await Market1.with { market in
            try accepted(
                try await market.client(.provider).submit(AssetRegister.sample(code: "a")))
            let asset = AssetRecord.id(
                provider: Market1.id(.provider), code: "a", suite: market.genesis.suite)
            let question = EvidenceQuestion.assetHistory(asset: asset, logs: [.rights])
            let seen = try await market.client(nil).bundle(question)
            guard case .assetHistory(let history) = seen.finding else {
                Issue.record("another finding")
                return
            }
            #expect(history.logs.map(\.events.count) == [1])
            guard case .transaction = history.logs.first?.events.first?.entry.content else {
                Issue.record("an asset's registration is public")
                return
            }
            // Evidence is for members.
            let sent = try await market.client(.provider).submit(RecordEvidence.example)
            let path = "/v1/transactions/\(try accepted(sent).hex)/bundle"
            #expect(try await status(market, path, as: nil) == 401)
            #expect(try await status(market, path, as: .stranger) == 200)
        }
    }

    /// Everybody has the digest of what the ledger did by itself, as a leaf of the log; what it was is for those who may read the licence.
    @Test func anExpiryIsForThePartiesOfTheLicence() async throws {
        try await Market1.with { market in
            func submit<Body: TransactionBody>(
                _ body: Body, by name: Market1.Name
            ) async throws -> Digest {
                try accepted(try await market.client(name).submit(body))
            }
            let terms = OfferPublish.example
            _ = try await submit(AssetRegister.sample(code: "a"), by: .provider)
            let asset = AssetRecord.id(
                provider: Market1.id(.provider), code: "a", suite: market.genesis.suite)
            _ = try await submit(
                AssetApprove(asset: asset, reviewCommitment: .zero), by: .registrar)
            let offer = try await submit(
                OfferPublish(
                    asset: asset, venue: Market1.id(.venue),
                    sandboxOperator: Market1.id(.provider), priceFen: 100,
                    purposes: terms.purposes, columns: terms.columns, durationMs: 1_000, usesMax: 2,
                    groupMinimum: terms.groupMinimum), by: .provider)
            _ = try await submit(OfferAdmit(offer: offer), by: .venue)
            _ = try await submit(
                DepositConfirm(
                    member: Market1.id(.buyer), amountFen: 200, referenceCommitment: .zero),
                by: .bank)
            let licence = try await submit(
                LicenceRequest(
                    offer: offer, bank: Market1.id(.bank), purpose: terms.purposes[0],
                    columns: [terms.columns[0]], uses: 2, statementCommitment: .zero,
                    pseudonymSalt: [UInt8](repeating: 9, count: 16)), by: .buyer)
            var next = market.node.status.height + 1
            _ = try await submit(LicenceAgree(agreement: licence), by: .provider)
            var action: Digest?
            for await height in market.node.heights() where action == nil {
                while next <= height, action == nil {
                    let block = try await market.node.history { [next] in
                        try $0.reader.block(next)?.block
                    }
                    let entries = block?.entries ?? []
                    for entry in entries {
                        if case .automatic = entry { action = entry.digest(market.genesis.suite) }
                    }
                    next += 1
                }
                if action != nil { break }
            }
            let path = "/v1/transactions/\(try #require(action).hex)/bundle"
            #expect(try await status(market, path, as: nil) == 401)
            #expect(try await status(market, path, as: .stranger) == 403)
            for name in [Market1.Name.buyer, .provider, .venue, .regulator] {
                #expect(try await status(market, path, as: name) == 200)
            }
        }
    }

    @Test func tokensAreChecked() async throws {
        try await Market1.with { market in
            let path = RecordPath.path(.bank, [.text(Market1.id(.bank).text)])
            let bank = market.key(.bank)
            let other = LedgerCrypto.Suite.ed25519SHA256.digest([1])
            let deposit = DepositConfirm(
                member: Market1.id(.buyer), amountFen: 1,
                referenceCommitment: DepositConfirm.example.referenceCommitment)
            try accepted(try await market.client(.bank).submit(deposit))
            #expect(try await market.ask(path, headers: [market.token(bank, path)]).status == 200)
            var flipped = market.token(bank, path)
            let last = flipped.value.removeLast()
            flipped.value.append(last == "A" ? "Q" : "A")
            let cases: [(String, (name: String, value: String))] = [
                ("token-malformed", ("Authorization", "Huijin")),
                ("token-malformed", ("Authorization", "Bearer abc")),
                ("token-malformed", ("Authorization", "Huijin ####")),
                ("token-malformed", ("Authorization", "Huijin aGk")),
                ("token-stale", market.token(bank, path, lateMs: -120_000)),
                ("token-stale", market.token(bank, path, lateMs: 120_000)),
                ("token-other-request", market.token(bank, path + "?x=1")),
                ("token-other-request", market.token(bank, path, method: "POST")),
                ("wrong-chain", market.token(bank, path, chain: other)),
                ("wrong-suite", market.token(.generate(.sm2SM3), path)),
                ("unknown-key", market.token(.generate(.ed25519SHA256), path)),
            ]
            for (code, header) in cases {
                let answer = try await market.ask(path, headers: [header])
                #expect(answer.status == 401 && market.code(answer) == code, "\(code)")
            }
            let answer = try await market.ask(path, headers: [flipped])
            #expect(answer.status == 401)
        }
    }

    @Test func aRevokedKeyReadsNothingMore() async throws {
        try await Market1.with { market in
            let second = SigningKey.generate(.ed25519SHA256)
            let bank = try market.client(.bank)
            let sent = try await bank.submit(
                KeyRegister(
                    publicKey: second.publicKey, person: "second",
                    mandates: [.maker, .legalRepresentative]))
            try accepted(sent)
            let path = RecordPath.path(.evidence, [.bytes([UInt8](repeating: 7, count: 32))])
            let before = try await market.ask(path, headers: [market.token(second, path)])
            #expect(before.status == 404)
            try accepted(
                try await bank.submit(KeyRevoke(keyID: second.publicKey.keyID)))
            let after = try await market.ask(path, headers: [market.token(second, path)])
            #expect(after.status == 401 && market.code(after) == "unknown-key")
        }
    }
}
