import Ledger
import LedgerCrypto
import Replica

/// The transactions that were found well signed most recently, by the digest of their exact bytes.
struct VerifiedCache {
    /// About two generations of this many are kept, with all their bytes: what comes twice comes soon after, and what stays longer is in no
    /// processor's cache when it goes.
    static let generationMax = 1_024

    private var recent = Generations<Digest, Verified<SignedTransaction>>(max: generationMax)

    /// - Returns: `nil` unless these very bytes were checked under this very key.
    func transaction(for check: SignatureCheck) -> Verified<SignedTransaction>? {
        guard let found = recent[check.envelope.digest], found.value.key == check.key else {
            return nil
        }
        return found
    }

    mutating func insert(_ transaction: Verified<SignedTransaction>) {
        recent.insert(transaction, for: transaction.value.digest)
    }
}

/// The signed batches that were checked most recently, good and bad, so that one signature is checked once however
/// many envelopes rest on it.
struct BatchBook {
    /// In digests of 32 bytes, of which a batch keeps at most 2,048: 8 MiB for each of two generations.
    static let generationMax = 262_144
    /// What a batch takes beside its digests, in digests.
    static let overhead = 16
    static let badGenerationMax = 4_096

    private var good = Generations<BatchSignature, VerifiedBatch>(max: generationMax)
    private var bad = Generations<Digest, Void>(max: badGenerationMax)

    /// - Returns: `nil` unless the batch is known and the envelope's path leads to its root.
    mutating func transaction(
        _ envelope: Envelope, _ signature: BatchSignature
    ) -> Verified<SignedTransaction>? {
        good.update(signature) { $0.transaction(envelope) } ?? nil
    }

    mutating func insert(_ batch: VerifiedBatch) {
        good.insert(
            batch, for: batch.signature, weight: batch.digestCount + BatchBook.overhead)
    }

    func isBad(_ claim: Digest) -> Bool { bad[claim] != nil }

    mutating func insertBad(_ claim: Digest) { bad.insert((), for: claim) }
}

/// A bounded memory of what was used lately, in two generations: when the young one is full, the old one is forgotten
/// and the young one is the old one.
struct Generations<Key: Hashable, Value> {
    fileprivate struct Item {
        var value: Value
        let weight: Int
    }

    /// Sum of the weights in one generation; the last one in may exceed it.
    let max: Int
    private var weight = 0
    private var young: [Key: Item] = [:]
    private var old: [Key: Item] = [:]

    init(max: Int) {
        precondition(max > 0, "a generation holds something")
        self.max = max
    }

    subscript(key: Key) -> Value? { (young[key] ?? old[key])?.value }

    mutating func insert(_ value: Value, for key: Key, weight: Int = 1) {
        insert(Item(value: value, weight: weight), for: key)
    }

    private mutating func insert(_ item: Item, for key: Key) {
        if weight >= max {
            old = young
            young = [:]
            weight = 0
        }
        weight += item.weight - (young[key]?.weight ?? 0)
        young[key] = item
    }

    /// Changes a value in place; nil where there is none. A value in use stays young.
    mutating func update<Result>(_ key: Key, _ body: (inout Value) -> Result) -> Result? {
        if young[key] == nil {
            guard let item = old.removeValue(forKey: key) else { return nil }
            insert(item, for: key)
        }
        guard let index = young.index(forKey: key) else { return nil }
        return body(&young.values[index].value)
    }
}

extension Generations.Item: Sendable where Key: Sendable, Value: Sendable {}
extension Generations: Sendable where Key: Sendable, Value: Sendable {}
