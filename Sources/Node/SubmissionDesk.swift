import Ledger
import LedgerCrypto
import Records
import Replica

/// Who waits for what: open submissions, from the replica's answers to final blocks.
///
/// Lives on the replica's thread. A submission is finished exactly once: when everything it waits for is known, when
/// its deadline passes, or when the node stops.
struct SubmissionDesk {
    private struct Open {
        let wait: SubmissionWait
        let deadlineMs: UInt64
        let finish: @Sendable ([SubmissionResult]) -> Void
        var results: [SubmissionResult]
        /// Results that may still change.
        var pending: Int
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
            results: results, pending: results.count)
        return request
    }

    /// The replica's admission.
    mutating func answer(_ request: RequestID, _ codes: [OutcomeCode]) {
        guard var entry = open[request] else { return }
        precondition(codes.count == entry.results.count, "one code for each envelope")
        entry.pending = 0
        for (position, code) in codes.enumerated() {
            guard code == .accepted else {
                entry.results[position] = entry.results[position].refused(code)
                continue
            }
            guard entry.wait == .final, let id = entry.results[position].id else { continue }
            entry.pending += 1
            seats[id, default: []].append(Seat(request: request, position: position))
        }
        close(request, entry)
    }

    /// A transaction is final and durable.
    mutating func settle(_ id: Digest, code: OutcomeCode, height: UInt64, index: UInt64) {
        guard !seats.isEmpty, let waiting = seats.removeValue(forKey: id) else { return }
        for seat in waiting {
            guard var entry = open[seat.request] else { continue }
            entry.results[seat.position].status = .final
            entry.results[seat.position].code = code
            entry.results[seat.position].height = height
            entry.results[seat.position].index = index
            entry.pending -= 1
            close(seat.request, entry)
        }
    }

    private mutating func close(_ request: RequestID, _ entry: Open) {
        if entry.pending > 0 {
            open[request] = entry
        } else {
            open[request] = nil
            entry.finish(entry.results)
        }
    }

    /// Finishes what is overdue with what is known.
    mutating func expire(nowMs: UInt64) {
        for (request, entry) in open.filter({ $0.value.deadlineMs <= nowMs }) {
            finish(request, entry)
        }
    }

    /// The node stops: nobody is left waiting.
    mutating func finishAll() {
        for (request, entry) in open { finish(request, entry) }
    }

    private mutating func finish(_ request: RequestID, _ entry: Open) {
        open[request] = nil
        for id in entry.results.compactMap(\.id) {
            seats[id]?.removeAll { $0.request == request }
            if seats[id]?.isEmpty == true { seats[id] = nil }
        }
        entry.finish(entry.results)
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
