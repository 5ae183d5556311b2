import Consensus
import Foundation
import Ledger
import LedgerCrypto
import Merkle
import SQLite
import Storage
import Testing

@Suite struct StoreTests {
    /// Everything that a restart must find again.
    private func expectSame(_ store: Store, _ chain: TestChain) throws {
        #expect(store.header == chain.header)
        #expect(store.watermark.header == chain.digest)
        #expect(store.watermark.frontier == chain.frontier)
        #expect(store.state.root == chain.header.stateRoot)
        #expect(store.failure == nil && store.state.failure == nil)
    }

    @Test(arguments: Suite.allCases)
    func aChainIsFoundAgain(suite: Suite) throws {
        let folder = try TestFolder()
        var chain = TestChain(suite: suite)
        var commits: [BlockCommit] = []
        do {
            let store = try Store(folder: folder.path, genesis: chain.genesis)
            #expect(store.watermark.height == 0 && store.header.logSize == 0)
            #expect(store.recovered.finalization == nil && store.recovered.votes.isEmpty)
            for record in chain.genesis.records {
                #expect(store.value(for: record.key) == record.value)
            }
            chain.start(store)
            for height in 1...6 {
                let entries = (0..<height).map { _ in chain.envelope() }
                let action = AutomaticAction(kind: 1, deadlineMs: 5, subject: chain.digest)
                let changes = [
                    chain.change(height, [UInt8(height)]), chain.change(1, [UInt8(height), 1]),
                ]
                let commit = chain.block(
                    on: store, entries: entries + [.automatic(action)],
                    refused: height == 3 ? [0, 2] : [],
                    changes: height == 1 ? [changes[0]] : changes)
                try store.commit([commit])
                commits.append(commit)
                try expectSame(store, chain)
            }
        }
        let store = try Store(folder: folder.path, genesis: chain.genesis)
        try expectSame(store, chain)
        #expect(store.recovered.finalization == commits.last?.finalization)
        #expect(store.value(for: chain.change(1, nil).key) == [6, 1])
        #expect(store.value(for: chain.change(5, nil).key) == [5])
        for commit in commits {
            let height = commit.block.header.height
            let stored = try #require(try store.block(height))
            #expect(stored.block == commit.block && stored.finalization == commit.finalization)
            #expect(stored.outcomes(suite) == commit.outcomes)
            #expect(try store.header(height) == commit.block.header)
        }
        #expect(try store.block(7) == nil && store.header(.max) == nil)
        #expect(try store.blocks(from: 0, countMax: 3, bytesMax: .max).count == 3)
        #expect(try store.blocks(from: 2, countMax: 9, bytesMax: 1).count == 1)
        #expect(try store.blocks(from: 7, countMax: 9, bytesMax: .max).isEmpty)
        let next = chain.block(on: store, entries: [])
        try store.commit([next])
        try expectSame(store, chain)
        // After a checkpoint the file alone is the whole ledger.
        try store.checkpoint()
        #expect(folder.byteCount("ledger.db-wal") == 0)
        let copy = try folder.copy()
        try expectSame(try Store(folder: copy.path, genesis: chain.genesis), chain)
    }

