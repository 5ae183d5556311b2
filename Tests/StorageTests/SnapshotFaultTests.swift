import Encoding
import Foundation
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Testing

@testable import Storage

/// Whatever a lying peer changes is noticed with the very piece that it gave, and a crash between any two steps leaves
/// either the old store or the new one.
@Suite struct SnapshotFaultTests {
    private struct Scene {
        let chain: CertifiedChain
        let shelf: SnapshotShelf
        let bytes: [UInt8]
        let verified: VerifiedManifest
        var manifest: SnapshotManifest { verified.manifest }
        var height: UInt64 { verified.height }

        /// - Parameter recovered: whether a recovery ends an epoch before the last ten blocks.
        init(
            blocks: Int = 24, changes: Set<Int> = [3, 20], recovered: Bool = false
        ) throws {
            chain = try CertifiedChain()
            try chain.fill(blocks: blocks, changes: changes)
            if recovered {
                try chain.recover()
                try chain.fill(blocks: 10)
            }
            shelf = chain.shelf
            let made = try #require(try shelf.make())
            bytes = try #require(shelf.manifest(made.height))
            verified = try VerifiedManifest(bytes, genesis: chain.genesis)
        }

        func chunk(_ index: Int) throws -> [UInt8] {
            try #require(shelf.chunk(index, of: height))
        }

        func fault(_ manifest: SnapshotManifest) -> SnapshotFault? {
            do throws(SnapshotFault) {
                _ = try VerifiedManifest(manifest.encoded, genesis: chain.genesis)
                return nil
            } catch {
                return error
            }
        }

        func fault(chunk index: Int, _ bytes: [UInt8]) -> SnapshotFault? {
            do throws(SnapshotFault) {
                try verified.check(chunk: index, bytes)
                return nil
            } catch {
                return error
            }
        }
    }

