import Client
import Encoding
import Hummingbird
import Ledger
import LedgerCrypto
import LightClient
import Node
import Records
import Storage

extension Routes {
    var suite: Suite { reads.suite }

    // MARK: What a request says

    /// - Throws: `tokenMalformed` and the like for a token that is no good: whoever signs is never answered as a
    ///   stranger.
    func claim(_ request: Request) throws(APIError) -> Claim? {
        guard let header = request.headers[.authorization] else { return nil }
        do throws(RequestToken.Failure) {
            return Claim(
                token: try RequestToken(
                    header: header, chain: reads.chain, suite: suite),
                method: request.method.rawValue, path: request.head.path ?? "",
                nowMs: LedgerReads.nowMs())
        } catch {
            throw APIError(error)
        }
    }

    func digest(_ context: BasicRequestContext) throws(APIError) -> Digest {
        guard let text = context.parameters.get("id"), let id = Digest(hex: text) else {
            throw .badPath
        }
        return id
    }

    private func acceptsBundle(_ request: Request) -> Bool {
        request.headers[.accept]?.contains(Route.cbor) ?? false
    }

    // MARK: Chain

    func status() async -> Response {
        let status = await reads.node.status()
        let header = status.header
        return .json([
            "chain": .hex(reads.chain), "name": .text(reads.genesis.name),
            "suite": .text(suite.name), "height": .unsigned(header.height),
            "firstHeight": .unsigned(status.firstHeight),
            "headerDigest": .hex(header.digest(suite)), "stateRoot": .hex(header.stateRoot),
            "timeMs": .unsigned(header.timeMs), "view": .unsigned(status.view),
            "epoch": .unsigned(header.epoch), "validators": .unsigned(UInt64(status.validators)),
            "peers": .unsigned(UInt64(status.peers)), "votes": .text(status.votes.name),
            "catchingUp": .bool(status.isCatchingUp),
            "contradictedAt": status.contradictedAt.map { .unsigned($0) } ?? .null,
            "transactions": .unsigned(status.transactions),
            "entries": .unsigned(header.entryCount), "version": .text(status.version),
        ])
    }

    func header(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        guard let text = context.parameters.get("height"), let height = UInt64(text) else {
            throw APIError.badPath
        }
        let (header, first) = try await reads.history {
            (try $0.store.header(height), $0.store.firstHeight)
        }
        guard let header else {
            throw height < first ? APIError.notHeld(from: first) : APIError.notFound
        }
        return acceptsBundle(request) ? .cbor(header.encoded) : .json(header.json(suite))
    }

    func checkpoint() async throws -> Response {
        let bytes: [UInt8] = try await reads.answer(nil) { scene in
            guard let certificate = scene.records.state.finalization else {
                throw APIError.nothingFinal
            }
            var encoder = CBOREncoder()
            encoder.array(2)
            encoder.value(scene.records.state.header)
            encoder.value(certificate)
            return encoder.bytes
        }
        return .cbor(bytes)
    }

    func certificates(_ context: BasicRequestContext) async throws -> Response {
        guard let epoch = context.parameters.get("epoch").flatMap({ UInt64($0) }),
            let view = context.parameters.get("view").flatMap({ UInt64($0) })
        else { throw APIError.badPath }
        let found = try await reads.history {
            try $0.store.certificates(epoch: epoch, view: view)
        }
        guard !found.isEmpty else { throw APIError.notFound }
        var encoder = CBOREncoder()
        encoder.list(found)
        return .cbor(encoder.bytes)
    }

    // MARK: Transactions

