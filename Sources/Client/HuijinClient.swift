import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Records
import Synchronization

/// A member's, or anybody's, way to a ledger.
///
/// It starts from the genesis, or from what is trusted since, and trusts no node: records, transactions and histories come with proofs that
/// `LightClient` checks, never older than `freshnessMs` and never below a height that was proven before. What is
/// not proven (status, search) says so. It goes to the next node when one does not answer, lags or proves nothing.
public final class HuijinClient: Sendable {
    public struct Limits: Sendable, Equatable {
        /// A proven state's header is at most this old by the local clock.
        public var freshnessMs: UInt64 = 60_000
        /// For a submitted transaction to become final, and for a node to catch up.
        public var patienceMs: UInt64 = 30_000
        public var timeoutMs: UInt64 = 15_000
        public var answerBytesMax = 4_194_304
        public var bundleBytesMax = EvidenceLimits.standard.bundleBytesMax

        public init() {}
    }

    public let genesis: Genesis
    public let identity: Identity?
    /// `http://host:port` each, at least one.
    public let nodes: [String]
    public let limits: Limits
    public let verifier: Verifier
    let transport: any HTTPTransport
    private let memory = Mutex(Memory())

    /// What is worth remembering between requests.
    private struct Memory {
        /// The node that answered last.
        var preferred = 0
        /// The greatest height that was proven to this client.
        var height: UInt64 = 0
    }

    /// - Parameter trust: what is known of the ledger beforehand; keys of epochs that it knows to have ended prove nothing beyond.
    /// - Throws: `.invalid` when there is no node, an address is no `NodeAddress`, or what is trusted is of another ledger.
    public init(
        nodes: [String], genesis: Genesis, trust: TrustedChain? = nil, identity: Identity? = nil,
        limits: Limits = Limits(), transport: any HTTPTransport = NetworkTransport()
    ) throws(ClientError) {
        guard !nodes.isEmpty else {
            throw .invalid(
                english: "no node is known; give --node URL", chinese: "没有可用节点，请用 --node 指定")
        }
        var bases: [String] = []
        for node in nodes { bases.append(try NodeAddress(node).base) }
        if let identity, identity.key.publicKey.suite != genesis.suite {
            throw .invalid(
                english:
                    "the identity's key is \(identity.key.publicKey.suite.name), the chain uses \(genesis.suite.name)",
                chinese: "密钥的密码套件为 \(identity.key.publicKey.suite.name)，本链使用 \(genesis.suite.name)")
        }
        self.nodes = bases
        self.genesis = genesis
        self.identity = identity
        self.limits = limits
        self.transport = transport
        do throws(EvidenceProblem) {
            verifier = try Verifier(
                genesis: genesis, trust: trust ?? TrustedChain(genesis: genesis),
                limits: EvidenceLimits(
                    bundleBytesMax: limits.bundleBytesMax,
                    eventsMax: EvidenceLimits.standard.eventsMax,
                    entriesMax: EvidenceLimits.standard.entriesMax))
        } catch {
            throw .invalid(english: error.english, chinese: error.chinese)
        }
        // Below what is trusted there is nothing that keys of ended epochs could not have certified since.
        if let height = trust?.height { noteProven(height: height) }
    }

    public var suite: Suite { genesis.suite }
    public var chain: ChainID { verifier.chain }
    /// The greatest height that was proven to this client.
    public var provenHeight: UInt64 { memory.withLock { $0.height } }

    /// Remembers a height that was proven elsewhere, so that nothing older is believed.
    public func noteProven(height: UInt64) {
        memory.withLock { $0.height = max($0.height, height) }
    }

    // MARK: Requests

    static func nowMs() -> UInt64 { UInt64(max(0, Date().timeIntervalSince1970 * 1_000)) }

