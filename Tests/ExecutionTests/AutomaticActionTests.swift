import Encoding
import Ledger
import LedgerCrypto
import Market
import Records
import Testing

@testable import Execution

/// Licences that run out: the ledger settles them by itself, in order, a bounded number per block.
@Suite struct AutomaticActionTests {
    private static let durationMs: UInt64 = 10_000
    private static let uses: UInt64 = 2
    private static let priceFen: UInt64 = 100

    /// Brings `count` licences of one offer to `agreed`, and returns their agreements.
    private func agreed(_ ledger: inout TestLedger, _ count: Int) throws -> [Digest] {
        let buyer = TestLedger.member(2)
        var asset = AssetRegister.example.encoded
        #expect(ledger.run([try ledger.sign(kind: 10, body: asset, by: 3)]) == [.accepted])
        let id = AssetRecord.id(
            provider: TestLedger.member(3), code: AssetRegister.example.code, suite: ledger.suite)
        asset = AssetApprove(asset: id, reviewCommitment: .zero).encoded
        #expect(ledger.run([try ledger.sign(kind: 11, body: asset, by: 4)]) == [.accepted])
        let example = OfferPublish.example
        let publish = try ledger.sign(
            OfferPublish(
                asset: id, venue: TestLedger.member(5), sandboxOperator: TestLedger.member(6),
                priceFen: Self.priceFen, purposes: example.purposes, columns: example.columns,
                durationMs: Self.durationMs, usesMax: Self.uses,
                groupMinimum: example.groupMinimum), by: 3)
        let admit = try ledger.sign(OfferAdmit(offer: publish.value.id), by: 5)
        let deposit = try ledger.sign(
            DepositConfirm(
                member: buyer, amountFen: UInt64(count) * Self.uses * Self.priceFen,
                referenceCommitment: .zero), by: 1)
        #expect(
            ledger.run([publish, admit, deposit]) == [.accepted, .accepted, .accepted])
        var agreements: [Digest] = []
        for number in 0..<count {
            let request = try ledger.sign(
                LicenceRequest(
                    offer: publish.value.id, bank: TestLedger.member(1),
                    purpose: example.purposes[0], columns: [example.columns[0]], uses: Self.uses,
                    statementCommitment: .zero,
                    pseudonymSalt: [UInt8](repeating: UInt8(number), count: 16)), by: 2)
            let agree = try ledger.sign(LicenceAgree(agreement: request.value.id), by: 3)
            #expect(ledger.run([request, agree]) == [.accepted, .accepted])
            agreements.append(request.value.id)
        }
        return agreements
    }

    private func agreement(_ id: Digest, _ ledger: TestLedger) throws -> AgreementRecord {
        let key = StateKey.digest(.agreement, id, suite: ledger.suite)
        let value = try #require(ledger.base.value(for: key))
        return try #require(AgreementRecord(try StoredRecord.decode(value: value)))
    }

    @Test func comeFirstInOrderAndBounded() throws {
        var parameters = Parameters()
        parameters.automaticActionsPerBlockMax = 2
        var ledger = try TestLedger(parameters: parameters)
        let agreements = try agreed(&ledger, 5)
        let started = ledger.parent.header.timeMs
        #expect(ledger.run([], afterMs: 1).isEmpty)

        let transaction = try ledger.sign(ledger.evidence(), by: 2)
        var settled: [Digest] = []
        var counts: [Int] = []
        for round in 0..<4 {
            let afterMs = round == 0 ? Self.durationMs : 1
            let candidates = round == 0 ? [transaction] : []
            let block = ledger.build(candidates, afterMs: afterMs)
            let followed = try ledger.follow(block.block, candidates)
            #expect(followed.headerDigest == block.headerDigest)
            var actions: [AutomaticAction] = []
            for entry in block.block.entries {
                if case .automatic(let action) = entry { actions.append(action) }
            }
            counts.append(actions.count)
            #expect(block.block.entries.prefix(actions.count).allSatisfy { $0.isAutomatic })
            #expect(actions.allSatisfy { $0.deadlineMs <= block.header.timeMs })
            settled += actions.map(\.subject)
            if !actions.isEmpty {
                // A leader that leaves out, swaps or changes an action is found out.
                var entries = block.block.entries
                entries.removeFirst()
                #expect(throws: BlockFault.automaticAction(index: 0)) {
                    try ledger.follow(block.block.holding(entries), candidates)
                }
            }
            ledger.extend(block)
            ledger.finalize()
        }
        #expect(counts == [2, 2, 1, 0])
        #expect(settled == agreements)
        #expect(ledger.parent.header.timeMs > started)
        for id in agreements {
            let record = try agreement(id, ledger)
            #expect(record.status == .expired && record.escrowFen == 0)
            #expect(record.refundedFen == Self.uses * Self.priceFen)
        }
        let key = StateKey.account(
            member: TestLedger.member(2), bank: TestLedger.member(1), ledger.suite)
        let value = try #require(ledger.base.value(for: key))
        let account = try #require(AccountRecord(try StoredRecord.decode(value: value)))
        #expect(account.lockedFen == 0 && account.availableFen == 5 * Self.uses * Self.priceFen)
        #expect(ledger.base.isWhole)
    }

    /// Events come out of execution in the order of their logs, and the asset's record commits to them.
    @Test func eventsAreThoseOfTheLogs() throws {
        var ledger = try TestLedger()
        let id = try agreed(&ledger, 1)[0]
        let asset = try agreement(id, ledger).asset
        let refused = try ledger.sign(
            JobSubmit(agreement: id, purpose: "marketing", queryCommitment: .zero), by: 2)
        let block = ledger.build([refused], afterMs: 5)
        #expect(block.outcomes.map(\.code) == [OutcomeCode.purposeNotPermitted.rawValue])
        let event = try #require(block.events.first)
        #expect(block.events.count == 1 && event.asset == asset)
        #expect(event.event.log == .refusals && event.event.index == 0)
        #expect(event.event.code == .purposeNotPermitted)
        #expect(event.event.transactionID == refused.value.id)
        #expect(event.event.height == block.height && event.event.timeMs == block.header.timeMs)
        let key = StateKey.digest(.asset, asset, suite: ledger.suite)
        let value = try #require(block.delta.value(for: key) ?? nil)
        let record = try #require(AssetRecord(try StoredRecord.decode(value: value)))
        #expect(record.refusalsLog.size == 1)
        #expect(record.refusalsLog.root == event.event.leafHash(ledger.suite))
    }
}

extension Entry {
    fileprivate var isAutomatic: Bool {
        switch self {
        case .automatic: true
        case .envelope: false
        }
    }
}
