import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Market
import Records

/// A signed transaction, ready to be posted as often as needed: its id makes it the same one each time.
public struct SignedEnvelope: Sendable, Equatable {
    public let id: Digest
    public let digest: Digest
    public let bytes: [UInt8]
}

/// What became of a submitted transaction.
public struct SubmissionAnswer: Sendable, Equatable {
    public enum Status: String, Sendable {
        case received
        case final
        case refused
    }

    /// Nil when the node could not decode the envelope.
    public var id: Digest?
    public var envelope: Digest?
    public var status: Status
    public var code: OutcomeCode
    public var height: UInt64?
    public var index: UInt64?

    public init(
        id: Digest?, envelope: Digest?, status: Status, code: OutcomeCode, height: UInt64? = nil,
        index: UInt64? = nil
    ) {
        self.id = id
        self.envelope = envelope
        self.status = status
        self.code = code
        self.height = height
        self.index = index
    }

    public var isAccepted: Bool { status == .final && code == .accepted }
}

extension HuijinClient {
    /// Envelopes in one request.
    public static let envelopesMax = 100

    /// Signs a body for the identity; the transaction lives for half the replay window.
    public func sign(
        _ body: some TransactionBody, atHeight height: UInt64
    ) throws(ClientError) -> SignedEnvelope {
        try sign(kind: type(of: body).kind.rawValue, body: body.encoded, atHeight: height)
    }

    /// Like `sign`, for a body that is encoded already.
    public func sign(
        kind: UInt64, body: [UInt8], atHeight height: UInt64
    ) throws(ClientError) -> SignedEnvelope {
        guard let identity else { throw .noIdentity }
        let transaction = transaction(
            kind: kind, body: body, of: identity.member, atHeight: height)
        let bytes = Envelope.sign(transaction, chain: chain, with: identity.key)
        return signed(transaction, bytes)
    }

    /// Signs bodies for the identity with as few signatures as possible: one for each 1,024 of them, under the root of
    /// a batch. Each envelope is valid without the others.
    public func sign(
        _ bodies: [some TransactionBody], atHeight height: UInt64
    ) throws(ClientError) -> [SignedEnvelope] {
        guard let identity else { throw .noIdentity }
        let transactions = bodies.map { body in
            transaction(
                kind: type(of: body).kind.rawValue, body: body.encoded, of: identity.member,
                atHeight: height)
        }
        var envelopes: [SignedEnvelope] = []
        for start in stride(
            from: 0, to: transactions.count, by: LedgerLimits.batchSizes.upperBound)
        {
            let end = min(start + LedgerLimits.batchSizes.upperBound, transactions.count)
            let batch = Array(transactions[start..<end])
            let bytes =
                batch.count == 1
                ? [Envelope.sign(batch[0], chain: chain, with: identity.key)]
                : Envelope.signBatch(batch, chain: chain, with: identity.key)
            envelopes += zip(batch, bytes).map { signed($0, $1) }
        }
        return envelopes
    }

    private func transaction(
        kind: UInt64, body: [UInt8], of member: MemberID, atHeight height: UInt64
    ) -> Transaction {
        Transaction(
            kind: kind, nonce: SecureRandom.bytes(LedgerLimits.nonceBytes),
            lastValidHeight: height + genesis.parameters.replayWindowBlocksMax / 2,
            member: member, body: body)
    }

    private func signed(_ transaction: Transaction, _ bytes: [UInt8]) -> SignedEnvelope {
        SignedEnvelope(
            id: Transaction.id(payload: transaction.encoded, chain: chain, suite: suite),
            digest: suite.digest(bytes), bytes: bytes)
    }

    /// Signs, submits, waits until it is final, and proves the outcome.
    ///
    /// - Returns: a final answer whose code, height and index are proven; or one that the ledger never saw, on the
    ///   node's word; or `received` when it did not become final in time.
    public func submit(_ body: some TransactionBody) async throws(ClientError) -> SubmissionAnswer {
        let height = try await statedHeight()
        return try await submit(try sign(body, atHeight: height))
    }

    /// Signs several bodies as batches, submits all, and then waits for and proves each as `submit` does for one.
    ///
    /// - Returns: one answer for each body, in order.
    public func submit(
        _ bodies: [some TransactionBody]
    ) async throws(ClientError) -> [SubmissionAnswer] {
        let envelopes = try sign(bodies, atHeight: try await statedHeight())
        var answers: [SubmissionAnswer] = []
        for start in stride(from: 0, to: envelopes.count, by: HuijinClient.envelopesMax) {
            let end = min(start + HuijinClient.envelopesMax, envelopes.count)
            answers += try await post(envelopes[start..<end].map(\.bytes))
        }
        for (index, envelope) in envelopes.enumerated() {
            answers[index] = try await settle(envelope, answers[index])
        }
        return answers
    }

    public func submit(_ envelope: SignedEnvelope) async throws(ClientError) -> SubmissionAnswer {
        try await settle(envelope, try await post([envelope.bytes])[0])
    }

