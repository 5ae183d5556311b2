import Encoding
import Ledger
import LedgerCrypto
import Testing

@testable import Mempool

/// Makes signed transactions of a few members; equal arguments give equal ones.
struct Signer {
    let suite = Suite.ed25519SHA256
    let chain = Suite.ed25519SHA256.digest([1])
    let keys: [SigningKey]

    init() throws {
        keys = try (1...2).map {
            try SigningKey(suite: .ed25519SHA256, secret: [UInt8](repeating: $0, count: 32))
        }
    }

    /// - Parameter key: which of the members' common keys signs: another key makes another envelope of the same id.
    func transaction(
        _ number: Int, member: Int = 0, lastValid: UInt64 = 100, key: Int = 0, bytes: Int = 1
    ) throws -> Verified<SignedTransaction> {
        let nonce = Array(suite.digest(Array("\(number)".utf8)).bytes.prefix(16))
        let transaction = Transaction(
            kind: 60, nonce: nonce, lastValidHeight: lastValid,
            member: try #require(MemberID("MEMBER-\(member)")),
            body: ByteString([UInt8](repeating: 0, count: bytes)).encoded)
        let envelope = try Envelope(
            bytes: Envelope.sign(transaction, chain: chain, with: keys[key]), chain: chain,
            suite: suite)
        return try #require(envelope.verified(by: keys[key].publicKey))
    }
}

struct MempoolTests {
    let signer: Signer

    init() throws {
        signer = try Signer()
    }

    private func take(_ pool: inout Mempool, _ count: Int, member: Int = 1_000) -> [Digest] {
        pool.takeCandidates(countMax: count, bytesMax: 1_000_000, memberCountMax: member)
            .map(\.value.id)
    }

    /// The same order, once signed by itself and once under a batch.
    @Test func bothFormsOfATransactionAreOne() throws {
        let payloads = try (1...3).map { try signer.transaction($0).value.transaction }
        let key = signer.keys[0]
        let batch = try Envelope.signBatch(payloads, chain: signer.chain, with: key).map {
            let envelope = try Envelope(bytes: $0, chain: signer.chain, suite: signer.suite)
            return try #require(envelope.verified(by: key.publicKey))
        }
        var pool = Mempool(height: 0)
        try pool.insert(try signer.transaction(2))
        #expect(throws: Mempool.Refusal.duplicate) { try pool.insert(batch[1]) }
        try pool.insert(batch[0])
        #expect(throws: Mempool.Refusal.duplicate) { try pool.insert(try signer.transaction(1)) }
        #expect(pool.transaction(digest: batch[0].value.digest) == batch[0])
        #expect(pool.count == 2)
    }

    @Test func onePlaceForEachID() throws {
        var pool = Mempool(height: 0)
        let first = try signer.transaction(1, bytes: 30)
        let second = try signer.transaction(1, key: 1, bytes: 30)
        #expect(first.value.id == second.value.id)
        #expect(first.value.digest != second.value.digest)
        try pool.insert(first)
        #expect(throws: Mempool.Refusal.duplicate) { try pool.insert(first) }
        #expect(throws: Mempool.Refusal.duplicate) { try pool.insert(second) }
        #expect(pool.transaction(digest: second.value.digest) == nil)
        pool.remove(ids: [first.value.id])
        #expect(pool.count == 0 && pool.bytes == 0 && pool.readyCount == 0)
        try pool.insert(second)
        #expect(pool.transaction(digest: second.value.digest) != nil)
    }