    @Test func blocksMayBeFinalByADescendant() throws {
        let folder = try TestFolder()
        var chain = TestChain()
        let store = try Store(folder: folder.path, genesis: chain.genesis)
        chain.start(store)
        var overlay = MapOverlay(base: store)
        var commits: [BlockCommit] = []
        for number in 1...5 {
            commits.append(
                chain.block(
                    on: &overlay, entries: [chain.envelope()],
                    changes: [chain.change(7, [UInt8(number)])],
                    certified: number % 3 == 2))
        }
        try store.commit(commits)
        #expect(store.watermark.height == 5 && store.value(for: chain.change(7, nil).key) == [5])
        for (height, certified) in [(1, 2), (2, 2), (3, 5), (5, 5)] {
            let found = try #require(try store.finalization(from: UInt64(height)))
            #expect(found.height == UInt64(certified))
            #expect(found.certificate == commits[certified - 1].finalization)
        }
        // From 1 with no room: on to the next certified one.
        func answer(
            from height: UInt64, countMax: Int = .max, bytesWanted: Int = .max,
            bytesMax: Int = .max
        ) throws -> [StoredBlock] {
            try store.certifiedBlocks(
                from: height, countMax: countMax, bytesWanted: bytesWanted, bytesMax: bytesMax)
        }
        let first = try answer(from: 1, bytesWanted: 1)
        #expect(first.map(\.block) == commits[0...1].map(\.block))
        #expect(first.last?.finalization != nil)
        #expect(try answer(from: 3).count == 3)
        // Cut at the last certified one within the bounds.
        let counts = try (1...5).map { try answer(from: 1, countMax: $0).count }
        #expect(counts == [0, 2, 2, 2, 5])
        let sent = first.map { CertifiedBlock(block: $0.block, finalization: $0.finalization) }
        let bytes = PeerMessage.finalBlocks(sent).encoded.count + 32
        #expect(try answer(from: 1, bytesMax: bytes).count == 2)
        #expect(try answer(from: 1, bytesMax: bytes / 2).isEmpty)
    }

