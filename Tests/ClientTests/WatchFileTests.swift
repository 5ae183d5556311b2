import Client
import Encoding
import Files
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Records
import Synchronization
import TestLedgers
import Testing

/// A node for each ledger, without a network.
private final class LedgerTransport: HTTPTransport {
    private let chains: [String: TestChain]
    private let asked = Mutex(0)

    init(_ chains: [TestChain]) {
        self.chains = Dictionary(
            uniqueKeysWithValues: chains.enumerated().map { (Self.node($0), $1) })
    }

    static func node(_ index: Int) -> String { "http://127.0.0.1:\(index + 1)" }

    var nodes: [String] { chains.keys.sorted() }
    var calls: Int { asked.withLock { $0 } }

    func perform(_ call: HTTPCall) async throws(ClientError) -> HTTPAnswer {
        asked.withLock { $0 += 1 }
        let epoch = call.path.split(separator: "=").last.flatMap { UInt64($0) }
        guard let chain = chains[call.base], let epoch else {
            throw .unreachable(node: call.base, reason: "off")
        }
        let what: Follower.Ask.What
        if call.path.hasPrefix("/v1/checkpoint/bundle?") {
            what = .head(epochsFrom: epoch)
        } else {
            guard let list = try? QuestionList.decode(call.body) else {
                throw .unreachable(node: call.base, reason: "no questions")
            }
            what = .bundle(list.questions, epochsFrom: epoch)
        }
        guard case .bytes(let bytes) = chain.answer(what) else {
            throw .unreachable(node: call.base, reason: "behind")
        }
        return HTTPAnswer(status: 200, contentType: "application/cbor", body: bytes)
    }
}

/// The files beside a trust file, and what a run makes of those that are there.
@Suite struct WatchFileTests {
    private struct Desk {
        let trust: String
        let transport: LedgerTransport
        let genesis: Genesis
        /// All runs of a test are those of one program.
        private let claim: FileClaim

        init(_ chains: [TestChain], _ folder: URL) throws {
            trust = folder.appending(path: "trust").path
            transport = LedgerTransport(chains)
            genesis = try #require(chains.first).genesis
            claim = try FileClaim(trust)
        }

        func watch(
            _ records: [WatchedRecord] = [], start: TrustedChain? = nil
        ) throws -> Watch {
            try Watch(
                client: HuijinClient(
                    nodes: transport.nodes, genesis: genesis, transport: transport),
                trust: claim, start: start, records: records, logs: [.rights])
        }

        func look(_ watch: inout Watch) async throws -> [(FollowerAlert, String?)] {
            let told = Mutex<[(FollowerAlert, String?)]>([])
            try await watch.look { alert, file in told.withLock { $0.append((alert, file)) } }
            return told.withLock { $0 }
        }

        var watched: [EvidenceQuestion] {
            get throws {
                let bytes = [UInt8](try Data(contentsOf: URL(filePath: trust + ".watch")))
                return try WatchList.decode(bytes, limits: WatchList.limits).records.map(\.question)
            }
        }
    }

    private static func inFolder(_ body: (URL) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "huijin-watch-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(folder)
    }

    private static func ledger() -> WatchedLedger {
        var dice = Dice(seed: 1)
        var ledger = WatchedLedger(.ed25519SHA256)
        ledger.goOn(&dice)
        return ledger
    }

    private static func forked() -> [TestChain] {
        var fork = Fork(.ed25519SHA256)
        fork.left.grow(1)
        fork.right.grow(3)
        return [fork.left, fork.right]
    }

    @Test func anotherStartThanTheFilesIsRefused() async throws {
        let chain = Self.ledger().chain
        try await Self.inFolder { folder in
            let desk = try Desk([chain], folder)
            var watch = try desk.watch()
            _ = try await desk.look(&watch)
            let accepted = try TrustedChain(
                accepting: chain.newest.digest(chain.suite), header: chain.newest,
                validators: chain.validators)
            #expect(throws: SetupError.self) { _ = try desk.watch(start: accepted) }
            _ = try desk.watch(start: TrustedChain(genesis: chain.genesis))
            // Where there is no file, trust starts with what was accepted, and an option less does not matter later.
            try FileManager.default.removeItem(atPath: desk.trust)
            watch = try desk.watch(start: accepted)
            _ = try await desk.look(&watch)
            #expect(try desk.watch().follower.trust.start == accepted.start)
            // Which of the two files is of another ledger.
            let other = WatchList(chain: Digest.zero)
            try Data(other.encoded).write(to: URL(filePath: desk.trust + ".watch"))
            let found = #expect(throws: SetupError.self) { _ = try desk.watch() }
            #expect(found?.file == desk.trust + ".watch")
        }
    }

