import Encoding
import Hummingbird
import Ledger
import LedgerCrypto
import LightClient
import Records

extension Routes {
    /// Any questions at one height.
    func bundle(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["ancestors", "digest", "epochs"])
        let epoch = try query.number("epochs", standard: 0, max: .max)
        let withAncestors = try query.flag("ancestors")
        let body = [UInt8](
            try await collect(request, bytesMax: reads.limits.questionsBytesMax).readableBytesView)
        // The token covers the path alone: without this whoever sees it could ask anything under it.
        guard
            request.headers[.authorization] == nil
                || query["digest"] == suite.digest(body).hex
        else { throw APIError.tokenOther }
        guard let questions = try? QuestionList.decode(body).questions
        else { throw APIError.badQuestions }
        return try await bundle(
            request, questions, withAncestors: withAncestors, firstEpoch: epoch)
    }

    /// The newest final header, as a bundle that answers which header that is.
    func checkpointBundle(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["epochs"])
        let epoch = try query.number("epochs", standard: 0, max: .max)
        return try await bundle(request, firstEpoch: epoch) { try $0.head(epochsFrom: epoch) }
    }

    /// New events of an asset's log, without a proof: whoever asks knows where the log ended before and ends now.
    func assetEvents(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let id = try digest(context)
        let query = try Query(request, known: ["log", "from", "to"])
        let from = try query.number("from", max: UInt64(Int64.max))
        let to = try query.number("to", max: UInt64(Int64.max))
        let log = try Self.log(query["log"] ?? EventLogKind.rights.name, of: "log")
        let countMax = reads.limits.newEventsMax
        guard from < to, to - from <= countMax else {
            throw APIError.badQuery(
                "to", "it must be beyond from, by at most \(countMax)",
                "应大于 from，且相差至多 \(countMax)")
        }
        let key = StateKey.digest(.asset, id, suite: suite)
        let leaves = try await reads.answerFromArchive(try claim(request), keys: [key]) {
            scene, archive in
            guard let asset = scene.records.record(AssetRecord.self, key) else {
                throw APIError.notFound
            }
            guard scene.policy.mayRead(log, of: asset) else { throw scene.refusal }
            let events = try archive.store.events(
                asset: id, log: log.rawValue, from: from, countMax: Int(to - from),
                in: archive.index)
            guard UInt64(events.count) == to - from, events.first?.index == from else {
                // There is nothing to wait for: it is asked again when a newer state says that there is more.
                let size = asset.log(log).size
                guard to <= size else { throw APIError.beyondLog(size: size) }
                throw archive.store.base.map { APIError.notHeld(from: $0.firstHeight) }
                    ?? .indexBehind
            }
            return events.map(\.bytes)
        }
        return .cbor(EventLeaves(fitting: leaves).encoded)
    }

    func transactionBundle(
        _ request: Request, _ context: BasicRequestContext
    ) async throws -> Response {
        try await bundle(request, [.transaction(try digest(context))])
    }

    func assetBundle(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let id = try digest(context)
        let query = try Query(request, known: ["logs", "ancestors"])
        return try await bundle(
            request, [.assetHistory(asset: id, logs: try Self.logs(query["logs"] ?? "rights"))],
            withAncestors: try query.flag("ancestors"))
    }

    private static func logs(_ text: String) throws(APIError) -> [EventLogKind] {
        var logs: [EventLogKind] = []
        for name in text.split(separator: ",", omittingEmptySubsequences: false) {
            let log = try log(String(name), of: "logs")
            guard !logs.contains(log) else {
                throw .badQuery("logs", "\(log.name) is given twice", "\(log.name) 重复给出")
            }
            logs.append(log)
        }
        return logs.sorted()
    }

    /// - Parameter parameter: the name of the query parameter that has it.
    private static func log(
        _ name: String, of parameter: String
    ) throws(APIError) -> EventLogKind {
        guard let log = EventLogKind(name: name) else {
            let known = EventLogKind.allCases.map(\.name).joined(separator: ", ")
            throw .badQuery(parameter, "it must be one of \(known)", "可取 \(known)")
        }
        return log
    }

    /// - Parameter withAncestors: also the rights logs of all that the assets asked for were derived from.
    func bundle(
        _ request: Request, _ questions: [EvidenceQuestion], withAncestors: Bool = false,
        firstEpoch: UInt64 = 0
    ) async throws -> Response {
        var asked: Set<[UInt8]> = []
        // Once is enough, for the answer and for its limits.
        let questions = questions.filter { asked.insert($0.encoded).inserted }
        let suite = suite
        let generations = withAncestors ? reads.limits.ancestorGenerationsMax : 0
        let keys = Set(questions.compactMap { $0.stateKey(suite) }).sorted()
        return try await bundle(request, keys: keys, firstEpoch: firstEpoch) { maker in
            let records = maker.scene.records
            let all = records.withAncestors(questions, generationsMax: generations)
            // A round for each generation, and no bundle before all are known.
            guard records.missing.isEmpty else { throw StillMissing() }
            return try maker.bundle(all)
        }
    }

    private func bundle(
        _ request: Request, keys: [Digest] = [], firstEpoch: UInt64,
        _ make: @escaping @Sendable (BundleMaker) throws -> EvidenceBundle
    ) async throws -> Response {
        let (chain, limits) = (reads.chain, reads.limits)
        let bytes = try await reads.answerFromArchive(try claim(request), keys: keys) {
            scene, archive in
            let source = NodeEvidence(
                records: scene.records, archive: archive, chain: chain,
                eventsMax: limits.bundleEventsMax, firstEpoch: firstEpoch)
            return try make(
                BundleMaker(
                    scene: scene, source: source, eventsReadMax: limits.bundleEventsReadMax)
            ).encoded
        }
        return .cbor(bytes)
    }
}