    /// Every byte of every chunk is bound by the manifest.
    @Test func aChangedChunkIsRefused() throws {
        let scene = try Scene()
        #expect(scene.manifest.stateChunks > 3)
        #expect(scene.manifest.headers.count > 4)
        for index in 0..<scene.manifest.chunks {
            let good = try scene.chunk(index)
            #expect(scene.fault(chunk: index, good) == nil)
            for place in stride(from: index % 13, to: good.count, by: 37) {
                var bad = good
                bad[place] ^= 1 << UInt8(place % 8)
                #expect(scene.fault(chunk: index, bad) != nil, "chunk \(index), byte \(place)")
            }
            #expect(scene.fault(chunk: index, Array(good.dropLast())) != nil)
            #expect(scene.fault(chunk: index, good + [0]) != nil)
            #expect(scene.fault(chunk: index, []) != nil)
            let other = (index + 1) % scene.manifest.chunks
            #expect(scene.fault(chunk: other, good) != nil)
        }
        #expect(
            scene.fault(chunk: scene.manifest.chunks, []) == .noSuchChunk(scene.manifest.chunks))
    }

    /// Well-formed lies: entries left out, blocks left out, codes changed, another's signature.
    @Test func aLyingChunkIsRefused() throws {
        let scene = try Scene()
        let state = try StateChunk.decode(try scene.chunk(0), limits: SnapshotLimits.chunk)
        for index in state.entries.indices {
            var entries = state.entries
            entries.remove(at: index)
            #expect(
                scene.fault(chunk: 0, StateChunk(entries: entries).encoded) == .stateChunk(0))
        }
        let first = scene.manifest.stateChunks
        let chunk = try BlockChunk.decode(try scene.chunk(first), limits: SnapshotLimits.chunk)
        for index in chunk.blocks.indices {
            var blocks = chunk.blocks
            let member = blocks[index]
            let codes = member.codes.map { $0 == 0 ? 7 : 0 as UInt64 }
            let stored = StoredBlock(
                block: member.block, finalization: member.finalization, codes: codes)
            blocks[index] = SnapshotBlock(stored, isCertified: true)
            if !codes.isEmpty {
                #expect(scene.fault(chunk: first, BlockChunk(blocks: blocks).encoded) != nil)
            }
            blocks.remove(at: index)
            #expect(scene.fault(chunk: first, BlockChunk(blocks: blocks).encoded) != nil)
            // Fewer than a quorum, or the votes of another block.
            for signers in [[0, 1], [0, 1, 2]] {
                let forged = Certificate(
                    statement: .finalize(
                        epoch: member.block.header.epoch, view: 1,
                        VoteSubject(member.block.header, suite: scene.chain.suite)),
                    signatures: scene.chain.certificate(
                        scene.chain.store.header, view: 1, signers: signers
                    ).signatures)
                blocks = chunk.blocks
                blocks[index] = SnapshotBlock(
                    StoredBlock(
                        block: member.block, finalization: forged, codes: member.codes),
                    isCertified: true)
                #expect(scene.fault(chunk: first, BlockChunk(blocks: blocks).encoded) != nil)
            }
        }
    }

    /// An epoch's last block without its certificate would break the chain of epochs on this node.
    @Test func anEpochsEndNeedsItsCertificate() throws {
        let scene = try Scene()
        var seen = 0
        for index in scene.manifest.stateChunks..<scene.manifest.chunks {
            let chunk = try BlockChunk.decode(
                try scene.chunk(index), limits: SnapshotLimits.chunk)
            let bare = chunk.blocks.map { member in
                SnapshotBlock(
                    StoredBlock(
                        block: member.block, finalization: member.finalization,
                        codes: member.codes),
                    isCertified: member.block.header.nextValidators == nil)
            }
            guard chunk.blocks.contains(where: { $0.block.header.nextValidators != nil }) else {
                continue
            }
            seen += 1
            #expect(scene.fault(chunk: index, BlockChunk(blocks: bare).encoded) != nil)
        }
        #expect(seen == 1, "of two epochs' ends one is in the window")
    }

    /// In the epochs of the manifest and among the blocks: fewer keys than the rule demands, keys that are not the rule's, one
    /// key in two places, and votes in a recovery's place.
    @Test func aForgedRecoveryIsRefused() throws {
        let scene = try Scene(blocks: 8, changes: [3], recovered: true)
        let genuine = scene.manifest
        let (chain, keys) = (scene.chain, scene.chain.recoveryKeys)
        let strangers = (0..<3).map { _ in SigningKey.generate(chain.suite) }
        let ending = try #require(genuine.epochChanges.last)
        let statement = ending.certificate.statement
        #expect(genuine.epochChanges.count == 2 && statement.kind == .recover)
        let forgeries: [(signers: [(Int, SigningKey)], fault: EvidenceFault)] = [
            ([(1, keys[1])], .belowThreshold(signatures: 1, threshold: 2, keys: 3)),
            ([(0, keys[0]), (1, strangers[1])], .badRecoverySignature(key: 1)),
            ([(0, keys[0]), (3, keys[1])], .badRecoverySignature(key: 3)),
            ([(0, keys[0]), (1, keys[0])], .badRecoverySignature(key: 1)),
        ]
        var certificates = forgeries.map { chain.recovery(statement, $0.signers) }
        func lie(_ certificate: Certificate, next: ValidatorSet? = nil) -> SnapshotFault? {
            let change = EpochChange(
                header: ending.header, certificate: certificate, next: next ?? ending.next)
            return scene.fault(
                SnapshotManifest(
                    header: genuine.header, finalization: genuine.finalization,
                    epochChanges: genuine.epochChanges.dropLast() + [change],
                    nextValidators: nil, cover: genuine.cover, logEnd: genuine.logEnd,
                    headers: genuine.headers))
        }
        let place = EvidencePlace.epochChange(index: 1)
        for (forgery, certificate) in zip(forgeries, certificates) {
            #expect(lie(certificate) == .notCertified(EvidenceProblem(place, forgery.fault)))
        }
        #expect(lie(ending.certificate) == nil)
        #expect(
            lie(ending.certificate, next: chain.genesis.validators)
                == .notCertified(EvidenceProblem(place, .otherNextValidators)))
        let votes = chain.certificate(ending.header, view: 1, signers: [0, 1, 2])
        #expect(lie(votes) != nil)
        certificates.append(votes)
        // Other keys make no other recovery of it.
        #expect(lie(chain.recovery(statement, [(1, keys[1]), (2, keys[2])])) == nil)
        var seen = 0
        for index in genuine.stateChunks..<genuine.chunks {
            let blocks = try BlockChunk.decode(
                try scene.chunk(index), limits: SnapshotLimits.chunk
            ).blocks
            guard let place = blocks.firstIndex(where: { $0.finalization?.kind == .recover })
            else { continue }
            seen += 1
            let member = blocks[place]
            for forged in certificates + [nil] {
                var others = blocks
                others[place] = SnapshotBlock(
                    StoredBlock(
                        block: member.block, finalization: forged, codes: member.codes),
                    isCertified: true)
                guard
                    case .blockChunk(index, height: ending.header.height, _)? = scene.fault(
                        chunk: index, BlockChunk(blocks: others).encoded)
                else {
                    Issue.record("\(String(describing: forged))")
                    continue
                }
            }
        }
        #expect(seen == 1)
    }

    /// A changed byte of the manifest is refused, or changes nothing that is taken from it.
    @Test func aChangedManifestIsRefused() throws {
        let scene = try Scene()
        for place in stride(from: 0, to: scene.bytes.count, by: 23) {
            var bad = scene.bytes
            bad[place] ^= 1 << UInt8(place % 8)
            guard let taken = try? VerifiedManifest(bad, genesis: scene.chain.genesis) else {
                continue
            }
            // Whether a part with a neighbour holds one entry shows in no digest.
            let left = taken.manifest.cover.parts
            let right = scene.manifest.cover.parts
            #expect(left.map(\.summary.digest) == right.map(\.summary.digest))
            #expect(taken.manifest.logEnd == scene.manifest.logEnd)
            #expect(taken.manifest.headers == scene.manifest.headers)
            #expect(taken.manifest.epochChanges == scene.manifest.epochChanges)
            #expect(taken.manifest.finalization == scene.manifest.finalization)
        }
        for count in stride(from: 0, to: scene.bytes.count, by: 31) {
            #expect(throws: SnapshotFault.self) {
                try VerifiedManifest(Array(scene.bytes[..<count]), genesis: scene.chain.genesis)
            }
        }
        #expect(throws: SnapshotFault.self) {
            try VerifiedManifest(scene.bytes + [0], genesis: scene.chain.genesis)
        }
    }

    /// Well-formed lies in the manifest, each refused for what it is.
    @Test func aLyingManifestIsRefused() throws {
        let scene = try Scene()
        let genuine = scene.manifest
        func lie(
            header: Header? = nil, finalization: Certificate? = nil,
            epochChanges: [EpochChange]? = nil, next: ValidatorSet? = nil, cover: MapCover? = nil,
            logEnd: LogEnd? = nil, headers: [HeaderEvidence]? = nil
        ) -> SnapshotFault? {
            scene.fault(
                SnapshotManifest(
                    header: header ?? genuine.header,
                    finalization: finalization ?? genuine.finalization,
                    epochChanges: epochChanges ?? genuine.epochChanges, nextValidators: next,
                    cover: cover ?? genuine.cover, logEnd: logEnd ?? genuine.logEnd,
                    headers: headers ?? genuine.headers))
        }
        #expect(lie() == nil)
        let other = try Scene(blocks: 18, changes: [3])
        if case .notCertified = lie(header: other.manifest.header) {
        } else {
            Issue.record("another header")
        }
        if case .notCertified = lie(epochChanges: Array(genuine.epochChanges.dropLast())) {
        } else {
            Issue.record("an epoch left out")
        }
        if case .notCertified = lie(epochChanges: other.manifest.epochChanges) {
        } else {
            Issue.record("another chain's epochs")
        }
        #expect(lie(next: scene.chain.genesis.validators) == .nextValidators)
        #expect(lie(cover: other.manifest.cover) == .stateRoot)
        #expect(lie(logEnd: LogEnd()) == .logEnd)
        #expect(lie(logEnd: other.manifest.logEnd) == .logEnd)
        let first = genuine.headers[1].header.height + 1
        #expect(lie(headers: Array(genuine.headers.dropFirst())) == .firstHeight(first))
        #expect(lie(headers: [genuine.headers[0]] + genuine.headers) == .ancestor(1))
        let strange = HeaderEvidence(
            header: other.manifest.header, path: genuine.headers[0].path)
        #expect(lie(headers: genuine.headers + [strange]) == .ancestor(genuine.headers.count))
        // Fewer chunks than there are blocks for: another cut, but no lie.
        #expect(lie(headers: Array(genuine.headers.dropLast())) == nil)
    }

    @Test func onlyThisGenesisProvesIt() throws {
        let scene = try Scene()
        let other = try CertifiedChain()
        #expect(throws: SnapshotFault.self) {
            try VerifiedManifest(scene.bytes, genesis: other.genesis)
        }
    }

    // MARK: Crashes

    /// After any number of chunks, whatever a crash has left of the files.
    @Test func aStageIsGoneOnWith() throws {
        let scene = try Scene()
        let folder = try TestFolder()
        let path = folder.path + "/join"
        #expect(SnapshotStage(folder: path, genesis: scene.chain.genesis) == nil)
        var stage = try SnapshotStage(
            folder: path, manifest: scene.bytes, verified: scene.verified)
        let chunks = scene.manifest.chunks
        #expect(stage.missing == Array(0..<chunks))
        var lie = try scene.chunk(1)
        lie[lie.count / 2] ^= 1
        #expect(try stage.add(chunk: 1, lie) != nil)
        for index in 0..<chunks where index % 2 == 0 {
            #expect(try stage.add(chunk: index, try scene.chunk(index)) == nil)
        }
        // Torn, foreign and half-written files.
        let torn = URL(fileURLWithPath: path + "/0")
        try Data(try scene.chunk(0).dropLast(3)).write(to: torn)
        try Data([1, 2, 3]).write(to: URL(fileURLWithPath: path + "/part"))
        try Data(try scene.chunk(1)).write(to: URL(fileURLWithPath: path + "/999"))
        var again = try #require(SnapshotStage(folder: path, genesis: scene.chain.genesis))
        #expect(again.missing == (0..<chunks).filter { $0 % 2 == 1 || $0 == 0 })
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        #expect(names.count == 1 + chunks - again.missing.count)
        for index in again.missing {
            #expect(try again.add(chunk: index, try scene.chunk(index)) == nil)
        }
        #expect(again.isComplete && !stage.isComplete)
        // A manifest that is damaged ends it.
        try Data(scene.bytes.dropLast(9)).write(to: URL(fileURLWithPath: path + "/manifest"))
        #expect(SnapshotStage(folder: path, genesis: scene.chain.genesis) == nil)
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    /// A stage for a newer manifest keeps what fits it.
    @Test func aNewerManifestTakesOver() throws {
        let scene = try Scene()
        let folder = try TestFolder()
        let path = folder.path + "/join"
        var stage = try SnapshotStage.fetched(
            scene.height, from: scene.shelf, to: path, genesis: scene.chain.genesis)
        try scene.chain.fill(blocks: 2)
        let made = try #require(try scene.shelf.make())
        stage = try SnapshotStage.fetched(
            made.height, from: scene.shelf, to: path, genesis: scene.chain.genesis)
        let store = try Store(folder: folder.path, genesis: scene.chain.genesis)
        try store.install(stage)
        #expect(store.header == scene.chain.store.header)
    }

    /// A power cut anywhere in the installing leaves genesis, and the stage, or the snapshot.
    @Test func installingIsOneStep() throws {
        let scene = try Scene()
        let folder = try TestFolder()
        let path = folder.path + "/join"
        let stage = try SnapshotStage.fetched(
            scene.height, from: scene.shelf, to: path, genesis: scene.chain.genesis)
        let store = try Store(folder: folder.path, genesis: scene.chain.genesis)
        try store.install(stage)
        let whole = folder.byteCount("ledger.db-wal")
        #expect(whole > 0)
        var heights: Set<UInt64> = []
        for step in 0...12 {
            let crashed = try folder.copy(walBytes: whole * step / 12)
            guard crashed.byteCount("ledger.db") > 0 || step > 0 else { continue }
            let reopened = try Store(folder: crashed.path, genesis: scene.chain.genesis)
            heights.insert(reopened.watermark.height)
            if reopened.watermark.height == 0 {
                let resumed = try #require(
                    SnapshotStage(folder: path, genesis: scene.chain.genesis))
                #expect(resumed.isComplete)
                try reopened.install(resumed)
            }
            #expect(reopened.header == scene.chain.store.header)
            #expect(reopened.state.root == scene.chain.store.state.root)
        }
        #expect(heights == [0, scene.height])
    }

    /// A file of the stage that rots before it is used stops the store, and the next start fetches it again.
    @Test func aStagedFileThatRotsIsNoticed() throws {
        let scene = try Scene()
        let folder = try TestFolder()
        let path = folder.path + "/join"
        let stage = try SnapshotStage.fetched(
            scene.height, from: scene.shelf, to: path, genesis: scene.chain.genesis)
        let place = scene.manifest.chunks - 1
        var bytes = try scene.chunk(place)
        bytes[bytes.count - 5] ^= 1
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(place)"))
        do {
            let store = try Store(folder: folder.path, genesis: scene.chain.genesis)
            let error = storageError { try store.install(stage) }
            if case .damaged = error {} else { Issue.record("\(String(describing: error))") }
            #expect(store.fault == error)
        }
        let store = try Store(folder: folder.path, genesis: scene.chain.genesis)
        #expect(store.watermark.height == 0)
        var resumed = try #require(SnapshotStage(folder: path, genesis: scene.chain.genesis))
        #expect(resumed.missing == [place])
        #expect(try resumed.add(chunk: place, try scene.chunk(place)) == nil)
        try store.install(resumed)
        #expect(store.header == scene.chain.store.header)
    }
}
