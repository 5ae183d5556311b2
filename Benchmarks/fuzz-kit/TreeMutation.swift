import Encoding

/// Changes to an input's CBOR items that leave it CBOR: those inside byte strings too, where an event, a stored record or a
/// signed header stands.
struct TreeMutation {
    private let tree: CBORValue

    private static let limits = CBORLimits(
        bytesMax: 1 << 20, depthMax: 32, itemsMax: 1 << 16, stringBytesMax: 1 << 20)

    /// Nil for what is not one item.
    init?(_ bytes: [UInt8]) {
        guard let tree = try? CBORValue.decode(bytes, limits: TreeMutation.limits) else {
            return nil
        }
        self.tree = tree
    }

    /// - Parameter other: whose parts may come in the place of this one's.
    func changed(
        times: Int, other: TreeMutation?, _ random: inout Randomness
    ) -> [UInt8] {
        var tree = self.tree
        for _ in 0..<times {
            var place = random.below(TreeMutation.count(tree))
            tree = TreeMutation.replace(tree, at: &place) { item in
                TreeMutation.change(item, other?.tree ?? self.tree, &random)
            }
        }
        // Not `encoded`, which demands deterministic CBOR: a changed map may be out of order.
        var encoder = CBOREncoder()
        encoder.value(tree)
        return encoder.bytes
    }

    /// Items of the tree, the root among them.
    private static func count(_ value: CBORValue) -> Int {
        switch value {
        case .array(let items): items.reduce(1) { $0 + count($1) }
        case .map(let pairs): pairs.reduce(1) { $0 + count($1.0) + count($1.1) }
        case .tag(_, let item): 1 + count(item)
        case .unsigned, .negative, .bytes, .text, .bool, .null: 1
        }
    }

    /// Item number `place`, root first.
    private static func item(_ value: CBORValue, at place: inout Int) -> CBORValue? {
        guard place > 0 else { return value }
        place -= 1
        let parts: [CBORValue] =
            switch value {
            case .array(let items): items
            case .map(let pairs): pairs.flatMap { [$0.0, $0.1] }
            case .tag(_, let item): [item]
            case .unsigned, .negative, .bytes, .text, .bool, .null: []
            }
        for part in parts {
            if let found = item(part, at: &place) { return found }
        }
        return nil
    }

    private static func replace(
        _ value: CBORValue, at place: inout Int, by body: (CBORValue) -> CBORValue
    ) -> CBORValue {
        place -= 1
        guard place >= 0 else { return place == -1 ? body(value) : value }
        switch value {
        case .array(let items): return .array(items.map { replace($0, at: &place, by: body) })
        case .map(let pairs):
            return .map(
                pairs.map {
                    (replace($0.0, at: &place, by: body), replace($0.1, at: &place, by: body))
                })
        case .tag(let number, let item):
            return .tag(number, replace(item, at: &place, by: body))
        case .unsigned, .negative, .bytes, .text, .bool, .null: return value
        }
    }

    private static func change(
        _ value: CBORValue, _ other: CBORValue, _ random: inout Randomness
    ) -> CBORValue {
        // Any part of another input in its place.
        if random.below(4) == 0 {
            var place = random.below(count(other))
            return item(other, at: &place) ?? .null
        }
        switch value {
        case .array(var items):
            guard !items.isEmpty else { return .array([.unsigned(0)]) }
            let place = random.below(items.count)
            switch random.below(4) {
            case 0: items.remove(at: place)
            case 1: items.insert(items[random.below(items.count)], at: place)
            case 2: items.swapAt(place, random.below(items.count))
            default: items[place] = .null
            }
            return .array(items)
        case .map(var pairs):
            guard !pairs.isEmpty else { return .map([(.unsigned(0), .null)]) }
            pairs.remove(at: random.below(pairs.count))
            return .map(pairs)
        case .bytes(var bytes):
            if let inner = TreeMutation(bytes), random.below(2) == 0 {
                return .bytes(inner.changed(times: 1, other: nil, &random))
            }
            guard !bytes.isEmpty else { return .bytes([random.byte()]) }
            switch random.below(3) {
            case 0: bytes[random.below(bytes.count)] ^= 1 << UInt8(random.below(8))
            case 1: bytes.removeLast()
            default: bytes.append(random.byte())
            }
            return .bytes(bytes)
        case .text(let text): return .text(random.below(2) == 0 ? text + "中" : "")
        case .tag(let number, let item): return .tag(number &+ random.next() % 3, item)
        case .unsigned(let number):
            let near = [number &+ 1, number &- 1, 0, .max, random.next() % 300, 1 << 32]
            return .unsigned(near[random.below(near.count)])
        case .negative(let number): return .unsigned(number)
        case .bool(let bool): return .bool(!bool)
        case .null: return .unsigned(random.next() % 4)
        }
    }
}
