import Ledger
import LedgerCrypto
import Records
import Testing

@testable import Market

@Suite struct MoneyRuleTests {
    private func deposit(_ member: MemberID, _ fen: UInt64) -> DepositConfirm {
        DepositConfirm(member: member, amountFen: fen, referenceCommitment: .zero)
    }

    @Test func deposits() {
        var market = TestMarket()
        let bank = market.enrol(1, [.settlementBank])
        let buyer = market.enrol(2, [.buyer])
        #expect(market.run(deposit(buyer, 1), by: buyer) == .notPermitted)
        #expect(market.run(deposit(buyer, 0), by: bank) == .amountOutOfRange)
        #expect(
            market.run(deposit(buyer, RecordLimits.amountFenMax + 1), by: bank)
                == .amountOutOfRange)
        #expect(market.run(deposit(TestMarket.id(9), 1), by: bank) == .memberUnknown)
        #expect(market.run(deposit(buyer, 500), by: bank) == .accepted)
        #expect(
            market.run(deposit(buyer, RecordLimits.amountFenMax), by: bank) == .amountOutOfRange)
        #expect(market.read { $0.account(buyer, at: bank).availableFen } == 500)
        #expect(market.read { $0.bank(bank)?.depositsFen } == 500)
    }

    @Test func withdrawals() {
        var market = TestMarket()
        let bank = market.enrol(1, [.settlementBank])
        let otherBank = market.enrol(2, [.settlementBank])
        let buyer = market.enrol(3, [.buyer])
        func request(_ fen: UInt64, at bank: MemberID) -> WithdrawalRequest {
            WithdrawalRequest(bank: bank, amountFen: fen, destinationCommitment: .zero)
        }
        #expect(market.run(request(1, at: bank), by: buyer) == .bankUnknown)
        #expect(market.run(deposit(buyer, 500), by: bank) == .accepted)
        #expect(market.run(request(501, at: bank), by: buyer) == .insufficientFunds)
        #expect(market.run(request(0, at: bank), by: buyer) == .amountOutOfRange)
        #expect(market.run(request(200, at: bank), by: buyer) == .accepted)
        let paid = market.lastID
        #expect(market.run(request(100, at: bank), by: buyer) == .accepted)
        let returned = market.lastID
        let account = market.read { $0.account(buyer, at: bank) }
        #expect(account.availableFen == 200 && account.pendingWithdrawalFen == 300)
        let confirm = WithdrawalConfirm(withdrawal: paid, paid: true)
        #expect(market.run(confirm, by: otherBank) == .notPermitted)
        #expect(market.run(confirm, by: buyer) == .notPermitted)
        #expect(
            market.run(WithdrawalConfirm(withdrawal: .zero, paid: true), by: bank)
                == .unknownWithdrawal)
        #expect(market.run(confirm, by: bank) == .accepted)
        #expect(market.run(confirm, by: bank) == .wrongState)
        #expect(
            market.run(WithdrawalConfirm(withdrawal: returned, paid: false), by: bank)
                == .accepted)
        let after = market.read { $0.account(buyer, at: bank) }
        #expect(after.availableFen == 300 && after.pendingWithdrawalFen == 0)
        #expect(market.read { $0.bank(bank)?.withdrawalsFen } == 200)
    }

    @Test func aFrozenBankPaysNothingOutButTakesMoneyIn() {
        var market = TestMarket()
        let bank = market.enrol(1, [.settlementBank])
        let buyer = market.enrol(2, [.buyer])
        let request = WithdrawalRequest(bank: bank, amountFen: 10, destinationCommitment: .zero)
        #expect(market.run(deposit(buyer, 500), by: bank) == .accepted)
        #expect(market.run(request, by: buyer) == .accepted)
        let id = market.lastID
        market.change { view in
            guard var record = view.bank(bank) else { return }
            record.frozen = true
            view.put(record)
        }
        #expect(market.run(request, by: buyer) == .bankFrozen)
        #expect(
            market.run(WithdrawalConfirm(withdrawal: id, paid: true), by: bank) == .bankFrozen)
        #expect(
            market.run(WithdrawalConfirm(withdrawal: id, paid: false), by: bank) == .accepted)
        #expect(market.run(deposit(buyer, 1), by: bank) == .accepted)
    }

    @Test func escrowMovesButNeverGrows() throws {
        var market = TestMarket()
        let bank = market.enrol(1, [.settlementBank])
        let buyer = market.enrol(2, [.buyer])
        let provider = market.enrol(3, [.provider])
        #expect(market.run(deposit(buyer, 100), by: bank) == .accepted)
        market.change { view in
            #expect(throws: OutcomeCode.insufficientFunds) {
                try view.lock(101, of: buyer, at: bank)
            }
            #expect(throws: Never.self) { try view.lock(60, of: buyer, at: bank) }
            view.payLocked(25, of: buyer, to: provider, at: bank)
            // A member that pays itself neither gains nor loses.
            view.payLocked(5, of: buyer, to: buyer, at: bank)
            view.unlock(30, of: buyer, at: bank)
            #expect(view.account(buyer, at: bank).availableFen == 75)
            #expect(view.account(buyer, at: bank).lockedFen == 0)
            #expect(view.account(provider, at: bank).availableFen == 25)
            #expect(view.bankOutOfBalance() == nil)
        }
    }
}
