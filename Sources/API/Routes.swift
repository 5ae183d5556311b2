import Hummingbird

/// All of the API. Begin reading here.
///
/// Public: status, headers, checkpoints, and the records of members, keys, policies, assets, attestations and
/// offers. Everything else is for those whom `AccessPolicy` admits, who sign their requests:
/// `Authorization: Huijin <base64url COSE_Sign1>` (`RequestToken`). Errors have a stable code and a message in two
/// languages. Answers of type application/cbor are evidence bundles that the light client verifies.
struct Routes: Sendable {
    let reads: LedgerReads

    var all: [Route] { system + chain + log + transactions + assets + records }

    private static let id = Route.Parameter.path(
        "id", "lower-case hexadecimal digest", "小写十六进制摘要")

    private var system: [Route] {
        [
            Route(.get, "/healthz", "The node answers", "存活检查") { _, _ in
                .json(["status": "ok"])
            },
            Route(
                .get, "/metrics", "Counters in the Prometheus text format", "运行指标",
                answers: ["text/plain"]
            ) { _, _ in
                .bytes(
                    Array(await reads.node.metrics().utf8),
                    type: "text/plain; version=0.0.4; charset=utf-8")
            },
            Route(.get, "/openapi.json", "This description", "接口说明") { _, _ in
                .json(OpenAPI.document(all))
            },
        ]
    }

    private var chain: [Route] {
        [
            Route(.get, "/v1/status", "Where the node stands", "节点状态") { _, _ in
                await status()
            },
            Route(
                .get, "/v1/genesis", "The genesis file", "创世文件", answers: [Route.cbor]
            ) { _, _ in .cbor(reads.genesis.encoded) },
            Route(
                .get, "/v1/headers/{height}", "A final header", "终局区块头",
                parameters: [.path("height", "height", "高度", type: "integer")],
                answers: [Route.json, Route.cbor]
            ) { request, context in try await header(request, context) },
            Route(
                .get, "/v1/checkpoint", "The newest final header and its finalization certificate",
                "最新终局区块头与终局证书", answers: [Route.cbor]
            ) { _, _ in try await checkpoint() },
            Route(
                .get, "/v1/checkpoint/bundle",
                "The newest final header as an evidence bundle, for those who follow the ledger",
                "最新终局区块头证据包，供跟随账本者使用", parameters: [Self.epochs],
                answers: [Route.cbor]
            ) { request, _ in try await checkpointBundle(request) },
            Route(
                .get, "/v1/epochs/{epoch}/views/{view}/certificates",
                "What this node holds of a quorum's votes in a view that is over, a list: the nullification, where it saw one, and the finalization. They name culprits of a fork",
                "本节点所持某一已结束视图的法定多数投票（列表）：所见的作废证书与终局证书，可据以指明分叉的违规者",
                parameters: [
                    .path("epoch", "from 0", "自 0 起的届次", type: "integer"),
                    .path("view", "from 1", "自 1 起的视图", type: "integer"),
                ], answers: [Route.cbor]
            ) { _, context in try await certificates(context) },
        ]
    }

    /// For tools that read transparency logs; chains of suite ed25519-sha256 only.
    private var log: [Route] {
        [
            Route(
                .get, "/v1/log/checkpoint",
                "The log's checkpoint with this validator's cosignature (C2SP tlog-cosignature)",
                "日志检查点及本记账节点的副署（C2SP）",
                parameters: [
                    .query(
                        "height", "of the newest heights; else the newest", "较新的高度，缺省为最新",
                        type: "integer")
                ], answers: [Route.text]
            ) { request, _ in try logCheckpoint(request) },
            Route(
                .get, "/v1/log/bundles/{number}",
                "256 leaves of the log, fewer at its end (C2SP tlog-tiles entry bundle)",
                "日志的 256 个叶子，末尾不足（C2SP 条目包）",
                parameters: [.path("number", "from 0", "自 0 起的编号", type: "integer")],
                answers: [Route.octets]
            ) { _, context in try await logBundle(context) },
        ]
    }

    private var transactions: [Route] {
        [
            Route(
                .post, "/v1/transactions", "Submit signed envelopes", "提交已签名的信封",
                parameters: [
                    .query("wait", "received (default) or final", "received（默认）或 final"),
                    .query(
                        "timeoutMs",
                        "how long to wait for finality; one that runs out meanwhile is answered at once (refused, expired)",
                        "等待终局的毫秒数；其间过期的立即答复（refused，expired）",
                        type: "integer", standard: reads.limits.waitMsStandard,
                        maximum: reads.limits.waitMsMax),
                ], body: Route.cbor
            ) { request, _ in try await submit(request) },
            Route(
                .get, "/v1/transactions/{id}", "What became of a transaction", "交易结果",
                parameters: [Self.id]
            ) { request, context in try await transaction(request, context) },
            Route(
                .get, "/v1/transactions/{id}/bundle", "Its evidence bundle", "交易证据包",
                parameters: [Self.id], answers: [Route.cbor], readsIdentity: true
            ) { request, context in try await transactionBundle(request, context) },
        ]
    }