/// What an answer needs is not all here: its round is thrown away.
private struct StillMissing: Error {}

/// A bundle for somebody: what may be asked, and which envelopes are shown.
private struct BundleMaker {
    let scene: LedgerReads.Scene
    let source: NodeEvidence
    let eventsReadMax: Int

    func head(epochsFrom first: UInt64) throws -> EvidenceBundle {
        try translating { () throws(EvidenceSourceError) in
            try EvidenceBundle.head(epochsFrom: first, from: source)
        }
    }

    func bundle(_ questions: [EvidenceQuestion]) throws -> EvidenceBundle {
        var events: UInt64 = 0
        for question in questions { events += try eventCount(of: question) }
        guard events <= UInt64(source.eventsMax) else { throw APIError.tooManyEvents }
        let bundle = try translating { () throws(EvidenceSourceError) in
            try EvidenceBundle.answering(
                questions, from: source, eventsMax: eventsReadMax,
                disclosing: scene.policy.mayShow)
        }
        for question in questions {
            guard case .transaction(let id) = question, let found = source.locate(transaction: id)
            else { continue }
            // A digest alone would say nothing about this transaction.
            let entry = bundle.entries.first {
                ($0.height, $0.position) == (found.height, found.position)
            }
            switch entry?.content {
            case .withheld: throw scene.refusal
            // It names the licence, and its digest is a leaf that everybody has.
            case .automatic(let action): try requireMayRead(action)
            case .envelope, nil: continue
            }
        }
        return bundle
    }

    private func requireMayRead(_ action: AutomaticAction) throws {
        switch AutomaticKind(rawValue: action.kind) {
        case .licenceExpire:
            _ = try scene.record(.agreement, [.bytes(action.subject.bytes)])
        case nil: throw scene.refusal
        }
    }

    /// How many events the answer shows.
    ///
    /// - Throws: when the caller may not ask it.
    private func eventCount(of question: EvidenceQuestion) throws(APIError) -> UInt64 {
        switch question {
        case .assetHistory(let id, let logs):
            let key = StateKey.digest(.asset, id, suite: source.suite)
            guard let asset = scene.records.record(AssetRecord.self, key) else { return 0 }
            guard logs.allSatisfy({ scene.policy.mayRead($0, of: asset) }) else {
                throw scene.refusal
            }
            return logs.reduce(0) { $0 + asset.log($1).size }
        case .record(let type, let id):
            _ = try scene.record(type, id)
            return 0
        case .licence(let id, _):
            _ = try scene.record(.agreement, [.bytes(id.bytes)])
            return 0
        case .role(_, let member, _):
            _ = try scene.record(.member, [.text(member.text)])
            return 0
        case .output(let job):
            _ = try scene.record(.job, [.bytes(job.bytes)])
            return 0
        case .transaction, .header: return 0
        }
    }

    /// What the source lacks or holds damaged goes on as it is: the server logs it and answers 500. But what lies below a
    /// snapshot's blocks was never there.
    private func translating<Value>(
        _ body: () throws(EvidenceSourceError) -> Value
    ) throws -> Value {
        let base = source.archive.store.base
        do throws(EvidenceSourceError) {
            return try body()
        } catch {
            switch error {
            case .nothingFinal: throw APIError.nothingFinal
            case .unknownTransaction:
                throw base.map { APIError.notFoundHere(from: $0.firstHeight) } ?? .notFound
            case .indexBehind: throw APIError.indexBehind
            case .tooManyEvents: throw APIError.tooManyEvents
            case .missing:
                throw base.map { APIError.notHeld(from: $0.firstHeight) } ?? error
            case .damaged: throw error
            }
        }
    }
}

extension StateCache {
    /// The questions, and one about the rights log of each ancestor of the assets that they ask for, nearest first, as many
    /// as one bundle answers and `generationsMax` back: those left out the verifier names.
    func withAncestors(
        _ questions: [EvidenceQuestion], generationsMax: Int
    ) -> [EvidenceQuestion] {
        var all = questions
        var generation: [Digest] = []
        var known: Set<Digest> = []
        for case .assetHistory(let asset, let logs) in questions {
            if logs.contains(.rights) { known.insert(asset) }
            generation.append(asset)
        }
        for _ in 0..<generationsMax {
            var older: [Digest] = []
            for asset in generation {
                let key = StateKey.digest(.asset, asset, suite: suite)
                for parent in record(AssetRecord.self, key)?.parents ?? []
                where all.count < EvidenceLimits.questionsMax && known.insert(parent).inserted {
                    all.append(.assetHistory(asset: parent, logs: [.rights]))
                    older.append(parent)
                }
            }
            generation = older
        }
        return all
    }
}
