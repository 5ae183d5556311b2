import Dispatch
import Ledger
import LedgerCrypto
import Replica

/// What the verifier's thread knows, and how it goes about a list of checks.
struct CheckDesk {
    let threads: Int
    private var cache = VerifiedCache()
    private var book = BatchBook()
    /// Signatures that were checked, for tests.
    private(set) var signaturesChecked = 0

    /// Fewer checks than this are not worth waking another thread for.
    private static let checksPerThreadMin = 8

    init(threads: Int) {
        self.threads = threads
    }

    private enum Finding: Sendable {
        case single(Verified<SignedTransaction>?)
        case batch(VerifiedBatch, Verified<SignedTransaction>)
        case badBatch(Digest)
        /// Found bad before; nothing was checked.
        case knownBad
    }

    /// The transactions of those whose signatures are valid, in the order of the checks.
    mutating func verify(_ checks: [SignatureCheck]) -> [Verified<SignedTransaction>?] {
        var results = checks.map { cache.transaction(for: $0) }
        var open: [Int] = []
        var followers: [Int] = []
        var leading: Set<BatchSignature> = []
        for index in checks.indices where results[index] == nil {
            guard let signature = checks[index].batchSignature else {
                open.append(index)
                continue
            }
            results[index] = book.transaction(checks[index].envelope, signature)
            guard results[index] == nil else { continue }
            // The first of a batch goes ahead of the others.
            if leading.insert(signature).inserted {
                open.append(index)
            } else {
                followers.append(index)
            }
        }
        settle(open, checks, &results)
        settle(followers: followers, checks, &results)
        return results
    }

    /// Those whose batch is known by now, and where the one that went ahead was bad, one for each root that they claim.
    private mutating func settle(
        followers: [Int], _ checks: [SignatureCheck],
        _ results: inout [Verified<SignedTransaction>?]
    ) {
        var open: [Int] = []
        var claims: Set<Digest> = []
        var last: [Int] = []
        for index in followers {
            results[index] = known(checks[index])
            guard results[index] == nil else { continue }
            guard let claim = checks[index].envelope.batchClaim(under: checks[index].key) else {
                continue
            }
            if claims.insert(claim.digest).inserted {
                open.append(index)
            } else {
                last.append(index)
            }
        }
        settle(open, checks, &results)
        for index in last { results[index] = known(checks[index]) }
    }

    private mutating func known(_ check: SignatureCheck) -> Verified<SignedTransaction>? {
        check.batchSignature.flatMap { book.transaction(check.envelope, $0) }
    }

    private mutating func settle(
        _ indices: [Int], _ checks: [SignatureCheck],
        _ results: inout [Verified<SignedTransaction>?]
    ) {
        guard !indices.isEmpty else { return }
        for (index, finding) in zip(indices, findings(indices.map { checks[$0] })) {
            switch finding {
            case .single(let transaction):
                signaturesChecked += 1
                results[index] = transaction
                if let transaction { cache.insert(transaction) }
            case .batch(let batch, let transaction):
                signaturesChecked += 1
                results[index] = transaction
                book.insert(batch)
            case .badBatch(let claim):
                signaturesChecked += 1
                book.insertBad(claim)
            case .knownBad: break
            }
        }
    }

    private func findings(_ checks: [SignatureCheck]) -> [Finding] {
        let book = book
        let parts = min(threads, checks.count / CheckDesk.checksPerThreadMin)
        guard parts > 1 else { return checks.map { CheckDesk.finding($0, book) } }
        var findings = [Finding](repeating: .knownBad, count: checks.count)
        findings.withUnsafeMutableBufferPointer { buffer in
            // Each part writes to places of its own.
            nonisolated(unsafe) let places = buffer
            DispatchQueue.concurrentPerform(iterations: parts) { part in
                let start = checks.count * part / parts
                let end = checks.count * (part + 1) / parts
                for index in start..<end {
                    places[index] = CheckDesk.finding(checks[index], book)
                }
            }
        }
        return findings
    }

    private static func finding(_ check: SignatureCheck, _ book: BatchBook) -> Finding {
        guard check.envelope.batchProof != nil else {
            return .single(check.envelope.verified(by: check.key))
        }
        guard let claim = check.envelope.batchClaim(under: check.key) else { return .knownBad }
        let digest = claim.digest
        if book.isBad(digest) { return .knownBad }
        guard let found = claim.verified() else { return .badBatch(digest) }
        return .batch(found.batch, found.transaction)
    }
}

extension SignatureCheck {
    fileprivate var batchSignature: BatchSignature? {
        envelope.batchSignature(under: key)
    }
}