    private var assets: [Route] {
        [
            Route(
                .get, "/v1/assets", "Search assets by title, keyword or code", "按名称、关键词或编号检索数据资产",
                parameters: [
                    .query("query", "words in Chinese or English", "中文或英文词语"),
                    .query(
                        "limit", "number of results", "结果数量", type: "integer",
                        standard: UInt64(reads.limits.searchResultsStandard),
                        maximum: UInt64(reads.limits.searchResultsMax)),
                ]
            ) { request, _ in try await searchAssets(request) },
            Route(
                .get, "/v1/assets/{id}", "An asset's record", "数据资产", parameters: [Self.id]
            ) { request, context in try await asset(request, context) },
            Route(
                .get, "/v1/assets/{id}/bundle", "Its complete history as an evidence bundle",
                "数据资产完整历史证据包",
                parameters: [
                    Self.id,
                    .query(
                        "logs", "rights (default), trades, refusals; comma-separated",
                        "日志种类，逗号分隔，缺省为 rights"),
                    Self.ancestors,
                ], answers: [Route.cbor], readsIdentity: true
            ) { request, context in try await assetBundle(request, context) },
            Route(
                .get, "/v1/assets/{id}/events",
                "Events of one of its logs as CBOR byte strings, as many as fit into 4 MiB, for those who know the log's certified ends",
                "某一日志中的事件（CBOR 字节串），每次至多 4 MiB，供已知该日志经认证首尾者使用",
                parameters: [
                    Self.id,
                    .query("log", "rights (default), trades or refusals", "日志种类，缺省为 rights"),
                    .query(
                        "from", "number of the first event", "首个事件序号", type: "integer",
                        isRequired: true),
                    .query(
                        "to",
                        "number after the last event, at most \(reads.limits.newEventsMax) beyond from and not beyond the log's end",
                        "末个事件序号加一，与 from 相差至多 \(reads.limits.newEventsMax)，且不超出日志末尾",
                        type: "integer", isRequired: true),
                ], answers: [Route.cbor], readsIdentity: true
            ) { request, context in try await assetEvents(request, context) },
        ]
    }

    private static let epochs = Route.Parameter.query(
        "epochs", "first epoch whose end is wanted; earlier ones are left out",
        "所需的首个届末；此前各届略去", type: "integer")
    private static let ancestors = Route.Parameter.query(
        "ancestors", "true: with the rights logs of all that it was derived from",
        "为 true 时一并给出全部来源资产的权属日志")

    private var records: [Route] {
        let type = Route.Parameter.path("type", "record type", "记录类型")
        return [
            Route(
                .post, "/v1/bundle",
                "Answers to any questions (a CBOR list; docs/evidence-bundle.md), at one height, as an evidence bundle",
                "同一高度上对若干问题（CBOR 列表，见 docs/evidence-bundle.md）的证据包",
                parameters: [
                    Self.ancestors, Self.epochs,
                    .query(
                        "digest",
                        "the body's digest in lower-case hexadecimal, by the chain's suite; a signed request must name it",
                        "请求体摘要（本链密码套件，小写十六进制）；已签名请求必填"),
                ], body: Route.cbor, answers: [Route.cbor], readsIdentity: true
            ) { request, _ in try await bundle(request) },
            Route(
                .get, "/v1/records/{type}/{id}",
                "A record; as application/cbor an evidence bundle of its value or absence",
                "状态记录，application/cbor 时为证据包",
                parameters: [type, .path("id", "the record's id", "记录编号")],
                answers: [Route.json, Route.cbor], readsIdentity: true
            ) { request, _ in try await record(request) },
            Route(
                .get, "/v1/records/{type}/{id}/{second}", "A record with an id of two parts",
                "两段编号的状态记录",
                parameters: [
                    type, .path("id", "first part, such as the member", "编号第一段，如成员"),
                    .path("second", "second part, such as the bank", "编号第二段，如清结算机构"),
                ], answers: [Route.json, Route.cbor], readsIdentity: true
            ) { request, _ in try await record(request) },
        ]
    }
}
