import ArgumentParser
import Client
import Encoding
import Files
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Records

struct WatchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Follow the ledger by its headers, and be told what happens. / 跟随账本并接收提醒",
        discussion: """
            Trusts no node: what is told was certified by a quorum of validators, from the genesis or an accepted checkpoint on. The
            trust file is the one of huijin-verify --trust; beside it stand .watch, which is what is known of the records, and evidence
            of forks and of answers that are false by themselves. One program at a time may use a trust file (.lock). Ends with 3 when two certified
            histories are found, or were by an earlier run.
            不信任任何节点：所报内容均经记账节点法定多数认证。同一信任文件同时只供一个程序使用。发现（或此前已发现）两份经认证的历史时以退出码 3 结束。
            """)

    @OptionGroup var start: StartOptions
    @Option(help: "Asset id, repeatable. / 资产编号，可重复") var asset: [String] = []
    @Option(help: "Licence id, repeatable. / 许可编号，可重复") var licence: [String] = []
    @Option(help: "Member id, repeatable. / 成员编号，可重复") var member: [String] = []
    @Option(help: "MEMBER,BANK, repeatable. / 成员,清结算机构，可重复") var account: [String] = []
    @Option(help: "Logs whose events are told: rights, trades, refusals. / 关注的日志，逗号分隔")
    var logs = "rights"
    @Option(help: "Milliseconds between two looks, 100 at least. / 两次查看的间隔毫秒数，至少 100")
    var intervalMs: UInt64 = 1_000
    @Option(help: "Seconds without a newer header until that is told. / 无新区块头的告警秒数")
    var staleSeconds: UInt64 = 60
    @Option(help: "Looks after which to end; 0 goes on. / 查看次数，0 为不限") var looks: UInt64 = 0
    @OptionGroup var options: NodeOptions

    /// For one round of a look, in milliseconds: a node that is slower holds the others up no longer.
    static let timeoutMs: UInt64 = 5_000
    static let intervalMsMin: UInt64 = 100

    func run() async throws {
        guard let trust = options.trust else {
            throw Failure(
                .usage, "give --trust FILE; it is made where there is none",
                "请用 --trust 指定信任文件，没有则新建")
        }
        var clientLimits = HuijinClient.Limits()
        clientLimits.timeoutMs = Self.timeoutMs
        let client = try options.client(
            signing: try options.folder() != nil, reading: false, limits: clientLimits)
        if let mistake = Watch.mistake(in: client.nodes) {
            throw Failure(.usage, "--node: \(mistake.english)", "--node：\(mistake.chinese)")
        }
        var limits = Follower.Limits()
        limits.staleMs = staleSeconds * 1_000
        let (start, records) = (try self.start.trusted(), try self.records())
        let logs: [EventLogKind] = try Arguments.named(
            self.logs.split(separator: ",", omittingEmptySubsequences: false).map(String.init),
            "--logs")
        var watch = try Watch(
            client: client, trust: try FileClaim(trust), start: start, records: records,
            logs: logs, limits: limits)
        var count: UInt64 = 0
        var isAnswered = false
        while looks == 0 || count < looks {
            if count > 0 { try await Task.sleep(for: .milliseconds(intervalMs)) }
            try await watch.look { alert, evidence in try show(alert, evidence) }
            count += 1
            isAnswered = isAnswered || watch.follower.isAnswered
            if watch.hasForked {
                throw Failure(
                    .fork,
                    "two certified histories, see \(trust).fork-…: nothing more can be followed",
                    "存在两份经认证的历史（见 \(trust).fork-…），无法继续跟随")
            }
        }
        guard isAnswered else {
            throw Failure(.unavailable, "no node proved anything", "没有节点给出证明")
        }
    }

    private func show(_ alert: FollowerAlert, _ evidence: String?) throws {
        switch options.format {
        case .json: try Output.line(json: alert.localJSON(evidence: evidence).encodedText)
        case .text:
            let texts = alert.localTexts
            let file = evidence.map { " [\($0)]" } ?? ""
            try Output.line("[\(alert.topic.rawValue)] \(texts.english) / \(texts.chinese)\(file)")
        }
    }

    func validate() throws {
        guard intervalMs >= Self.intervalMsMin else {
            throw ValidationError(
                "--interval-ms is \(Self.intervalMsMin) at least / --interval-ms 不小于 \(Self.intervalMsMin)"
            )
        }
        guard staleSeconds <= UInt64.max / 1_000 else {
            throw ValidationError("--stale-seconds is too large / --stale-seconds 过大")
        }
    }

    /// The type has such ids: they come from `Arguments`.
    private func record(_ type: RecordType, _ id: [CBORValue]) -> WatchedRecord {
        guard let record = WatchedRecord(type: type, id: id) else {
            preconditionFailure("an id that was parsed is one of a \(type.name)")
        }
        return record
    }

    private func records() throws -> [WatchedRecord] {
        var records: [WatchedRecord] = []
        for id in asset {
            let id = try Arguments.digest(id, "--asset")
            records.append(record(.asset, [.bytes(id.bytes)]))
        }
        for id in licence {
            let id = try Arguments.digest(id, "--licence")
            records.append(record(.agreement, [.bytes(id.bytes)]))
        }
        for id in member {
            let id = try Arguments.member(id, "--member")
            records.append(record(.member, [.text(id.text)]))
        }
        for pair in account {
            let parts = pair.split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                throw Failure(.usage, "--account must be MEMBER,BANK", "--account 应为 成员,清结算机构")
            }
            let ids = try parts.map { try Arguments.member(String($0), "--account") }
            records.append(record(.account, ids.map { .text($0.text) }))
        }
        return records
    }
}
