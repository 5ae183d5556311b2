import LedgerCrypto

/// A double-ended queue in one array; every operation takes amortised constant time.
struct Queue<Element: Sendable>: Sendable {
    private var elements: [Element?] = []
    private var head = 0
    /// What was put back in front, the foremost last.
    private var front: [Element] = []

    var isEmpty: Bool { front.isEmpty && head == elements.count }

    var count: Int { front.count + elements.count - head }

    /// Drops all others; takes time in proportion to the count.
    mutating func keep(where isKept: (Element) -> Bool) {
        front = front.filter(isKept)
        elements = elements[head...].filter { $0.map(isKept) ?? false }
        head = 0
    }

    mutating func append(_ element: Element) {
        elements.append(element)
    }

    mutating func prepend(_ element: Element) {
        front.append(element)
    }

    mutating func popFirst() -> Element? {
        if let element = front.popLast() { return element }
        guard head < elements.count else { return nil }
        let element = elements[head]
        elements[head] = nil
        head += 1
        if head >= 64, head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
        return element
    }
}

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
