import LedgerCrypto

/// A set that forgets its oldest half when it is full.
struct BoundedSet: Sendable {
    private let halfMax: Int
    private var young: Set<Digest> = []
    private var old: Set<Digest> = []

    init(countMax: Int) {
        halfMax = max(1, countMax / 2)
    }

    var count: Int { young.count + old.count }

    func contains(_ digest: Digest) -> Bool { young.contains(digest) || old.contains(digest) }

    mutating func insert(_ digest: Digest) {
        guard !contains(digest) else { return }
        if young.count >= halfMax {
            old = young
            young = []
        }
        young.insert(digest)
    }
}
