import Encoding
import Execution
import Ledger
import LedgerCrypto
import Market
import Merkle
import Policy
import Records
import Replica
import Testing

@testable import Storage

/// The store under the real executor: what a driver does without consensus in between.
@Suite struct ReplicaStoreTests {
    private struct Network {
        let genesis: Genesis
        let key: SigningKey
        let member: MemberID
        private var nonce: UInt8 = 0

        init(_ suite: Suite) throws {
            key = SigningKey.generate(suite)
            let voting = SigningKey.generate(suite)
            let code = try #require(SocialCreditCode.generate(serial: 77))
            member = try #require(MemberID(code.text))
            var builder = GenesisBuilder(suite: suite)
            try builder.add(
                member: member, nameZh: "甲公司", nameEn: "First", roles: [.governor, .provider],
                keys: [.init(key.publicKey, person: "somebody")])
            let validators = try #require(
                ValidatorSet(
                    epoch: 0,
                    validators: [
                        Validator(
                            member: member, votingKey: voting.publicKey, transportKey: [1])
                    ]))
            genesis = builder.genesis(
                name: "test", timeMs: 1_000, parameters: Parameters(), validators: validators)
        }

        mutating func transaction<Body: TransactionBody>(
            _ body: Body
        ) throws -> Verified<SignedTransaction> {
            nonce += 1
            let transaction = Transaction(
                kind: Body.kind.rawValue, nonce: [UInt8](repeating: nonce, count: 16),
                lastValidHeight: 20, member: member, body: body.encoded)
            let envelope = try Envelope(
                bytes: Envelope.sign(transaction, chain: genesis.chain, with: key),
                chain: genesis.chain, suite: genesis.suite)
            return try #require(envelope.verified(by: key.publicKey))
        }

        func parent(_ store: Store) -> ParentState<Store> {
            ParentState(
                header: store.header, headerDigest: store.watermark.header,
                frontier: store.watermark.frontier, base: store)
        }

