import Encoding
import Files
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Records

/// Drives a `Follower` over the network and keeps what it knows in files, so that nothing is missed between two runs.
///
/// Beside the trust file, which `huijin-verify --trust` reads as well, stand `….watch` (what is known of the records that this
/// run or an earlier one watched) and `….fork-…`, `….old-fork-…` and `….refused-…`, each piece of evidence once, named by its digest.
///
/// Two that shared a trust file would each put back what the other replaced: it is claimed as long as this value lives.
///
/// After an error this value is at its end.
public struct Watch: Sendable {
    /// Files of refused answers beside one trust file, and their bytes; of later ones only the alert is left.
    public static let refusedFilesMax = 256
    public static let refusedBytesMax = 67_108_864

    public private(set) var follower: Follower
    private let client: HuijinClient
    private let claim: FileClaim
    /// What the file held when this run began.
    private let known: WatchList
    private var refusedFiles = 0
    private var refusedBytes = 0
    /// Evidence of a fork that an earlier run found.
    private let earlierFork: String?

    private var trustPath: String { claim.path }
    private var watchPath: String { trustPath + ".watch" }

    /// Two certified histories were found, by this run or an earlier one: nothing is followed any more.
    public var hasForked: Bool { earlierFork != nil || follower.fork != nil }

    /// - Parameters:
    ///   - client: its nodes are the providers, at most `Follower.providersMax`.
    ///   - trust: a file that need not exist yet.
    ///   - start: where trust begins; a file that is there must begin there too. Without one: where the file begins, or genesis.
    ///   - records: to watch; `WatchList.recordsMax` at most, with those that were watched before.
    public init(
        client: HuijinClient, trust claim: FileClaim, start: TrustedChain? = nil,
        records: [WatchedRecord], logs: [EventLogKind],
        limits: Follower.Limits = Follower.Limits()
    ) throws(SetupError) {
        let trustPath = claim.path
        if let mistake = Self.mistake(in: client.nodes) {
            throw SetupError(
                file: "--node", english: mistake.english, chinese: mistake.chinese)
        }
        self.client = client
        self.claim = claim
        let kept = try Self.read(
            TrustedChain.self, trustPath, TrustedChain.limits, or: TrustFile.isNone)
        if let kept, let start, kept.start != start.start {
            throw SetupError(
                file: trustPath, english: "it starts with another header than the accepted one",
                chinese: "信任起点不是所接受的区块头")
        }
        let trust = kept ?? start ?? TrustedChain(genesis: client.genesis)
        let watchPath = trustPath + ".watch"
        known =
            try Self.read(WatchList.self, watchPath, WatchList.limits, or: Self.isNoList)
            ?? WatchList(chain: trust.chain)
        guard known.chain == trust.chain else {
            throw SetupError(
                file: watchPath,
                english:
                    "it is of the ledger \(known.chain.hex), the trust file of \(trust.chain.hex)",
                chinese: "属于账本 \(known.chain.hex)，而信任文件属于 \(trust.chain.hex)")
        }
        let wanted = Set(records.map { $0.question.encoded })
        let others = known.records.filter { !wanted.contains($0.question.encoded) }
        guard wanted.count + others.count <= WatchList.recordsMax else {
            throw SetupError(
                file: watchPath,
                english:
                    "at most \(WatchList.recordsMax) records are watched, with those of earlier runs",
                chinese: "最多关注 \(WatchList.recordsMax) 条记录，含此前关注的")
        }
        do throws(EvidenceProblem) {
            follower = try Follower(
                genesis: client.genesis, trust: trust, watched: known.watching(records),
                providers: client.nodes, logs: logs, limits: limits)
        } catch {
            throw SetupError(file: trustPath, english: error.english, chinese: error.chinese)
        }
        do throws(WholeFile.Problem) {
            earlierFork = try WholeFile.first(
                beside: trustPath, marked: EvidenceMark.fork.rawValue)
            for mark in [EvidenceMark.refused, .oldFork] {
                for file in try WholeFile.files(beginningWith: trustPath + mark.rawValue) {
                    refusedFiles += 1
                    refusedBytes += file.bytes
                }
            }
        } catch {
            throw SetupError(error)
        }
    }

