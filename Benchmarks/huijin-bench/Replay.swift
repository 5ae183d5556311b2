import Dispatch
import Execution
import Foundation
import Ledger
import LedgerCrypto
import Records
import Replica
import Storage
import Synchronization

/// Executes a node's whole chain again on a fresh store, every signature checked, every block committed durably.
///
/// One thread executes and commits, a second reads ahead, and a third has the signatures checked on all cores. A signature
/// is checked under the key that its envelope names, wherever in the chain that key was registered; whether it was live
/// at that place is for execution to say.
struct Replay {
    let network: BenchNetwork
    let ceiling: Ceiling

    func run() throws {
        let genesis = network.genesis
        let path = network.data.path
        let target = try Store(
            folder: network.folder.appending(path: "replay").path, genesis: genesis)
        let executor = Executor<Store>(genesis: genesis)
        var replay = ReplayWindow()
        var pending: [ExecutedBlock] = []
        var count = 0
        let before = ceiling.measure()
        let reader = try BlockReader(folder: path, genesis: genesis)
        let read = Pipe<[StoredBlock]>(capacity: 4)
        let checked = Pipe<CheckedBlock>(capacity: 256)
        let begin = ContinuousClock.now
        Thread.detachNewThread { read.finish(Result { try reader.run(into: read) }) }
        Thread.detachNewThread {
            checked.finish(
                Result { try Checker(genesis: genesis, reader: reader).run(read, into: checked) })
        }
        while let next = try checked.take() {
            let stored = next.stored
            let last = pending.last
            let parent = ParentState(
                header: last?.block.header ?? target.header,
                headerDigest: last?.headerDigest ?? target.watermark.header,
                frontier: last?.frontier ?? target.watermark.frontier, layers: pending,
                base: target)
            let executed = try executor.execute(
                stored.block, on: parent, transactions: next.transactions, replay: replay)
            replay.insert(executed)
            replay.prune(height: executed.height)
            pending.append(executed)
            // A block may be final through a descendant alone; then both are committed together.
            if let finalization = stored.finalization {
                try target.commit(Commit(blocks: pending, finalization: finalization))
                pending = []
            }
            count += stored.block.entries.count
        }
        let seconds = (ContinuousClock.now - begin).milliseconds / 1e3
        let all = max(before, ceiling.measure()) * Double(ceiling.validators)
        guard target.watermark == reader.watermark else {
            throw BenchNetwork.Failed(description: "the replayed chain ends elsewhere")
        }
        let rate = Double(count) / seconds
        Report.line(
            "replay",
            [
                ("blocksPerSecond", .real(Double(target.watermark.height) / seconds)),
                ("transactionsPerSecond", .real(rate)), ("verificationPerSecond", .real(all)),
                ("shareOfVerification", .real(rate / all)),
                ("blocks", .unsigned(target.watermark.height)),
                ("transactions", .unsigned(UInt64(count))),
            ])
    }
}

/// A stored block with its transactions, one for each entry, their signatures checked.
private struct CheckedBlock: Sendable {
    let stored: StoredBlock
    let transactions: [Verified<SignedTransaction>?]
}

/// Reads a chain, many entries at a time.
private final class BlockReader: Sendable {
    private let store: Mutex<Store>
    private let suite: Suite
    let watermark: Watermark

    /// Entries that are checked together.
    private static let windowEntries = 1_024

    init(folder: String, genesis: Genesis) throws {
        let store = try Store(folder: folder, genesis: genesis)
        watermark = store.watermark
        suite = genesis.suite
        self.store = Mutex(store)
    }

    func run(into pipe: Pipe<[StoredBlock]>) throws {
        var window: [StoredBlock] = []
        var entries = 0
        for height in 1...watermark.height {
            guard let stored = try store.withLock({ try $0.block(height) }) else {
                throw BenchNetwork.Failed(description: "block \(height) is missing")
            }
            window.append(stored)
            entries += stored.block.entries.count
            guard entries >= BlockReader.windowEntries || height == watermark.height else {
                continue
            }
            pipe.put(window)
            window = []
            entries = 0
        }
    }