        func finalization(_ block: ExecutedBlock) -> Certificate {
            Certificate(
                statement: .finalize(epoch: 0, view: block.height + 3, block.subject),
                signatures: [
                    CertificateSignature(
                        validator: 0, signature: [UInt8](repeating: 1, count: 64))
                ])
        }
    }

    @Test(arguments: Suite.allCases)
    func executedBlocksAreStoredAndGoneOnFrom(suite: Suite) throws {
        let folder = try TestFolder()
        var network = try Network(suite)
        let genesis = network.genesis
        let registration = try network.transaction(AssetRegister.example)
        let evidence = try network.transaction(RecordEvidence.example)
        let again = try network.transaction(AssetRegister.example)
        var blocks: [ExecutedBlock] = []
        do {
            let store = try Store(folder: folder.path, genesis: genesis)
            let expected = GenesisState(genesis)
            #expect(store.header == expected.header)
            #expect(store.watermark.header == expected.headerDigest)
            let start = try store.replicaState()
            #expect(start.header == expected.header && start.replay.count == 0)
            // Three blocks on top of one another before the first is final.
            let executor = Executor<Store>(genesis: genesis)
            var parent = network.parent(store)
            for candidates in [[registration], [], [evidence, again]] {
                let block = executor.build(
                    on: parent, candidates: candidates, timeMs: parent.header.timeMs + 5,
                    replay: start.replay)
                #expect(block.leftOut.isEmpty)
                try store.persist(
                    bodies: [block.block],
                    votes: [
                        .notarize(epoch: 0, view: block.height + 3, block.subject)
                    ], certificates: [])
                parent = parent.extended(by: block)
                blocks.append(block)
            }
            #expect(blocks[2].outcomes.map(\.isAccepted) == [true, false])
            try store.commit(
                Commit(
                    blocks: Array(blocks[0...1]), finalization: network.finalization(blocks[1])))
            #expect(store.watermark.height == 2)
        }
        let store = try Store(folder: folder.path, genesis: genesis)
        let restart = try store.replicaState()
        #expect(restart.header == blocks[1].header && restart.frontier == blocks[1].frontier)
        #expect(restart.bodies == [blocks[2].block])
        #expect(restart.votes.map(\.view) == [6])
        #expect(restart.finalization == network.finalization(blocks[1]))
        #expect(restart.replay.contains(registration.value.id) && restart.replay.count == 1)
        // The recovered body executes to the same on the recovered state, and is committed.
        let transactions = [evidence, again]
        let executed = try Executor<Store>(genesis: genesis).execute(
            restart.bodies[0], on: network.parent(store),
            transactions: restart.bodies[0].entries.map { entry in
                transactions.first { entry == .envelope($0.value.envelope.bytes) }
            },
            replay: restart.replay)
        #expect(executed.header == blocks[2].header)
        try store.commit(
            Commit(blocks: [executed], finalization: network.finalization(executed)))
        // What is final is known again after another restart.
        let window = try store.replayWindow()
        #expect(window.contains(evidence.value.id) && window.contains(again.value.id))
        let next = Executor<Store>(genesis: genesis).build(
            on: network.parent(store), candidates: [registration],
            timeMs: store.header.timeMs + 1, replay: window)
        #expect(next.leftOut.map(\.code) == [.replayed])
        try checkIndex(store, blocks, network.member)
    }

    /// An epoch's last block leaves the next set beside it, and a replica goes on in that epoch.
    @Test func epochsAreStoredAndGoneOnFrom() throws {
        let folder = try TestFolder()
        var network = try Network(.ed25519SHA256)
        let genesis = network.genesis
        let seat = genesis.validators.validators[0]
        let replace = try network.transaction(
            ValidatorReplace(
                replacedKey: seat.votingKey.keyID, votingKey: seat.votingKey,
                transportKey: ValidatorReplace.example.transportKey))
        let late = VoteStatement.nullify(epoch: 0, view: 9)
        do {
            let store = try Store(folder: folder.path, genesis: genesis)
            let block = Executor<Store>(genesis: genesis).build(
                on: network.parent(store), candidates: [replace],
                timeMs: store.header.timeMs + 5, replay: try store.replayWindow())
            let next = try #require(block.nextValidators)
            // A later view of the epoch, which the certificate of an earlier one makes void.
            try store.persist(bodies: [], votes: [late], certificates: [])
            try store.commit(Commit(blocks: [block], finalization: network.finalization(block)))
            let reader = try StoreReader(path: store.path, chain: store.chain, suite: store.suite)
            let epochs = try reader.epochs(upTo: 1)
            #expect(epochs.map(\.height) == [1] && epochs.map(\.validators) == [next])
            #expect(try reader.epochs(upTo: 0).isEmpty)
        }
        let store = try Store(folder: folder.path, genesis: genesis)
        let restart = try store.replicaState()
        #expect(restart.votes == [late])
        var replica = Replica(
            genesis: genesis, base: store, recovered: restart, votingKey: seat.votingKey.keyID)
        #expect(replica.status.epoch == 1 && replica.status.finalView == 0)
        #expect(replica.view == 1 && replica.seat == 0)
        let effects = replica.handle(.start, nowMs: 2_000)
        #expect(!effects.contains { if case .sign = $0 { true } else { false } })
        // In the new epoch the same view may be voted in.
        try store.persist(
            bodies: [], votes: [.nullify(epoch: 1, view: 9)], certificates: [])
        let stranger = SigningKey.generate(.ed25519SHA256).publicKey.keyID
        let follower = Replica(
            genesis: genesis, base: store, recovered: restart, votingKey: stranger)
        #expect(follower.seat == nil)
    }

    /// Also a store that was made before they were kept.
    @Test func nullificationsOfSkippedViewsAreKept() throws {
        let folder = try TestFolder()
        let network = try Network(.ed25519SHA256)
        let skipped = { (view: UInt64) in
            Certificate(
                statement: .nullify(epoch: 0, view: view),
                signatures: [
                    CertificateSignature(
                        validator: 0, signature: Array(repeating: UInt8(view), count: 64))
                ])
        }
        func grow(_ store: Store, skipping views: [UInt64]) throws {
            let block = Executor<Store>(genesis: network.genesis).build(
                on: network.parent(store), candidates: [], timeMs: store.header.timeMs + 5,
                replay: try store.replayWindow())
            try store.commit(
                Commit(
                    blocks: [block], finalization: network.finalization(block),
                    skipped: views.map(skipped)))
        }
        do {
            let store = try Store(folder: folder.path, genesis: network.genesis)
            try grow(store, skipping: [])
            try store.database.execute("DROP TABLE skipped_view")
        }
        let store = try Store(folder: folder.path, genesis: network.genesis)
        try grow(store, skipping: [2, 3])
        try grow(store, skipping: [3, 5])
        let reader = try StoreReader(path: store.path, chain: store.chain, suite: store.suite)
        func nullifications(_ view: UInt64) throws -> [Certificate] {
            try reader.certificates(epoch: 0, view: view).filter { $0.kind == .nullify }
        }
        for view in [2, 3, 5] as [UInt64] {
            #expect(try nullifications(view) == [skipped(view)])
        }
        #expect(try nullifications(4).isEmpty)
        #expect(try reader.certificates(epoch: 1, view: 2).isEmpty)
        #expect(try reader.certificates(epoch: .max, view: .max).isEmpty)
        #expect(try reader.certificates(epoch: 1 << 23, view: 0).isEmpty)
        // Finalizations are found by their views too.
        for height: UInt64 in 1...3 {
            let (_, certificate) = try #require(try reader.finalization(from: height))
            #expect(
                try reader.certificates(epoch: 0, view: certificate.view).last == certificate)
        }
        try store.database.execute("UPDATE skipped_view SET bytes = x'00' WHERE id = 2")
        #expect(throws: StorageError.self) {
            _ = try reader.certificates(epoch: 0, view: 2)
        }
    }

    /// By binary search over the certified blocks of the epoch, which are any: views are skipped, several blocks become final together,
    /// and each epoch counts its views anew.
    @Test func finalizationsAreFoundByTheirViews() throws {
        let folder = try TestFolder()
        var network = try Network(.ed25519SHA256)
        let seat = network.genesis.validators.validators[0]
        let replace = try network.transaction(
            ValidatorReplace(
                replacedKey: seat.votingKey.keyID, votingKey: seat.votingKey,
                transportKey: ValidatorReplace.example.transportKey))
        let store = try Store(folder: folder.path, genesis: network.genesis)
        let executor = Executor<Store>(genesis: network.genesis)
        var kept: [[UInt64: Certificate]] = [[:], [:]]
        var view: UInt64 = 0
        func grow(_ epoch: Int, blocks count: Int, skipping: UInt64, ends: Bool = false) throws {
            var parent = network.parent(store)
            var blocks: [ExecutedBlock] = []
            for number in 1...count {
                blocks.append(
                    executor.build(
                        on: parent, candidates: ends && number == count ? [replace] : [],
                        timeMs: parent.header.timeMs + 5, replay: ReplayWindow()))
                parent.extend(by: blocks[number - 1])
            }
            view += 1 + skipping
            let certificate = Certificate(
                statement: .finalize(epoch: UInt64(epoch), view: view, blocks[count - 1].subject),
                signatures: network.finalization(blocks[0]).signatures)
            try store.commit(Commit(blocks: blocks, finalization: certificate))
            kept[epoch][view] = certificate
        }
        for (count, skipped) in [(1, 0), (3, 2), (1, 1), (5, 0), (2, 4)] as [(Int, UInt64)] {
            try grow(0, blocks: count, skipping: skipped)
        }
        try grow(0, blocks: 2, skipping: 1, ends: true)
        #expect(store.header.nextValidators != nil)
        view = 0
        for (count, skipped) in [(4, 3), (1, 0), (1, 0), (3, 5), (1, 0)] as [(Int, UInt64)] {
            try grow(1, blocks: count, skipping: skipped)
        }
        let reader = try StoreReader(path: store.path, chain: store.chain, suite: store.suite)
        for epoch in 0...1 {
            #expect(kept[epoch].count >= 5)
            for view in (0...40).map(UInt64.init) + [.max] {
                #expect(
                    try reader.certificates(epoch: UInt64(epoch), view: view)
                        == kept[epoch][view].map { [$0] } ?? [], "epoch \(epoch), view \(view)")
            }
        }
    }

    /// The index that the node fills and the one rebuilt from the file are the same.
    private func checkIndex(
        _ store: Store, _ blocks: [ExecutedBlock], _ member: MemberID
    ) throws {
        let reader = try StoreReader(path: store.path, chain: store.chain, suite: store.suite)
        for block in blocks {
            let rebuilt = try reader.indexBatch(height: block.height, chain: store.chain)
            #expect(IndexBatch(block, suite: store.suite) == rebuilt)
        }
        let index = try Index(
            path: store.path + "-index", chain: store.chain)
        while try index.follow(reader, chain: store.chain) {}
        let asset = AssetRecord.id(
            provider: member, code: AssetRegister.example.code, suite: store.suite)
        #expect(try index.search("逐时气象", countMax: 9).assets == [asset])
        #expect(try index.search(member.text, countMax: 9).assets == [asset])
        let rights = try reader.events(asset: asset, log: 0, countMax: 9, in: index)
        #expect(rights.map(\.bytes) == blocks[0].events.map(\.event.encoded))
        let refusals = try index.refusals(member: member, countMax: 9)
        #expect(refusals.map(\.location) == [BlockLocation(height: 3, position: 1)])
        #expect(refusals.map(\.code) == [OutcomeCode.alreadyExists.rawValue])
    }
}