    @Test func whoIsFarBehindOnEmptyBlocksCatchesUp() throws {
        let folder = try TestFolder()
        var chain = TestChain()
        let store = try Store(
            folder: folder.path, genesis: chain.genesis, options: .init(isDurable: false))
        chain.start(store)
        // The first run alone is less than what is mostly sent at a time, and the second is far more; one certificate makes it final.
        let runs = [400, 1_700, 300]
        for run in runs {
            var overlay = MapOverlay(base: store)
            let commits = (1...run).map { number in
                chain.block(on: &overlay, entries: [], certified: number == run)
            }
            try store.commit(commits)
        }
        var height: UInt64 = 0
        var answers: [Int] = []
        while height < store.watermark.height {
            let blocks = try store.finalBlocks(from: height + 1)
            try #require(!blocks.isEmpty, "nothing was served at height \(height + 1)")
            #expect(blocks.first?.block.header.height == height + 1)
            #expect(blocks.last?.finalization != nil)
            let message = PeerMessage.finalBlocks(blocks)
            #expect(
                try PeerMessage.decode(message.encoded, limits: PeerLimits.message) == message)
            answers.append(blocks.count)
            height += UInt64(blocks.count)
        }
        #expect(answers == [2_100, 300])
        #expect(try store.finalBlocks(from: height + 1).isEmpty)
    }

    @Test func bodiesAndVotesSurviveUntilDecided() throws {
        let folder = try TestFolder()
        var chain = TestChain()
        var losing = chain.finalization()
        let votes: [VoteStatement]
        let bodies: [Block]
        let winner: BlockCommit
        do {
            let store = try Store(folder: folder.path, genesis: chain.genesis)
            chain.start(store)
            var fork = chain
            var overlay = MapOverlay(base: store)
            winner = chain.block(on: &overlay, entries: [chain.envelope()])
            let child = chain.block(on: &overlay, entries: [chain.envelope(), chain.envelope()])
            var other = MapOverlay(base: store)
            let loser = fork.block(on: &other, entries: [])
            losing = fork.finalization()
            bodies = [winner.block, loser.block, child.block]
            votes = [
                .notarize(epoch: 0, view: 1, VoteSubject(winner.block.header, suite: chain.suite)),
                .finalize(epoch: 0, view: 1, VoteSubject(winner.block.header, suite: chain.suite)),
                .nullify(epoch: 0, view: 2),
                .notarize(epoch: 0, view: 2, VoteSubject(child.block.header, suite: chain.suite)),
            ]
            try store.persist(bodies: [winner.block], votes: [votes[0]], certificates: [])
            try store.persist(bodies: [loser.block, child.block], votes: [], certificates: [])
            try store.persist(bodies: [], votes: Array(votes[1...]), certificates: [])
            // Again, and one twice in one call: nothing new.
            try store.persist(bodies: bodies, votes: votes + votes, certificates: [])
        }
        do {
            let store = try Store(folder: folder.path, genesis: chain.genesis)
            #expect(Set(store.recovered.bodies.map(\.header)) == Set(bodies.map(\.header)))
            #expect(store.recovered.bodies.map(\.header.height) == [1, 1, 2])
            #expect(store.recovered.votes == votes)
            let conflicting = VoteStatement.notarize(
                epoch: 0, view: 1, VoteSubject(bodies[1].header, suite: chain.suite))
            let error = storageError {
                try store.persist(
                    bodies: [], votes: [.nullify(epoch: 0, view: 3), conflicting], certificates: [])
            }
            guard case .conflictingVote(_, 0, 1) = error else {
                Issue.record(
                    "a second notarize vote in a view was stored: \(String(describing: error))")
                return
            }
            try store.commit([winner])
        }
        let store = try Store(folder: folder.path, genesis: chain.genesis)
        #expect(store.watermark.height == 1 && store.watermark.view == losing.view)
        #expect(store.recovered.bodies == [bodies[2]], "the loser went, the child stayed")
        #expect(store.recovered.votes == Array(votes[2...]), "nothing of a failed call was stored")
        #expect(try store.block(1)?.block == bodies[0])
    }

    /// Without the notarization, a replica that voted to finalize could neither nullify the view
    /// after a restart nor show others why.
    @Test func notarizationsBehindFinalizeVotesSurviveUntilDecided() throws {
        let folder = try TestFolder()
        var chain = TestChain()
        let first: BlockCommit
        let certificates: [Certificate]
        do {
            let store = try Store(folder: folder.path, genesis: chain.genesis)
            chain.start(store)
            var overlay = MapOverlay(base: store)
            first = chain.block(on: &overlay, entries: [])
            let subject = VoteSubject(first.block.header, suite: chain.suite)
            certificates = (1...3).map { chain.notarization(epoch: 0, view: $0) }
            try store.persist(
                bodies: [first.block], votes: [.finalize(epoch: 0, view: 1, subject)],
                certificates: [certificates[0]])
            // The same again, with the signatures of others, and one that comes twice.
            try store.persist(
                bodies: [], votes: [],
                certificates: [
                    Certificate(statement: certificates[0].statement, signatures: []),
                    certificates[1], certificates[1],
                ])
            try store.persist(
                bodies: [], votes: [.nullify(epoch: 0, view: 3)], certificates: [certificates[2]])
        }
        do {
            let store = try Store(folder: folder.path, genesis: chain.genesis)
            #expect(store.recovered.certificates == certificates)
            #expect(try store.replicaState().certificates == certificates)
            // Known from the file as well.
            try store.persist(bodies: [], votes: [], certificates: certificates)
            try store.commit([first])
            try store.persist(bodies: [], votes: [], certificates: [certificates[1]])
        }
        let store = try Store(folder: folder.path, genesis: chain.genesis)
        #expect(store.watermark.view == 1)
        #expect(store.recovered.certificates == Array(certificates[1...]))
    }

    @Test func aFullDiskLosesNothingThatWasAcknowledged() throws {
        let folder = try TestFolder()
        var chain = TestChain()
        var acknowledged = chain
        var promised: VoteStatement?
        do {
            let store = try Store(
                folder: folder.path, genesis: chain.genesis, options: .init(pagesMax: 60))
            chain.start(store)
            acknowledged = chain
            var error: StorageError?
            while error == nil {
                let entries = (0..<4).map { _ in chain.envelope() }
                let commit = chain.block(
                    on: store, entries: entries,
                    changes: [chain.change(Int(chain.view), [UInt8](repeating: 9, count: 500))])
                error = storageError { try store.commit([commit]) }
                if error == nil { acknowledged = chain }
            }
            #expect(error?.isDiskFull == true)
            #expect(error?.description.contains("磁盘") == true)
            // From here on nothing works, in particular no vote is promised.
            promised = .nullify(epoch: 0, view: 1_000)
            #expect(
                storageError { try store.persist(bodies: [], votes: [promised!], certificates: []) }
                    == error)
            #expect(storageError { _ = try store.block(1) } == error)
            #expect(store.failure == error)
        }
        let store = try Store(folder: folder.path, genesis: chain.genesis)
        #expect(acknowledged.header.height > 2)
        try expectSame(store, acknowledged)
        #expect(store.recovered.votes.isEmpty)
        try store.commit([acknowledged.block(on: store, entries: [acknowledged.envelope()])])
        try expectSame(store, acknowledged)
    }

    @Test func aFullDiskAlsoStopsAVote() throws {
        let folder = try TestFolder()
        var chain = TestChain()
        let store = try Store(
            folder: folder.path, genesis: chain.genesis, options: .init(pagesMax: 40))
        chain.start(store)
        var overlay = MapOverlay(base: store)
        let block = chain.block(on: &overlay, entries: (0..<1_500).map { _ in chain.envelope() })
        let error = storageError {
            try store.persist(bodies: [block.block], votes: [], certificates: [])
        }
        #expect(error?.isDiskFull == true && store.failure == error)
    }

    @Test func anotherLedgerIsRefused() throws {
        let folder = try TestFolder()
        let chain = TestChain(name: "one")
        let other = TestChain(name: "two")
        do { _ = try Store(folder: folder.path, genesis: chain.genesis) }
        let error = storageError { _ = try Store(folder: folder.path, genesis: other.genesis) }
        guard case .wrongGenesis(let path, let found, let expected) = error else {
            Issue.record("opened the ledger of another genesis")
            return
        }
        #expect(path == folder.path + "/ledger.db")
        #expect(found == chain.genesis.chain.hex && expected == other.genesis.chain.hex)
        let reader = storageError {
            _ = try StoreReader(path: path, chain: other.genesis.chain, suite: other.suite)
        }
        #expect(reader == error)
    }

    @Test func whatIsNoLedgerIsRefused() throws {
        let chain = TestChain()
        let foreign = try TestFolder()
        try Database(path: foreign.path + "/ledger.db").execute("CREATE TABLE t (n)")
        #expect(
            storageError { _ = try Store(folder: foreign.path, genesis: chain.genesis) }
                == .notALedger(path: foreign.path + "/ledger.db"))
        let text = try TestFolder()
        try "not a database at all, but long enough to be read as one".write(
            toFile: text.path + "/ledger.db", atomically: true, encoding: .utf8)
        #expect(
            storageError { _ = try Store(folder: text.path, genesis: chain.genesis) }
                == .notALedger(path: text.path + "/ledger.db"))
        let later = try TestFolder()
        do { _ = try Store(folder: later.path, genesis: chain.genesis) }
        try Database(path: later.path + "/ledger.db").setPragma("user_version", "99")
        #expect(
            storageError { _ = try Store(folder: later.path, genesis: chain.genesis) }
                == .wrongSchema(path: later.path + "/ledger.db", found: 99, expected: 5))
        let missing = storageError {
            _ = try Store(folder: later.path + "/no/such", genesis: chain.genesis)
        }
        guard case .cannotOpen = missing else {
            Issue.record("opened a folder in a folder that is not there")
            return
        }
    }

    @Test func aSecondNodeIsKeptOut() throws {
        let folder = try TestFolder()
        let chain = TestChain()
        let store = try Store(folder: folder.path, genesis: chain.genesis)
        #expect(
            storageError { _ = try Store(folder: folder.path, genesis: chain.genesis) }
                == .inUse(path: folder.path))
        #expect(store.failure == nil)
    }

    /// A column's bytes with another one at their end, in SQL.
    private func otherEnd(_ column: String) -> String {
        """
        CAST(substr(\(column), 1, length(\(column)) - 1)
            || CASE substr(\(column), -1) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB)
        """
    }

    /// What an older block was certified by goes to peers, who would take a damaged signature, or a header that is not the certificate's,
    /// for a forgery.
    @Test(arguments: ["certificate", "header", "digest", "row", "swap"])
    func aDamagedFinalBlockIsNotHandedOut(what: String) throws {
        let folder = try TestFolder()
        var chain = TestChain()
        do {
            let store = try Store(folder: folder.path, genesis: chain.genesis)
            chain.start(store)
            // What opening reads, the latest leaves of the log, is in the second block.
            for count in [1, 300] {
                let entries = (0..<count).map { _ in chain.envelope() }
                try store.commit([chain.block(on: store, entries: entries)])
            }
        }
        let database = try Database(path: folder.path + "/ledger.db")
        switch what {
        case "certificate":
            try database.execute(
                "UPDATE block SET finalization = \(otherEnd("finalization")) WHERE height = 1")
        case "header":
            // Somewhere in a root: it decodes as before.
            try database.execute(
                """
                UPDATE body SET bytes = CAST(substr(bytes, 1, 99)
                    || CASE substr(bytes, 100, 1) WHEN x'00' THEN x'01' ELSE x'00' END
                    || substr(bytes, 101) AS BLOB)
                WHERE height = 1
                """)
        case "digest":
            try database.execute(
                "UPDATE body SET header = \(otherEnd("header")) WHERE height = 1")
        case "row":
            try database.execute("UPDATE block SET body = body + 1 WHERE height = 1")
        default:
            try database.execute(
                """
                UPDATE block SET finalization =
                    (SELECT finalization FROM block WHERE height = 2) WHERE height = 1
                """)
        }
        let store = try Store(folder: folder.path, genesis: chain.genesis)
        let error = storageError { _ = try store.finalBlocks(from: 1) }
        guard case .damaged(_, let why) = error else {
            Issue.record("handed out: \(String(describing: error))")
            return
        }
        #expect(
            why.contains(what == "swap" ? "another one's certificate" : "is not what was written"),
            "\(why)")
        if ["header", "digest", "row"].contains(what) {
            guard case .damaged = storageError({ _ = try store.header(1) }) else {
                Issue.record("the header alone is handed out")
                return
            }
        }
    }

    @Test func damageIsNoticedAtOpening() throws {
        let statements = [
            "UPDATE body SET bytes = substr(bytes, 1, 300) WHERE height = 2",
            "UPDATE body SET header = zeroblob(32) WHERE height = 2",
            "UPDATE body SET bytes = (SELECT bytes FROM body WHERE height = 1) WHERE height = 2",
            "DELETE FROM block WHERE height = 2",
            "UPDATE block SET finalization = NULL WHERE height = 2",
            "DELETE FROM meta WHERE name = 'watermark'",
            "UPDATE meta SET value = zeroblob(20) WHERE name = 'watermark'",
            "DELETE FROM meta WHERE name = 'chain'",
            "DELETE FROM body WHERE height = 1",
            "UPDATE vote SET statement = x'00'",
            "DELETE FROM vote",
            "UPDATE vote SET statement = x'84020008f6'",
            "DELETE FROM meta WHERE name = 'votes'",
            "DELETE FROM meta WHERE name = 'store'; UPDATE meta SET value = x'00' WHERE name = 'votes'",
            "UPDATE certificate SET bytes = x'00'",
            // The last byte of a signature.
            "UPDATE certificate SET bytes = \(otherEnd("bytes"))",
            "UPDATE block SET finalization = \(otherEnd("finalization")) WHERE height = 2",
        ]
        for statement in statements {
            let folder = try TestFolder()
            var chain = TestChain()
            do {
                let store = try Store(folder: folder.path, genesis: chain.genesis)
                chain.start(store)
                for _ in 0..<2 {
                    try store.commit([chain.block(on: store, entries: [chain.envelope()])])
                }
                try store.persist(
                    bodies: [], votes: [.nullify(epoch: 0, view: 9)],
                    certificates: [chain.notarization(epoch: 0, view: 8)])
            }
            try Database(path: folder.path + "/ledger.db").execute(statement)
            let error = storageError { _ = try Store(folder: folder.path, genesis: chain.genesis) }
            guard case .damaged = error else {
                Issue.record("not noticed: \(statement): \(String(describing: error))")
                continue
            }
        }
    }
}