    @Test func recordsThatAreNotNamedAreNotForgotten() async throws {
        let ledger = Self.ledger()
        try await Self.inFolder { folder in
            let desk = try Desk([ledger.chain], folder)
            var watch = try desk.watch(ledger.watched)
            _ = try await desk.look(&watch)
            let all = try desk.watched
            #expect(all.count == ledger.watched.count)
            let new = try #require(
                WatchedRecord(type: .asset, id: [.bytes(Digest.zero.bytes)]))
            watch = try desk.watch([new, ledger.watched[0]])
            #expect(watch.follower.watched.records.count == 2)
            _ = try await desk.look(&watch)
            let kept = Set(try desk.watched.map(\.encoded))
            #expect(kept == Set((all + [new.question]).map(\.encoded)))
            // Nor can there be more than are kept.
            let many = (0..<WatchList.recordsMax).compactMap {
                WatchedRecord(
                    type: .asset, id: [.bytes(Suite.ed25519SHA256.digest([UInt8($0)]).bytes)])
            }
            #expect(throws: SetupError.self) { _ = try desk.watch(many) }
        }
    }

    @Test func aForkIsNotForgotten() async throws {
        try await Self.inFolder { folder in
            let desk = try Desk(Self.forked(), folder)
            var watch = try desk.watch()
            let told = try await desk.look(&watch)
            #expect(told.first?.0.topic == .fork && watch.hasForked)
            let file = try #require(told.first?.1)
            #expect(file.hasPrefix(desk.trust + ".fork-"))
            let calls = desk.transport.calls
            var again = try desk.watch()
            #expect(again.hasForked)
            #expect(try await desk.look(&again).isEmpty && desk.transport.calls == calls)
        }
    }

    @Test func aForkIsToldThoughItCannotBeWritten() async throws {
        try await Self.inFolder { folder in
            let desk = try Desk(Self.forked(), folder)
            var watch = try desk.watch()
            let file = try #require(try await desk.look(&watch).first?.1)
            try FileManager.default.removeItem(atPath: file)
            // A folder where the file is to be made.
            try FileManager.default.createDirectory(
                atPath: file, withIntermediateDirectories: false)
            #expect(FileManager.default.createFile(atPath: file + ".1.new", contents: nil))
            var again = try desk.watch()
            // Neither that nor the leftover of a write is evidence of a fork.
            #expect(!again.hasForked)
            let topics = Mutex<[AlertTopic]>([])
            await #expect(throws: SetupError.self) {
                try await again.look { alert, _ in topics.withLock { $0.append(alert.topic) } }
            }
            #expect(topics.withLock { $0.first } == .fork && again.hasForked)
        }
    }

    @Test func whatCouldNotBeToldIsToldByTheNextRun() async throws {
        struct NobodyHears: Error {}
        let ledger = Self.ledger()
        try await Self.inFolder { folder in
            let desk = try Desk([ledger.chain], folder)
            var watch = try desk.watch(ledger.watched)
            await #expect(throws: NobodyHears.self) {
                try await watch.look { _, _ in throw NobodyHears() }
            }
            var again = try desk.watch(ledger.watched)
            let told = Set(try await desk.look(&again).map(\.0.topic))
            let elsewhere = folder.appending(path: "other")
            try FileManager.default.createDirectory(
                at: elsewhere, withIntermediateDirectories: false)
            let other = try Desk([ledger.chain], elsewhere)
            var first = try other.watch(ledger.watched)
            #expect(try await Set(other.look(&first).map(\.0.topic)) == told)
            #expect(told.contains(.record))
        }
    }

    @Test func aDamagedFileIsNoEvidence() async throws {
        try await Self.inFolder { folder in
            let desk = try Desk(Self.forked(), folder)
            var watch = try desk.watch()
            let file = try #require(try await desk.look(&watch).first?.1)
            let whole = try Data(contentsOf: URL(filePath: file))
            let name = folder.appending(path: "kept").path
            try FileManager.default.moveItem(atPath: file, toPath: name)
            // A link leads to a half of it.
            try whole.dropLast().write(to: URL(filePath: name))
            try FileManager.default.createSymbolicLink(
                atPath: file, withDestinationPath: name)
            var again = try desk.watch()
            #expect(try await desk.look(&again).first?.1 == file)
            #expect(try Data(contentsOf: URL(filePath: file)) == whole)
        }
    }

    @Test(arguments: [(Watch.refusedFilesMax, 1), (1, Watch.refusedBytesMax)])
    func evidenceIsBoundedOverAllRuns(files: Int, bytes: Int) async throws {
        let honest = Self.ledger().chain
        var liar = honest
        liar.usurp((0..<4).map { TestChain.key(.ed25519SHA256, 900 + $0) })
        liar.append([])
        for isFull in [false, true] {
            try await Self.inFolder { folder in
                let desk = try Desk([honest, liar], folder)
                for index in 0..<(isFull ? files : 0) {
                    let path = desk.trust + ".refused-\(index)"
                    #expect(FileManager.default.createFile(atPath: path, contents: nil))
                    let file = try FileHandle(forWritingTo: URL(filePath: path))
                    try file.truncate(atOffset: UInt64(bytes))
                    try file.close()
                }
                var watch = try desk.watch()
                let told = try await desk.look(&watch).first { $0.0.topic == .refusedAnswer }
                #expect(try #require(told).1 == nil ? isFull : !isFull)
            }
        }
    }
}
