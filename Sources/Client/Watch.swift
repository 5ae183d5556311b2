import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Records

/// Drives a `Follower` over the network and keeps what it knows in files, so that nothing is missed between two runs.
///
/// Beside the trust file, which `huijin-verify --trust` reads as well, stand `….watch` (what is known of the watched
/// records) and `….fork-…` and `….refused-…`, each piece of evidence once, named by its digest.
public struct Watch: Sendable {
    /// Files of refused answers in all; of later ones only the alert is left.
    public static let refusedFilesMax = 256

    public private(set) var follower: Follower
    private let client: HuijinClient
    private let trustPath: String
    private var refusedFiles = 0

    private var watchPath: String { trustPath + ".watch" }

    /// - Parameters:
    ///   - client: its nodes are the providers, at most `Follower.providersMax`.
    ///   - trustPath: of a file that need not exist yet.
    ///   - start: where trust begins if there is no such file.
    ///   - records: to watch, at most `WatchList.recordsMax`.
    public init(
        client: HuijinClient, trustPath: String, start: TrustedChain, records: [WatchedRecord],
        logs: [EventLogKind], limits: Follower.Limits = Follower.Limits()
    ) throws(SetupError) {
        guard client.nodes.count <= Follower.providersMax,
            Set(client.nodes).count == client.nodes.count
        else {
            throw SetupError(
                file: trustPath, english: "at most \(Follower.providersMax) nodes, each once",
                chinese: "节点最多 \(Follower.providersMax) 个，且不得重复")
        }
        guard records.count <= WatchList.recordsMax else {
            throw SetupError(
                file: trustPath, english: "at most \(WatchList.recordsMax) records are watched",
                chinese: "最多关注 \(WatchList.recordsMax) 条记录")
        }
        self.client = client
        self.trustPath = trustPath
        let trust = try Self.read(TrustedChain.self, trustPath, TrustedChain.limits) ?? start
        let watchPath = trustPath + ".watch"
        let known = try Self.read(WatchList.self, watchPath, WatchList.limits)
        do throws(EvidenceProblem) {
            follower = try Follower(
                genesis: client.genesis, trust: trust,
                watched: (known ?? WatchList(chain: trust.chain)).watching(records),
                providers: client.nodes, logs: logs, limits: limits)
        } catch {
            throw SetupError(file: trustPath, english: error.english, chinese: error.chinese)
        }
    }

    private static func read<Value: CBORDecodable>(
        _: Value.Type, _ path: String, _ limits: CBORLimits
    ) throws(SetupError) -> Value? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let bytes = try SetupFile.read(path, bytesMax: limits.bytesMax)
        do throws(CBORError) {
            return try Value.decode(bytes, limits: limits)
        } catch {
            throw SetupError(file: path, english: error.english, chinese: error.chinese)
        }
    }

    /// Looks once, and tells what there is to tell, with the name of the file of its evidence.
    ///
    /// What is trusted is on disk before anything is told, and what is known of the records afterwards: a crash in between
    /// tells some alerts twice and loses none.
    public mutating func look(
        _ tell: (FollowerAlert, _ evidence: String?) -> Void
    ) async throws(SetupError) {
        var asks = follower.look()
        while !asks.isEmpty {
            let answers = await client.answers(
                to: asks, answerBytesMax: follower.limits.answerBytesMax)
            let step = follower.take(answers, nowMs: HuijinClient.nowMs())
            if step.hasChanged {
                try DurableFile.replace(trustPath, follower.trust.encoded)
            }
            for alert in step.alerts { tell(alert, try keep(alert)) }
            if step.hasChanged { try DurableFile.replace(watchPath, follower.watched.encoded) }
            asks = step.asks
        }
    }

    /// - Returns: the name of the file, `nil` where there is no evidence or no room for it.
    private mutating func keep(_ alert: FollowerAlert) throws(SetupError) -> String? {
        guard let evidence = alert.evidence else { return nil }
        let isFork = alert.topic == .fork
        let name = client.suite.digest(evidence).hex.prefix(16)
        let path = trustPath + (isFork ? ".fork-" : ".refused-") + name
        if FileManager.default.fileExists(atPath: path) { return path }
        if !isFork {
            guard refusedFiles < Watch.refusedFilesMax else { return nil }
            refusedFiles += 1
        }
        try DurableFile.replace(path, evidence)
        return path
    }
}