    /// Asks one node after another, beginning with the one that answered last, until one gives a good answer.
    func anyNode<Value>(
        _ ask: (String) async throws(ClientError) -> Value
    ) async throws(ClientError) -> Value {
        let first = memory.withLock { $0.preferred }
        var last: ClientError?
        for step in nodes.indices {
            let index = (first + step) % nodes.count
            do {
                let value = try await ask(nodes[index])
                memory.withLock { $0.preferred = index }
                return value
            } catch {
                guard error.isOfThisNode else { throw error }
                if let last, last.weight >= error.weight { continue }
                last = error
            }
        }
        throw last ?? .noIdentity
    }

    /// Like `anyNode`, and tries again for `patienceMs` while nodes lag, start up or have too much to do.
    func patiently<Value>(
        _ ask: (String) async throws(ClientError) -> Value
    ) async throws(ClientError) -> Value {
        let deadline = HuijinClient.nowMs() + limits.patienceMs
        var pauseMs: UInt64 = 20
        while true {
            do {
                return try await anyNode(ask)
            } catch {
                guard error.mayPass, HuijinClient.nowMs() < deadline else { throw error }
            }
            try? await Task.sleep(for: .milliseconds(pauseMs))
            pauseMs = min(pauseMs * 2, 500)
        }
    }

    /// One request to one node; the path is signed when there is an identity.
    func request(
        _ base: String, _ path: String, method: String = "GET", accept: String = "application/json",
        body: [UInt8] = [], timeoutMs: UInt64? = nil, answerBytesMax: Int? = nil
    ) async throws(ClientError) -> HTTPAnswer {
        var headers = [(name: "Accept", value: accept)]
        if !body.isEmpty { headers.append((name: "Content-Type", value: "application/cbor")) }
        if let identity {
            let token = RequestToken.header(
                method: method, path: path, timeMs: HuijinClient.nowMs(), chain: chain,
                with: identity.key)
            headers.append((name: "Authorization", value: token))
        }
        let answer = try await transport.perform(
            HTTPCall(
                method: method, base: base, path: path, headers: headers, body: body,
                timeoutMs: timeoutMs ?? limits.timeoutMs,
                answerBytesMax: answerBytesMax ?? limits.answerBytesMax))
        guard (200..<300).contains(answer.status) else {
            throw HuijinClient.refusal(answer, node: base)
        }
        return answer
    }

    /// The API's error object as an error.
    public static func refusal(_ answer: HTTPAnswer, node: String) -> ClientError {
        guard let json = try? JSONValue.parse(answer.body), let error = json["error"] else {
            return .badAnswer(
                node: node,
                what: Bilingual(
                    "status \(answer.status) without an error object",
                    "状态 \(answer.status)，未附错误说明"))
        }
        let code = error["code"]?.text ?? "unknown"
        return .refused(
            node: node, status: answer.status,
            code: code.shortened(to: ForeignText.codeCharactersMax),
            english: (error["messageEn"]?.text ?? "").shortened(),
            chinese: (error["messageZh"]?.text ?? "").shortened())
    }

    /// A JSON answer. Nothing in it is proven.
    public func json(_ path: String) async throws(ClientError) -> JSONValue {
        try await patiently { (node) throws(ClientError) in try await json(path, from: node) }
    }

    public func json(_ path: String, from node: String) async throws(ClientError) -> JSONValue {
        try HuijinClient.parse(try await request(node, path), node: node)
    }

    /// - Throws: `.badAnswer` for what is not JSON.
    public static func parse(_ answer: HTTPAnswer, node: String) throws(ClientError) -> JSONValue {
        do {
            return try JSONValue.parse(answer.body)
        } catch {
            throw .badAnswer(node: node, what: error.asAnswer)
        }
    }

    // MARK: Unproven

    /// A status is a few hundred bytes; this much of one is read.
    private static let statusBytesMax = 16_384

    /// What a node says of itself: `GET /v1/status`, its texts shortened.
    public func status() async throws(ClientError) -> JSONValue {
        try await patiently { (node) throws(ClientError) in try await ownStatus(of: node) }
    }

