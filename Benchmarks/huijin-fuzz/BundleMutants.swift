import Encoding
import LightClient

/// Every small way to falsify a bundle, one at a time: bits turned, parts dropped, repeated, exchanged, replaced, and parts of
/// other bundles put in.
struct BundleMutants {
    let bytes: [UInt8]
    let tree: CBORValue

    /// Enough for every bundle of up to 1 MiB.
    static let limits = CBORLimits(
        bytesMax: 1 << 20, depthMax: 32, itemsMax: 1 << 16, stringBytesMax: 1 << 20)

    init(_ bytes: [UInt8]) throws(CBORError) {
        self.bytes = bytes
        tree = try CBORValue.decode(bytes, limits: BundleMutants.limits)
    }

    // MARK: Bits

    var bitCount: Int { bytes.count * 8 }

    func flipping(bit: Int) -> [UInt8] {
        var mutant = bytes
        mutant[bit / 8] ^= 1 << UInt8(bit % 8)
        return mutant
    }

    // MARK: Parts

    /// Everything that one change of the structure gives.
    func forEachChange(_ body: ([UInt8]) -> Void) {
        BundleMutants.change(tree) { body($0.encoded) }
    }

    private static func change(_ value: CBORValue, _ emit: (CBORValue) -> Void) {
        switch value {
        case .array(let items):
            rearrange(items) { emit(.array($0)) }
            for (index, item) in items.enumerated() {
                change(item) { emit(.array(replacing(items, at: index, by: $0))) }
            }
        case .map(let pairs):
            rearrange(pairs) { emit(.map($0)) }
            for (index, pair) in pairs.enumerated() {
                change(pair.0) { emit(.map(replacing(pairs, at: index, by: ($0, pair.1)))) }
                change(pair.1) { emit(.map(replacing(pairs, at: index, by: (pair.0, $0)))) }
            }
        case .bytes(let bytes): change(bytes, emit)
        case .text(let text):
            emit(.text(""))
            emit(.text(text + "0"))
        case .tag(let number, let item):
            emit(item)
            emit(.tag(number + 1, item))
            change(item) { emit(.tag(number, $0)) }
        case .unsigned(let number):
            for other in [number &+ 1, number &- 1, 0, .max] where other != number {
                emit(.unsigned(other))
            }
            emit(.null)
        case .negative(let number):
            emit(.negative(number &+ 1))
            emit(.unsigned(number))
        case .bool(let bool): emit(.bool(!bool))
        case .null:
            emit(.unsigned(0))
            emit(.bytes([UInt8](repeating: 0, count: 32)))
        }
    }

    private static func change(_ bytes: [UInt8], _ emit: (CBORValue) -> Void) {
        emit(.null)
        emit(.bytes([]))
        emit(.bytes(bytes + [0]))
        if !bytes.isEmpty {
            emit(.bytes(Array(bytes.dropLast())))
            emit(.bytes([UInt8](repeating: 0, count: bytes.count)))
            emit(.bytes(bytes.reversed()))
        }
        // An event, a stored record or a signed header within.
        switch try? CBORValue.decode(bytes, limits: limits) {
        case .array?, .map?, .tag?:
            guard let inner = try? CBORValue.decode(bytes, limits: limits) else { return }
            change(inner) { emit(.bytes($0.encoded)) }
        case .unsigned?, .negative?, .bytes?, .text?, .bool?, .null?, nil: return
        }
    }

    private static func rearrange<Item>(_ items: [Item], _ emit: ([Item]) -> Void) {
        guard !items.isEmpty else { return }
        emit([])
        emit(items.reversed())
        emit(items + items)
        for (index, item) in items.enumerated() {
            var dropped = items
            dropped.remove(at: index)
            emit(dropped)
            var repeated = items
            repeated.insert(item, at: index)
            emit(repeated)
            for other in Set([index + 1, index - 1, 0, items.count - 1])
            where other != index && items.indices.contains(other) {
                emit(replacing(items, at: index, by: items[other]))
                var exchanged = items
                exchanged.swapAt(index, other)
                emit(exchanged)
            }
        }
    }

    private static func replacing<Item>(_ items: [Item], at index: Int, by item: Item) -> [Item] {
        var changed = items
        changed[index] = item
        return changed
    }

    // MARK: Splices

    /// Parts of another bundle in the place of this one's: whole fields, single elements of them, and halves.
    func forEachSplice(with other: BundleMutants, _ body: ([UInt8]) -> Void) {
        BundleMutants.splice(tree, other.tree, depth: 0) { body($0.encoded) }
    }

    static let spliceDepthMax = 4
    static let spliceItemsMax = 24

    private static func splice(
        _ mine: CBORValue, _ theirs: CBORValue, depth: Int, _ emit: (CBORValue) -> Void
    ) {
        guard case .array(let items) = mine, case .array(let others) = theirs,
            depth < spliceDepthMax
        else { return }
        for (index, item) in items.enumerated().prefix(spliceItemsMax) {
            for (place, other) in others.enumerated().prefix(spliceItemsMax) {
                // Fields of a fixed form fit their own place only; elsewhere any element may be tried for any.
                guard place == index || depth > 0 else { continue }
                emit(.array(replacing(items, at: index, by: other)))
                guard place == index else { continue }
                splice(item, other, depth: depth + 1) {
                    emit(.array(replacing(items, at: index, by: $0)))
                }
            }
        }
        for cut in 1..<max(1, min(items.count, others.count)) {
            emit(.array(Array(items[..<cut] + others[cut...])))
        }
    }
}
