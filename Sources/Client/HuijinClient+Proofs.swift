import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Records

/// What the state held at a height that a quorum certified.
public struct Proven<Value: Sendable>: Sendable {
    /// Nil: proven to be absent.
    public let value: Value?
    public let height: UInt64
    /// The header's time, Unix milliseconds.
    public let timeMs: UInt64
}

/// A bundle as it came, with what it proves.
public struct ProvenBundle: Sendable {
    public let bytes: [UInt8]
    public let answer: ProvenAnswer
    /// The answer to what was asked first.
    public let finding: ProvenAnswer.Finding
}

extension HuijinClient {
    /// A bundle that answers this question.
    public func bundle(_ question: EvidenceQuestion) async throws(ClientError) -> ProvenBundle {
        try await bundle([question])
    }

    /// A bundle that answers these questions, verified, fresh, and not below what was proven before.
    ///
    /// - Parameters:
    ///   - questions: 1 to `EvidenceLimits.questionsMax`.
    ///   - withAncestors: also asks for the rights logs of all that the assets were derived from.
    public func bundle(
        _ questions: [EvidenceQuestion], withAncestors: Bool = false
    ) async throws(ClientError) -> ProvenBundle {
        let (path, body) = bundleCall(questions, withAncestors ? "ancestors=true" : nil)
        return try await patiently { (node) throws(ClientError) in
            let answer = try await request(
                node, path, method: "POST", accept: "application/cbor", body: body,
                answerBytesMax: limits.bundleBytesMax)
            let proven = try proven(answer.body, asked: questions, from: node)
            guard let finding = proven[questions[0]] else {
                preconditionFailure("a proven bundle answers what was asked")
            }
            return ProvenBundle(bytes: answer.body, answer: proven, finding: finding)
        }
    }

    /// Path and body of `POST /v1/bundle`. The token of a signed request covers the path, which names the body's digest, so
    /// that whoever sees it can ask nothing else with it.
    func bundleCall(
        _ questions: [EvidenceQuestion], _ option: String? = nil
    ) -> (path: String, body: [UInt8]) {
        let body = QuestionList(questions).encoded
        let options = ["digest=\(suite.digest(body).hex)"] + (option.map { [$0] } ?? [])
        return ("/v1/bundle?" + options.joined(separator: "&"), body)
    }

    /// The newest final header that a node shows, proven from what is trusted, fresh, and not below what was proven before.
    ///
    /// Of a ledger of more than `Follower.epochsPerAnswer` epochs that ended since what is trusted nodes show the newest only to those who follow it; what
    /// they show here is then stale.
    public func checkpoint() async throws(ClientError) -> Checkpoint {
        try await patiently { (node) throws(ClientError) in
            let answer = try await request(
                node, "/v1/checkpoint/bundle?epochs=\(verifier.trust.validators.epoch)",
                accept: "application/cbor",
                answerBytesMax: limits.bundleBytesMax)
            return try proven(answer.body, from: node).checkpoint
        }
    }

    private func proven(
        _ bytes: [UInt8], asked: [EvidenceQuestion] = [], from node: String
    ) throws(ClientError) -> ProvenAnswer {
        let proven: ProvenAnswer
        do {
            proven = try verifier.verify(bytes, asked: asked)
        } catch {
            throw .notProven(node: node, error)
        }
        let nowMs = HuijinClient.nowMs()
        let ageMs = nowMs > proven.timeMs ? nowMs - proven.timeMs : 0
        guard ageMs <= limits.freshnessMs else {
            throw .stale(node: node, height: proven.height, ageMs: ageMs)
        }
        guard proven.height >= provenHeight else {
            throw .behind(node: node, height: proven.height, known: provenHeight)
        }
        noteProven(height: proven.height)
        return proven
    }

    /// A record by its type and id, proven from what is trusted.
    ///
    /// - Parameter id: as in `EvidenceQuestion.record`.
    public func record(
        _ type: RecordType, id: [CBORValue]
    ) async throws(ClientError) -> Proven<AnyRecord> {
        guard EvidenceQuestion.isID(id, of: type) else {
            let form = type.idForm
            throw .invalid(
                english: "that is not the id of a record of type \(type.name): \(form.english)",
                chinese: "这不是“\(type.titleZh)”的编号：\(form.chinese)")
        }
        let found = try await bundle(.record(type: type, id: id))
        let value: AnyRecord?
        switch found.finding {
        case .record(.record(let record)): value = record
        case .record(.nothing): value = nil
        case .record(.withheld), .assetHistory, .noSuchAsset, .transaction, .header, .licence,
            .role, .output:
            throw .badAnswer(
                node: nodes[0],
                what: Bilingual("another finding than a record", "结论不是一条记录"))
        }
        return Proven(value: value, height: found.answer.height, timeMs: found.answer.timeMs)
    }

    func typed<Record: RecordCodable>(
        _: Record.Type, id: [CBORValue]
    ) async throws(ClientError) -> Proven<Record> {
        let found = try await record(Record.type, id: id)
        return Proven(
            value: found.value.flatMap { Record($0) }, height: found.height, timeMs: found.timeMs)
    }

    public func member(_ id: MemberID) async throws(ClientError) -> Proven<MemberRecord> {
        try await typed(MemberRecord.self, id: [.text(id.text)])
    }

    public func key(_ id: KeyID) async throws(ClientError) -> Proven<KeyRecord> {
        try await typed(KeyRecord.self, id: [.bytes(id.bytes)])
    }

    public func policy(_ name: String) async throws(ClientError) -> Proven<PolicyRecord> {
        try await typed(PolicyRecord.self, id: [.text(name)])
    }

    public func asset(_ id: Digest) async throws(ClientError) -> Proven<AssetRecord> {
        try await typed(AssetRecord.self, id: [.bytes(id.bytes)])
    }

    public func offer(_ id: Digest) async throws(ClientError) -> Proven<OfferRecord> {
        try await typed(OfferRecord.self, id: [.bytes(id.bytes)])
    }

    public func agreement(_ id: Digest) async throws(ClientError) -> Proven<AgreementRecord> {
        try await typed(AgreementRecord.self, id: [.bytes(id.bytes)])
    }

    public func job(_ id: Digest) async throws(ClientError) -> Proven<JobRecord> {
        try await typed(JobRecord.self, id: [.bytes(id.bytes)])
    }

    public func account(
        _ member: MemberID, at bank: MemberID
    ) async throws(ClientError) -> Proven<AccountRecord> {
        try await typed(AccountRecord.self, id: [.text(member.text), .text(bank.text)])
    }
}