    private func ownStatus(of node: String) async throws(ClientError) -> JSONValue {
        let answer = try await request(
            node, "/v1/status", answerBytesMax: Self.statusBytesMax)
        return try HuijinClient.parse(answer, node: node).shortened
    }

    /// Every node's status, or why there is none, in the order of `nodes`. All are asked at the same time, so that one that
    /// does not answer delays no other's answer; the whole takes as long as the slowest, `timeoutMs` at most.
    public func statusOfAll() async -> [(node: String, status: Result<JSONValue, ClientError>)] {
        await withTaskGroup(of: (Int, Result<JSONValue, ClientError>).self) { group in
            for (index, node) in nodes.enumerated() {
                group.addTask { (index, await self.status(of: node)) }
            }
            var answers: [Int: Result<JSONValue, ClientError>] = [:]
            for await (index, status) in group { answers[index] = status }
            return nodes.enumerated().map { index, node in
                guard let status = answers[index] else {
                    preconditionFailure("every node's task ends with its answer or its failure")
                }
                return (node, status)
            }
        }
    }

    // Apart from the group's closure: with the typed catch inside it, release builds (Swift 6.3.1) lacked a node's answer.
    private func status(of node: String) async -> Result<JSONValue, ClientError> {
        do throws(ClientError) {
            return .success(try await ownStatus(of: node))
        } catch {
            return .failure(error)
        }
    }

    /// The greatest height that any of the nodes states, apart from one of them; one may be behind.
    ///
    /// - Throws: `.invalid` where there is no other node, or why the first of them did not answer as none did.
    public func statedHeight(
        without excluded: String
    ) async throws(ClientError) -> (height: UInt64, node: String) {
        guard nodes.contains(where: { $0 != excluded }) else {
            throw .invalid(
                english: "\(excluded) is the only node that is asked; name another one beside it",
                chinese: "仅指定了 \(excluded) 一个节点，请另外指定其他节点")
        }
        var greatest: (height: UInt64, node: String)?
        var failure: ClientError?
        for (node, status) in await statusOfAll() where node != excluded {
            do throws(ClientError) {
                let status = try status.get()
                guard status["chain"]?.text == chain.hex else {
                    throw .badAnswer(
                        node: node, what: Bilingual("a status of another ledger", "属于另一账本的状态"))
                }
                let height = try HuijinClient.height(in: status, of: node)
                if greatest.map({ height > $0.height }) ?? true { greatest = (height, node) }
            } catch {
                failure = failure ?? error
            }
        }
        if let greatest { return greatest }
        guard let failure else { preconditionFailure("each node answers or fails") }
        throw failure
    }

    /// The newest height that a node states.
    func statedHeight() async throws(ClientError) -> UInt64 {
        max(try HuijinClient.height(in: try await status(), of: nodes[0]), provenHeight)
    }

    private static func height(
        in status: JSONValue, of node: String
    ) throws(ClientError) -> UInt64 {
        guard let height = status["height"]?.unsigned else {
            throw .badAnswer(
                node: node, what: Bilingual("a status without a height", "状态中没有高度"))
        }
        // No ledger lives that long, and what is signed goes beyond it.
        guard height <= UInt64.max / 2 else {
            throw .badAnswer(
                node: node,
                what: Bilingual("a status with height \(height)", "状态中的高度为 \(height)"))
        }
        return height
    }

    /// Assets whose titles, keywords or code match, newest first: a finding aid and no proof of anything.
    public func searchAssets(_ text: String, limit: Int = 50) async throws(ClientError)
        -> [JSONValue]
    {
        let path = "/v1/assets?query=\(URLText.encode(text))&limit=\(limit)"
        let answer = try await json(path)
        guard let assets = answer["assets"]?.list else {
            throw .badAnswer(
                node: nodes[0],
                what: Bilingual("a search answer without assets", "检索应答中没有资产"))
        }
        return assets
    }
}