    func key(_ id: KeyID) -> PublicKey? {
        let value = store.withLock { $0.value(for: StateKey.key(id, suite)) }
        return value.flatMap { try? StoredRecord.decode(value: $0) }
            .flatMap { KeyRecord($0) }?.publicKey
    }
}

/// Checks a chain's signatures.
private struct Checker {
    private let genesis: Genesis
    private let reader: BlockReader
    private var keys: [KeyID: PublicKey] = [:]

    /// Many more than there are cores: executing takes its share of one of them, and the other must not wait for it.
    private static let parts = 16

    init(genesis: Genesis, reader: BlockReader) {
        self.genesis = genesis
        self.reader = reader
    }

    func run(_ read: Pipe<[StoredBlock]>, into pipe: Pipe<CheckedBlock>) throws {
        var checker = self
        while let window = try read.take() {
            for block in try checker.check(window) { pipe.put(block) }
        }
    }

    private mutating func check(_ blocks: [StoredBlock]) throws -> [CheckedBlock] {
        let bytes = blocks.flatMap { stored in
            stored.block.entries.map { entry -> [UInt8]? in
                if case .envelope(let bytes) = entry { bytes } else { nil }
            }
        }
        let (chain, suite) = (genesis.chain, genesis.suite)
        let envelopes = inParallel(bytes.count) { index in
            bytes[index].flatMap { try? Envelope(bytes: $0, chain: chain, suite: suite) }
        }
        for envelope in envelopes {
            if let envelope { learn(envelope.keyID) }
        }
        let keys = keys
        let transactions = inParallel(bytes.count) { index in
            envelopes[index].flatMap { envelope in
                keys[envelope.keyID].flatMap { envelope.verified(by: $0) }
            }
        }
        guard zip(bytes, transactions).allSatisfy({ $0 == nil || $1 != nil }) else {
            throw BenchNetwork.Failed(description: "a stored signature is not valid")
        }
        var rest = transactions[...]
        return blocks.map { stored in
            let own = Array(rest.prefix(stored.block.entries.count))
            rest = rest.dropFirst(own.count)
            return CheckedBlock(stored: stored, transactions: own)
        }
    }

    private mutating func learn(_ id: KeyID) {
        if keys[id] == nil { keys[id] = reader.key(id) }
    }

    private func inParallel<Value: Sendable>(
        _ count: Int, _ body: @Sendable (Int) -> Value?
    ) -> [Value?] {
        var values = [Value?](repeating: nil, count: count)
        let parts = Checker.parts
        values.withUnsafeMutableBufferPointer { buffer in
            // Each part writes to places of its own.
            nonisolated(unsafe) let places = buffer
            DispatchQueue.concurrentPerform(iterations: parts) { part in
                for index in count * part / parts..<count * (part + 1) / parts {
                    places[index] = body(index)
                }
            }
        }
        return values
    }
}

/// What one thread makes and another takes, in order, so many at most in between.
private final class Pipe<Item: Sendable>: Sendable {
    private struct Contents {
        var items: [Item] = []
        var end: Result<Void, any Error>?
    }

    private let contents = Mutex(Contents())
    private let room: DispatchSemaphore
    private let filled = DispatchSemaphore(value: 0)

    init(capacity: Int) {
        room = DispatchSemaphore(value: capacity)
    }

    func put(_ item: Item) {
        room.wait()
        contents.withLock { $0.items.append(item) }
        filled.signal()
    }

    func finish(_ end: Result<Void, any Error>) {
        contents.withLock { $0.end = end }
        filled.signal()
    }

    /// Nil at the end.
    func take() throws -> Item? {
        filled.wait()
        let item = contents.withLock { $0.items.isEmpty ? nil : $0.items.removeFirst() }
        if item != nil {
            room.signal()
            return item
        }
        try contents.withLock { $0.end }?.get()
        return nil
    }
}