    /// Why these nodes cannot be followed together; nil where they can.
    public static func mistake(in nodes: [String]) -> Bilingual? {
        var seen: Set<String> = []
        if let twice = nodes.first(where: { !seen.insert($0).inserted }) {
            return Bilingual("the node \(twice) is given twice", "节点 \(twice) 重复给出")
        }
        guard nodes.count > Follower.providersMax else { return nil }
        return Bilingual(
            "at most \(Follower.providersMax) nodes are followed, \(nodes.count) are given",
            "最多跟随 \(Follower.providersMax) 个节点，给出了 \(nodes.count) 个")
    }

    private static func isNoList(_ path: String, _ error: CBORError) -> SetupError {
        SetupError(
            file: path,
            english:
                "it is not what huijin watch keeps of the records (\(error.english)); check the path",
            chinese: "不是 huijin watch 的关注清单（\(error.chinese)），请检查路径")
    }

    private static func read<Value: CBORDecodable>(
        _: Value.Type, _ path: String, _ limits: CBORLimits,
        or isNone: (_ path: String, CBORError) -> SetupError
    ) throws(SetupError) -> Value? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let bytes = try SetupFile.read(path, bytesMax: limits.bytesMax)
        do throws(CBORError) {
            return try Value.decode(bytes, limits: limits)
        } catch {
            throw isNone(path, error)
        }
    }

    /// Looks once, and tells what there is to tell, with the path of the file of its evidence. After a fork, an earlier run's too,
    /// nobody is asked.
    ///
    /// What is trusted is on disk before anything is told, and what is known of the records afterwards: a crash in between
    /// tells some alerts twice and loses none. So does an alert that cannot be told, which ends the look.
    ///
    /// - Parameter tell: throws if nobody was told.
    /// - Throws: what `tell` throws, and `SetupError` when a file cannot be written. Evidence that cannot be is told without a file
    ///   first, and ends the look at last.
    public mutating func look(
        _ tell: (FollowerAlert, _ evidence: String?) throws -> Void
    ) async throws {
        guard earlierFork == nil else { return }
        var unwritten: WholeFile.Problem?
        var asks = follower.look()
        while !asks.isEmpty {
            let answers = await client.answers(
                to: asks, answerBytesMax: follower.limits.answerBytesMax)
            let step = follower.take(answers, nowMs: HuijinClient.nowMs())
            if step.hasChanged {
                try write(follower.trust.encoded, to: trustPath)
            }
            for alert in step.alerts {
                var file: String?
                do throws(WholeFile.Problem) { file = try keep(alert) } catch { unwritten = error }
                try tell(alert, file)
            }
            if step.hasChanged {
                try write(follower.watched.keeping(known).encoded, to: watchPath)
            }
            asks = step.asks
        }
        if let unwritten { throw SetupError(unwritten) }
    }

    private func write(_ bytes: [UInt8], to path: String) throws(SetupError) {
        do throws(WholeFile.Problem) {
            try WholeFile.replace(path, bytes)
        } catch {
            throw SetupError(error)
        }
    }

    /// - Returns: the path of the file, `nil` where there is no evidence or no room for it.
    private mutating func keep(_ alert: FollowerAlert) throws(WholeFile.Problem) -> String? {
        guard let (mark, evidence) = alert.evidence else { return nil }
        let path = mark.path(beside: trustPath, evidence, client.suite)
        if WholeFile.isThere(path, evidence) { return path }
        if mark != .fork {
            guard refusedFiles < Watch.refusedFilesMax,
                evidence.count <= Watch.refusedBytesMax - refusedBytes
            else { return nil }
            refusedFiles += 1
            refusedBytes += evidence.count
        }
        try WholeFile.replace(path, evidence)
        return path
    }
}
