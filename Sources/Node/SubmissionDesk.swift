import Ledger
import LedgerCrypto
import Records
import Replica

/// Who waits for what: open submissions, from the replica's answers to final blocks.
///
/// Lives on the replica's thread. A submission is finished exactly once: when everything it waits for is known, when
/// its deadline passes, when it runs out, or when the node stops or joins by a snapshot.
struct SubmissionDesk {
    private struct Open {
        let wait: SubmissionWait
        let deadlineMs: UInt64
        let finish: @Sendable ([SubmissionResult]) -> Void
        /// The last height at which each transaction is valid.
        let expiries: [UInt64]
        var results: [SubmissionResult]
        /// Results that may still change.
        var pending: Int
        var isAnswered = false

        /// The first height at which something waited for runs out.
        var firstExpiry: UInt64 {
            results.indices.lazy.filter { results[$0].status == .received }
                .map { expiries[$0] }.min() ?? .max
        }

        /// - Parameter seat: called for each result that is waited for, with the transaction's id.
        mutating func answer(_ codes: [OutcomeCode], seat: (_ id: Digest, _ position: Int) -> Void)
        {
            precondition(codes.count == results.count, "one code for each envelope")
            isAnswered = true
            pending = 0
            for (position, code) in codes.enumerated() {
                guard code == .accepted else {
                    results[position] = results[position].refused(code)
                    continue
                }
                guard wait == .final, let id = results[position].id else { continue }
                pending += 1
                seat(id, position)
            }
        }

        /// Where it stands: a submission has up to a hundred results, and each becomes final by itself.
        mutating func settle(_ position: Int, _ code: OutcomeCode, height: UInt64, index: UInt64) {
            results[position].status = .final
            results[position].code = code
            results[position].height = height
            results[position].index = index
            pending -= 1
        }

        /// Refuses what has run out at that height, of what is waited for.
        ///
        /// - Returns: the transactions' ids.
        mutating func pass(height: UInt64) -> [Digest] {
            var ended: [Digest] = []
            for position in results.indices
            where results[position].status == .received && expiries[position] <= height {
                results[position] = results[position].refused(.expired)
                pending -= 1
                if let id = results[position].id { ended.append(id) }
            }
            return ended
        }
    }

    private struct Seat {
        let request: RequestID
        let position: Int
    }

    let waitingMax: Int
    private var nextNumber: UInt64 = 1
    private var open: [RequestID: Open] = [:]
    /// Accepted transactions that somebody waits for.
    private var seats: [Digest: [Seat]] = [:]
    /// Nothing that is waited for runs out below this height.
    private var firstExpiry = UInt64.max

    init(waitingMax: Int) {
        self.waitingMax = waitingMax
    }

    var count: Int { open.count }
    var isEmpty: Bool { open.isEmpty }

    /// - Returns: the number under which the replica answers, or `nil` when too many wait already.
    mutating func admit(_ submission: Submission) -> RequestID? {
        // From here on the transactions may become final whatever happens to the answer, so until the replica
        // refuses one nobody is told that it was refused.
        let results = submission.envelopes.map {
            SubmissionResult(
                id: $0.id, envelopeDigest: $0.digest, status: .received, code: .accepted)
        }
        guard open.count < waitingMax else {
            submission.finish(results.map { $0.refused(.busy) })
            return nil
        }
        let request = RequestID(nextNumber)
        nextNumber += 1
        open[request] = Open(
            wait: submission.wait, deadlineMs: submission.deadlineMs, finish: submission.finish,
            expiries: submission.envelopes.map(\.lastValidHeight), results: results,
            pending: results.count)
        return request
    }

    /// The replica's admission.
    mutating func answer(_ request: RequestID, _ codes: [OutcomeCode]) {
        guard let place = open.index(forKey: request) else { return }
        open.values[place].answer(codes) { id, position in
            seats[id, default: []].append(Seat(request: request, position: position))
        }
        firstExpiry = min(firstExpiry, open.values[place].firstExpiry)
        close(place)
    }

    /// A transaction is final and durable.
    mutating func settle(_ id: Digest, code: OutcomeCode, height: UInt64, index: UInt64) {
        guard !seats.isEmpty, let waiting = seats.removeValue(forKey: id) else { return }
        for seat in waiting {
            guard let place = open.index(forKey: seat.request) else { continue }
            open.values[place].settle(seat.position, code, height: height, index: index)
            close(place)
        }
    }

    /// All blocks up to that height are settled: what is in none of them and valid no longer becomes final no more, in the history
    /// that is held here.
    mutating func pass(height: UInt64) {
        guard firstExpiry <= height else { return }
        firstExpiry = .max
        for (request, entry) in open where entry.isAnswered {
            var entry = entry
            let ended = entry.pass(height: height)
            if !ended.isEmpty {
                vacate(ended, of: request)
                open[request] = entry
            }
            if entry.pending == 0 {
                finish(request, entry)
            } else {
                firstExpiry = min(firstExpiry, entry.firstExpiry)
            }
        }
    }

    /// If nothing is waited for any more.
    private mutating func close(_ place: Dictionary<RequestID, Open>.Index) {
        guard open.values[place].pending == 0 else { return }
        let entry = open.remove(at: place).value
        entry.finish(entry.results)
    }

    /// Finishes what is overdue with what is known.
    mutating func expire(nowMs: UInt64) {
        for (request, entry) in open.filter({ $0.value.deadlineMs <= nowMs }) {
            finish(request, entry)
        }
    }

    /// Nobody is left waiting: no more blocks will be settled, or not all of them.
    mutating func finishAll() {
        for (request, entry) in open { finish(request, entry) }
    }

    private mutating func finish(_ request: RequestID, _ entry: Open) {
        open[request] = nil
        vacate(entry.results.compactMap(\.id), of: request)
        entry.finish(entry.results)
    }

    private mutating func vacate(_ ids: [Digest], of request: RequestID) {
        for id in ids {
            seats[id]?.removeAll { $0.request == request }
            if seats[id]?.isEmpty == true { seats[id] = nil }
        }
    }
}

extension SubmissionResult {
    func refused(_ code: OutcomeCode) -> SubmissionResult {
        var result = self
        result.status = .refused
        result.code = code
        return result
    }
}