    func transaction(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let id = try digest(context)
        let (chain, suite) = (reads.chain, suite)
        let found = try await reads.history { reader -> SubmissionResult? in
            guard
                let found = try reader.store.find(
                    transaction: id, chain: chain, in: reader.index)
            else {
                guard reader.store.firstHeight == 0 else {
                    throw APIError.notFoundHere(from: reader.store.firstHeight)
                }
                return nil
            }
            return SubmissionResult(
                id: id, envelopeDigest: found.entry.digest(suite), status: .final,
                code: OutcomeCode(rawValue: found.code) ?? .unavailable,
                height: found.location.height, index: UInt64(found.location.position))
        }
        guard let found else { throw APIError.notFound }
        var bytes: [UInt8] = []
        SubmissionWriter.write(found, into: &bytes)
        return .bytes(bytes, type: "application/json; charset=utf-8")
    }

    // MARK: Assets

    func searchAssets(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["query", "limit"])
        let words = query["query"] ?? ""
        let wordBytesMax = reads.limits.queryBytesMax
        guard words.utf8.count <= wordBytesMax else {
            throw APIError.badQuery(
                "query", "it is longer than \(wordBytesMax) bytes", "超过 \(wordBytesMax) 字节")
        }
        let limit = Int(
            try query.number(
                "limit", standard: UInt64(reads.limits.searchResultsStandard),
                max: UInt64(reads.limits.searchResultsMax)))
        let page = try await reads.history { try $0.index.search(words, countMax: limit) }
        let keys = page.assets.map { StateKey.digest(.asset, $0, suite: suite) }
        let assets: [JSONValue] = try await reads.answer(nil, keys: keys) { scene in
            keys.compactMap { scene.records.record(AssetRecord.self, $0) }.map { asset in
                [
                    "asset": .hex(asset.id), "code": .text(asset.code),
                    "titleZh": .text(asset.titleZh), "titleEn": .text(asset.titleEn),
                    "provider": .member(asset.provider), "status": .text(asset.status.name),
                ]
            }
        }
        return .json(["assets": .list(assets), "total": .unsigned(UInt64(page.total))])
    }

    func asset(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
        let key = StateKey.digest(.asset, try digest(context), suite: suite)
        let json = try await reads.answer(nil, keys: [key]) { scene in
            scene.records.record(AssetRecord.self, key)?.json
        }
        guard let json else { throw APIError.notFound }
        return .json(json)
    }

    // MARK: Records

    func record(_ request: Request) async throws -> Response {
        let (type, id) = try recordID(request)
        let key = EvidenceQuestion.stateKey(type: type, id: id, suite: suite)
        if acceptsBundle(request) {
            return try await bundle(request, [.record(type: type, id: id)])
        }
        let json = try await reads.answer(try claim(request), keys: [key]) { scene in
            try scene.record(type, id)?.json
        }
        guard let json else { throw APIError.notFound }
        return .json(json)
    }

    /// Out of the path as it was sent, since an id may hold escaped characters.
    private func recordID(_ request: Request) throws(APIError) -> (RecordType, [CBORValue]) {
        let path = (request.head.path ?? "").split(separator: "?", maxSplits: 1)[0]
        let parts = path.dropFirst(RecordPath.prefix.count).split(
            separator: "/", omittingEmptySubsequences: false
        ).map { URLText.decode($0) }
        guard let name = parts.first ?? nil, let type = RecordType(name: name) else {
            throw .notFound
        }
        let texts = parts.dropFirst().compactMap { $0 }
        guard texts.count + 1 == parts.count, let id = RecordPath.id(type, texts) else {
            throw .badPath
        }
        return (type, id)
    }
}

extension LedgerReads.Scene {
    /// Why somebody may not read: an identity may help, or this one may not.
    var refusal: APIError { caller == nil ? .needsToken : .notPermitted }

    /// - Throws: `refusal` when the caller may not read it, nor know that there is none.
    func record(_ type: RecordType, _ id: [CBORValue]) throws(APIError) -> AnyRecord? {
        let record = records.record(
            EvidenceQuestion.stateKey(type: type, id: id, suite: records.suite))
        guard policy.mayRead(type, id: id, record: record) else { throw refusal }
        return record
    }
}