    @Test func boundsHold() throws {
        let size = try signer.transaction(1, bytes: 30).value.envelope.bytes.count
        var pool = Mempool(
            limits: MempoolLimits(
                countMax: 5, bytesMax: 10_000, memberCountMax: 3, memberBytesMax: 2 * size + 1),
            height: 10)
        try pool.insert(signer.transaction(1, bytes: 30))
        try pool.insert(signer.transaction(2, bytes: 30))
        #expect(throws: Mempool.Refusal.memberFull) {
            try pool.insert(signer.transaction(3, bytes: 30))
        }
        for number in 4...6 { try pool.insert(signer.transaction(number, member: number)) }
        #expect(throws: Mempool.Refusal.full) { try pool.insert(signer.transaction(7, member: 7)) }
        #expect(pool.count == 5)
        #expect(throws: Mempool.Refusal.duplicate) {
            try pool.insert(signer.transaction(4, member: 4))
        }
        pool.remove(ids: [try signer.transaction(4, member: 4).value.id])
        #expect(throws: Mempool.Refusal.expired) {
            try pool.insert(signer.transaction(8, member: 8, lastValid: 10))
        }
        let bad = try signer.transaction(9, member: 9)
        pool.noteBadSignature(bad.value.digest)
        #expect(throws: Mempool.Refusal.badSignature) { try pool.insert(bad) }
    }

    @Test func membersTakeTurnsInOrder() throws {
        var pool = Mempool(height: 0)
        var ids: [Int: Digest] = [:]
        for number in 0..<30 {
            // Member 0 has twenty, the others five each.
            let member = number < 20 ? 0 : 1 + (number - 20) / 5
            let transaction = try signer.transaction(number, member: member)
            ids[number] = transaction.value.id
            try pool.insert(transaction)
        }
        let order = [0, 20, 25, 1, 21, 26, 2, 22, 27]
        #expect(take(&pool, 9) == order.compactMap { ids[$0] })
        // The next block goes on with the next member.
        let rest = take(&pool, 100, member: 3)
        #expect(rest == [3, 23, 28, 4, 24, 29, 5].compactMap { ids[$0] })
    }

    @Test func whatIsReservedIsOfferedOnceItIsReleased() throws {
        var pool = Mempool(height: 0)
        let ids = try (0..<6).map { number in
            let transaction = try signer.transaction(number)
            try pool.insert(transaction)
            return transaction.value.id
        }
        #expect(take(&pool, 2) == Array(ids[..<2]))
        pool.reserve(ids: ids[..<2])
        // Reserved by another leader's block, without having been taken here.
        pool.reserve(ids: [ids[3]])
        #expect(pool.readyCount == 3)
        #expect(take(&pool, 10) == [ids[2], ids[4], ids[5]])
        pool.giveBack(pool.digests(of: [ids[2], ids[4], ids[5]]))
        pool.release(ids: [ids[0], ids[1], ids[3]])
        #expect(pool.readyCount == 6)
        #expect(take(&pool, 10) == [ids[0], ids[1], ids[3], ids[2], ids[4], ids[5]])
        pool.remove(ids: ids)
        #expect(pool.count == 0)
    }

    @Test func vainAttemptsEnd() throws {
        var pool = Mempool(limits: MempoolLimits(attemptsMax: 3), height: 0)
        let transaction = try signer.transaction(1)
        try pool.insert(transaction)
        for _ in 0..<3 {
            #expect(take(&pool, 1).count == 1)
            pool.giveBack([transaction.value.digest])
        }
        #expect(pool.count == 0)
    }

    /// Against a list that does everything the slow way.
    @Test func behavesLikeAList() throws {
        struct Item {
            let id, digest: Digest
            let lastValid: UInt64
            var isReserved = false
        }
        for seed in 0..<20 {
            var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15
            func below(_ bound: Int) -> Int {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int((state >> 33) % UInt64(bound))
            }
            var pool = Mempool(height: 0)
            var list: [Item] = []
            var height: UInt64 = 0
            for step in 0..<300 {
                switch below(6) {
                case 0, 1, 2:
                    let transaction = try signer.transaction(
                        seed * 1_000 + below(200), member: below(3),
                        lastValid: height + UInt64(below(9)))
                    let isKnown = list.contains { $0.id == transaction.value.id }
                    let lastValid = transaction.value.transaction.lastValidHeight
                    let isIn = (try? pool.insert(transaction)) != nil
                    #expect(isIn == (!isKnown && lastValid > height), "seed \(seed) step \(step)")
                    if isIn {
                        list.append(
                            Item(
                                id: transaction.value.id, digest: transaction.value.digest,
                                lastValid: lastValid))
                    }
                case 3:
                    let taken = take(&pool, 1 + below(4))
                    #expect(
                        taken.allSatisfy { id in list.contains { $0.id == id && !$0.isReserved } })
                    #expect(Set(taken).count == taken.count)
                    pool.reserve(ids: taken)
                    for index in list.indices where taken.contains(list[index].id) {
                        list[index].isReserved = true
                    }
                case 4:
                    let reserved = list.filter(\.isReserved)
                    let some = reserved.prefix(1 + below(3)).map(\.id)
                    if below(2) == 0 {
                        pool.release(ids: some)
                        for index in list.indices where some.contains(list[index].id) {
                            list[index].isReserved = false
                        }
                    } else {
                        pool.remove(ids: some)
                        list.removeAll { some.contains($0.id) }
                    }
                default:
                    height += UInt64(below(3))
                    pool.expire(height: height)
                    list.removeAll { $0.lastValid <= height }
                }
                #expect(pool.count == list.count)
                #expect(pool.readyCount == list.filter { !$0.isReserved }.count)
            }
            // Nothing gets lost in the queues.
            #expect(Set(take(&pool, 1_000)) == Set(list.filter { !$0.isReserved }.map(\.id)))
        }
    }

    @Test func badSignaturesAreForgottenInTurn() {
        var set = BoundedSet(countMax: 8)
        let digests = (0..<40).map { signer.suite.digest([UInt8($0)]) }
        for digest in digests {
            set.insert(digest)
            #expect(set.contains(digest))
            #expect(set.count <= 8)
        }
        #expect(!set.contains(digests[0]))
        #expect(set.contains(digests[38]))
    }
}

extension Mempool {
    fileprivate func digests(of ids: [Digest]) -> [Digest] {
        ids.compactMap { digest(id: $0) }
    }
}