    /// Waits until what was posted is final, and proves the outcome.
    private func settle(
        _ envelope: SignedEnvelope, _ posted: SubmissionAnswer
    ) async throws(ClientError) -> SubmissionAnswer {
        let deadline = HuijinClient.nowMs() + limits.patienceMs
        var answer = posted
        var pauseMs: UInt64 = 50
        // Ids are forgotten when they have run out: an earlier try may have become final before.
        if answer.code == .expired, let found = try await outcome(of: envelope) { answer = found }
        // A second try after a lost answer finds the first one's transaction.
        while answer.status == .received || answer.code == .duplicate || answer.code == .replayed {
            if let found = try await outcome(of: envelope) {
                answer = found
                break
            }
            guard HuijinClient.nowMs() < deadline else { break }
            try? await Task.sleep(for: .milliseconds(pauseMs))
            pauseMs = min(pauseMs * 2, 1_000)
        }
        guard answer.status == .final else { return answer }
        return try await proveOutcome(of: envelope, stated: answer)
    }

    /// Posts envelopes as they are, at most `envelopesMax`, and reports what one node says of each. A node that takes none,
    /// because it catches up or is cut off, is passed over.
    public func post(
        _ envelopes: [[UInt8]], waitForFinal: Bool = true
    ) async throws(ClientError) -> [SubmissionAnswer] {
        precondition(envelopes.count <= HuijinClient.envelopesMax, "at most 100 in one request")
        var encoder = CBOREncoder(reserving: envelopes.reduce(16) { $0 + $1.count + 4 })
        encoder.array(envelopes.count)
        for envelope in envelopes { encoder.bytes(envelope) }
        let body = encoder.bytes
        let waitMs = limits.timeoutMs
        let path =
            waitForFinal
            ? "/v1/transactions?wait=final&timeoutMs=\(waitMs)" : "/v1/transactions"
        return try await anyNode { (node) throws(ClientError) in
            let answer = try await request(
                node, path, method: "POST", body: body, timeoutMs: waitMs + 5_000)
            let json = try HuijinClient.parse(answer, node: node)
            guard let results = json["results"]?.list, results.count == envelopes.count else {
                throw ClientError.badAnswer(
                    node: node,
                    what: Bilingual("not one result for each envelope", "结果数与信封数不符"))
            }
            var answers: [SubmissionAnswer] = []
            for result in results {
                guard let parsed = SubmissionAnswer(result) else {
                    throw ClientError.badAnswer(node: node, what: SubmissionAnswer.otherForm)
                }
                answers.append(parsed)
            }
            let code = OutcomeCode.unavailable
            guard answers.isEmpty || answers.contains(where: { $0.code != code }) else {
                throw ClientError.refused(
                    node: node, status: 503, code: code.name, english: code.messageEn,
                    chinese: code.messageZh)
            }
            return answers
        }
    }

    /// What a node says of a transaction; nil while it is not final there.
    private func outcome(
        of envelope: SignedEnvelope
    ) async throws(ClientError) -> SubmissionAnswer? {
        do throws(ClientError) {
            let json = try await self.json("/v1/transactions/\(envelope.id.hex)")
            guard let answer = SubmissionAnswer(json) else {
                throw ClientError.badAnswer(node: nodes[0], what: SubmissionAnswer.otherForm)
            }
            return answer
        } catch {
            if case .refused(_, 404, _, _, _) = error { return nil }
            throw error
        }
    }

    private func proveOutcome(
        of envelope: SignedEnvelope, stated: SubmissionAnswer
    ) async throws(ClientError) -> SubmissionAnswer {
        let found = try await bundle(.transaction(envelope.id))
        guard case .transaction(let entry) = found.finding,
            let code = OutcomeCode(rawValue: entry.code)
        else {
            throw .badAnswer(
                node: nodes[0],
                what: Bilingual("another finding than a transaction", "结论不是一笔交易"))
        }
        return SubmissionAnswer(
            id: envelope.id, envelope: entry.digest, status: .final, code: code,
            height: entry.height, index: entry.position)
    }
}

extension SubmissionAnswer {
    fileprivate static let otherForm = Bilingual("a result of another form", "结果的格式不符")

    /// One element of the API's `results`.
    init?(_ json: JSONValue) {
        guard let status = json["status"]?.text.flatMap({ Status(rawValue: $0) }),
            let code = json["code"]?.unsigned.flatMap({ OutcomeCode(rawValue: $0) })
        else { return nil }
        self.init(
            id: json["id"]?.text.flatMap { Digest(hex: $0) },
            envelope: json["envelope"]?.text.flatMap { Digest(hex: $0) }, status: status,
            code: code,
            height: json["height"]?.unsigned, index: json["index"]?.unsigned)
    }

    public var json: JSONValue {
        [
            "transaction": .hex(id), "envelope": .hex(envelope), "status": .text(status.rawValue),
            "code": .unsigned(code.rawValue), "codeName": .text(code.name),
            "message": .text("\(code.messageEn) / \(code.messageZh)"),
            "height": .optional(height), "index": .optional(index),
        ]
    }
}
